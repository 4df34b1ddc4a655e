/**
 * The wasm file out of a lazy chunk of JavaScript, for bundlers and plain module scripts: there is
 * nothing to configure, and nothing to fetch but JavaScript.
 */
import type { Loader } from "./source.js";

/** Imports the chunk, which holds base64 of gzip, and unpacks it. */
export const inlineLoader: Loader = async () => {
  const { gzipBase64 } = await import("../../wasm/inline.js");
  const text = atob(gzipBase64);
  // A plain loop is several times faster than `Uint8Array.from` with a function.
  const packed = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) packed[i] = text.charCodeAt(i);
  const unpacked = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(unpacked).arrayBuffer();
};
