/**
 * The handle of one opened memory: every call of its stores goes through here.
 *
 * Invariants
 * - A call whose signal is aborted rejects with `signal.reason`. A write that had not begun by then
 *   is not written; one that had reports what really happened.
 * - The injected clock is read once before each call.
 * - A call that can be answered at once is: reads and writes then cost no promise of their own.
 * - Whoever watches hears of a commit only after it is stored.
 */
import { ClosedError, InvalidError } from "../errors.js";
import type { CoreMemory, Withdrawal } from "../loader/load.js";
import type { Reader } from "../value/wire.js";
import type { MemoryInfo, WriteResult } from "../types.js";
import { describe } from "./check.js";
import { Hub } from "./hub.js";
import type { Instance } from "./instance.js";
import { openFirst, type Opened, type Opening } from "./opening.js";
import type { Embedding } from "./options.js";
import { registry } from "./registry.js";
import { Upkeep } from "./upkeep.js";

/** An opened memory, as its stores use it. */
export class Handle {
  readonly info: MemoryInfo;
  readonly hub: Hub;
  readonly instance: Instance;
  readonly core: CoreMemory;
  private readonly upkeep: Upkeep;
  private readonly now: (() => number) | undefined;
  private closing: Promise<void> | undefined;
  private freed = false;

  private constructor({ instance, core, requested, refused }: Opened, opening: Opening, readonly embedding: Embedding | undefined) {
    const { url, backend, durability, shared, dataLoss } = core.info() as MemoryInfo;
    this.info = Object.freeze({ url, requested, refused: Object.freeze(refused), backend, durability, shared, dataLoss });
    this.instance = instance;
    this.core = core;
    this.now = opening.now;
    this.upkeep = new Upkeep(async () => (await this.maintain(8, undefined)).more);
    this.hub = new Hub(shared ? url : undefined, (head) => { if (!this.freed) core.announce(head); });
    registry.set(this, new Date());
  }

  static async open(opening: Opening, embedding: Embedding | undefined): Promise<Handle> {
    const { signal } = opening;
    signal?.throwIfAborted();
    const opened = openFirst(opening, opening.now === undefined ? NaN : timeOf(opening.now));
    try {
      return new Handle(await abortable(opened, signal), opening, embedding);
    } catch (error) {
      // Whoever stopped waiting does not want the database to stay open.
      if (signal?.aborted === true) opened.then(({ core }) => core.close() as unknown, () => undefined);
      throw error;
    }
  }

  /** A call that writes nothing. */
  read<T>(signal: AbortSignal | undefined, call: () => T | Promise<T>): T | Promise<T> {
    this.begin(signal);
    const result = this.instance.run(call);
    return signal === undefined ? result : abortable(Promise.resolve(result), signal);
  }

  /** The same for a call whose result is packed, and is read by `read`; `null` if the core gives nothing. */
  readPacked<T>(signal: AbortSignal | undefined, call: () => unknown, read: (reader: Reader) => T): T | null | Promise<T | null> {
    this.begin(signal);
    const result = this.instance.runPacked(call, read);
    return signal === undefined ? result : abortable(Promise.resolve(result), signal);
  }

  /** A call that writes. `call` hands the claim over to the core with the write. */
  write<T>(signal: AbortSignal | undefined, call: (claim: Withdrawal | undefined) => T | Promise<T>): T | Promise<T> {
    this.begin(signal);
    const { instance } = this;
    if (signal === undefined) return instance.run(() => call(undefined));
    const claim = new instance.core.Withdrawal();
    return new Promise<T>((resolve, reject) => {
      const abort = (): void => {
        // Too late to take it back: then what really happens is the answer.
        if (claim.withdraw()) reject(signal.reason);
      };
      signal.addEventListener("abort", abort, { once: true });
      // An async function begins at once: the value is packed before the caller goes on.
      (async () => instance.run(() => call(claim.share())))().then(resolve, reject).finally(() => {
        signal.removeEventListener("abort", abort);
        claim.free();
      });
    });
  }

  /** The latest sequence number that is known. */
  head(): number {
    return this.freed ? 0 : this.core.head();
  }

  /** What a write that gave `version` resolves to. */
  written(version: number): WriteResult {
    this.hub.committed(version);
    this.upkeep.written();
    return { version, durability: this.info.durability };
  }

  /** Refuses a closed memory and an aborted signal, and sets the clock. */
  begin(signal: AbortSignal | undefined): void {
    if (this.closing !== undefined) throw new ClosedError("the memory was closed; open it again");
    signal?.throwIfAborted();
    if (this.now !== undefined) this.core.setNow(timeOf(this.now));
  }

  /** Removes what has expired and trims the log, for about `budgetMs`. */
  async maintain(budgetMs: number, signal: AbortSignal | undefined): Promise<{ expired: number; more: boolean }> {
    const [expired, more] = await this.read(
      signal, () => this.core.maintain(budgetMs) as Promise<[number, boolean]>,
    );
    if (expired > 0) this.hub.committed(this.head());
    return { expired, more };
  }

  close(): Promise<void> {
    this.closing ??= this.end();
    return this.closing;
  }

  private async end(): Promise<void> {
    this.upkeep.end();
    try {
      await this.instance.run(() => this.core.close() as Promise<void>);
    } finally {
      registry.delete(this);
      this.hub.close();
      // The handles of stores are small and go with the garbage; what they shared is gone now.
      this.freed = true;
      this.core.free();
    }
  }
}

/** The same promise, or a rejection with the signal's reason if that comes first. */
export function abortable<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise;
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason);
    if (signal.aborted) abort();
    signal.addEventListener("abort", abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}

function timeOf(now: () => number): number {
  const time = now();
  if (typeof time !== "number" || !(time >= 0 && time <= 8.64e15)) {
    throw new InvalidError(`now() gave ${describe(time)}; give milliseconds since 1970, as Date.now does`);
  }
  return Math.floor(time);
}
