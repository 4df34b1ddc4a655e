/** The index of the product, in the module of the benchmark. Options: `wasm`, the file; `codes`. */
import { instance } from "./module.mjs";

const PATHS = ["empty", "scan", "graph"];

export async function create({ wasm, codes }, { count, dimensions, m, efConstruction }) {
  const { exports, give, take, filter, memory } = await instance(wasm, { count, dimensions });
  if (!exports.index_new(dimensions, codes, m, efConstruction)) throw new Error("the index refused its options");
  let pages = 0;
  return {
    memory,
    filter,
    insert(label, vector) {
      give(vector);
      if (!exports.index_insert(label)) throw new Error(`row ${label} was refused`);
    },
    search(vector, k, ef, filtered, exact = false) {
      give(vector);
      return take(exports.index_search(k, ef, filtered, exact));
    },
    report: () => ({ distances: exports.index_distances(), path: PATHS[exports.index_path()] }),
    check: () => exports.index_problems(),
    ...codes ? {
      records(base) {
        for (let at = 0; at < base.length; at += dimensions) {
          give(base.subarray(at, at + dimensions));
          exports.index_record();
        }
      },
    } : {},
    save() {
      pages = exports.index_save();
      return pages;
    },
    load: () => pages > 0 && exports.index_load() === count,
  };
}
