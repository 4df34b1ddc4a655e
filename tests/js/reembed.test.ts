/** From one model to another: all vectors are made anew, whatever happens on the way. */
import { describe, expect, test, vi } from "vitest";
import { open, type Memory, type Progress } from "mnemora";
import { vectorOf, wordEmbedder } from "./embedder.js";
import { all, expectRefusal, freshPath, refusal } from "./harness.js";

// Hundreds of documents are indexed in each: on a busy machine that takes its time.
vi.setConfig({ testTimeout: 60_000 });

const COUNT = 300;

/** A collection of texts with vectors of the model `first`, closed. Gives its URL. */
async function filled(): Promise<string> {
  const url = `sqlite://${freshPath()}`;
  const memory = await open(url, { embed: wordEmbedder(8, { model: "first" }) });
  const notes = memory.collection("notes");
  await notes.load(Array.from({ length: COUNT }, (_, n) => ({ id: `n${n}`, text: `text of the number ${n}`, metadata: { n }, importance: 0.25 })));
  await notes.add([{ id: "vector alone", vector: vectorOf("alone", 8) }]);
  await memory.close();
  return url;
}

/** Everything is there, with the vectors of the second model. */
async function expectSecond(memory: Memory, dimensions: number): Promise<void> {
  const notes = memory.collection("notes");
  const found = await all(notes.list());
  expect(found).toHaveLength(COUNT + 1);
  for (const { id, text, vector, metadata, importance } of found) {
    if (id === "vector alone") {
      expect(vector).toBeNull();
      continue;
    }
    expect(vector).toEqual(vectorOf(text!, dimensions));
    expect([metadata.n, importance]).toEqual([Number(id.slice(1)), 0.25]);
  }
  const hits = await notes.search("text of the number 77", { mode: "vector", limit: 3, explain: true });
  expect(hits[0]!.score).toBeCloseTo(1, 5);
  expect(hits.explain).not.toHaveProperty("pending");
}

describe("reembed", () => {
  test("goes over to another model and other dimensions, telling how far it is", async () => {
    const url = await filled();
    const embed = wordEmbedder(24, { model: "second", maxBatch: 50 });
    const memory = await open(url, { embed });
    const notes = memory.collection("notes");
    await expectRefusal(() => notes.search("text"), "ERR_INVALID", /reembed/);
    const seen: Progress[] = [];
    expect(await notes.reembed({ onProgress: (progress) => { seen.push(progress); } })).toEqual({ embedded: COUNT });
    expect(seen[0]!.done).toBe(0);
    expect(seen.at(-1)!.done).toBe(seen.at(-1)!.total);
    expect(seen.map(({ done }) => done)).toEqual(seen.map(({ done }) => done).sort((a, b) => a - b));
    await expectSecond(memory, 24);
    await memory.close();
    const again = await open(url, { embed: wordEmbedder(24, { model: "second" }) });
    await expectSecond(again, 24);
    await again.close();
    const old = await open(url, { embed: wordEmbedder(8, { model: "first" }) });
    await expectRefusal(() => old.collection("notes").search("text"), "ERR_INVALID", /second.*first|first.*second/s);
    await old.close();
  });

  test("goes on after a crash in the middle, in another process as well", async () => {
    const url = await filled();
    const embed = { ...wordEmbedder(24, { model: "second", maxBatch: 40 }) };
    const { embed: vectorsOf } = embed;
    let calls = 0;
    const failure = new DOMException("the tab is gone", "AbortError");
    const failing = await open(url, { embed: { ...embed, dimensions: 24, embed: (texts, options) => ++calls > 3 ? Promise.reject(failure) : vectorsOf(texts, options) } });
    expect(await refusal(() => failing.collection("notes").reembed())).toBe(failure);
    // Until it is through, what has its vector is found by it, and the rest by its words.
    const half = await failing.collection("notes").search("text of the number 299", { mode: "text", explain: true, limit: 1 });
    expect(half[0]).toMatchObject({ id: "n299" });
    const near = await failing.collection("notes").search({ vector: vectorOf("text of the number 299", 24) }, { explain: true, limit: COUNT });
    expect(near.length).toBeGreaterThan(0);
    expect(near.length).toBeLessThan(COUNT);
    expect(near.explain.pending).toBeGreaterThan(0);
    await failing.close();
    const whole = wordEmbedder(24, { model: "second", maxBatch: 40 });
    const memory = await open(url, { embed: { ...whole, dimensions: 24 } });
    const { embedded } = await memory.collection("notes").reembed();
    expect(embedded).toBeLessThan(COUNT);
    expect(whole.asked.flat()).toHaveLength(embedded);
    await expectSecond(memory, 24);
    await memory.close();
  });

  test("is broken off by a signal, and goes on", async () => {
    const memory = await open(await filled(), { embed: wordEmbedder(24, { model: "second", maxBatch: 40 }) });
    const notes = memory.collection("notes");
    const controller = new AbortController();
    const reason = new Error("enough");
    const broken = notes.reembed({ signal: controller.signal, onProgress: ({ done }) => { if (done >= 80) controller.abort(reason); } });
    expect(await refusal(() => broken)).toBe(reason);
    await notes.reembed();
    await expectSecond(memory, 24);
    await memory.close();
  });

  test("takes documents that are written meanwhile as they are then", async () => {
    const embed = wordEmbedder(24, { model: "second", maxBatch: 40 });
    const vectorsOf = embed.embed.bind(embed);
    let meddled = 0;
    const memory: Memory = await open(await filled(), {
      embed: {
        ...embed, dimensions: 24,
        async embed(texts, options) {
          const vectors = await vectorsOf(texts, options);
          const text = texts[0]!;
          if (texts.length > 1 && meddled++ < 3) await notes.add({ id: `n${/\d+$/.exec(text)![0]}`, text: `${text} and changed`, vector: vectorOf(`${text} and changed`, 24) });
          return vectors;
        },
      },
    });
    const notes = memory.collection("notes");
    await notes.reembed();
    const found = await all(notes.list());
    expect(found).toHaveLength(COUNT + 1);
    expect(found.filter(({ text }) => text?.endsWith("changed") === true)).toHaveLength(3);
    for (const { text, vector } of found) expect(vector).toEqual(text === null ? null : vectorOf(text, 24));
    await memory.close();
  });

  test("with the same model makes the vectors that are missing", async () => {
    const url = `sqlite://${freshPath()}`;
    const bare = await open(url);
    await bare.collection("notes").load(Array.from({ length: 20 }, (_, n) => ({ id: `n${n}`, text: `text ${n}` })));
    await bare.close();
    const memory = await open(url, { embed: wordEmbedder(8) });
    const notes = memory.collection("notes");
    expect(await notes.reembed()).toEqual({ embedded: 20 });
    for (const { text, vector } of await all(notes.list())) expect(vector).toEqual(vectorOf(text!, 8));
    await memory.close();
  });

  test("needs an embedder with a name for its model, and an empty collection is soon done", async () => {
    const bare = await open("memory:");
    await expectRefusal(() => bare.collection("notes").reembed(), "ERR_INVALID", /embed/);
    await bare.close();
    const nameless = await open("memory:", { embed: wordEmbedder(8).embed });
    await expectRefusal(() => nameless.collection("notes").reembed(), "ERR_INVALID", /model/);
    await nameless.close();
    const memory = await open("memory:", { embed: wordEmbedder(8) });
    expect(await memory.collection("notes").reembed()).toEqual({ embedded: 0 });
    await expectRefusal(() => memory.collection("notes").reembed({ model: "x" } as never), "ERR_INVALID", /model is unknown/);
    await memory.close();
  });
});
