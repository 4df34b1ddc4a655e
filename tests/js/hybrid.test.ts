/** Searching by words and meaning together, what weighs hits, pages and groups of them, and how a result explains itself. */
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { Collection, Memory } from "mnemora";
import { vectorOf, wordEmbedder, type WordEmbedder } from "./embedder.js";
import { clockAt, expectRefusal, open, seeded, type ManualClock } from "./harness.js";

// Hundreds of documents are indexed in each: on a busy machine that takes its time.
vi.setConfig({ testTimeout: 60_000 });

const DIMENSIONS = 32;
let memory: Memory;
let notes: Collection<any>;
let embed: WordEmbedder;
let clock: ManualClock;
beforeEach(async () => {
  embed = wordEmbedder(DIMENSIONS);
  clock = clockAt(1_000_000);
  memory = await open("memory:", { embed, now: clock.now });
  notes = memory.collection("notes");
});
afterEach(() => memory.close());

const idsOf = (hits: readonly { readonly id: string }[]): string[] => hits.map(({ id }) => id);

describe("modes", () => {
  beforeEach(async () => {
    await notes.add([
      { id: "both", text: "pricing of seats" },
      { id: "words", text: "pricing of seats", vector: vectorOf("something else entirely", DIMENSIONS) },
      { id: "meaning", vector: vectorOf("pricing of seats", DIMENSIONS) },
      { id: "neither", text: "a slow intro" },
    ]);
    embed.asked.length = 0;
  });

  test("by default, both are asked", async () => {
    const hits = await notes.search("pricing of seats", { explain: true });
    expect(embed.asked).toEqual([["pricing of seats"]]);
    expect(hits.explain.mode).toBe("hybrid");
    expect(hits.explain).not.toHaveProperty("reason");
    expect(hits[0]!.id).toBe("both");
    expect(idsOf(hits)).toEqual(expect.arrayContaining(["both", "words", "meaning"]));
    const { parts, score } = hits[0]!;
    expect(parts.vector).toBeCloseTo(1, 5);
    expect(parts.text).toBeGreaterThan(0);
    expect(parts.fused).toBe(score);
    // Reciprocal rank fusion: one of the two is first in one ranking and at best second in the other.
    expect(score).toBeGreaterThan(1 / 61);
    expect(score).toBeLessThanOrEqual(2 / 61);
    expect(hits.find(({ id }) => id === "meaning")!.parts.text).toBeUndefined();
  });

  test("by text, nothing is embedded", async () => {
    const hits = await notes.search("pricing of seats", { mode: "text", explain: true });
    expect(embed.asked).toEqual([]);
    expect(idsOf(hits).sort()).toEqual(["both", "words"]);
    expect(hits.explain).toMatchObject({ mode: "text" });
    expect(hits.explain).not.toHaveProperty("vectors");
    expect(Object.keys(hits[0]!.parts)).toEqual(["text"]);
  });

  test("by vector, a text is turned into one", async () => {
    const hits = await notes.search("pricing of seats", { mode: "vector", explain: true });
    expect(embed.asked).toEqual([["pricing of seats"]]);
    expect(idsOf(hits.slice(0, 2)).sort()).toEqual(["both", "meaning"]);
    expect(hits.explain).toMatchObject({ mode: "vector", vectors: { path: "scan" } });
    expect(hits.explain).not.toHaveProperty("words");
    expect(Object.keys(hits[0]!.parts)).toEqual(["vector"]);
  });

  test("a text with its vector is not embedded", async () => {
    const hits = await notes.search({ text: "intro", vector: vectorOf("pricing of seats", DIMENSIONS) }, { explain: true });
    expect(embed.asked).toEqual([]);
    expect(hits.explain.mode).toBe("hybrid");
    expect(idsOf(hits)).toContain("neither");
    expect((await notes.search({ vector: vectorOf("x", DIMENSIONS) }, { explain: true })).explain.mode).toBe("vector");
    expect((await notes.search({ text: "intro" }, { explain: true })).explain.mode).toBe("hybrid");
  });

  test("a vector is no text", async () => {
    const vector = vectorOf("pricing", DIMENSIONS);
    await expectRefusal(() => notes.search(vector, { mode: "text" }), "ERR_INVALID", /text/);
    const hits = await notes.search(vector, { mode: "hybrid", explain: true });
    expect(hits.explain).toMatchObject({ mode: "vector", reason: expect.stringMatching(/no text/) as string });
    expect((await notes.search(vector, { explain: true })).explain).not.toHaveProperty("reason");
  });
});

describe("explain", () => {
  test("is there only for who asks, and outlives a copy to a worker", async () => {
    await notes.add([{ id: "a", text: "a plan" }, { id: "b", text: "another plan" }]);
    expect(await notes.search("plan")).not.toHaveProperty("explain");
    const hits = await notes.search("plans", { explain: true });
    expect(hits.explain).toEqual({
      mode: "hybrid",
      vectors: { path: "scan", distances: expect.any(Number) as number, candidates: expect.any(Number) as number, ef: expect.any(Number) as number, rounds: expect.any(Number) as number },
      words: { terms: ["plan"], postings: expect.any(Number) as number, candidates: 2 },
    });
    expect(structuredClone(hits)).toEqual(hits);
    expect(structuredClone(hits).explain).toEqual(hits.explain);
  });

  test("tells of a graph, and of what a filter leaves", async () => {
    const random = seeded(11);
    const big = memory.collection<{ n: number }>("big");
    const vectors = Array.from({ length: 6_000 }, () => Float32Array.from({ length: 16 }, () => random.unit() - 0.5));
    await big.load(vectors.map((vector, n) => ({ id: String(n), vector, metadata: { n } })), { batchSize: 1_000 });
    const walked = await big.search(vectors[7]!, { explain: true, limit: 10 });
    expect(walked.explain.vectors).toMatchObject({ path: "graph" });
    expect(walked.explain.vectors!.distances).toBeLessThan(6_000);
    expect(walked[0]).toMatchObject({ id: "7", score: expect.closeTo(1, 5) as number });
    const exact = await big.search(vectors[7]!, { explain: true, exact: true });
    expect(exact.explain.vectors).toMatchObject({ path: "scan" });
    expect(exact.explain.vectors!.distances).toBeGreaterThanOrEqual(6_000);
    const few = await big.search(vectors[7]!, { explain: true, filter: { n: { $in: [1, 2, 3] } } });
    expect(idsOf(few).sort()).toEqual(["1", "2", "3"]);
    const emptied = memory.collection("emptied");
    expect((await emptied.search([1, 2], { explain: true })).explain).toMatchObject({ mode: "vector" });
    await emptied.add({ id: "a", vector: [1, 2] });
    await emptied.delete("a");
    const none = await emptied.search([1, 2], { explain: true });
    expect(none).toHaveLength(0);
    expect(none.explain).toMatchObject({ mode: "vector" });
    if (none.explain.vectors !== undefined) expect(none.explain.vectors.path).toBe("empty");
  }, 60_000);
});

describe("weights", () => {
  test("what was written lately comes first", async () => {
    const hour = 3_600_000;
    await notes.add({ id: "old", text: "a plan for the team", vector: vectorOf("plan", DIMENSIONS) });
    clock.ms += 10 * hour;
    await notes.add({ id: "new", text: "a plan for the other team", vector: vectorOf("plan", DIMENSIONS) });
    const hits = await notes.search({ vector: vectorOf("plan", DIMENSIONS) }, { recency: { halfLifeMs: 5 * hour } });
    expect(idsOf(hits)).toEqual(["new", "old"]);
    expect(hits[0]!.parts.recency).toBeCloseTo(1, 6);
    expect(hits[1]!.parts.recency).toBeCloseTo(0.25, 6);
    expect(hits[1]!.score).toBeCloseTo(hits[1]!.parts.vector! * 0.25, 6);
    const half = await notes.search({ vector: vectorOf("plan", DIMENSIONS) }, { recency: { halfLifeMs: 5 * hour, weight: 0.5 } });
    expect(half[1]!.parts.recency).toBeCloseTo(0.5 + 0.5 * 0.25, 6);
  });

  test("what is important comes first", async () => {
    const vector = vectorOf("plan", DIMENSIONS);
    await notes.add([{ id: "a", vector, importance: 0 }, { id: "b", vector, importance: 1 }, { id: "c", vector }]);
    const hits = await notes.search({ vector }, { importance: 1 });
    expect(hits.map(({ id, parts }) => [id, parts.importance])).toEqual([["b", 1], ["c", 0.5], ["a", 0]]);
    expect((await notes.search({ vector }, { importance: 0.5 })).map(({ score }) => Math.round(score * 100) / 100)).toEqual([1, 0.75, 0.5]);
    expect((await notes.search({ vector }))[0]!.parts).not.toHaveProperty("importance");
  });

  test("a score that is too low is left out", async () => {
    await notes.add([{ id: "same", vector: vectorOf("plan", DIMENSIONS) }, { id: "other", vector: vectorOf("something else", DIMENSIONS) }]);
    expect(idsOf(await notes.search({ vector: vectorOf("plan", DIMENSIONS) }, { minScore: 0.99 }))).toEqual(["same"]);
    expect(await notes.search({ vector: vectorOf("plan", DIMENSIONS) }, { minScore: 2 })).toEqual([]);
  });

  test("difference is worth something, if it is asked for", async () => {
    const line = memory.collection("line", { dimensions: 2 });
    await line.add([
      { id: "best", vector: [1, 0] }, { id: "twin", vector: [1, 0.001] }, { id: "twin too", vector: [1, -0.001] }, { id: "different", vector: [0.8, 0.6] },
    ]);
    expect(idsOf(await line.search([1, 0], { limit: 2 }))).toEqual(["best", "twin"].map((id) => id === "twin" ? expect.stringMatching(/^twin/) as string : id));
    expect(idsOf(await line.search([1, 0], { limit: 2, diversity: 0.9 }))).toEqual(["best", "different"]);
  });
});

describe("pages", () => {
  beforeEach(async () => {
    await notes.add(Array.from({ length: 120 }, (_, n) => ({
      id: `n${String(n).padStart(3, "0")}`, text: `plan number ${n % 7}`, metadata: { team: n % 10 === 0 ? null : `t${n % 5}`, ...n % 20 === 3 ? {} : { even: n % 2 === 0 } },
    })));
  });

  test.each(["text", "vector", "hybrid"] as const)("by %s hold together: each hit once, in one order", async (mode) => {
    const whole = await notes.search("plan 3", { mode, limit: 100 });
    const pages: string[] = [];
    for (let offset = 0; offset < 100; offset += 25) pages.push(...idsOf(await notes.search("plan 3", { mode, limit: 25, offset })));
    expect(new Set(pages).size).toBe(pages.length);
    // What a mode with two rankings sees of the further ones depends on how far it looks.
    if (mode === "hybrid") expect(pages.slice(0, 10)).toEqual(idsOf(whole).slice(0, 10));
    else expect(pages).toEqual(idsOf(whole));
    expect(await notes.search("plan 3", { mode, offset: 10_000 })).toEqual([]);
  });

  test("give the best of each group, and as many groups as were asked for", async () => {
    const hits = await notes.search("plan 3", { groupBy: "team", limit: 6 });
    const teams = hits.map(({ metadata }) => metadata.team as string | null);
    expect(new Set(teams).size).toBe(6);
    expect(teams).toContain(null);
    const all = await notes.search("plan 3", { groupBy: "team", limit: 100 });
    expect(all).toHaveLength(6);
    const missing = await notes.search("plan 3", { groupBy: "even", limit: 100, mode: "text" });
    expect(missing.filter(({ metadata }) => !("even" in metadata))).toHaveLength(6);
    expect(missing).toHaveLength(8);
  });
});
