/**
 * mnemora: durable memory for AI agents, swarms and the dashboards that watch them.
 */
import { checkCall, checkCount, checkFlag, checkFunction, checkText, describe } from "./core/check.js";
import { Handle } from "./core/handle.js";
import { InvalidError } from "./errors.js";
import { MemoryHandle } from "./stores/memory.js";
import type { Memory, OpenOptions } from "./types.js";

export * from "./errors.js";
export type * from "./schema.js";
export type * from "./types.js";

/**
 * Opens the memory at `url`: `memory:` keeps nothing, `idb://name` is an IndexedDB database of the
 * browser. Opening the same data twice is safe, also from several tabs.
 *
 * Rejects with `ERR_INVALID` for a URL or an option that breaks the rules, `ERR_UNSUPPORTED` where the
 * host has no such storage, `ERR_BLOCKED` when another tab does not let go in time, `ERR_VERSION` for
 * data of a newer release, `ERR_QUOTA` and `ERR_UNAVAILABLE` as the storage says.
 *
 * @example
 * const memory = await open("idb://podcast", { durability: "strict" });
 * await memory.agents.save("agent-7", { status: "active", lastUpdated: new Date() });
 * await memory.close();
 */
export async function open(url: string, options: OpenOptions = {}): Promise<Memory> {
  checkText(url, "url");
  checkCall(options, ["durability", "groupCommit", "openTimeoutMs", "now", "embed"], ["encryption", "cache", "fallback", "retention"]);
  const { durability = "relaxed", groupCommit = true, now, embed, signal } = options;
  if (durability !== "relaxed" && durability !== "strict") {
    throw new InvalidError(`options.durability is ${describe(durability)}; give "relaxed" or "strict"`);
  }
  checkFlag(groupCommit, "options.groupCommit");
  checkFunction(now, "options.now");
  checkFunction(embed, "options.embed");
  const openTimeoutMs = checkCount(options.openTimeoutMs ?? 5_000, "options.openTimeoutMs", 1, 2 ** 31 - 1);
  const handle = await Handle.open({ url, strict: durability === "strict", groupCommit, openTimeoutMs, now, embed, signal });
  return new MemoryHandle(handle);
}
