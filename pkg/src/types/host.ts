/**
 * Types of a storage given as an object: see {@link HostBackend}.
 */
import type { Durability } from "./call.js";

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
