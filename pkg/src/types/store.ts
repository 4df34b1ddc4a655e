/** Types of stores and transactions: values, scans, changes. */
import type { Problem } from "../errors.js";
import type { StandardSchemaV1 } from "../schema.js";
import type { CallOptions, WriteResult } from "./call.js";

/** A storable value. What goes in comes out equal: dates as dates, maps as maps, typed arrays as the
 * same typed arrays. `undefined` fields of objects are dropped. Functions, symbols, proxies, class
 * instances, cycles and nesting deeper than 256 are refused with `ERR_INVALID`. */
export type Value =
  | null | boolean | number | string | bigint | Date | ArrayBuffer | ArrayBufferView
  | readonly Value[] | { readonly [key: string]: Value | undefined }
  | ReadonlyMap<Value, Value> | ReadonlySet<Value>;

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
