/**
 * hnswlib-wasm. It is made for browsers: in Node it finds no window, and no IndexedDB for the file system
 * that it opens at the start. Option: `modules`, the folder it is installed in.
 */
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { noteMemories } from "../memories.mjs";

/** The bytes of the files in its file system, which is kept in IndexedDB. */
async function storedBytes() {
  let bytes = 0;
  for (const { name } of await indexedDB.databases()) {
    const database = await new Promise((resolve, reject) => {
      const opening = indexedDB.open(name);
      opening.onsuccess = () => resolve(opening.result);
      opening.onerror = () => reject(opening.error);
    });
    for (const store of database.objectStoreNames) {
      const files = await new Promise((resolve, reject) => {
        const reading = database.transaction(store).objectStore(store).getAll();
        reading.onsuccess = () => resolve(reading.result);
        reading.onerror = () => reject(reading.error);
      });
      for (const { contents } of files) bytes += contents?.length ?? 0;
    }
    database.close();
  }
  return bytes;
}

export async function create({ modules }, { count, dimensions, m, efConstruction }) {
  const at = (path) => pathToFileURL(join(modules, path)).href;
  await import(pathToFileURL(createRequire(join(modules, "_.js")).resolve("fake-indexeddb/auto")).href);
  globalThis.window ??= globalThis;
  const memory = noteMemories();
  const { loadHnswlib, syncFileSystem } = await import(at("hnswlib-wasm/dist/hnswlib.js"));
  const library = await loadHnswlib();
  const index = new library.HierarchicalNSW("ip", dimensions, "bench.dat");
  let accepted;
  const accept = (label) => accepted[label] !== 0;
  return {
    memory,
    // Takes the memory of all rows at once.
    begin: () => index.initIndex(count, m, efConstruction, 42),
    insert: (label, vector) => index.addPoint(vector, label, false),
    prepare: (ef) => index.setEfSearch(ef),
    search: (vector, k, _, filtered) => index.searchKnn(vector, k, filtered ? accept : undefined).neighbors,
    filter: (answers) => { accepted = answers; },
    async save() {
      await index.writeIndex("bench.dat");
      await syncFileSystem("write");
      return storedBytes();
    },
  };
}
