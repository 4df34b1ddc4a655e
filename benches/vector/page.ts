/**
 * A collection of the package in a page, over IndexedDB: filled once, and asked after a restart.
 */
import { open, type Memory } from "mnemora";

interface Shape {
  readonly dimensions: number;
  readonly count: number;
  readonly asked: number;
  readonly k: number;
  readonly passes: number;
}

interface Pass {
  readonly ms: number[];
  readonly found: number[][];
  readonly reports: never[];
}

declare global {
  var bench: {
    /** Stores all rows. */
    fill(shape: Shape): Promise<{ seconds: number }>;
    /** Opens, searches once, and then for all queries. Times in milliseconds, of the search from the beginning of `open`. */
    again(shape: Shape): Promise<{ openMs: number; searchedMs: number; passes: Pass[] }>;
  };
}

const URL = "idb://bench";
const COLLECTION = "bench";
const CHUNK = 500;

async function floats(name: string): Promise<Float32Array> {
  const response = await fetch(name);
  if (!response.ok) throw new Error(`${name}: ${response.status}`);
  return new Float32Array(await response.arrayBuffer());
}

/** Runs `work` on the store, and closes it whatever comes of it. */
async function using<T>(work: (memory: Memory) => Promise<T>): Promise<T> {
  const memory = await open(URL);
  try {
    return await work(memory);
  } finally {
    await memory.close();
  }
}

globalThis.bench = {
  async fill({ dimensions, count }) {
    const rows = await floats("base.f32");
    const start = performance.now();
    await using(async (memory) => {
      const collection = memory.collection(COLLECTION, { dimensions, metric: "cosine" });
      for (let from = 0; from < count; from += CHUNK) {
        await collection.add(Array.from({ length: Math.min(CHUNK, count - from) }, (_, at) => ({
          id: String(from + at), vector: rows.subarray((from + at) * dimensions, (from + at + 1) * dimensions),
        })));
      }
      // The index takes over what is left when it is asked.
      await collection.search(rows.subarray(0, dimensions), { limit: 1 });
    });
    return { seconds: (performance.now() - start) / 1_000 };
  },

  async again({ dimensions, asked, k, passes }) {
    const queries = await floats("queries.f32");
    const vectors = Array.from({ length: asked }, (_, query) => queries.subarray(query * dimensions, (query + 1) * dimensions));
    const start = performance.now();
    return using(async (memory) => {
      const openMs = performance.now() - start;
      const collection = memory.collection(COLLECTION, { dimensions, metric: "cosine" });
      await collection.search(vectors[0]!, { limit: k });
      const searchedMs = performance.now() - start;
      const done: Pass[] = [];
      for (let pass = 0; pass < passes; pass++) {
        const ms: number[] = [];
        const found: number[][] = [];
        for (const vector of vectors) {
          const before = performance.now();
          const hits = await collection.search(vector, { limit: k });
          ms.push(performance.now() - before);
          found.push(hits.map(({ id }) => Number(id)));
        }
        done.push({ ms, found, reports: [] });
      }
      return { openMs, searchedMs, passes: done };
    });
  },
};
