/** instant-distance in the module of the benchmark. Option: `wasm`, the file. */
import { instance } from "./module.mjs";

const FIRST_EF = 64;

export async function create({ wasm }, { count, dimensions, efConstruction }) {
  const { exports, give, take, memory } = await instance(wasm, { count, dimensions });
  let bytes = 0;
  let current = FIRST_EF;
  return {
    memory,
    insert(_, vector) {
      give(vector);
      exports.frozen_add();
    },
    finish: () => exports.frozen_build(efConstruction, FIRST_EF),
    prepare(ef) {
      if (ef === current) return;
      bytes = exports.frozen_ef(ef);
      if (bytes === 0) throw new Error("the index took no other ef");
      current = ef;
    },
    search(vector, k) {
      give(vector);
      return take(exports.frozen_search(k));
    },
    save() {
      bytes = exports.frozen_ef(current);
      return bytes;
    },
  };
}
