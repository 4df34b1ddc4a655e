/**
 * Starts the wasm core, once, when it is first needed; likewise the core with SQLite and JSON files.
 *
 * Invariants
 * - Importing the package runs nothing: a file is fetched and compiled in the first `ensure()` of it.
 * - All callers share one instance of each build, and one of SQLite never serves what needs none.
 * - A start that failed is forgotten, so that a later call tries again.
 * - This is the only module that imports the glue.
 */
import type * as glue from "../../wasm/core.js";
import type { HostFileCalls } from "../files/calls.js";
import type { Loader, WasmBuild } from "./source.js";

/** The functions and classes that the core exports; those of both builds are the same. */
export type Core = typeof glue;
export type { CoreMemory, Withdrawal } from "../../wasm/core.js";
export type { HostFileCalls, WasmBuild };

// The glue is of no use without its wasm file, so it comes as lazily.
const glues = {
  core: () => import("../../wasm/core.js"),
  sqlite: () => import("../../wasm/sqlite.js"),
};

let loader: Loader | undefined;
const running: { [build in WasmBuild]?: Promise<Core> } = {};

/** Says where the wasm files come from. Has no effect on a build that is already running. */
export function setLoader(next: Loader): void {
  loader = next;
}

/**
 * The running core of a build; starts it if need be. Rejects with `ERR_UNSUPPORTED` where its file can
 * not be had.
 */
export function ensure(build: WasmBuild = "core"): Promise<Core> {
  return running[build] ??= load(build).catch((error: unknown) => {
    delete running[build];
    throw error;
  });
}

/** The host's files; `undefined` where it has none. */
export async function files(): Promise<HostFileCalls | undefined> {
  return (await loader?.())?.files?.();
}

async function load(build: WasmBuild): Promise<Core> {
  if (loader === undefined) {
    throw new TypeError("mnemora: no wasm file was given. Call `await init(...)` before `open`, or import \"mnemora\" in place of \"mnemora/slim\".");
  }
  const [core, source] = await Promise.all([glues[build](), loader().then((from) => from[build]())]);
  await core.default({ module_or_path: source });
  return core;
}
