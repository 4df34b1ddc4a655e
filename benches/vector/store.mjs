/**
 * A collection of the package at work in a process of its own, over a SQLite file: `node store.mjs <entry>
 * <url> <dimensions>`, asked over standard input as the worker is.
 */
import { pathToFileURL } from "node:url";
import { floats } from "./data.mjs";
import { noteMemories } from "./memories.mjs";
import { answer } from "./process.mjs";

const COLLECTION = "bench";
const CHUNK = 500;
const MIB = 2 ** 20;

const [entry, url, dimensions] = [process.argv[2], process.argv[3], Number(process.argv[4])];

// Before the package starts its own.
const wasmBytes = noteMemories();

let memory;
let collection;

const rowOf = (rows, row) => rows.subarray(row * dimensions, (row + 1) * dimensions);
const weight = () => {
  globalThis.gc();
  return { rssMiB: process.memoryUsage().rss / MIB, wasmMiB: wasmBytes() / MIB };
};

const actions = {
  /** Opens the store; with a file of queries also searches once, since an index is read when it is first asked. */
  async open({ queries, k, keep }) {
    const asking = queries === undefined ? undefined : floats(queries);
    const start = performance.now();
    const { open } = await import(pathToFileURL(entry).href);
    memory = await open(url);
    collection = memory.collection(COLLECTION, { dimensions, metric: "cosine", ...keep === undefined ? {} : { keep } });
    const openMs = performance.now() - start;
    if (asking === undefined) return { openMs };
    const hits = await collection.search(rowOf(asking, 0), { limit: k });
    return { openMs, searchedMs: performance.now() - start, found: hits.length, ...weight() };
  },

  async fill({ base, count }) {
    const rows = floats(base);
    const start = performance.now();
    let lastMs = 0;
    for (let from = 0; from < count; from += CHUNK) {
      const before = performance.now();
      const documents = Array.from({ length: Math.min(CHUNK, count - from) }, (_, at) => ({ id: String(from + at), vector: rowOf(rows, from + at) }));
      await collection.add(documents);
      // The index takes them over when it is asked.
      await collection.search(rowOf(rows, from), { limit: 1 });
      lastMs = (performance.now() - before) / documents.length;
    }
    return { seconds: (performance.now() - start) / 1_000, lastMs, ...weight() };
  },

  async pass({ queries, k, asked }) {
    const asking = floats(queries);
    const [ms, found] = [[], []];
    for (let query = 0; query < asked; query++) {
      const vector = rowOf(asking, query);
      const start = performance.now();
      const hits = await collection.search(vector, { limit: k });
      ms.push(performance.now() - start);
      found.push(hits.map(({ id }) => Number(id)));
    }
    return { ms, found, reports: [] };
  },

  async close() {
    const start = performance.now();
    await memory.close();
    return { closeMs: performance.now() - start };
  },
};

await answer(actions);
