/**
 * The public types: everything a caller gives or gets, apart from the error classes.
 *
 * All of it is structured-cloneable except functions (`embed`, `now`, watch handlers) and
 * `AbortSignal`, which stay on the caller's side.
 */
import type { ErrorCode, Problem } from "./errors.js";
import type { StandardSchemaV1 } from "./schema.js";

/** What a resolved write survives. `volatile`: nothing. `relaxed`: the kill of the tab, the browser
 * or the process. `strict`: also loss of power, as far as the disk obeys. */
export type Durability = "volatile" | "relaxed" | "strict";

/** A storable value. What goes in comes out equal: dates as dates, maps as maps, typed arrays as the
 * same typed arrays. `undefined` fields of objects are dropped. Functions, symbols, proxies, class
 * instances, cycles and nesting deeper than 256 are refused with `ERR_INVALID`. */
export type Value =
  | null | boolean | number | string | bigint | Date | ArrayBuffer | ArrayBufferView
  | readonly Value[] | { readonly [key: string]: Value | undefined }
  | ReadonlyMap<Value, Value> | ReadonlySet<Value>;

/** Options that every call takes. */
export interface CallOptions {
  /** Aborts the call. A write that is aborted before it was handed to the storage is not written and
   * rejects with `signal.reason`; one that was already under way reports what really happened. */
  signal?: AbortSignal;
}

/** Turns texts into vectors, one `Float32Array` a text, all of the same length. */
export type Embed = (texts: readonly string[], options: { signal?: AbortSignal }) => Promise<readonly Float32Array[]>;

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
  /** Turns texts into vectors, for collections that are given texts without vectors. */
  embed?: Embed;
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

/** The outcome of a write. */
export interface WriteResult {
  /** The version the record has now: the sequence number of the commit that wrote it. */
  readonly version: number;
  /** What the write survives. */
  readonly durability: Durability;
}

/** A record as lists and pages give it. */
export interface Entry<T> {
  readonly id: string;
  readonly value: T;
  /** Sequence number of the commit that wrote this version. */
  readonly version: number;
  /** When the record was first saved. */
  readonly created: Date;
  /** When this version was saved. */
  readonly updated: Date;
  /** When it expires, if it does. */
  readonly expires: Date | null;
}

/** One page of a scan: an array of entries, with where to go on. */
export interface Page<T> extends ReadonlyArray<Entry<T>> {
  /** Give this as `after` to get what follows; `null` at the end. */
  readonly cursor: string | null;
  /** Records of this page that could not be read. */
  readonly problems: readonly Problem[];
}

/** Which records to go through, in order of id (by code point). */
export interface ListOptions extends CallOptions {
  /** Only ids that start with this. */
  prefix?: string;
  /** Only ids that match this pattern; `*` stands for any run of characters. */
  match?: string;
  /** How many at the most. Default: all. */
  limit?: number;
  /** From the last id to the first. Default `false`. */
  reverse?: boolean;
  /** Go on after this id (before it, in reverse): a page's `cursor`, or any id. */
  after?: string;
  /** Called for each record that can not be read. Without it, the scan goes on to its end and then
   * rejects with `ERR_CORRUPT`, which lists them in `problems`. */
  onProblem?: (problem: Problem) => void;
}

/** Options of {@link Store.pages}. */
export interface PageOptions extends CallOptions {
  prefix?: string;
  match?: string;
  /** Entries a page, 1 to 1,000. Default 100. */
  limit?: number;
  reverse?: boolean;
  after?: string;
}

/** Options of {@link Store.save}. */
export interface SaveOptions extends CallOptions {
  /** Save only if the record has this version now; `0` = only if there is none. Else `ERR_CONFLICT`. */
  expectedVersion?: number;
  /** Expire after this many milliseconds. Overrides the store's; `null` = never. */
  ttlMs?: number | null;
}

/** One record for {@link Store.saveMany}. */
export interface SaveItem<T> {
  id: string;
  value: T;
  expectedVersion?: number;
  ttlMs?: number | null;
}

/** A change, as watchers see it: in commit order, without gaps. */
export interface Change<T> {
  /** `expire` is a delete made by the record's time to live. */
  readonly kind: "save" | "delete" | "expire";
  readonly id: string;
  /** The sequence number of the commit: the version a save gave the record. */
  readonly version: number;
  /** The saved value, if that version is still the current one when the change is delivered. */
  readonly value?: T;
  /** When it was committed. */
  readonly time: Date;
  /** Watch from here to go on after this change. A commit of several records is delivered again from
   * its start if the watch stopped in the middle of it. */
  readonly cursor: number;
}

/** Options of {@link Store.watch}. */
export interface WatchOptions extends CallOptions {
  /** Only ids that start with this. */
  prefix?: string;
  /** A `cursor` of an earlier change: changes after it come first. Default: from now on. */
  from?: number;
}

/** A running watch: call it to stop, or iterate over it. */
export interface Watch<T> extends AsyncIterable<Change<T>> {
  (): void;
  /** Settles when the watch has ended: rejects if it ended on an error. */
  readonly done: Promise<void>;
  [Symbol.dispose](): void;
}

/** Options of {@link Memory.store}. They hold for this handle. */
export interface StoreOptions<T> {
  /** Validates what is saved. Any library that speaks Standard Schema. */
  schema?: StandardSchemaV1<unknown, T>;
  /** Time to live of what is saved through this handle, in milliseconds. Default: forever. */
  ttlMs?: number;
  /** How many earlier versions to keep of each record. Default 0. */
  history?: number;
}

/** Named records: the generic store. */
export interface Store<T> {
  /** The store's name. */
  readonly name: string;
  /** Saves `value` under `id`. Resolves once it is stored. */
  save(id: string, value: T, options?: SaveOptions): Promise<WriteResult>;
  /** Saves all of them or none. */
  saveMany(items: readonly SaveItem<T>[], options?: CallOptions): Promise<WriteResult>;
  /** The value, or `null` if there is none. The caller's own copy. */
  get(id: string, options?: CallOptions): Promise<T | null>;
  /** The values in the order of `ids`, `null` where there is none. */
  getMany(ids: readonly string[], options?: CallOptions): Promise<(T | null)[]>;
  /** The record with its version and times, or `null`. */
  entry(id: string, options?: CallOptions): Promise<Entry<T> | null>;
  /** Deletes the record. Resolves to whether there was one. */
  delete(id: string, options?: CallOptions & { expectedVersion?: number }): Promise<boolean>;
  /** How many records there are, expired ones not counted. */
  count(options?: CallOptions & { prefix?: string }): Promise<number>;
  /** Every matching record, in order of id. */
  list(options?: ListOptions): AsyncIterable<Entry<T>>;
  /** The same, page by page. */
  pages(options?: PageOptions): AsyncIterable<Page<T>>;
  /** Earlier versions of a record, newest first, as many as the store keeps. */
  history(id: string, options?: CallOptions & { limit?: number }): Promise<Entry<T>[]>;
  /** Tells of every change from now on, in this and in other tabs, in commit order. */
  watch(handler: (change: Change<T>) => void): Watch<T>;
  watch(options: WatchOptions, handler?: (change: Change<T>) => void): Watch<T>;
  watch(): Watch<T>;
}

/** A transaction: serialisable, optimistic. Nothing is written until the function returns. */
export interface Transaction {
  /** Reads a record, with this transaction's own writes. */
  get<T>(store: Store<T>, id: string): Promise<T | null>;
  /** Writes a record at the end. */
  save<T>(store: Store<T>, id: string, value: T, options?: { ttlMs?: number | null }): void;
  /** Deletes a record at the end. */
  delete<T>(store: Store<T>, id: string): void;
  /** Lists records, with this transaction's own writes. A record that appears in the range before
   * the end is a conflict. */
  list<T>(store: Store<T>, options?: { prefix?: string; limit?: number; reverse?: boolean }): AsyncIterable<{ id: string; value: T }>;
}

/** Options of {@link Memory.transaction}. */
export interface TransactionOptions extends CallOptions {
  /** How often to start over on a conflict before giving up with `ERR_CONFLICT`. Default 100. */
  retries?: number;
}

/** How near two vectors are. `cosine`: of their angle. `dot`: their product. `l2`: 1 / (1 + distance²). */
export type Metric = "cosine" | "dot" | "l2";

/** A condition on one metadata field. */
export type Condition =
  | null | boolean | number | string | bigint | Date
  | {
    $eq?: unknown; $ne?: unknown; $gt?: unknown; $gte?: unknown; $lt?: unknown; $lte?: unknown;
    $in?: readonly unknown[]; $nin?: readonly unknown[]; $exists?: boolean; $not?: Condition;
  };

/** A metadata filter: fields (nested by `a.b`) and conditions, all of which must hold. */
export type Filter = {
  [path: string]: Condition | readonly Filter[] | Filter | undefined;
  $and?: readonly Filter[];
  $or?: readonly Filter[];
  $not?: Filter;
};

/** Options of {@link Memory.collection}. Kept with the collection: later opens may leave them out. */
export interface CollectionOptions {
  /** Numbers a vector, 1 to 4,096. */
  dimensions: number;
  /** Default `"cosine"`. */
  metric?: Metric;
}

/** A document to add. Without a vector the text is embedded by the `embed` given to `open`. */
export interface DocumentInput<M> {
  id: string;
  text?: string;
  vector?: Float32Array | readonly number[];
  metadata?: M;
  /** 0 to 1. Default 0.5. */
  importance?: number;
}

/** A stored document. */
export interface Document<M> {
  readonly id: string;
  readonly text: string | null;
  readonly vector: Float32Array;
  readonly metadata: M | null;
  readonly importance: number;
  readonly version: number;
  readonly created: Date;
  readonly updated: Date;
}

/** A search result, best first. */
export interface Hit<M> {
  readonly id: string;
  /** Similarity: larger is better, for every metric. */
  readonly score: number;
  readonly text: string | null;
  readonly metadata: M | null;
  /** What the score is made of. */
  readonly parts: { readonly vector: number };
}

/** Options of {@link Collection.search}. */
export interface SearchOptions extends CallOptions {
  /** How many hits, 1 to 10,000. Default 10. */
  limit?: number;
  /** Only documents whose metadata match. */
  filter?: Filter;
  /** Only `"vector"` for now. */
  mode?: "vector";
  /** Ask for the exact scan, which is the only engine for now. */
  exact?: boolean;
  /** How many candidates an approximate engine keeps in view. The exact scan has no use for it. */
  ef?: number;
}

/** Options of {@link Collection.list}. */
export interface DocumentListOptions extends ListOptions {
  /** Only documents whose metadata match. */
  filter?: Filter;
}

/** Options of long calls. */
export interface ProgressOptions extends CallOptions {
  /** `total` is `null` while it is not known. */
  onProgress?: (progress: { done: number; total: number | null }) => void;
}

/** Documents with vectors: the semantic store. */
export interface Collection<M> {
  readonly name: string;
  /** Adds documents, all or none; an id that exists is replaced. */
  add(documents: DocumentInput<M> | readonly DocumentInput<M>[], options?: ProgressOptions): Promise<WriteResult>;
  get(id: string, options?: CallOptions): Promise<Document<M> | null>;
  /** Deletes the document. Resolves to whether there was one. */
  delete(id: string, options?: CallOptions): Promise<boolean>;
  count(options?: CallOptions): Promise<number>;
  /** Every document, in order of id. */
  list(options?: DocumentListOptions): AsyncIterable<Document<M>>;
  /** The documents nearest to a vector, or to a text that is embedded first. */
  search(query: Float32Array | readonly number[] | string, options?: SearchOptions): Promise<Hit<M>[]>;
  /** Tells of every change from now on. Deliveries carry no value: read it by `get`. */
  watch(handler: (change: Change<never>) => void): Watch<never>;
  watch(options: WatchOptions, handler?: (change: Change<never>) => void): Watch<never>;
  watch(): Watch<never>;
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
  /** The collection `name`. Its options are checked and stored at the first call that is awaited. */
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

/** A stored row, as a {@link HostBackend} keeps it. */
export interface HostRecord {
  /** The number of the write that made it: whole, from 1 to 2^53 - 1. */
  readonly version: number;
  readonly value: Uint8Array;
}

/** A stored row with its key. */
export interface HostRow extends HostRecord {
  readonly key: Uint8Array;
}

/** Which rows to read. */
export interface HostRange {
  /** The first key that is in the range. */
  readonly start: Uint8Array;
  /** The first key behind it; `null` = to the last key there is. */
  readonly end: Uint8Array | null;
  /** From the last key to the first. */
  readonly reverse: boolean;
  /** How many rows at the most. */
  readonly limit: number;
}

/** What to write, all of it or nothing. Keys occur once. */
export interface HostWrite {
  /** The head that the storage must have, or nothing is written. */
  readonly expectedHead: number;
  /** The head that it has afterwards; may be the same. */
  readonly head: number;
  readonly puts: readonly HostRow[];
  /** Keys to delete, those that are not there among them. */
  readonly deletes: readonly Uint8Array[];
}

/**
 * A storage given as an object: how Redis, LanceDB or a Durable Object join. It is an ordered map of bytes
 * with one conditional write; versions, conflicts, expiry, the commit log and transactions are the
 * package's business.
 *
 * - Keys are ordered by their bytes, as unsigned numbers; a key that is the beginning of another comes first.
 *   They have up to some 4,200 bytes.
 * - `head` is a number that the storage keeps beside the rows. It is 0 before the first write.
 * - `get` and each `scan` show one state of the storage, not half of a write.
 * - Arrays that are handed over belong to the object; what it hands over is copied.
 * - A method may also answer at once. It is called from a task of its own, so it may use an opened memory.
 * - A call that fails rejects. An error with a `code` of this package (`ERR_QUOTA`, `ERR_BLOCKED`, ...) keeps
 *   that code, and from `commit` means that **nothing was written**; any other becomes `ERR_UNAVAILABLE` with
 *   it as `cause`, and from `commit` leaves the outcome unknown.
 * - Every answer is checked. One that can not be true is `ERR_CORRUPT` and changes nothing.
 *
 * @example
 * import { open, type HostBackend, type HostRow } from "mnemora";
 *
 * const compare = (a: Uint8Array, b: Uint8Array): number => {
 *   const at = a.findIndex((byte, index) => byte !== b[index]);
 *   return at < 0 ? a.length - b.length : a[at]! - (b[at] ?? -1);
 * };
 * let state = { head: 0, rows: [] as HostRow[] };              // the rows in order of their keys
 * const backend: HostBackend = {
 *   info: () => ({ name: "map", durability: "volatile" }),
 *   get: (keys) => keys.map((key) => state.rows.find((row) => compare(row.key, key) === 0) ?? null),
 *   scan({ start, end, reverse, limit }) {
 *     const found = state.rows.filter(({ key }) => compare(key, start) >= 0 && (end === null || compare(key, end) < 0));
 *     if (reverse) found.reverse();
 *     return { records: found.slice(0, limit), more: found.length > limit };
 *   },
 *   commit({ expectedHead, head, puts, deletes }) {
 *     if (state.head !== expectedHead) return { committed: false, head: state.head };
 *     const gone = [...deletes, ...puts.map(({ key }) => key)];
 *     const kept = state.rows.filter(({ key }) => !gone.some((other) => compare(key, other) === 0));
 *     state = { head, rows: [...kept, ...puts].sort((a, b) => compare(a.key, b.key)) };
 *     return { committed: true, head };
 *   },
 *   stats: () => ({ head: state.head, keys: state.rows.length }),
 *   close() {},
 * };
 * const memory = await open(backend);
 */
export interface HostBackend {
  /** What it is. Asked once, when it is opened. */
  info(): HostInfo | Promise<HostInfo>;
  /** The rows at `keys`, in their order; `null` where there is none. */
  get(keys: Uint8Array[]): Promise<(HostRecord | null)[]> | (HostRecord | null)[];
  /** Rows of a range, in order of their keys (from the last, in reverse). There may be fewer than `limit`; with
   * `more` at least one. */
  scan(range: HostRange): Promise<HostPage> | HostPage;
  /** Writes everything or nothing; and only if the head is `expectedHead`, judged in one step with the
   * writing. Else `committed` is false and `head` the one that was found. Resolves once it is as durable as
   * `info` says. */
  commit(write: HostWrite): Promise<{ committed: boolean; head: number }> | { committed: boolean; head: number };
  /** The head, and how many rows there are. */
  stats(): Promise<{ head: number; keys: number }> | { head: number; keys: number };
  /** Lets go of the storage. Called once, when no other call is under way. */
  close(): Promise<void> | void;
  /** What is wrong with the storage below its rows, in words for people. Part of `memory.verify()`. */
  check?(): Promise<string[]> | string[];
}

/** What a {@link HostBackend} is. */
export interface HostInfo {
  /** A word of up to 64 characters, for `memory.info` and for messages. */
  readonly name: string;
  /** What an answered `commit` survives. */
  readonly durability: Durability;
  /** Whether others may write to the same storage at the same time. Default `false`. */
  readonly shared?: boolean;
  /** The largest value that it takes, in bytes; at least 65,536. Default: as large as the package allows. */
  readonly maxValueBytes?: number;
}

/** A page of rows. */
export interface HostPage {
  readonly records: readonly HostRow[];
  /** Whether the range has more rows behind the last one. */
  readonly more: boolean;
}
