/// <reference lib="esnext.disposable" preserve="true" />
/**
 * `import "mnemora"` in Cloudflare Workers, where a wasm file is a module and none is compiled at run time.
 *
 * **Invariant**: importing this has no effect. The loader is set when `open` is called, so that a
 * bundler may drop whatever is not used.
 */
import { open as openMemory } from "../index.js";
import { setLoader } from "../loader/load.js";
import wasm from "../core.wasm";

export * from "../index.js";

/** Opens the memory at `url`. The first call also starts the wasm core, from the module that was deployed. */
export const open: typeof openMemory = (url, options) => {
  setLoader(() => wasm);
  return openMemory(url, options);
};
