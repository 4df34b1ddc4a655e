/** Embedders: which texts they are asked for, in which batches, what happens when they fail, and whose model it is. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { open, QuotaError, InvalidError, type Collection, type Embed, type Memory, type Progress } from "mnemora";
import { wordEmbedder } from "./embedder.js";
import { expectRefusal, freshPath, refusal } from "./harness.js";

const asked: (readonly string[])[] = [];
let answer: Embed;
let memory: Memory;
let notes: Collection<unknown>;
beforeEach(async () => {
  asked.length = 0;
  answer = async (texts) => texts.map((text) => new Float32Array([text.length, 1]));
  memory = await open("memory:", {
    embed: (texts, options) => {
      asked.push(texts);
      return answer(texts, options);
    },
  });
  notes = memory.collection("notes");
});
afterEach(() => memory.close());

describe("an embedder", () => {
  test("is asked once for all texts that lack a vector, in their order", async () => {
    await notes.add([
      { id: "a", text: "one" }, { id: "b", text: "given", vector: [7, 7] }, { id: "c", text: "three" }, { id: "d", vector: [1, 0] }, { id: "e", text: " " },
    ]);
    expect(asked).toEqual([["one", "three"]]);
    expect((await notes.get("a"))?.vector).toEqual(new Float32Array([3, 1]));
    expect((await notes.get("b"))?.vector).toEqual(new Float32Array([7, 7]));
    expect((await notes.get("c"))?.vector).toEqual(new Float32Array([5, 1]));
    expect((await notes.get("e"))?.vector).toBeNull();
    await notes.add({ id: "f", vector: [1, 1] });
    expect(asked).toHaveLength(1);
  });

  test("is asked for the query of a search", async () => {
    await notes.add([{ id: "short", text: "ab" }, { id: "long", text: "x".repeat(100) }]);
    const [best] = await notes.search("cd", { limit: 1 });
    expect(best).toMatchObject({ id: "short", text: "ab" });
    expect(asked).toEqual([["ab", "x".repeat(100)], ["cd"]]);
  });

  test("is told of the signal, and need not obey it", async () => {
    const { signal } = new AbortController();
    let seen: unknown;
    answer = async (texts, options) => {
      seen = options.signal;
      return texts.map(() => new Float32Array([1, 1]));
    };
    await notes.add({ id: "a", text: "x" }, { signal });
    expect(seen).toBe(signal);
    const reason = new Error("enough");
    expect(await refusal(() => notes.add({ id: "b", text: "x" }, { signal: AbortSignal.abort(reason) }))).toBe(reason);
    expect(asked).toHaveLength(1);
    const deaf = new AbortController();
    answer = () => new Promise(() => undefined);
    const [added, searched] = [notes.add({ id: "c", text: "x" }, { signal: deaf.signal }), notes.search("x", { signal: deaf.signal })];
    setTimeout(() => deaf.abort(reason), 10);
    expect(await refusal(() => added)).toBe(reason);
    expect(await refusal(() => searched)).toBe(reason);
    expect(await notes.count()).toBe(1);
  });

  test("may give plain arrays, and may use its arrays again", async () => {
    answer = async (texts) => texts.map(() => [1, 2]) as unknown as Float32Array[];
    await notes.add({ id: "a", text: "x" });
    expect((await notes.get("a"))?.vector).toEqual(new Float32Array([1, 2]));
    const same = new Float32Array(2);
    answer = async (texts) => texts.map(() => same.fill(texts.length));
    await notes.add(Array.from({ length: 65 }, (_, n) => ({ id: String(n), text: "x" })));
    expect((await notes.get("0"))?.vector).toEqual(new Float32Array([64, 64]));
    expect((await notes.get("64"))?.vector).toEqual(new Float32Array([1, 1]));
  });

  test("does not see what happens to the documents meanwhile, nor they what it does", async () => {
    const documents = [{ id: "a", text: "one" }, { id: "b", vector: new Float32Array([5, 5]) }];
    answer = async (texts) => {
      (texts as string[]).length = 0;
      return [new Float32Array([1, 1])];
    };
    const adding = notes.add(documents);
    documents[0]!.text = "changed";
    documents[1]!.vector!.fill(0);
    await adding;
    expect(await notes.get("a")).toMatchObject({ text: "one" });
    expect((await notes.get("b"))!.vector).toEqual(new Float32Array([5, 5]));
  });
});

describe("batches", () => {
  test("are as large as the embedder takes, and each is told of", async () => {
    const embed = wordEmbedder(8, { maxBatch: 3 });
    const other = await open("memory:", { embed });
    const seen: Progress[] = [];
    await other.collection("c").add(Array.from({ length: 8 }, (_, n) => ({ id: String(n), text: `text ${n}` })), { onProgress: (progress) => { seen.push(progress); } });
    expect(embed.asked.map(({ length }) => length)).toEqual([3, 3, 2]);
    expect(seen).toEqual([
      ...[0, 3, 6, 8].map((done) => ({ phase: "embed", done, total: 8 })), { done: 0, total: 8 }, { done: 8, total: 8 },
    ]);
    await other.close();
  });

  test("are of 64 texts, if it does not say", async () => {
    await notes.add(Array.from({ length: 150 }, (_, n) => ({ id: String(n), text: `text ${n}` })));
    expect(asked.map(({ length }) => length)).toEqual([64, 64, 22]);
  });
});

describe("a failure", () => {
  test("is tried again, and only that batch", async () => {
    const embed = wordEmbedder(8, { maxBatch: 2 });
    const other = await open("memory:", { embed });
    embed.failures.push(new Error("busy"), new QuotaError("slower, please"));
    await other.collection("c").add([1, 2, 3].map((n) => ({ id: String(n), text: `text ${n}` })));
    expect(embed.asked).toEqual([["text 1", "text 2"], ["text 1", "text 2"], ["text 1", "text 2"], ["text 3"]]);
    expect(await other.collection("c").count()).toBe(3);
    await other.close();
  });

  test("that stays is the caller's after three tries, and nothing is written", async () => {
    const failure = new RangeError("the model is asleep");
    answer = () => { throw failure; };
    expect(await refusal(() => notes.add([{ id: "a", vector: [1, 1] }, { id: "b", text: "x" }]))).toBe(failure);
    expect(asked).toHaveLength(3);
    answer = () => Promise.reject(failure);
    expect(await refusal(() => notes.search("x"))).toBe(failure);
    expect(asked).toHaveLength(6);
    expect(await notes.count()).toBe(0);
  });

  test.each([
    ["an abort", new DOMException("stop", "AbortError")], ["an error that no repetition mends", new InvalidError("too long")],
  ])("that is %s is not tried again", async (_, failure) => {
    answer = () => Promise.reject(failure);
    expect(await refusal(() => notes.add({ id: "b", text: "x" }))).toBe(failure);
    expect(asked).toHaveLength(1);
  });

  test("does not keep an abort waiting", async () => {
    const controller = new AbortController();
    const reason = new Error("enough");
    answer = () => Promise.reject(new Error("busy"));
    setTimeout(() => controller.abort(reason), 20);
    const begun = performance.now();
    expect(await refusal(() => notes.add({ id: "b", text: "x" }, { signal: controller.signal }))).toBe(reason);
    expect(performance.now() - begun).toBeLessThan(200);
    expect(asked).toHaveLength(1);
  });
});

describe("an answer", () => {
  test.each([
    ["nothing", undefined, /embed gave undefined for 2 texts \(documents\[0\]/], ["too few", [new Float32Array(2)], /1 vectors for 2 texts/],
    ["too many", [1, 2, 3].map(() => new Float32Array(2)), /3 vectors for 2 texts/],
    ["a vector that is none", [new Float32Array([1, 1]), "x"], /documents\[1\].*"x"/],
    ["a vector of nothing", [new Float32Array([1, 1]), new Float32Array(0)], /documents\[1\].*has 0 numbers/],
    ["vectors of two lengths", [new Float32Array([1, 1]), new Float32Array([1])], /documents\[1\].*has 1 numbers.* 2/],
    ["NaN", [new Float32Array([1, 1]), new Float32Array([NaN, 1])], /documents\[1\].*\[0\] is NaN/],
    ["infinity", [new Float32Array([1, 1]), new Float32Array([1, Infinity])], /documents\[1\].*\[1\] is Infinity/],
    ["a zero vector", [new Float32Array([1, 1]), new Float32Array(2)], /documents\[1\].*zero/],
  ])("of %s is refused by the name of the text, and nothing is written", async (_, given, words) => {
    answer = () => Promise.resolve(given as Float32Array[]);
    await expectRefusal(() => notes.add([{ id: "a", text: "x" }, { id: "b", text: "y" }]), "ERR_INVALID", words);
    expect(asked).toHaveLength(1);
    expect(await notes.count()).toBe(0);
  });

  test("of another length than the embedder or the collection says is refused", async () => {
    const other = await open("memory:", { embed: { ...wordEmbedder(8), dimensions: 9 } });
    await expectRefusal(() => other.collection("c").add({ id: "a", text: "x" }), "ERR_INVALID", /documents\[0\].*has 8 numbers.* 9/);
    await other.close();
    await expectRefusal(() => memory.collection("d", { dimensions: 3 }).add({ id: "a", text: "x" }), "ERR_INVALID", /documents\[0\].*has 2 numbers.* 3/);
  });
});

describe("a model", () => {
  test("is kept with the collection, and another is refused with the way out", async () => {
    const url = `sqlite://${freshPath()}`;
    const first = await open(url, { embed: wordEmbedder(8, { model: "first" }) });
    await first.collection("c").add({ id: "a", text: "some text" });
    await first.close();
    const second = await open(url, { embed: wordEmbedder(8, { model: "second" }) });
    const collection = second.collection("c");
    for (const call of [() => collection.add({ id: "b", text: "more" }), () => collection.search("text")]) {
      const error = await expectRefusal(call, "ERR_INVALID", /first/);
      expect(error.message).toMatch(/second/);
      expect(error.message).toMatch(/reembed/);
    }
    await second.close();
    const third = await open(url, { embed: Object.assign(wordEmbedder(8).embed, { model: "first" }) });
    expect((await third.collection("c").search("text")).map(({ id }) => id)).toEqual(["a"]);
    await third.close();
    const without = await open(url);
    expect((await without.collection("c").search("text")).map(({ id }) => id)).toEqual(["a"]);
    await without.close();
  });
});
