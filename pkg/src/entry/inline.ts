/// <reference lib="esnext.disposable" preserve="true" />
/**
 * `import "mnemora"` for bundlers and browsers: the wasm file comes in a lazy chunk of JavaScript.
 *
 * **Invariant**: importing this has no effect. The loader is set when something is opened, so that a
 * bundler may drop whatever is not used.
 */
import { copy as copyMemory, open as openMemory } from "../index.js";
import { setLoader } from "../loader/load.js";
import { inline } from "../loader/inline.js";

export * from "../index.js";

/** Opens the memory at `url`. The first call also starts the wasm core, which comes in a chunk of its own. */
export const open: typeof openMemory = (url, options) => {
  setLoader(async () => inline);
  return openMemory(url, options);
};

/** Copies everything from one storage to another; what is given by its URL is opened as by `open`. */
export const copy: typeof copyMemory = (from, to, options) => {
  setLoader(async () => inline);
  return copyMemory(from, to, options);
};
