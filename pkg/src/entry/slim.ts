/// <reference lib="esnext.disposable" preserve="true" />
/** `import "mnemora/slim"`: nothing is bundled, the caller says where the wasm file is. */
import { ensure, setLoader } from "../loader/load.js";
import type { WasmSource } from "../loader/source.js";

export type { WasmSource } from "../loader/source.js";
export * from "../index.js";

/**
 * Starts the core from a wasm file that the caller has placed: `mnemora/core.wasm` by its URL, its
 * bytes, a `Response`, or a compiled `WebAssembly.Module`. Call it once, before `open`. After a failure
 * it can be called again; once the core runs, further calls have no effect.
 */
export async function init(source: WasmSource | Promise<WasmSource>): Promise<void> {
  setLoader(() => source);
  await ensure();
}
