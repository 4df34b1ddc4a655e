/// <reference lib="esnext.disposable" preserve="true" />
/** `import "mnemora/slim"`: nothing is bundled, the caller says where the wasm files are. */
import { UnsupportedError } from "../errors.js";
import { ensure, setLoader } from "../loader/load.js";
import type { WasmSource } from "../loader/source.js";

export type { WasmSource } from "../loader/source.js";
export * from "../index.js";

/** The files beside the core. */
export interface InitOptions {
  /** `mnemora/sqlite.wasm`, for `opfs:`. It is used when such a URL is first opened, not before. */
  sqlite?: WasmSource | Promise<WasmSource>;
}

/**
 * Starts the core from a wasm file that the caller has placed: `mnemora/core.wasm` by its URL, its
 * bytes, a `Response`, or a compiled `WebAssembly.Module`. Call it once, before `open`. After a failure
 * it can be called again; once the core runs, further calls only change what `sqlite` says.
 */
export async function init(source: WasmSource | Promise<WasmSource>, { sqlite }: InitOptions = {}): Promise<void> {
  setLoader(async () => ({
    core: () => source,
    sqlite() {
      if (sqlite === undefined) throw new UnsupportedError("SQLite was not given: `init(core, { sqlite })` takes mnemora/sqlite.wasm");
      return sqlite;
    },
  }));
  await ensure();
}
