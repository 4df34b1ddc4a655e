/** Searching by vector: the nearest by each metric, as a plain computation finds them; filters. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Collection, Filter, Memory, Metric } from "mnemora";
import { all, expectRefusal, open, seeded } from "./harness.js";

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
    [[1, 0], { ef: 0 }, /ef/], [[1, 0], { ef: "8" }, /ef/], [[1, 0], { exact: "yes" }, /exact/], [[1, 0], { top: 3 }, /top is unknown/], [[1, 0], { mode: "fuzzy" }, /mode is "fuzzy"/], [[1, 0], { mode: null }, /mode is null/],
    [[1, 0], { mode: "text" }, /text/], [[1, 0], { offset: -1 }, /offset is -1/], [[1, 0], { offset: 0.5 }, /offset/], [[1, 0], { offset: 2 ** 40 }, /offset/],
    [[1, 0], { minScore: "1" }, /minScore is "1"/], [[1, 0], { minScore: NaN }, /minScore/], [[1, 0], { groupBy: 5 }, /groupBy is 5/], [[1, 0], { groupBy: "" }, /groupBy/],
    [[1, 0], { groupBy: "a..b" }, /groupBy/], [[1, 0], { recency: 5 }, /recency is 5/], [[1, 0], { recency: {} }, /recency\.halfLifeMs/],
    [[1, 0], { recency: { halfLifeMs: 0 } }, /recency\.halfLifeMs/], [[1, 0], { recency: { halfLifeMs: -5 } }, /recency\.halfLifeMs/],
    [[1, 0], { recency: { halfLifeMs: 5, weight: 1.5 } }, /recency\.weight/], [[1, 0], { recency: { halfLifeMs: 5, halfLife: 1 } }, /halfLife is unknown/],
    [[1, 0], { importance: 2 }, /importance/], [[1, 0], { importance: "high" }, /importance is "high"/], [[1, 0], { diversity: -1 }, /diversity/],
    [[1, 0], { diversity: NaN }, /diversity/], [[1, 0], { highlight: 1 }, /highlight is 1/], [[1, 0], { explain: "yes" }, /explain is "yes"/],
    [{ vektor: [1, 0] }, {}, /vektor is unknown/], [{ vector: "x" }, {}, /query\.vector is "x"/], [{ text: 5 }, {}, /query\.text is 5/],
    [{ vector: [] }, {}, /query\.vector.*vector has 0/], ["\ud800", {}, /query has half/], [new Uint8Array(2), {}, /query/], [new Date(), {}, /query/], [[1, 0], null, /options/],
  ])("%j with %j is refused", async (query, options, words) => {
    await expectRefusal(() => notes.search(query as never, options as never), "ERR_INVALID", words);
    expect(await notes.search([1, 0], { limit: 1 })).toHaveLength(1);
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
