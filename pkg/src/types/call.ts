/** Types that every part of the surface shares: what calls take, and what writes give. */

/** What a resolved write survives. `volatile`: nothing. `relaxed`: the kill of the tab, the browser
 * or the process. `strict`: also loss of power, as far as the disk obeys. */
export type Durability = "volatile" | "relaxed" | "strict";

/** Options that every call takes. */
export interface CallOptions {
  /** Aborts the call. A write that is aborted before it was handed to the storage is not written and
   * rejects with `signal.reason`; one that was already under way reports what really happened. */
  signal?: AbortSignal;
}

/** How far a long call is. */
export interface Progress {
  /** How many are done. */
  readonly done: number;
  /** How many there are; `null` while that is not known. */
  readonly total: number | null;
  /** `"embed"` while texts are turned into vectors; then it is texts that are counted. */
  readonly phase?: "embed";
}

/** Options of long calls. */
export interface ProgressOptions extends CallOptions {
  /** Called from time to time, and at the end. */
  onProgress?: (progress: Progress) => void;
}

/** The outcome of a write. */
export interface WriteResult {
  /** The version the record has now: the sequence number of the commit that wrote it. */
  readonly version: number;
  /** What the write survives. */
  readonly durability: Durability;
}
