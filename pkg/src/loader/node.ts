/**
 * The wasm files from the folder of the package, and the files of the host, for Node, Bun and Deno. The
 * module itself is a `Sources`.
 */
import { readFile } from "node:fs/promises";
import { inline } from "./inline.js";
import type { HostFileCalls } from "../files/calls.js";
import type { WasmBuild, WasmSource } from "./source.js";

/** Reads a file; where a bundler has left it behind, takes the lazy chunk. */
async function read(build: WasmBuild): Promise<WasmSource> {
  // Not a literal inside `new URL`, which bundlers take for an asset to copy.
  const place = ["..", `${build}.wasm`].join("/");
  try {
    return new Uint8Array(await readFile(new URL(place, import.meta.url)));
  } catch (error) {
    const gone = error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ENOTDIR");
    // A bundler may also have replaced `import.meta.url` by something that is no file URL.
    if (gone || error instanceof TypeError) return inline[build]();
    throw error;
  }
}

export const core = (): Promise<WasmSource> => read("core");
export const sqlite = (): Promise<WasmSource> => read("sqlite");
export const files = async (): Promise<HostFileCalls> => (await import("../files/node.js")).nodeFiles;
