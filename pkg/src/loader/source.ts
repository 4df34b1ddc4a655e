/** What the wasm core is started from. Free of the glue's types, which are not published. */

/** A wasm file: its bytes, a compiled module, a response, or its URL. */
export type WasmSource = BufferSource | WebAssembly.Module | Response | URL | string;

/** Finds the wasm file in the environment at hand. */
export type Loader = () => WasmSource | Promise<WasmSource>;
