/**
 * The handle of one opened memory: every call of its stores goes through here.
 *
 * Invariants
 * - A call whose signal is aborted rejects with `signal.reason`. A write that had not begun by then
 *   is not written; one that had reports what really happened.
 * - The injected clock is read once before each call.
 * - Whoever watches hears of a commit only after it is stored.
 */
import { ClosedError, InvalidError } from "../errors.js";
import type { CoreMemory, Withdrawal } from "../loader/load.js";
import type { Embed, MemoryInfo, OpenedHandle, WriteResult } from "../types.js";
import { describe } from "./check.js";
import { Hub } from "./hub.js";
import type { Instance } from "./instance.js";
import type { Opened, Opening } from "./opening.js";
import { Upkeep } from "./upkeep.js";

/** What is open in this context. */
const open = new Set<Handle>();

/** An opened memory, as its stores use it. */
export class Handle {
  readonly info: MemoryInfo;
  readonly hub: Hub;
  readonly instance: Instance;
  readonly core: CoreMemory;
  private readonly openedAt = new Date();
  private readonly upkeep: Upkeep;
  private readonly now: (() => number) | undefined;
  private turn: Promise<void> = Promise.resolve();
  private closing: Promise<void> | undefined;
  private freed = false;

  private constructor({ instance, core, requested, refused }: Opened, opening: Opening, readonly embed: Embed | undefined) {
    const { url, backend, durability, shared, dataLoss } = core.info() as MemoryInfo;
    this.info = Object.freeze({ url, requested, refused: Object.freeze(refused), backend, durability, shared, dataLoss });
    this.instance = instance;
    this.core = core;
    this.now = opening.now;
    this.upkeep = new Upkeep(async () => (await this.maintain(8, undefined)).more);
    this.hub = new Hub(shared ? url : undefined, (head) => { if (!this.freed) core.announce(head); });
    open.add(this);
  }

  static async open(opening: Opening, embed: Embed | undefined): Promise<Handle> {
    const { signal } = opening;
    signal?.throwIfAborted();
    const opened = start(opening, opening.now === undefined ? NaN : timeOf(opening.now));
    try {
      return new Handle(await abortable(opened, signal), opening, embed);
    } catch (error) {
      // Whoever stopped waiting does not want the database to stay open.
      if (signal?.aborted === true) opened.then(({ core }) => core.close() as unknown, () => undefined);
      throw error;
    }
  }

  /** What is open in this context, the first one first. */
  static all(): OpenedHandle[] {
    return [...open].map(({ info: { url, backend }, openedAt }) => ({ url, backend, openedAt: new Date(openedAt) }));
  }

  /** A call that writes nothing. */
  async read<T>(signal: AbortSignal | undefined, call: () => T | Promise<T>): Promise<T> {
    this.begin(signal);
    const result = this.instance.run(call);
    return signal === undefined ? result : abortable(Promise.resolve(result), signal);
  }

  /** A call that writes. `call` hands the claim over to the core with the write. */
  async write<T>(signal: AbortSignal | undefined, call: (claim: Withdrawal | undefined) => T | Promise<T>): Promise<T> {
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

  /** Waits until no other transaction of this memory starts over. Gives what ends the turn. */
  async takeTurn(signal: AbortSignal | undefined): Promise<() => void> {
    const before = this.turn;
    let end: () => void = () => undefined;
    this.turn = new Promise((resolve) => { end = resolve; });
    try {
      await abortable(before, signal);
    } catch (reason) {
      // Who leaves the queue lets those behind him move up.
      before.then(end, end);
      throw reason;
    }
    return end;
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
      open.delete(this);
      this.hub.close();
      // The handles of stores are small and go with the garbage; what they shared is gone now.
      this.freed = true;
      this.core.free();
    }
  }
}

/** Opens what is to be opened. The code for it is needed once, and comes with the core. */
async function start(opening: Opening, time: number): Promise<Opened> {
  const { openFirst } = await import("./opening.js");
  return openFirst(opening, time);
}

/** The same promise, or a rejection with the signal's reason if that comes first. */
function abortable<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
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
