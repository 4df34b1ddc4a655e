/**
 * The public types: everything a caller gives or gets, apart from the error classes.
 *
 * All of it is structured-cloneable except functions (`embed`, `now`, watch handlers) and
 * `AbortSignal`, which stay on the caller's side.
 */
import type { Problem } from "./errors.js";
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
  /** How long an open may wait for another tab to let go, in milliseconds. Default 5,000. */
  openTimeoutMs?: number;
  /** The clock, in milliseconds since the Unix epoch. Default `Date.now`. */
  now?: () => number;
  /** Turns texts into vectors, for collections that are given texts without vectors. */
  embed?: Embed;
}

/** What was opened. */
export interface MemoryInfo {
  /** The URL as given to `open`. */
  readonly url: string;
  /** The backend: `"memory"` or `"indexeddb"`. */
  readonly backend: string;
  /** The durability of a resolved write. */
  readonly durability: Durability;
  /** Whether other tabs can open the same data at the same time. */
  readonly shared: boolean;
  /** What the browser said of data that it lost, when it made this database; else `null`. Chromium
   * empties a whole site when it finds its files damaged, and says so once. */
  readonly dataLoss: string | null;
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
  /** Ends what is in flight and closes. Later calls reject with `ERR_CLOSED`. Idempotent. */
  close(): Promise<void>;
}
