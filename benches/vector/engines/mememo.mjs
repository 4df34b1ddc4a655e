/** mememo with its vectors in memory. Option: `modules`, the folder it is installed in. */
import { join } from "node:path";
import { pathToFileURL } from "node:url";

export async function create({ modules }, { m, efConstruction }) {
  const { HNSW } = await import(pathToFileURL(join(modules, "mememo/dist/index.es.js")).href);
  const index = new HNSW({ distanceFunction: "cosine-normalized", m, efConstruction, seed: 42, useIndexedDB: false });
  return {
    insert: (label, vector) => index.insert(String(label), Array.from(vector)),
    search: async (vector, k, ef) => (await index.query(Array.from(vector), k, ef)).keys.map(Number),
  };
}
