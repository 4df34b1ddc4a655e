/** The file system that a host lends to the core: what `FileSystem` in Rust is, as synchronous calls. */

/** How to open: 0 to read, 1 to read and write, 2 likewise and made if missing, 3 likewise and must be new. */
export type OpenMode = 0 | 1 | 2 | 3;

/**
 * Synchronous calls on files. A call that fails throws an error whose `code` is that of the operating
 * system, such as `ENOENT`. A descriptor, an offset and a length is a whole number from 0 on.
 */
export interface HostFileCalls {
  /** Opens a file and gives its descriptor. */
  open(path: string, mode: OpenMode): number;
  close(descriptor: number): void;
  /** Fills `buffer` from `offset` on and gives how many bytes that were: fewer only at the end of the file. */
  readAt(descriptor: number, buffer: Uint8Array, offset: number): number;
  /** Writes all of `bytes`; the file grows as needed. */
  writeAt(descriptor: number, bytes: Uint8Array, offset: number): void;
  /** Cuts the file, or grows it with zeros. */
  setLength(descriptor: number, length: number): void;
  /** Returns once everything written to the file is durable. */
  sync(descriptor: number): void;
  /** The length in bytes. */
  length(descriptor: number): number;
  /** What is at `path`; `null` if nothing. The time is in whole milliseconds since the Unix epoch. */
  metadata(path: string): [length: number, modifiedMs: number, directory: boolean] | null;
  /** The names in a directory, in no order. */
  list(directory: string): string[];
  /** Makes a directory and those above it that are missing. */
  createDirectory(path: string): void;
  /** Gives a file another name, in place of what had that name, atomically. */
  rename(from: string, to: string): void;
  /** Gives a file a second name, which nothing may have yet. */
  link(from: string, to: string): void;
  remove(path: string): void;
  /** Returns once the names in a directory are durable. */
  syncDirectory(path: string): void;
  /** The path from the root, with links followed as far as it exists. */
  absolute(path: string): string;
  /** This process: its number, and what tells it from a later one of that number (`""` if nothing does). */
  process(): [id: number, started: string];
  /** Whether a process still runs. */
  isRunning(id: number, started: string): boolean;
}
