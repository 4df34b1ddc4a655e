/**
 * The wasm file from the folder of the package, for Node, Bun and Deno.
 */
import { readFile } from "node:fs/promises";
import { inlineLoader } from "./inline.js";
import type { Loader } from "./source.js";

// Not a literal inside `new URL`, which bundlers take for an asset to copy.
const place = ["..", "core.wasm"].join("/");

/** Reads the file; where a bundler has left it behind, takes the lazy chunk. */
export const nodeLoader: Loader = async () => {
  try {
    return new Uint8Array(await readFile(new URL(place, import.meta.url)));
  } catch (error) {
    const gone = error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ENOTDIR");
    // A bundler may also have replaced `import.meta.url` by something that is no file URL.
    if (gone || error instanceof TypeError) return inlineLoader();
    throw error;
  }
};
