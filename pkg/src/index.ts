/**
 * mnemora: durable memory for AI agents, swarms and the dashboards that watch them.
 */
import { checkEmbedding, checkOpening } from "./core/options.js";
import { listOpen } from "./core/registry.js";
import { tell } from "./core/tell.js";
import type { CopyOptions, CopyReport, HostBackend, Memory, OpenedHandle, OpenOptions } from "./types.js";

export * from "./errors.js";
export type * from "./schema.js";
export type * from "./types.js";

/**
 * Opens a memory over a storage: its URL, or an object that stands for it.
 *
 * | URL | storage |
 * |---|---|
 * | `memory:` | none: it lives as long as the handle |
 * | `idb://name` | an IndexedDB database of the browser |
 * | `opfs://name` | an SQLite database in the browser's own file system, in a worker |
 * | `sqlite://path` | an SQLite file, in Node |
 * | `json://directory` | JSON files to be read by people, in Node |
 *
 * Storages of a browser can be opened by several tabs at once (`idb:`); files have one holder at a time.
 *
 * Rejects with `ERR_INVALID` for a URL or an option that breaks the rules, `ERR_UNSUPPORTED` where the
 * host has no such storage, `ERR_BLOCKED` when another holder does not let go in time, `ERR_VERSION` for
 * data of a newer release, `ERR_CORRUPT` for data that makes no sense, `ERR_QUOTA` and `ERR_UNAVAILABLE`
 * as the storage says. Nothing else is opened in its place, unless `fallback` says so.
 *
 * @example
 * const memory = await open("idb://podcast", { durability: "strict", fallback: ["memory:"] });
 * await memory.agents.save("agent-7", { status: "active", lastUpdated: new Date() });
 * await memory.close();
 */
export async function open(url: string | HostBackend, options: OpenOptions = {}): Promise<Memory> {
  const opening = checkOpening(url, options);
  const embedding = checkEmbedding(options.embed);
  const { onEvent } = options;
  // What runs a memory is needed with the core, and comes with it.
  const [{ Handle }, { MemoryHandle }] = await Promise.all([import("./core/handle.js"), import("./stores/memory.js")]);
  const handle = await Handle.open(opening, embedding);
  const { url: taken, requested: wanted, refused } = handle.info;
  if (refused.length > 0 && onEvent !== undefined) tell(onEvent, { type: "fallback", wanted, taken, refused });
  return new MemoryHandle(handle);
}

/**
 * What is open in this context (this tab, worker or process), the first one first: to find what was not
 * closed.
 *
 * @example
 * for (const { url, openedAt } of handles()) console.warn(`${url} is open since ${openedAt.toISOString()}`);
 */
export function handles(): OpenedHandle[] {
  return listOpen();
}

/**
 * Copies everything from one storage to another: records with their times and histories, collections,
 * settings. Each is an open memory, or a URL or object that is opened for the copy and closed after it.
 * Goes on if it was broken off, and in the end compares the digests of both. Versions begin anew.
 *
 * Rejects with `ERR_INVALID` if the target holds something else and `replace` is not given, `ERR_CONFLICT`
 * if the source does not stand still, `ERR_CORRUPT` if the two are not equal in the end, and as the storages
 * say. Call it again to go on.
 *
 * @example
 * const { records } = await copy("idb://podcast", "opfs://podcast", { onProgress: ({ bytes }) => console.log(bytes) });
 */
export async function copy(
  from: Memory | string | HostBackend, to: Memory | string | HostBackend, options: CopyOptions = {},
): Promise<CopyReport> {
  const { copyAll } = await import("./stores/copy.js");
  return copyAll(from, to, options);
}
