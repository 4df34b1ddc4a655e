/** Collections: documents with vectors, kept whole or not at all. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Change, Collection, Memory } from "mnemora";
import { all, clockAt, expectRefusal, ids, open, settle, until } from "./harness.js";

let memory: Memory;
let notes: Collection<any>;  
beforeEach(async () => {
  memory = await open("memory:");
  notes = memory.collection("notes", { dimensions: 3 });
});
afterEach(() => memory.close());

const unit = (at: number): number[] => [0, 1, 2].map((i) => i === at ? 1 : 0);

describe("documents", () => {
  test("come back as they were added", async () => {
    const clock = clockAt(1_000);
    const timed = await open("memory:", { now: clock.now });
    const collection = timed.collection<unknown>("notes", { dimensions: 3 });
    const metadata = { section: "web", at: new Date(5), tags: new Set(["a"]), big: 5n, deep: { list: [1, null] } };
    const { version, durability } = await collection.add({ id: "a", text: "Größe \u{1f600}", vector: [1, -0, 0.1], metadata, importance: 0.9 });
    expect(durability).toBe(memory.info.durability);
    clock.ms = 2_000;
    await collection.add({ id: "b", vector: new Float32Array([1, 2, 3]) });
    expect(await collection.get("a")).toEqual({
      id: "a", text: "Größe \u{1f600}", vector: new Float32Array([1, -0, 0.1]), metadata, importance: 0.9, version,
      created: new Date(1_000), updated: new Date(1_000),
    });
    expect(await collection.get("b")).toEqual({
      id: "b", text: null, vector: new Float32Array([1, 2, 3]), metadata: null, importance: 0.5, version: version + 1,
      created: new Date(2_000), updated: new Date(2_000),
    });
    expect(await collection.get("c")).toBeNull();
    await timed.close();
  });

  test("are replaced by their id", async () => {
    await notes.add([{ id: "a", vector: unit(0), metadata: { n: 1 }, text: "first" }, { id: "b", vector: unit(1) }]);
    await notes.add({ id: "a", vector: unit(2) });
    expect(await notes.count()).toBe(2);
    expect(await notes.get("a")).toMatchObject({ vector: new Float32Array(unit(2)), metadata: null, text: null });
    expect((await notes.search(unit(0), { limit: 1 }))[0]!.score).toBeCloseTo(0, 6);
    expect((await notes.search(unit(2), { limit: 1 }))[0]).toMatchObject({ id: "a", text: null, metadata: null });
  });

  test("are deleted, once", async () => {
    await notes.add([{ id: "a", vector: unit(0) }, { id: "b", vector: unit(1) }]);
    await notes.search(unit(0));
    expect(await notes.delete("a")).toBe(true);
    expect(await notes.delete("a")).toBe(false);
    expect(await notes.get("a")).toBeNull();
    expect(await notes.count()).toBe(1);
    expect((await notes.search(unit(0))).map(({ id }) => id)).toEqual(["b"]);
    expect(await ids(notes.list())).toEqual(["b"]);
  });

  test("may be named in any script", async () => {
    const names = ["\u{1f600}", "ÄÖ", "名前", "__proto__", "a/b", " ", "\u200b"];
    await notes.add(names.map((id, i) => ({ id, vector: [1, i, 0], metadata: { id } })));
    const found = await notes.search([1, 0, 0], { limit: 20 });
    expect(found.map(({ id }) => id).sort()).toEqual([...names].sort());
    expect(found.every(({ id, metadata }) => metadata.id === id)).toBe(true);
    expect((await notes.get("\u{1f600}"))?.vector).toEqual(new Float32Array([1, 0, 0]));
    await memory.collection("名前 \u{1f600}", { dimensions: 1 }).add({ id: "x", vector: [1] });
    expect(await memory.collection("名前 \u{1f600}").count()).toBe(1);
  });

  test("are the reader's own", async () => {
    await notes.add({ id: "a", vector: unit(0), metadata: { list: [1] } });
    const found = (await notes.get("a"))!;
    found.vector![0] = 9;
    found.metadata.list.push(2);
    const [hit] = await notes.search(unit(0));
    hit!.metadata.list.push(3);
    expect(await notes.get("a")).toMatchObject({ vector: new Float32Array(unit(0)), metadata: { list: [1] } });
  });

  test("are taken as they were when add was called", async () => {
    const vector = new Float32Array(unit(0));
    const document = { id: "a", vector, text: "first", metadata: { n: 1 } };
    const documents = [document];
    const added = notes.add(documents);
    vector.set(unit(1));
    document.text = "second";
    document.metadata.n = 2;
    documents.push({ id: "b", vector, text: "", metadata: { n: 3 } });
    await added;
    expect(await notes.get("a")).toMatchObject({ vector: new Float32Array(unit(0)), text: "first", metadata: { n: 1 } });
    expect(await notes.count()).toBe(1);
  });

  test("may have a vector, a text, or both", async () => {
    const mixed = memory.collection("mixed");
    await mixed.add([{ id: "both", text: "a text", vector: [1, 2] }, { id: "text", text: "a text" }, { id: "vector", vector: [2, 1] }]);
    const found = await all(mixed.list());
    expect(found.map(({ id, text, vector }) => [id, text, vector === null ? null : [...vector]])).toEqual([
      ["both", "a text", [1, 2]], ["text", "a text", null], ["vector", null, [2, 1]],
    ]);
    expect((await mixed.search([1, 2])).map(({ id }) => id)).toEqual(["both", "vector"]);
    expect((await mixed.search("text")).map(({ id }) => id).sort()).toEqual(["both", "text"]);
    await mixed.add({ id: "both", text: "a text", vector: null });
    expect(await mixed.get("both")).toMatchObject({ text: "a text", vector: null });
    expect((await mixed.search([1, 2])).map(({ id }) => id)).toEqual(["vector"]);
  });

  test("of no number are no change", async () => {
    await notes.add([]);
    expect(await notes.count()).toBe(0);
    expect(await all(notes.list())).toEqual([]);
  });

  test("vectors may be views, doubles and plain arrays", async () => {
    const wide = new Float32Array([9, 1, 2, 3, 9]);
    await notes.add([
      { id: "view", vector: wide.subarray(1, 4) },
      { id: "doubles", vector: new Float64Array([1, 2, 3]) as unknown as number[] },
      { id: "plain", vector: [1, 2, 3] },
    ]);
    for (const { vector } of await all(notes.list())) expect(vector).toEqual(new Float32Array([1, 2, 3]));
  });
});

describe("lists", () => {
  beforeEach(async () => {
    await notes.add(Array.from({ length: 250 }, (_, i) => ({
      id: `n:${String(i).padStart(3, "0")}`, vector: [1, i, 0], metadata: { even: i % 2 === 0, i },
    })));
  });

  test("go through all, in order", async () => {
    const found = await all(notes.list());
    expect(found.map(({ metadata }) => metadata.i)).toEqual(Array.from({ length: 250 }, (_, i) => i));
  });

  test("take a filter, a pattern, a limit, a direction and a place to go on from", async () => {
    const found = async (options: Parameters<typeof notes.list>[0]) => (await all(notes.list(options))).map(({ metadata }) => metadata.i as number);
    expect(await found({ filter: { even: true }, limit: 3 })).toEqual([0, 2, 4]);
    expect(await found({ filter: { even: true }, limit: 3, reverse: true })).toEqual([248, 246, 244]);
    expect(await found({ filter: { i: { $in: [3, 240] } } })).toEqual([3, 240]);
    expect(await found({ prefix: "n:24" })).toEqual([240, 241, 242, 243, 244, 245, 246, 247, 248, 249]);
    expect(await found({ match: "*:*00" })).toEqual([0, 100, 200]);
    expect(await found({ after: "n:247" })).toEqual([248, 249]);
    expect(await found({ filter: { even: false }, after: "n:247" })).toEqual([249]);
    expect(await found({ filter: { i: -1 } })).toEqual([]);
  });
});

describe("a collection", () => {
  test("is the same under all its handles, and apart from stores of its name", async () => {
    await notes.add({ id: "a", vector: unit(0) });
    const again = memory.collection("notes");
    expect(await again.count()).toBe(1);
    expect((await again.search(unit(0))).map(({ id }) => id)).toEqual(["a"]);
    await again.add({ id: "b", vector: unit(1) });
    expect((await notes.search(unit(1), { limit: 1 })).map(({ id }) => id)).toEqual(["b"]);
    expect(await memory.store("notes").count()).toBe(0);
    expect(await memory.collection("other", { dimensions: 3 }).count()).toBe(0);
    expect(notes.name).toBe("notes");
  });

  test("that was never made is empty", async () => {
    const unknown = memory.collection("unknown");
    expect(await unknown.count()).toBe(0);
    expect(await unknown.search([1, 2])).toEqual([]);
    expect(await all(unknown.list())).toEqual([]);
    expect(await unknown.get("a")).toBeNull();
    expect(await unknown.delete("a")).toBe(false);
  });

  test("takes its dimensions from its first vector, if it is not told", async () => {
    const untold = memory.collection("untold");
    await untold.add({ id: "words", text: "no vector yet" });
    await untold.add({ id: "a", vector: [1, 2] });
    await expectRefusal(() => untold.add({ id: "b", vector: [1, 2, 3] }), "ERR_INVALID", /vector has 3 numbers.* 2/);
    await expectRefusal(() => memory.collection("untold", { dimensions: 3 }).count(), "ERR_INVALID", /2/);
    expect(await ids(untold.list())).toEqual(["a", "words"]);
    expect((await untold.search([1, 2])).map(({ id }) => id)).toEqual(["a"]);
  });

  test("keeps its options", async () => {
    const options = { dimensions: 2, metric: "dot", language: "german", fields: { title: 2 }, keep: "codes", M: 8, efConstruction: 50 } as const;
    await memory.collection("kept", options).add({ id: "a", vector: [1, 2], text: "Häuser" });
    expect(await memory.collection("kept", options).count()).toBe(1);
    expect(await memory.collection("kept", {}).count()).toBe(1);
    const others = { dimensions: 3, metric: "l2", language: "english", fields: { title: 1 }, keep: "f32", M: 16, efConstruction: 100 } as const;
    for (const name of Object.keys(others) as (keyof typeof others)[]) {
      await expectRefusal(() => memory.collection("kept", { [name]: others[name] }).count(), "ERR_INVALID", /"kept"/);
    }
    expect((await memory.collection("kept").search("haus")).map(({ id }) => id)).toEqual(["a"]);
  });

  test("does not let its dimensions or its metric be changed", async () => {
    await notes.add({ id: "a", vector: unit(0) });
    for (const options of [{ dimensions: 4 }, { dimensions: 3, metric: "l2" }, { dimensions: 3, metric: "dot" }] as const) {
      const other = memory.collection("notes", options);
      const vector = Array.from({ length: options.dimensions }, () => 1);
      await expectRefusal(() => other.add({ id: "b", vector }), "ERR_INVALID", /"notes" was made with (dimensions 3|metric cosine)/);
      await expectRefusal(() => other.search(vector), "ERR_INVALID", /was made with/);
      await expectRefusal(() => other.count(), "ERR_INVALID", /was made with/);
    }
    expect(await memory.collection("notes", { dimensions: 3, metric: "cosine" }).count()).toBe(1);
  });

  test("is not made by an add that is refused", async () => {
    await expectRefusal(() => notes.add({ id: "a", vector: [1, NaN, 0] }), "ERR_INVALID");
    await expectRefusal(() => notes.add({ id: "a", vector: unit(0) }, { signal: AbortSignal.abort(new TypeError("x")) }).catch((error: unknown) => {
      expect(error).toBeInstanceOf(TypeError);
      return notes.add({ id: "", vector: unit(0) });
    }), "ERR_INVALID");
    const smaller = memory.collection("notes", { dimensions: 2, metric: "dot" });
    await smaller.add({ id: "a", vector: [1, 2] });
    expect(await smaller.count()).toBe(1);
  });

  test("that two make at once with different dimensions is one of the two", async () => {
    const outcomes = await Promise.allSettled([2, 4].map((dimensions) =>
      memory.collection("race", { dimensions }).add({ id: "a", vector: Array.from({ length: dimensions }, () => 1) })));
    expect(outcomes.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
    expect(await memory.collection("race").count()).toBe(1);
  });

  test("tells of its changes without their values", async () => {
    const changes: Change<never>[] = [];
    const stop = notes.watch({ prefix: "a" }, (change) => { changes.push(change); });
    const { version } = await notes.add([{ id: "a", vector: unit(0) }, { id: "b", vector: unit(1) }]);
    await notes.delete("a");
    await until(() => changes.length === 2);
    await settle();
    expect(changes).toMatchObject([{ kind: "save", id: "a", version }, { kind: "delete", id: "a", version: version + 1 }]);
    expect(changes.every((change) => !("value" in change))).toBe(true);
    stop();
  });

  test("reports progress", async () => {
    const seen: unknown[] = [];
    await notes.add([{ id: "a", vector: unit(0) }, { id: "b", vector: unit(1) }], { onProgress: (progress) => { seen.push(progress); } });
    expect(seen[0]).toEqual({ done: 0, total: 2 });
    expect(seen.at(-1)).toEqual({ done: 2, total: 2 });
  });

  test("grows under concurrent adds, deletes and searches", async () => {
    await Promise.all(Array.from({ length: 100 }, async (_, i) => {
      await notes.add({ id: String(i), vector: [1, i, 0] });
      await notes.search([1, i, 0], { limit: 3 });
      if (i % 4 === 0) await notes.delete(String(i));
    }));
    expect(await notes.count()).toBe(75);
    const found = await notes.search([1, 0, 0], { limit: 100 });
    expect(found.map(({ id }) => Number(id))).toEqual(Array.from({ length: 100 }, (_, i) => i).filter((i) => i % 4 !== 0));
  });
});

describe("bad documents", () => {
  const good = { id: "good", vector: unit(0) };
  const bad: [string, unknown, RegExp][] = [
    ["null", null, /documents\[1\]/],
    ["a string", "text", /documents\[1\]/],
    ["no id", { vector: unit(0) }, /documents\[1\]\.id is undefined/],
    ["a number as id", { id: 5, vector: unit(0) }, /documents\[1\]\.id is 5/],
    ["an empty id", { id: "", vector: unit(0) }, /documents\[1\].*empty/],
    ["an id with NUL", { id: "a\0", vector: unit(0) }, /documents\[1\].*NUL/],
    ["an id that is too long", { id: "x".repeat(1_025), vector: unit(0) }, /documents\[1\].*1025/],
    ["half a surrogate pair as id", { id: "\udc00", vector: unit(0) }, /documents\[1\]\.id has half a surrogate/],
    ["an id that comes twice", { id: "good", vector: unit(0) }, /documents\[1\].*twice/],
    ["neither vector nor text", { id: "a" }, /documents\[1\] has neither/],
    ["a vector that is too short", { id: "a", vector: [1, 2] }, /documents\[1\].*vector has 2 numbers.* 3/],
    ["a vector that is too long", { id: "a", vector: [1, 2, 3, 4] }, /documents\[1\].*vector has 4/],
    ["a vector of nothing", { id: "a", vector: [] }, /documents\[1\].*vector has 0/],
    ["NaN in a vector", { id: "a", vector: [1, NaN, 3] }, /documents\[1\].*vector\[1\] is NaN/],
    ["infinity in a vector", { id: "a", vector: [1, 2, -Infinity] }, /documents\[1\].*vector\[2\] is -inf/],
    ["a number beyond 32 bits in a vector", { id: "a", vector: [1e39, 2, 3] }, /documents\[1\].*vector\[0\]/],
    ["a string in a vector", { id: "a", vector: [1, "2", 3] }, /documents\[1\]\.vector\[1\] is "2"/],
    ["a hole in a vector", { id: "a", vector: [1, , 3] }, /documents\[1\]\.vector\[1\] is undefined/],  
    ["a bigint in a vector", { id: "a", vector: [1n, 2, 3] }, /documents\[1\]\.vector\[0\]/],
    ["a vector that is a string", { id: "a", vector: "1,2,3" }, /documents\[1\]\.vector is "1,2,3"/],
    ["a vector that is an object", { id: "a", vector: { 0: 1, 1: 2, 2: 3, length: 3 } }, /documents\[1\]\.vector/],
    ["a vector that is null, without text", { id: "a", vector: null }, /documents\[1\] has neither/],
    ["a zero vector under cosine", { id: "a", vector: [0, -0, 0] }, /documents\[1\].*zero/],
    ["a text that is none", { id: "a", vector: unit(0), text: 5 }, /documents\[1\]\.text is 5/],
    ["half a surrogate pair as text", { id: "a", vector: unit(0), text: "\ud800" }, /documents\[1\]\.text has half/],
    ["metadata that are a number", { id: "a", vector: unit(0), metadata: 5 }, /documents\[1\].*metadata/],
    ["metadata that are an array", { id: "a", vector: unit(0), metadata: [1] }, /documents\[1\].*metadata/],
    ["a function in metadata", { id: "a", vector: unit(0), metadata: { a: { run: () => 1 } } }, /documents\[1\]\.metadata\.a\.run is a function/],
    ["importance below 0", { id: "a", vector: unit(0), importance: -0.1 }, /documents\[1\]\.importance is -0\.1/],
    ["importance above 1", { id: "a", vector: unit(0), importance: 1.01 }, /documents\[1\]\.importance/],
    ["importance that is NaN", { id: "a", vector: unit(0), importance: NaN }, /documents\[1\]\.importance is NaN/],
    ["importance that is a string", { id: "a", vector: unit(0), importance: "1" }, /documents\[1\]\.importance is "1"/],
  ];

  test.each(bad)("%s: refused whole, by name", async (_, document, words) => {
    await notes.add({ id: "old", vector: unit(2) });
    await expectRefusal(() => notes.add([good, document as never]), "ERR_INVALID", words);
    expect(await ids(notes.list())).toEqual(["old"]);
    await notes.add(good);
    expect(await notes.count()).toBe(2);
  });

  test("a zero vector is fine where it has a meaning", async () => {
    for (const metric of ["dot", "l2"] as const) {
      const collection = memory.collection(metric, { dimensions: 2, metric });
      await collection.add({ id: "zero", vector: [0, 0] });
      expect((await collection.search([0, 0])).map(({ id }) => id)).toEqual(["zero"]);
    }
  });

  test.each([
    [{ dimensions: 0 }, /dimensions is 0/], [{ dimensions: 4_097 }, /dimensions/], [{ dimensions: 1.5 }, /dimensions/],
    [{ dimensions: "3" }, /dimensions/], [{ dimensions: 3, metric: "euclid" }, /metric is "euclid"/], [{ dimensions: 3, metric: 1 }, /metric/],
    [{ dimensions: 3, model: "x" }, /model is unknown/], [{ m: 16 }, /options\.m is unknown/], [null, /options/], [5, /options is 5/],
    [{ language: 5 }, /language is 5/], [{ language: "klingon" }, /klingon/], [{ language: "English" }, /English/],
    [{ keep: "all" }, /keep is "all"/], [{ M: 1 }, /M is 1/], [{ M: 65 }, /M is 65/], [{ efConstruction: 7 }, /efConstruction is 7/],
    [{ efConstruction: 2_001 }, /efConstruction/], [{ fields: 5 }, /fields is 5/], [{ fields: { title: "high" } }, /fields.*title.*"high"/],
    [{ fields: { title: -1 } }, /fields|weight/], [{ fields: { title: NaN } }, /fields|weight/], [{ fields: { title: Infinity } }, /fields|weight/],
    [{ fields: { "a..b": 1 } }, /a\.\.b/], [{ fields: { "": 1 } }, /fields|path/], [{ fields: { "\ud800": 1 } }, /surrogate/],
  ])("the options %j are refused", async (options, words) => {
    await expectRefusal(() => memory.collection("x", options as never).add({ id: "a", text: "x", vector: [1, 2, 3] }), "ERR_INVALID", words);
    expect(await memory.collection("x").count()).toBe(0);
  });
});
