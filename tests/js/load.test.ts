/** Bulk loads: in batches, told of, broken off and gone on with; and upkeep of the index. */
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { open as openMemory, type Collection, type DocumentInput, type Memory, type Progress } from "mnemora";
import { wordEmbedder } from "./embedder.js";
import { all, expectRefusal, freshPath, ids, open, refusal } from "./harness.js";

// Hundreds of documents are indexed in each: on a busy machine that takes its time.
vi.setConfig({ testTimeout: 60_000 });

let memory: Memory;
let notes: Collection<any>;
beforeEach(async () => {
  memory = await open("memory:");
  notes = memory.collection("notes");
});
afterEach(() => memory.close());

/** A direction of its own for each of some thousands. */
const pointing = (n: number): number[] => [Math.cos(n), Math.sin(n)];

const documents = (count: number): DocumentInput<{ n: number }>[] =>
  Array.from({ length: count }, (_, n) => ({ id: `d${String(n).padStart(5, "0")}`, text: `what happened on day ${n}`, vector: pointing(n), metadata: { n } }));

async function* slowly<T>(items: readonly T[]): AsyncGenerator<T, void, undefined> {
  for (const item of items) {
    await Promise.resolve();
    yield item;
  }
}

describe("load", () => {
  test.each([
    ["an array", (given: DocumentInput<unknown>[]) => given], ["a set", (given: DocumentInput<unknown>[]) => new Set(given)],
    ["a generator", (given: DocumentInput<unknown>[]) => given.values()], ["an asynchronous generator", (given: DocumentInput<unknown>[]) => slowly(given)],
  ])("takes %s, and stores all of it in batches", async (_, source) => {
    const seen: Progress[] = [];
    const report = await notes.load(source(documents(1_000)), { onProgress: (progress) => { seen.push(progress); } });
    expect(report).toEqual({ added: 1_000, unchanged: 0, version: expect.any(Number) as number });
    expect(seen.map(({ done }) => done)).toEqual([256, 512, 768, 1_000]);
    expect(new Set(seen.map(({ total }) => total))).toEqual(new Set([Array.isArray(source([])) ? 1_000 : null]));
    expect(await notes.count()).toBe(1_000);
    expect((await all(notes.list({ after: "d00997" }))).map(({ metadata, version }) => [metadata.n, version])).toEqual([[998, report.version], [999, report.version]]);
    expect((await notes.search(pointing(500), { limit: 1 }))[0]).toMatchObject({ id: "d00500" });
    expect((await notes.search("\"day 77\"", { limit: 1 }))[0]).toMatchObject({ id: "d00077" });
  });

  test("of what is stored just so writes nothing", async () => {
    await notes.load(documents(300));
    const before = await all(notes.list());
    const changed = documents(310).map((document, n) => n === 5 ? { ...document, text: "changed" } : n === 6 ? { ...document, importance: 1 } : n === 7 ? { ...document, metadata: { n: -7 } } : n === 8 ? { ...document, vector: [2, 8] } : document);
    expect(await notes.load(changed)).toMatchObject({ added: 14, unchanged: 296 });
    const after = await all(notes.list());
    expect(after.filter(({ version }, n) => version === before[n]?.version)).toHaveLength(296);
    expect(after[5]).toMatchObject({ text: "changed" });
    expect(after[8]!.vector).toEqual(new Float32Array([2, 8]));
    expect(await notes.load(changed)).toEqual({ added: 0, unchanged: 310, version: 0 });
  });

  test("goes on after it was aborted, without embedding anything twice", async () => {
    const embed = wordEmbedder(16);
    const embedding = await openMemory(`sqlite://${freshPath()}`, { embed });
    const collection = embedding.collection("c");
    const texts = Array.from({ length: 200 }, (_, n) => ({ id: `t${n}`, text: `text number ${n}` }));
    const controller = new AbortController();
    const reason = new Error("enough");
    const broken = collection.load(texts, {
      batchSize: 50, signal: controller.signal, onProgress: ({ done }) => { if (done >= 100) controller.abort(reason); },
    });
    expect(await refusal(() => broken)).toBe(reason);
    expect(await collection.count()).toBe(100);
    expect(await collection.load(texts, { batchSize: 50 })).toMatchObject({ added: 100, unchanged: 100 });
    const asked = embed.asked.flat();
    expect(asked).toHaveLength(200);
    expect(new Set(asked).size).toBe(200);
    expect((await collection.search("number 150", { mode: "vector", limit: 1 }))[0]).toMatchObject({ id: "t150" });
    await embedding.close();
  });

  test("is broken off while its source is silent, and tells it", async () => {
    const controller = new AbortController();
    const reason = new Error("enough");
    let ended = false;
    const source: AsyncIterable<DocumentInput<unknown>> = {
      [Symbol.asyncIterator]: () => ({
        next: () => new Promise(() => undefined),
        return: () => {
          ended = true;
          return new Promise(() => undefined);
        },
      }),
    };
    setTimeout(() => controller.abort(reason), 10);
    expect(await refusal(() => notes.load(source, { signal: controller.signal }))).toBe(reason);
    expect(ended).toBe(true);
  });

  test("keeps what was stored before its source failed, and gives its error", async () => {
    const failure = new TypeError("the file ends here");
    const failing = function* () {
      yield* documents(300);
      throw failure;
    };
    expect(await refusal(() => notes.load(failing()))).toBe(failure);
    expect(await notes.count()).toBe(256);
    expect(await notes.load(documents(301))).toMatchObject({ added: 45, unchanged: 256 });
  });

  test("names a bad document by its place in the source, and closes the source", async () => {
    let closed = false;
    const source = function* (bad: unknown) {
      try {
        yield* documents(270);
        yield bad as DocumentInput<unknown>;
        yield* documents(5);
      } finally {
        closed = true;
      }
    };
    for (const [bad, words] of [
      [{ id: "x" }, /documents\[270\] has neither/], [{ id: "x", vector: [1, 2, 3] }, /documents\[270\].*vector has 3/], [{ id: "x", vector: [1, NaN] }, /documents\[270\].*NaN/],
      [{ id: "", text: "x" }, /documents\[270\].*empty/], [{ id: "x", text: "x", metadata: 5 }, /documents\[270\].*metadata/], [null, /documents\[270\] is null/],
    ] as const) {
      closed = false;
      await expectRefusal(() => notes.load(source(bad)), "ERR_INVALID", words);
      expect(closed).toBe(true);
      expect(await notes.count()).toBe(256);
    }
  });

  test("takes an id that comes again as what replaces it", async () => {
    const report = await notes.load([{ id: "a", text: "one" }, { id: "b", text: "two" }, { id: "a", text: "three" }]);
    expect(report).toMatchObject({ added: 3, unchanged: 0 });
    expect(await notes.get("a")).toMatchObject({ text: "three" });
    expect(await notes.count()).toBe(2);
  });

  test("takes documents as they are when the source gives them", async () => {
    const same = { id: "", vector: new Float32Array(2), metadata: { n: 0 } };
    const source = function* () {
      for (let n = 0; n < 10; n++) {
        same.id = `s${n}`;
        same.vector.fill(n + 1);
        same.metadata.n = n;
        yield same;
      }
    };
    await notes.load(source());
    expect((await all(notes.list())).map(({ id, vector, metadata }) => [id, vector![0], metadata.n])).toEqual(Array.from({ length: 10 }, (_, n) => [`s${n}`, n + 1, n]));
  });

  test("gives way to others in between", async () => {
    let turns = 0;
    const timer = setInterval(() => { turns += 1; }, 0);
    await notes.load(documents(2_000), { batchSize: 100 });
    clearInterval(timer);
    expect(turns).toBeGreaterThanOrEqual(10);
  });

  test("of large documents writes smaller batches", async () => {
    const seen: number[] = [];
    await notes.load(Array.from({ length: 12 }, (_, n) => ({ id: `l${n}`, text: "x", metadata: { body: "y".repeat(1 << 20) } })), { onProgress: ({ done }) => { seen.push(done); } });
    expect(seen).toEqual([4, 8, 12]);
  });

  test("of nothing does nothing", async () => {
    expect(await notes.load([])).toEqual({ added: 0, unchanged: 0, version: 0 });
    expect(await ids(notes.list())).toEqual([]);
  });

  test.each([
    [null, {}, /source is null/], [undefined, {}, /source/], ["text", {}, /source is "text"/], [5, {}, /source is 5/], [{}, {}, /source/], [{ length: 2 }, {}, /source/],
    [[], { batchSize: 0 }, /batchSize is 0/], [[], { batchSize: 10_001 }, /batchSize/], [[], { batchSize: "5" }, /batchSize/], [[], { onProgress: 5 }, /onProgress is 5/],
    [[], { batch: 5 }, /batch is unknown/], [[], null, /options is null/],
  ])("does not take %j with %j", async (source, options, words) => {
    await expectRefusal(() => notes.load(source as never, options as never), "ERR_INVALID", words);
  });
});

describe("optimize", () => {
  test("brings the index into shape, tells how far it is, and changes no answer", async () => {
    await notes.load(documents(1_500));
    for (let n = 0; n < 500; n++) await notes.delete(`d${String(n * 3).padStart(5, "0")}`);
    const before = await notes.search(pointing(700), { exact: true, limit: 20 });
    const seen: Progress[] = [];
    await notes.optimize({ onProgress: (progress) => { seen.push(progress); } });
    const last = seen.at(-1)!;
    expect(last.done).toBe(last.total);
    expect(await notes.search(pointing(700), { exact: true, limit: 20 })).toEqual(before);
    await notes.optimize();
  }, 60_000);

  test("can be broken off", async () => {
    await notes.load(documents(1_500));
    const controller = new AbortController();
    const reason = new Error("enough");
    let calls = 0;
    const optimized = notes.optimize({ signal: controller.signal, onProgress: () => { if (++calls === 1) controller.abort(reason); } });
    // What was finished at the first step is finished.
    const outcome = await optimized.then(() => "done", (error: unknown) => error);
    expect(["done", reason]).toContain(outcome);
    expect(calls).toBe(1);
    expect(await notes.search(pointing(700), { limit: 1, exact: true })).toMatchObject([{ id: "d00700" }]);
  });

  test("of nothing comes to an end, and takes only options that it knows", async () => {
    await notes.optimize();
    await memory.collection("never made").optimize();
    await expectRefusal(() => notes.optimize({ budget: 5 } as never), "ERR_INVALID", /budget is unknown/);
  });
});
