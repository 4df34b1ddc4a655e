/**
 * The wasm files out of lazy chunks of JavaScript, for bundlers and plain module scripts: there is
 * nothing to configure, and nothing to fetch but JavaScript.
 */
import type { Sources } from "./source.js";

/** Unpacks what a chunk holds: base64 of gzip. */
async function unpack({ gzipBase64 }: { gzipBase64: string }): Promise<ArrayBuffer> {
  const text = atob(gzipBase64);
  // A plain loop is several times faster than `Uint8Array.from` with a function.
  const packed = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) packed[i] = text.charCodeAt(i);
  const unpacked = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(unpacked).arrayBuffer();
}

/** Imports the chunk of a file, and unpacks it. */
export const inline: Sources = {
  core: () => import("../../wasm/inline.js").then(unpack),
  sqlite: () => import("../../wasm/sqlite-inline.js").then(unpack),
};
