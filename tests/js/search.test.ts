/** Searching: the nearest by each metric, as a plain computation finds them; filters; what embeds texts. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { open, type Collection, type Embed, type Filter, type Memory, type Metric } from "mnemora";
import { all, expectRefusal, refusal, seeded } from "./harness.js";

let memory: Memory;
beforeEach(async () => { memory = await open("memory:"); });
afterEach(() => memory.close());

const dot = (a: ArrayLike<number>, b: ArrayLike<number>): number => Array.from(a).reduce((sum, x, i) => sum + x * b[i]!, 0);
const naive: Record<Metric, (a: ArrayLike<number>, b: ArrayLike<number>) => number> = {
  dot,
  cosine: (a, b) => dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b)),
  l2: (a, b) => 1 / (1 + Array.from(a).reduce((sum, x, i) => sum + (x - b[i]!) ** 2, 0)),
};

describe.each(["cosine", "dot", "l2"] as const)("%s", (metric) => {
  test.each([1, 3, 17, 64])("finds what a plain computation finds, with %i dimensions", async (dimensions) => {
    const random = seeded(dimensions * 31 + metric.length);
    const vector = () => Float32Array.from({ length: dimensions }, () => random.unit() * 4 - 2);
    const collection = memory.collection<{ even: boolean }>("c", { dimensions, metric });
    const vectors = new Map(Array.from({ length: 300 }, (_, i) => [String(i), vector()]));
    await collection.add([...vectors].map(([id, vector]) => ({ id, vector, metadata: { even: Number(id) % 2 === 0 } })));
    for (let turn = 0; turn < 20; turn++) {
      const query = vector();
      const even = turn % 2 === 1;
      const expected = [...vectors].filter(([id]) => !even || Number(id) % 2 === 0)
        .map(([id, vector]) => ({ id, score: naive[metric](query, vector) })).sort((a, b) => b.score - a.score);
      const found = await collection.search(turn % 3 === 0 ? [...query] : query, { limit: 10, ...(even ? { filter: { even } } : {}) });
      expect(found).toHaveLength(10);
      found.forEach((hit, rank) => {
        const tolerance = 1e-4 * Math.max(1, Math.abs(expected[rank]!.score));
        // Ranks are compared by score: in one dimension many cosines are equal.
        expect(Math.abs(hit.score - expected[rank]!.score)).toBeLessThan(tolerance);
        expect(Math.abs(hit.score - naive[metric](query, vectors.get(hit.id)!))).toBeLessThan(tolerance);
        expect(hit.parts).toEqual({ vector: hit.score });
      });
      expect(new Set(found.map(({ id }) => id)).size).toBe(10);
    }
  });
});

describe("search", () => {
  let notes: Collection<any>;  
  beforeEach(async () => {
    notes = memory.collection("notes", { dimensions: 2 });
    await notes.add(Array.from({ length: 30 }, (_, i) => ({ id: `n${i}`, vector: [1, i], text: `text ${i}`, metadata: { i } })));
  });

  test("gives ten hits unless it is told how many", async () => {
    expect(await notes.search([1, 0])).toHaveLength(10);
    expect(await notes.search([1, 0], { limit: 1 })).toHaveLength(1);
    expect(await notes.search([1, 0], { limit: 10_000 })).toHaveLength(30);
    expect(await notes.search([1, 0], { filter: { i: -1 } })).toEqual([]);
  });

  test("gives what there is to know of a hit, best first", async () => {
    const [best, second] = await notes.search([1, 0], { mode: "vector", exact: true, ef: 10 });
    expect(best).toEqual({ id: "n0", score: 1, text: "text 0", metadata: { i: 0 }, parts: { vector: 1 } });
    expect(second!.score).toBeCloseTo(Math.SQRT1_2, 6);
  });

  test("gives the same twice, also among equals", async () => {
    await notes.add(Array.from({ length: 20 }, (_, i) => ({ id: `equal${i}`, vector: [2, 0] })));
    const twice = await Promise.all([1, 2].map(() => notes.search([1, 0], { limit: 15 })));
    expect(twice[0]).toEqual(twice[1]);
    expect(await memory.collection("notes").search([1, 0], { limit: 15 })).toEqual(twice[0]);
  });

  test.each([
    [[1], {}, /query.*vector has 1/], [[1, 2, 3], {}, /query.*vector has 3/], [[], {}, /query.*vector has 0/],
    [[1, NaN], {}, /query.*\[1\] is NaN/], [[Infinity, 1], {}, /query.*\[0\]/], [[1, "2"], {}, /query\[1\] is "2"/],
    [[0, 0], {}, /query.*zero/], [null, {}, /query is null/], [undefined, {}, /query/], [{}, {}, /query/], [5, {}, /query is 5/],
    [[1, 0], { limit: 0 }, /limit is 0/], [[1, 0], { limit: 10_001 }, /limit/], [[1, 0], { limit: 1.5 }, /limit/], [[1, 0], { limit: "3" }, /limit/],
    [[1, 0], { ef: 0 }, /ef/], [[1, 0], { ef: "8" }, /ef/], [[1, 0], { exact: "yes" }, /exact/], [[1, 0], { top: 3 }, /top is unknown/], [[1, 0], null, /options/],
  ])("%j with %j is refused", async (query, options, words) => {
    await expectRefusal(() => notes.search(query as never, options as never), "ERR_INVALID", words);
    expect(await notes.search([1, 0], { limit: 1 })).toHaveLength(1);
  });

  test("what is of a later release is said to be", async () => {
    for (const options of [{ mode: "text" }, { mode: "hybrid" }, { minScore: 0.5 }]) {
      await expectRefusal(() => notes.search([1, 0], options as never), "ERR_UNSUPPORTED", /not in this release/);
    }
    await expectRefusal(() => notes.search("words"), "ERR_UNSUPPORTED", /embed/);
  });
});

describe("filters", () => {
  const day = (n: number): Date => new Date(Date.UTC(2026, 0, n));
  const people: Record<string, unknown>[] = [
    { n: 1, name: "Ada", tags: ["math", "code"], owner: { team: "core", lead: { name: "Ann" } }, at: day(1), ok: true },
    { n: 2.5, name: "ada", tags: [], owner: { team: "web" }, at: day(2), ok: false },
    { n: 3n, name: "Bob", tags: ["code"], owner: null, at: day(3), ok: null },
    { n: -0, name: "\u{1f600}", tags: "code", "owner.team": "dotted" },
    { n: NaN, other: new Map([["k", 1]]) },
    {},
  ];
  const table: [Filter, number[]][] = [
    [{}, [0, 1, 2, 3, 4, 5]],
    [{ n: 1 }, [0]],
    [{ n: 1n }, [0]],
    [{ n: { $eq: 3 } }, [2]],
    [{ n: 0 }, [3]],
    [{ n: { $eq: NaN } }, [4]],
    [{ n: "1" }, []],
    [{ n: { $ne: 1 } }, [1, 2, 3, 4, 5]],
    [{ n: { $gt: 1 } }, [1, 2]],
    [{ n: { $gte: 1 } }, [0, 1, 2]],
    [{ n: { $lt: 2.5 } }, [0, 3]],
    [{ n: { $lte: 2.5 } }, [0, 1, 3]],
    [{ n: { $gt: 0, $lt: 3n } }, [0, 1]],
    [{ n: { $in: [1, 3, "x"] } }, [0, 2]],
    [{ n: { $in: [] } }, []],
    [{ n: { $nin: [1, 3] } }, [1, 3, 4, 5]],
    [{ n: { $exists: true } }, [0, 1, 2, 3, 4]],
    [{ n: { $exists: false } }, [5]],
    [{ n: { $not: { $gt: 1 } } }, [0, 3, 4, 5]],
    [{ name: "Ada" }, [0]],
    [{ name: { $lt: "Bob" } }, [0]],
    [{ name: { $gte: "ada" } }, [1, 3]],
    [{ tags: "code" }, [0, 2, 3]],
    [{ tags: { $in: ["math", "x"] } }, [0]],
    [{ tags: { $eq: ["code"] } }, [2]],
    [{ tags: { $ne: "code" } }, [1, 4, 5]],
    [{ "owner.team": "core" }, [0]],
    [{ "owner.team": { $exists: true } }, [0, 1, 3]],
    [{ "owner.team": "dotted" }, [3]],
    [{ "owner.lead.name": "Ann" }, [0]],
    [{ "owner.lead.name.first": { $exists: true } }, []],
    [{ owner: null }, [2]],
    [{ owner: { $exists: true } }, [0, 1, 2]],
    [{ at: day(2) }, [1]],
    [{ at: { $gt: day(1) } }, [1, 2]],
    [{ at: { $lte: day(2) } }, [0, 1]],
    [{ ok: true }, [0]],
    [{ ok: { $lt: true } }, [1]],
    [{ ok: null }, [2]],
    [{ $and: [{ n: { $gte: 1 } }, { n: { $lt: 3 } }] }, [0, 1]],
    [{ $or: [{ n: 1 }, { name: "Bob" }] }, [0, 2]],
    [{ $not: { tags: "code" } }, [1, 4, 5]],
    [{ $or: [{ $and: [{ ok: true }, { n: 1 }] }, { $not: { n: { $exists: true } } }], name: { $exists: true } }, [0]],
    [{ name: "Ada", ok: false }, []],
    [{ n: undefined, name: "Bob" }, [2]],
  ];

  test.each(table.map(([filter, expected], at) => [at, filter, expected] as const))("%i: %o", async (_, filter, expected) => {
    const collection = memory.collection("people", { dimensions: 1, metric: "dot" });
    await collection.add(people.map((metadata, i) => ({ id: String(i), vector: [i + 1], metadata })));
    const listed = (await all(collection.list({ filter }))).map(({ id }) => Number(id));
    expect(listed).toEqual(expected);
    const found = (await collection.search([1], { filter })).map(({ id }) => Number(id));
    expect(found).toEqual([...expected].reverse());
  });

  test("do not see documents without metadata, unless they ask for what is missing", async () => {
    const collection = memory.collection("bare", { dimensions: 1 });
    await collection.add({ id: "a", vector: [1] });
    expect(await collection.search([1], { filter: { n: 1 } })).toEqual([]);
    expect(await collection.search([1], { filter: { n: { $exists: false } } })).toHaveLength(1);
    expect(await collection.search([1], { filter: {} })).toHaveLength(1);
  });

  const nested = (depth: number): Filter => depth === 0 ? { a: 1 } : { $not: nested(depth - 1) };
  test.each([
    [null, /filter/], [5, /filter/], ["a = 1", /filter/], [[{ a: 1 }], /filter.*array/], [{ a: { $like: "x" } }, /filter\.a\.\$like/],
    [{ $gt: 5 }, /filter\.\$gt/], [{ $where: "1" }, /filter\.\$where/], [{ a: { $in: 5 } }, /filter\.a\.\$in/], [{ a: { $gt: null } }, /filter\.a\.\$gt/],
    [{ a: { $exists: 1 } }, /filter\.a\.\$exists/], [{ $or: [] }, /filter\.\$or/], [{ $and: {} }, /filter\.\$and/], [{ $and: [5] }, /filter\.\$and\[0\]/],
    [{ "a..b": 1 }, /filter.*a\.\.b/], [{ a: { $gt: 1, b: 2 } }, /filter\.a/], [{ a: () => 1 }, /filter\.a is a function/], [nested(40), /filter/],
    [Object.fromEntries(Array.from({ length: 1_100 }, (_, i) => [`k${i}`, i])), /1000|1,000/],
  ])("the filter %o is refused by its place", async (filter, words) => {
    const collection = memory.collection("people", { dimensions: 1 });
    await collection.add({ id: "a", vector: [1], metadata: { a: 1 } });
    await expectRefusal(() => collection.search([1], { filter: filter as never }), "ERR_INVALID", words);
    await expectRefusal(() => collection.list({ filter: filter as never }), "ERR_INVALID", words);
  });
});

describe("embed", () => {
  const asked: (readonly string[])[] = [];
  let answer: Embed;
  let embedding: Memory;
  let notes: Collection<unknown>;
  beforeEach(async () => {
    asked.length = 0;
    answer = async (texts) => texts.map((text) => new Float32Array([text.length, 1]));
    embedding = await open("memory:", {
      embed: (texts, options) => {
        asked.push(texts);
        return answer(texts, options);
      },
    });
    notes = embedding.collection("notes", { dimensions: 2 });
  });
  afterEach(() => embedding.close());

  test("is asked once for all texts that lack a vector, in their order", async () => {
    await notes.add([
      { id: "a", text: "one" }, { id: "b", text: "given", vector: [7, 7] }, { id: "c", text: "three" }, { id: "d", vector: [1, 0] },
    ]);
    expect(asked).toEqual([["one", "three"]]);
    expect((await notes.get("a"))?.vector).toEqual(new Float32Array([3, 1]));
    expect((await notes.get("b"))?.vector).toEqual(new Float32Array([7, 7]));
    expect((await notes.get("c"))?.vector).toEqual(new Float32Array([5, 1]));
    await notes.add({ id: "e", vector: [1, 1] });
    expect(asked).toHaveLength(1);
  });

  test("is asked for the query of a search", async () => {
    await notes.add([{ id: "short", text: "ab" }, { id: "long", text: "x".repeat(100) }]);
    const [best] = await notes.search("cd", { limit: 1 });
    expect(best).toMatchObject({ id: "short", text: "ab" });
    expect(asked).toEqual([["ab", "x".repeat(100)], ["cd"]]);
  });

  test("is told of the signal", async () => {
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
  });

  test("that fails, fails with its own error, and nothing is written", async () => {
    const failure = new RangeError("the model is asleep");
    for (const fail of [() => Promise.reject(failure), () => { throw failure; }]) {
      answer = fail;
      expect(await refusal(() => notes.add([{ id: "a", vector: [1, 1] }, { id: "b", text: "x" }]))).toBe(failure);
      expect(await refusal(() => notes.search("x"))).toBe(failure);
    }
    expect(await notes.count()).toBe(0);
  });

  test.each([
    ["nothing", undefined, /embed/], ["too few", [new Float32Array(2)], /1 vectors for 2 texts/],
    ["too many", [1, 2, 3].map(() => new Float32Array(2)), /3 vectors for 2 texts/],
    ["a vector that is none", [new Float32Array([1, 1]), "x"], /embed.*vector 1/],
    ["a wrong dimension", [new Float32Array([1, 1]), new Float32Array([1])], /vector has 1 numbers/],
    ["NaN", [new Float32Array([1, 1]), new Float32Array([NaN, 1])], /\[0\] is NaN/],
    ["a zero vector", [new Float32Array([1, 1]), new Float32Array(2)], /zero/],
  ])("that gives %s is refused, and nothing is written", async (_, given, words) => {
    answer = () => Promise.resolve(given as Float32Array[]);
    await expectRefusal(() => notes.add([{ id: "a", text: "x" }, { id: "b", text: "y" }]), "ERR_INVALID", words);
    expect(await notes.count()).toBe(0);
  });

  test("may give plain arrays", async () => {
    answer = async (texts) => texts.map(() => [1, 2]) as unknown as Float32Array[];
    await notes.add({ id: "a", text: "x" });
    expect((await notes.get("a"))?.vector).toEqual(new Float32Array([1, 2]));
  });
});
