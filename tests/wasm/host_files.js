/**
 * The package's own calls on files (`pkg/src/files/node.ts`), for tests in wasm that run in Node. They
 * are bundled on the fly, so that `cargo test` needs no build of the package.
 */
import { createRequire } from "node:module";

// The tests run in the root of the repository, this file in a temporary folder.
const require = createRequire(`${process.cwd()}/package.json`);
let calls;

/** The calls on files. */
export function nodeFiles() {
  if (calls === undefined) {
    const { outputFiles } = require("esbuild").buildSync({
      entryPoints: ["pkg/src/files/node.ts"], bundle: true, platform: "node", format: "cjs", write: false,
    });
    const module = { exports: {} };
    new Function("module", "require", outputFiles[0].text)(module, require);
    calls = module.exports.nodeFiles;
  }
  return calls;
}

/** A new directory that is removed when the tests end. */
export function newDirectory() {
  const fs = require("node:fs");
  const path = fs.mkdtempSync(`${require("node:os").tmpdir()}/mnemora-wasm-`);
  process.once("exit", () => fs.rmSync(path, { recursive: true, force: true }));
  return path;
}
