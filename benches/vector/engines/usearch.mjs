/** usearch, compiled C++. Options: `modules`, the folder it is installed in; `scratch`, a folder for its file. */
import { statSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

export async function create({ modules, scratch }, { dimensions, m, efConstruction }) {
  const { Index, MetricKind, ScalarKind } = createRequire(join(modules, "_.js"))("usearch");
  const make = (ef) => new Index({
    dimensions, metric: MetricKind.IP, quantization: ScalarKind.F32, connectivity: m, expansion_add: efConstruction, expansion_search: ef, multi: false,
  });
  const file = join(scratch, `usearch-${process.pid}.index`);
  let index = make(efConstruction);
  let saved = false;
  const save = () => {
    if (!saved) index.save(file);
    saved = true;
    return statSync(file).size;
  };
  return {
    insert: (label, vector) => index.add(BigInt(label), vector, 1),
    // Its `ef` is fixed when it is made.
    prepare(ef) {
      save();
      index = make(ef);
      index.load(file);
    },
    search: (vector, k) => Array.from(index.search(vector, k, 1).keys, Number),
    save,
    load() {
      index.load(file);
    },
  };
}
