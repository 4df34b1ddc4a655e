/** Starts the wasm module of the benchmark, and moves vectors, filters and labels in and out of it. */
import { readFileSync } from "node:fs";

const MOST = 1_000;

/** The exports of a new instance, and the ways to exchange. */
export async function instance(file, { count, dimensions }) {
  const module = await WebAssembly.compile(readFileSync(file));
  // The crate's JavaScript imports are linked in but never called by an index.
  const imports = {};
  for (const { module: from, name, kind } of WebAssembly.Module.imports(module)) {
    if (kind !== "function") throw new Error(`unexpected import of a ${kind}: ${from}.${name}`);
    (imports[from] ??= {})[name] = () => {
      throw new Error(`an index called ${from}.${name}`);
    };
  }
  const { exports } = await WebAssembly.instantiate(module, imports);
  exports.exchange(dimensions, MOST, count);
  const [vector, found, accepted] = [exports.vector(), exports.found(), exports.accepted()];
  // The views of a memory that has grown are empty: they are made anew then.
  let views;
  const view = () => {
    if (views?.buffer !== exports.memory.buffer) {
      const { buffer } = exports.memory;
      views = {
        buffer, vector: new Float32Array(buffer, vector, dimensions),
        found: new Uint32Array(buffer, found, MOST), accepted: new Uint8Array(buffer, accepted, count),
      };
    }
    return views;
  };
  return {
    exports,
    give: (row) => view().vector.set(row),
    filter: (answers) => view().accepted.set(answers),
    take(number) {
      if (number < 0) throw new Error("the search failed");
      return view().found.slice(0, number);
    },
    memory: () => exports.memory.buffer.byteLength,
  };
}
