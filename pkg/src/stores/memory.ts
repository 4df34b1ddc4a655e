/**
 * An opened memory: see {@link Memory}.
 */
import { checkCall, checkCount, checkFunction, checkOptions, checkText, NONE } from "../core/check.js";
import type { Handle } from "../core/handle.js";
import { InvalidError, type Problem } from "../errors.js";
import { isStandardSchema } from "../schema.js";
import type {
  CacheStats, CallOptions, Collection, CollectionOptions, Memory, MemoryInfo, ProgressOptions, Store, StoreOptions,
  Transaction, TransactionOptions, VerifyReport,
} from "../types.js";
import { CollectionHandle } from "./collection.js";
import { option, readProblem, sequence } from "./pack.js";
import { StoreHandle } from "./store.js";

/** Names that begin so belong to the package. */
const RESERVED = "$";

export class MemoryHandle implements Memory {
  // A store takes whatever its user saves; `any` lets its values be used without a cast.
   
  readonly agents: Store<any>;

  constructor(
    /** @internal */
    readonly handle: Handle,
  ) {
    this.agents = new StoreHandle(handle, "agents", `${RESERVED}agents`, {});
  }

  get info(): MemoryInfo {
    return this.handle.info;
  }

   
  store<T = any>(name: string, options: StoreOptions<T> = {}): Store<T> {
    this.handle.begin(undefined);
    checkName(name, "the name of the store");
    checkOptions(options, "options", ["schema", "ttlMs", "history"], ["indexes", "scope", "owner"]);
    if (options.schema !== undefined && !isStandardSchema(options.schema)) {
      throw new InvalidError("options.schema does not speak Standard Schema version 1; use a library that does, such as Zod or Valibot");
    }
    return new StoreHandle<T>(this.handle, name, name, options);
  }

   
  collection<M = any>(name: string, options?: CollectionOptions): Collection<M> {
    this.handle.begin(undefined);
    checkName(name, "the name of the collection");
    return new CollectionHandle<M>(this.handle, name, options);
  }

  async transaction<R>(fn: (tx: Transaction) => Promise<R> | R, options: TransactionOptions = NONE): Promise<R> {
    // Comes when it is first used: not everyone needs it.
    const { runTransaction } = await import("./transaction.js");
    return runTransaction(this.handle, fn, options);
  }

  async maintain(options: CallOptions & { budgetMs?: number } = NONE): Promise<{ expired: number; more: boolean }> {
    checkCall(options, ["budgetMs"]);
    const budget = checkCount(options.budgetMs ?? 8, "budgetMs", 0);
    return this.handle.maintain(budget, options.signal);
  }

  async verify(options: ProgressOptions = NONE): Promise<VerifyReport> {
    checkCall(options, ["onProgress"]);
    checkFunction(options.onProgress, "onProgress");
    const { core } = this.handle;
    const problems: Problem[] = [];
    let checked = 0;
    let cursor: Uint8Array | null = new Uint8Array(0);
    while (cursor !== null) {
      const from: Uint8Array = cursor;
      cursor = await this.handle.readPacked(options.signal, () => core.verify(from) as unknown, (reader) => {
        checked += reader.varint();
        problems.push(...sequence(reader, readProblem));
        return option(reader, (bytes) => bytes.blob());
      });
      options.onProgress?.({ done: checked, total: cursor === null ? checked : null });
    }
    return { ok: problems.length === 0, checked, problems };
  }

  async digest(options: CallOptions = NONE): Promise<string> {
    checkCall(options);
    return this.handle.read(options.signal, () => this.handle.core.digest() as Promise<string>);
  }

  async cacheStats(options: CallOptions = NONE): Promise<CacheStats | null> {
    checkCall(options);
    return this.handle.read(options.signal, () => this.handle.core.cacheStats() as CacheStats | null);
  }

  close(): Promise<void> {
    return this.handle.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

function checkName(name: unknown, what: string): void {
  if (checkText(name, what).startsWith(RESERVED)) {
    throw new InvalidError(`${what} begins with ${RESERVED}, which the package keeps for itself; use another`);
  }
}
