/// <reference lib="esnext.disposable" preserve="true" />
/**
 * `import "mnemora"` in Cloudflare Workers, where a wasm file is a module and none is compiled at run time.
 *
 * **Invariant**: importing this has no effect. The loader is set when something is opened, so that a
 * bundler may drop whatever is not used.
 */
import { UnsupportedError } from "../errors.js";
import { copy as copyMemory, open as openMemory } from "../index.js";
import { setLoader } from "../loader/load.js";
import wasm from "../core.wasm";

export * from "../index.js";

const sources = async () => ({
  core: () => wasm,
  sqlite: () => { throw new UnsupportedError("Cloudflare Workers have neither files nor OPFS: sqlite: and opfs: do not work here"); },
});

/** Opens the memory at `url`. The first call also starts the wasm core, from the module that was deployed. */
export const open: typeof openMemory = (url, options) => {
  setLoader(sources);
  return openMemory(url, options);
};

/** Copies everything from one storage to another; what is given by its URL is opened as by `open`. */
export const copy: typeof copyMemory = (from, to, options) => {
  setLoader(sources);
  return copyMemory(from, to, options);
};
