/**
 * Build of the dashboard page.
 *
 * Invariants: the output runs under a policy of `script-src 'self' 'wasm-unsafe-eval'; style-src 'self'` with
 * Trusted Types: no inline script, no inline style, no asset turned into a `data:` address. Addresses are
 * relative, so the folder can be served from any path.
 */
import { defineConfig } from "vite";

export default defineConfig({
  root: import.meta.dirname,
  base: "./",
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  build: {
    outDir: "dist",
    emptyOutDir: true,
    target: "es2022",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    // The engine comes in lazily loaded chunks that hold the compressed wasm files.
    chunkSizeWarningLimit: 2_000,
  },
});
