/** Types of an opened memory: how to open it, what it is, what it does, and how to copy it. */
import type { ErrorCode, Problem } from "../errors.js";
import type { CallOptions, Durability, ProgressOptions } from "./call.js";
import type { Collection, CollectionOptions } from "./collection.js";
import type { Embed, Embedder } from "./embed.js";
import type { HostBackend } from "./host.js";
import type { Store, StoreOptions, Transaction, TransactionOptions } from "./store.js";

/** Options of {@link open}. */
export interface OpenOptions extends CallOptions {
  /** How durable a resolved write is. Default `"relaxed"`. The backend may offer less: the result of
   * every write and `memory.info` say what was reached. */
  durability?: "relaxed" | "strict";
  /** Whether concurrent writes share a transaction. Default `true`. */
  groupCommit?: boolean;
  /** How long an open may wait for another holder to let go, in milliseconds. Default 5,000. */
  openTimeoutMs?: number;
  /** How long a {@link HostBackend} may take to answer one call, in milliseconds. Default 10,000. */
  timeoutMs?: number;
  /** Keeps what was read in memory, and if wanted in a second storage that is nearer than the first. */
  cache?: CacheOptions;
  /**
   * What to open, in this order, if the storage can not be: only after `ERR_UNSUPPORTED` (there is none
   * here), `ERR_UNAVAILABLE` (out of reach), `ERR_BLOCKED` (held by another) or `ERR_QUOTA` (full). Data
   * that is there and can not be read is never hidden behind another storage. `memory.info` says what was
   * taken and why, and so does `onEvent`. If none can be opened, the error of the first is given.
   */
  fallback?: readonly (string | HostBackend)[];
  /** Hears of what happens by itself. */
  onEvent?: (event: MemoryEvent) => void;
  /** The clock, in milliseconds since the Unix epoch. Default `Date.now`. */
  now?: () => number;
  /** Turns texts into vectors, for documents and searches of collections that are given a text and no vector:
   * a function, or an object that says more of itself. Without it, collections are searched by words. */
  embed?: Embed | Embedder;
}

/** How to cache. Writes go to the storage, and what they touch leaves the cache, also that of other tabs. */
export interface CacheOptions {
  /** What the cache in memory may weigh, in bytes; at least 4,096. Default 16,000,000. */
  maxBytes?: number;
  /** How long an entry lives there, in milliseconds. Default: until it is written to or evicted. */
  ttlMs?: number;
  /** A second level behind it: an empty storage, or one that was a second level before. It belongs to the
   * memory, which closes it. A failure of it fails no call. */
  second?: string | HostBackend;
  /** How long an entry lives in the second level, in milliseconds. */
  secondTtlMs?: number;
}

/** What one level of a cache did. */
export interface CacheLevelStats {
  /** Keys that it answered for. */
  readonly hits: number;
  /** Those of the hits that said that there is no record. */
  readonly negativeHits: number;
  /** Keys that it was asked for and could not answer. */
  readonly misses: number;
}

/** What a cache did since it was opened, and what it holds. */
export interface CacheStats extends CacheLevelStats {
  /** Records that had to make room for others. */
  readonly evictions: number;
  /** Keys in memory. */
  readonly entries: number;
  /** What they weigh, in bytes. */
  readonly bytes: number;
  /** The second level, if there is one. */
  readonly second: CacheLevelStats & {
    /** How often it failed and was put out of use for a while. */
    readonly failures: number;
    /** Whether it answers at the moment. */
    readonly inUse: boolean;
  } | null;
}

/** What was opened. */
export interface MemoryInfo {
  /** The URL of the storage that is open; `host:` and its name if it is an object. */
  readonly url: string;
  /** The URL that was asked for: another than `url` if a fallback was taken. */
  readonly requested: string;
  /** The storages that could not be opened before this one, and why. */
  readonly refused: readonly Refusal[];
  /** The backend: `"memory"`, `"indexeddb"`, `"sqlite"`, `"json"` or `"host"`. */
  readonly backend: string;
  /** The durability of a resolved write. */
  readonly durability: Durability;
  /** Whether other contexts can open the same data at the same time. */
  readonly shared: boolean;
  /** What the browser said of data that it lost, when it made this database; else `null`. Chromium
   * empties a whole site when it finds its files damaged, and says so once. */
  readonly dataLoss: string | null;
}

/** A storage that could not be opened. */
export interface Refusal {
  /** Its URL; `host:` if it is an object. */
  readonly url: string;
  readonly code: ErrorCode;
  readonly message: string;
}

/** Something that happened by itself: another storage than the one asked for was opened. */
export interface MemoryEvent {
  readonly type: "fallback";
  /** The URL that was asked for. */
  readonly wanted: string;
  /** The URL that was opened. */
  readonly taken: string;
  /** Why, for each storage before it. */
  readonly refused: readonly Refusal[];
}

/** An opened memory of this context. */
export interface OpenedHandle {
  readonly url: string;
  readonly backend: string;
  readonly openedAt: Date;
}

/** What {@link Memory.verify} found. */
export interface VerifyReport {
  readonly ok: boolean;
  /** Records read. */
  readonly checked: number;
  readonly problems: readonly Problem[];
}

/** Options of {@link copy}. */
export interface CopyOptions extends CallOptions, Pick<OpenOptions, "durability" | "openTimeoutMs" | "timeoutMs"> {
  /** Empties a target that holds other data, or an unfinished copy. Without it, other data is refused with
   * `ERR_INVALID`, and an unfinished copy is gone on with. */
  replace?: boolean;
  /** How many bytes are handed over at a time. Default 1,048,576. */
  pageBytes?: number;
  /** Called after each step. */
  onProgress?: (progress: CopyProgress) => void;
}

/** How far a copy is. */
export interface CopyProgress {
  /** `"copy"`: handing over records, and what was written to the source meanwhile. `"verify"`: comparing. */
  readonly phase: "copy" | "verify";
  /** Records that were handed over so far; those that were handed over again are counted again. */
  readonly records: number;
  /** Their keys and values, in bytes. */
  readonly bytes: number;
}

/** What {@link copy} did. */
export interface CopyReport {
  /** Records that were handed over, also before it was broken off. */
  readonly records: number;
  /** Their keys and values, in bytes. */
  readonly bytes: number;
  /** The digest of both, in hexadecimal: see {@link Memory.digest}. */
  readonly digest: string;
  /** Whether it went on with a copy that had been broken off. */
  readonly resumed: boolean;
}

/** An opened memory. */
export interface Memory extends AsyncDisposable {
  readonly info: MemoryInfo;
  /** The state of agents: a store of its own. */
  readonly agents: Store<any>;
  /** The store `name`. Made when it is first written to. */
  store<T = any>(name: string, options?: StoreOptions<T>): Store<T>;
  /** The collection `name`. Its options are checked at the first call that is awaited, and stored with the
   * first documents. */
  collection<M = any>(name: string, options?: CollectionOptions): Collection<M>;
  /** Runs `fn` in a serialisable transaction; it is run again if another writer was faster. */
  transaction<R>(fn: (tx: Transaction) => Promise<R> | R, options?: TransactionOptions): Promise<R>;
  /** Removes what has expired and trims the commit log, for about `budgetMs` (default 8). Resolves
   * to whether there is more to do. It also runs by itself, about a minute after writes. */
  maintain(options?: CallOptions & { budgetMs?: number }): Promise<{ expired: number; more: boolean }>;
  /** Reads every record and checks it. */
  verify(options?: ProgressOptions): Promise<VerifyReport>;
  /** A digest of everything that is stored, in hexadecimal: equal data has the same in every storage. */
  digest(options?: CallOptions): Promise<string>;
  /** What the cache did; `null` if there is none. */
  cacheStats(options?: CallOptions): Promise<CacheStats | null>;
  /** Ends what is in flight and closes. Later calls reject with `ERR_CLOSED`. Idempotent. */
  close(): Promise<void>;
}
