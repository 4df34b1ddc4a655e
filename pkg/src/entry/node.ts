/// <reference lib="esnext.disposable" preserve="true" />
/**
 * `import "mnemora"` in Node, Bun and Deno: the wasm file is read from the package.
 *
 * **Invariant**: importing this has no effect. The loader is set when something is opened, so that a
 * bundler may drop whatever is not used.
 */
import { copy as copyMemory, open as openMemory } from "../index.js";
import { setLoader } from "../loader/load.js";

export * from "../index.js";

/** Opens the memory at `url`. The first call also starts the wasm core, read from the folder of the package. */
export const open: typeof openMemory = (url, options) => {
  setLoader(() => import("../loader/node.js"));
  return openMemory(url, options);
};

/** Copies everything from one storage to another; what is given by its URL is opened as by `open`. */
export const copy: typeof copyMemory = (from, to, options) => {
  setLoader(() => import("../loader/node.js"));
  return copyMemory(from, to, options);
};
