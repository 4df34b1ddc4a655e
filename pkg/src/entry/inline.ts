/// <reference lib="esnext.disposable" preserve="true" />
/**
 * `import "mnemora"` for bundlers and browsers: the wasm file comes in a lazy chunk of JavaScript.
 *
 * **Invariant**: importing this has no effect. The loader is set when `open` is called, so that a
 * bundler may drop whatever is not used.
 */
import { open as openMemory } from "../index.js";
import { setLoader } from "../loader/load.js";
import { inlineLoader } from "../loader/inline.js";

export * from "../index.js";

/** Opens the memory at `url`. The first call also starts the wasm core, which comes in a chunk of its own. */
export const open: typeof openMemory = (url, options) => {
  setLoader(inlineLoader);
  return openMemory(url, options);
};
