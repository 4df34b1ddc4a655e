/// <reference lib="esnext.disposable" preserve="true" />
/**
 * `import "mnemora"` in Node, Bun and Deno: the wasm file is read from the package.
 *
 * **Invariant**: importing this has no effect. The loader is set when `open` is called, so that a
 * bundler may drop whatever is not used.
 */
import { open as openMemory } from "../index.js";
import { setLoader } from "../loader/load.js";
import { nodeLoader } from "../loader/node.js";

export * from "../index.js";

/** Opens the memory at `url`. The first call also starts the wasm core, read from the folder of the package. */
export const open: typeof openMemory = (url, options) => {
  setLoader(nodeLoader);
  return openMemory(url, options);
};
