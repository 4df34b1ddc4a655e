/**
 * Transactions: see {@link Transaction}.
 */
import { checkCall, checkCount, checkFunction, checkOptions, checkText, NONE } from "../core/check.js";
import type { Handle } from "../core/handle.js";
import { ClosedError, InvalidError, isMemoryError, toMemoryError } from "../errors.js";
import { validate } from "../schema.js";
import type { Store, Transaction, TransactionOptions } from "../types.js";
import { Reader } from "../value/wire.js";
import { packValue, sequence, unpackValue } from "./pack.js";
import { StoreHandle, ttlOf } from "./store.js";
import { takeTurn, type Turn } from "./turns.js";

type CoreTransaction = ReturnType<Handle["core"]["begin"]>;

/** Longest pause before another attempt, in milliseconds. */
const LONGEST_PAUSE = 32;

/** Runs `fn` until its transaction passes. */
export async function runTransaction<R>(
  memory: Handle, fn: (tx: Transaction) => Promise<R> | R, options: TransactionOptions,
): Promise<R> {
  checkCall(options, ["retries"]);
  checkFunction(fn, "fn", true);
  const retries = checkCount(options.retries ?? 100, "options.retries", 0);
  let turn: Turn | undefined;
  try {
    for (let attempt = 0; ; attempt++) {
      const done = await attemptOnce(memory, fn, options.signal, attempt < retries);
      if (done !== undefined) return done.result;
      // Those of this memory that start over do so one after the other: each then meets other tabs only.
      if (turn === undefined || turn.over) turn = await takeTurn(memory, options.signal);
      await pause(attempt, options.signal);
    }
  } finally {
    turn?.end();
  }
}

/** Runs `fn` once. Gives nothing if it must start over, and may. */
async function attemptOnce<R>(
  memory: Handle, fn: (tx: Transaction) => Promise<R> | R, signal: AbortSignal | undefined, again: boolean,
): Promise<{ readonly result: R } | undefined> {
  memory.begin(signal);
  const core = memory.instance.runNow(() => memory.core.begin());
  const transaction = new TransactionHandle(memory, core, signal);
  try {
    let result;
    try {
      result = await fn(transaction);
      await transaction.ready();
    } catch (error) {
      // What was read may no longer have held together, and then the failure is void as well.
      if (again && !(await transaction.stillHolds())) return undefined;
      throw error;
    }
    memory.written(await memory.write(signal, (claim) => core.commit(claim) as Promise<number>));
    return { result };
  } catch (error) {
    if (again && transaction.isConflict(error)) return undefined;
    throw error;
  } finally {
    transaction.end();
    core.free();
  }
}

/** Lets the faster writer get ahead; a little longer each time, and not all for the same time. */
function pause(attempt: number, signal: AbortSignal | undefined): Promise<void> {
  signal?.throwIfAborted();
  if (attempt === 0) return Promise.resolve();
  const most = Math.min(2 ** attempt, LONGEST_PAUSE);
  return new Promise((resolve) => setTimeout(resolve, Math.random() * most));
}

class TransactionHandle implements Transaction {
  private over = false;
  /** Writes whose validation or hand-over is under way, in order. */
  private pending: Promise<void> = Promise.resolve();
  private failure: { readonly error: unknown } | undefined;
  private readonly conflicts = new Set<unknown>();

  constructor(
    private readonly memory: Handle, private readonly core: CoreTransaction, private readonly signal: AbortSignal | undefined,
  ) {}

  async get<T>(store: Store<T>, id: string): Promise<T | null> {
    const { core } = this.of(store);
    checkText(id, "id");
    await this.ready();
    return this.attempt(() => this.core.get(core, id) as unknown, unpackValue<T>);
  }

  save<T>(store: Store<T>, id: string, value: T, options: { ttlMs?: number | null } = NONE): void {
    const { core, schema, name } = this.of(store);
    checkOptions(options, "options", ["ttlMs"]);
    checkText(id, "id");
    const ttl = ttlOf(options.ttlMs);
    const put = async (bytes: Uint8Array): Promise<void> => this.memory.instance.run(() => this.core.save(core, id, bytes, ttl) as Promise<void>);
    const accepted = schema === undefined ? value : validate(schema, value, `${name}/${id}`);
    if (schema !== undefined && accepted instanceof Promise) {
      // A refusal is reported where the writes are awaited.
      accepted.catch(() => undefined);
      this.queue(async () => put(packValue(await accepted)));
    } else {
      // Encoded now: what the caller does to the value afterwards does not count.
      const bytes = packValue(accepted).slice();
      this.queue(() => put(bytes));
    }
  }

  delete<T>(store: Store<T>, id: string): void {
    const { core } = this.of(store);
    checkText(id, "id");
    this.queue(async () => this.memory.instance.run(() => this.core.delete(core, id) as Promise<void>));
  }

  async *list<T>(
    store: Store<T>, options: { prefix?: string; limit?: number; reverse?: boolean } = NONE,
  ): AsyncGenerator<{ id: string; value: T }, void, undefined> {
    const { core } = this.of(store);
    checkOptions(options, "options", ["prefix", "limit", "reverse"]);
    const prefix = checkText(options.prefix ?? "", "prefix");
    const limit = checkCount(options.limit ?? Number.MAX_SAFE_INTEGER, "limit", 0);
    await this.ready();
    const found = await this.attempt(
      () => this.core.list(core, prefix) as unknown,
      (reader) => sequence(reader, (from) => ({ id: from.string(), payload: from.blob() })),
    ) ?? [];
    if (options.reverse === true) found.reverse();
    for (const { id, payload } of found.slice(0, limit)) yield { id, value: unpackValue<T>(new Reader(payload)) };
  }

  /** Waits until every write is handed over; rejects if one was refused. */
  async ready(): Promise<void> {
    await this.pending;
    if (this.failure !== undefined) throw this.failure.error;
  }

  /** Whether the transaction must start over. */
  isConflict(error: unknown): boolean {
    return this.conflicts.size > 0 || isMemoryError(error, "ERR_CONFLICT");
  }

  /** Whether everything that was read still holds. */
  async stillHolds(): Promise<boolean> {
    return this.conflicts.size === 0 && this.memory.instance.run(() => this.core.stillHolds() as Promise<boolean>);
  }

  end(): void {
    this.over = true;
  }

  private async attempt<T>(call: () => unknown, read: (reader: Reader) => T): Promise<T | null> {
    try {
      return await this.memory.readPacked(this.signal, call, read);
    } catch (error) {
      if (isMemoryError(error, "ERR_CONFLICT")) this.conflicts.add(error);
      throw error;
    }
  }

  /** Writes are handed over in the order they were made, also behind one that is still validated. */
  private queue(write: () => Promise<void>): void {
    this.pending = this.pending.then(write).catch((error: unknown) => {
      this.failure ??= { error: toMemoryError(error) };
    });
  }

  private of<T>(store: Store<T>): StoreHandle<T> {
    if (this.over) throw new ClosedError("the transaction is over; await everything inside it");
    if (!(store instanceof StoreHandle) || store.memory !== this.memory) {
      throw new InvalidError("the store is not one of this memory; make it by memory.store(name)");
    }
    return store as StoreHandle<T>;
  }
}
