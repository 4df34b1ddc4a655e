/**
 * Starts the wasm core, once, when it is first needed.
 *
 * Invariants
 * - Importing the package runs nothing: the file is fetched and compiled in the first `ensure()`.
 * - All callers share one instance.
 * - A start that failed is forgotten, so that a later call tries again.
 * - This is the only module that imports the glue.
 */
import type * as glue from "../../wasm/core.js";
import type { Loader } from "./source.js";

/** The functions and classes that the core exports. */
export type Core = typeof glue;
export type { CoreMemory, Withdrawal } from "../../wasm/core.js";

let loader: Loader | undefined;
let ready: Promise<Core> | undefined;

/** Says where the wasm file comes from. Has no effect on a core that is already running. */
export function setLoader(next: Loader): void {
  loader = next;
}

/** The running core; starts it if need be. */
export function ensure(): Promise<Core> {
  ready ??= load().catch((error: unknown) => {
    ready = undefined;
    throw error;
  });
  return ready;
}

async function load(): Promise<Core> {
  if (loader === undefined) {
    throw new TypeError("mnemora: no wasm file was given. Call `await init(...)` before `open`, or import \"mnemora\" in place of \"mnemora/slim\".");
  }
  // The glue is of no use without the wasm file, so it comes as lazily.
  const [core, source] = await Promise.all([import("../../wasm/core.js"), loader()]);
  await core.default({ module_or_path: source });
  return core;
}
