/** Where the wasm files come from. Free of the glue's types, which are not published. */
import type { HostFileCalls } from "../files/calls.js";

/** A wasm file: its bytes, a compiled module, a response, or its URL. */
export type WasmSource = BufferSource | WebAssembly.Module | Response | URL | string;

/** The wasm files there are: the core, and the same with SQLite and JSON files in it. */
export type WasmBuild = "core" | "sqlite";

/** What the environment at hand offers. Nothing is fetched before it is asked for. */
export interface Sources extends Record<WasmBuild, () => WasmSource | Promise<WasmSource>> {
  /** The host's files, where it has some. */
  files?: () => Promise<HostFileCalls>;
}

/** Finds out what the environment offers. */
export type Loader = () => Promise<Sources>;
