/**
 * Search against ground truth: 10,000 sentence embeddings and 200 queries, through the public API, in Chromium over
 * IndexedDB and in Node.
 *
 * The data set is no part of the repository. It is looked for in MNEMORA_MINILM, or beside the repository in
 * `../shared/data/minilm-10k`; without it, the one test here says so.
 */
import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { gunzipSync } from "node:zlib";
import { open, type Collection } from "mnemora";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Browser, engine, root, site, type Site } from "./harness.js";

const folder = process.env["MNEMORA_MINILM"] ?? resolve(root, "../shared/data/minilm-10k");
const DIMENSIONS = 384;
const CHUNK = 500;
const TOP = 10;

interface Row {
  readonly name: string;
  readonly section: string;
  readonly text: string;
}

/** A query as it was answered: rows of the base, best first, and their scores. */
interface Answer {
  readonly rows: number[];
  readonly scores: number[];
}

if (!existsSync(join(folder, "base.f32"))) {
  test("the data set is not on this machine", () => {
    expect(existsSync(join(folder, "base.f32"))).toBe(false);
    expect(process.env["MNEMORA_MINILM"] ?? "", "MNEMORA_MINILM names a folder without the data").toBe("");
  });
} else {
  const floats = (name: string): Float32Array => {
    const bytes = readFileSync(join(folder, name));
    return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
  };
  const [base, queries] = [floats("base.f32"), floats("query.f32")];
  const truth = new Uint32Array(readFileSync(join(folder, "gt.u32")).buffer.slice(0));
  const rows = (JSON.parse(gunzipSync(readFileSync(join(folder, "texts.json.gz"))).toString()) as { base: Row[] }).base;
  const count = rows.length;
  const asked = queries.length / DIMENSIONS;
  const depth = truth.length / asked;
  const vectorOf = (of: Float32Array, row: number): Float32Array => of.subarray(row * DIMENSIONS, (row + 1) * DIMENSIONS);

  /** The cosine in double precision. */
  const cosine = (query: number, row: number): number => {
    const [a, b] = [vectorOf(queries, query), vectorOf(base, row)];
    let [product, ofA, ofB] = [0, 0, 0];
    for (let i = 0; i < DIMENSIONS; i++) {
      product += a[i]! * b[i]!;
      ofA += a[i]! * a[i]!;
      ofB += b[i]! * b[i]!;
    }
    return product / Math.sqrt(ofA * ofB);
  };

  /** What is wrong with the answers: rows that are not those of the truth, ties aside, or scores that are not theirs. */
  function mistakes(answers: readonly Answer[], expected: (query: number) => readonly number[]): string[] {
    const wrong: string[] = [];
    answers.forEach(({ rows, scores }, query) => {
      const due = expected(query);
      if (rows.length !== due.length || new Set(rows).size !== rows.length) wrong.push(`query ${query}: ${rows.length} rows for ${due.length}`);
      rows.forEach((row, at) => {
        // Two rows may change places only if their scores are the same as far as single precision tells.
        const [found, right] = [cosine(query, row), cosine(query, due[at]!)];
        if (row !== due[at] && Math.abs(found - right) > 1e-7) wrong.push(`query ${query}, place ${at}: row ${row} (${found}), not ${due[at]} (${right})`);
        if (!(Math.abs(scores[at]! - found) < 1e-5)) wrong.push(`query ${query}, place ${at}: score ${scores[at]}, not ${found}`);
        if (at > 0 && scores[at]! > scores[at - 1]!) wrong.push(`query ${query}, place ${at}: not best first`);
      });
    });
    return wrong.slice(0, 10);
  }

  /** The part of the true neighbours that were found. Scores must be right all the same. */
  function recall(answers: readonly Answer[], expected: (query: number) => readonly number[]): number {
    let [found, all] = [0, 0];
    answers.forEach(({ rows, scores }, query) => {
      const due = expected(query);
      found += rows.filter((row) => due.includes(row)).length;
      all += due.length;
      rows.forEach((row, at) => expect(Math.abs(scores[at]! - cosine(query, row)), `query ${query}, row ${row}`).toBeLessThan(1e-5));
    });
    return found / all;
  }

  const groundTruth = (query: number): number[] => [...truth.subarray(query * depth, query * depth + TOP)];

  /** The nearest rows of one section, by trying each. */
  const ofSection = (section: string) => (query: number): number[] => rows
    .map((row, at) => ({ at, row })).filter(({ row }) => row.section === section)
    .map(({ at }) => ({ at, score: cosine(query, at) })).sort((a, b) => b.score - a.score).slice(0, TOP).map(({ at }) => at);

  /** A large section and a small one: the filter keeps much, and little. */
  const sizes = new Map<string, number>();
  for (const { section } of rows) sizes.set(section, (sizes.get(section) ?? 0) + 1);
  const bySize = [...sizes].sort(([, a], [, b]) => b - a).map(([section]) => section);
  const sections = [bySize[0]!, bySize[Math.floor(bySize.length / 2)]!, bySize.at(-1)!];
  const every = Array.from({ length: asked }, (_, query) => query);
  const some = every.filter((query) => query % 10 === 0);

  const idOf = (row: number): string => `row-${row}`;
  const rowOf = (id: string): number => Number(id.slice(4));

  describe("the ground truth", () => {
    test("is that of cosine in double precision, as it is compared here", () => {
      expect([count, asked, depth]).toEqual([10_000, 200, 100]);
      for (const query of [0, 99, 199]) {
        const nearest = rows.map((_, row) => ({ row, score: cosine(query, row) })).sort((a, b) => b.score - a.score);
        expect(nearest.slice(0, TOP).map(({ row }) => row)).toEqual(groundTruth(query));
      }
    });
  });

  test("in Node, over memory:", async () => {
    const memory = await open("memory:");
    const notes = memory.collection<{ section: string; name: string }>("packages", { dimensions: DIMENSIONS, metric: "cosine" });
    for (let from = 0; from < count; from += CHUNK) {
      await notes.add(rows.slice(from, from + CHUNK).map(({ name, section, text }, at) => ({
        id: idOf(from + at), text, vector: vectorOf(base, from + at), metadata: { section, name },
      })));
    }
    const ask = async (collection: Collection<{ section: string }>, which: readonly number[], exact: boolean, section?: string): Promise<Answer[]> => {
      const answers: Answer[] = [];
      for (const query of which) {
        const hits = await collection.search(vectorOf(queries, query), { limit: TOP, exact, ...(section === undefined ? {} : { filter: { section } }) });
        for (const hit of hits) {
          expect({ text: hit.text, section: hit.metadata?.section }).toEqual({ text: rows[rowOf(hit.id)]!.text, section: rows[rowOf(hit.id)]!.section });
        }
        answers[query] = { rows: hits.map(({ id }) => rowOf(id)), scores: hits.map(({ score }) => score) };
      }
      return answers;
    };
    expect(await notes.count()).toBe(count);
    expect(mistakes(await ask(notes, every, true), groundTruth)).toEqual([]);
    expect(recall(await ask(notes, every, false), groundTruth)).toBeGreaterThanOrEqual(0.98);
    for (const section of sections) {
      expect(mistakes(await ask(notes, some, true, section), ofSection(section)), section).toEqual([]);
      expect(recall(await ask(notes, some, false, section), ofSection(section)), section).toBeGreaterThanOrEqual(0.95);
    }
    await memory.close();
  });

  describe(`in Chromium on ${engine}`, () => {
    let pages: Site;
    let browser: Browser;

    beforeAll(async () => {
      pages = await site();
      for (const name of ["base.f32", "query.f32"]) pages.route(`/${name}`, () => readFileSync(join(folder, name)));
      pages.route("/rows.json", () => Buffer.from(JSON.stringify(rows)));
      browser = await Browser.start(pages);
    });
    afterAll(async () => {
      await browser?.close();
      await pages?.close();
    });

    /** Opens the collection in a tab and asks it: each query's rows and scores. */
    async function ask(
      tab: Page, which: readonly number[], exact: boolean, section?: string,
    ): Promise<{ answers: Answer[]; strangers: number; p95: number }> {
      const { found, strangers, p95 } = await tab.evaluate(async ([dimensions, which, exact, section, limit]) => {
        const queries = new Float32Array(await (await fetch("/query.f32")).arrayBuffer());
        const memory = await window.mnemora.open("idb://minilm");
        const notes = memory.collection<{ section: string }>("packages", { dimensions, metric: "cosine" });
        const found: [query: number, answer: { rows: number[]; scores: number[] }][] = [];
        let strangers = 0;
        const times: number[] = [];
        for (const query of which) {
          const began = performance.now();
          const hits = await notes.search(
            queries.subarray(query * dimensions, (query + 1) * dimensions), { limit, exact, ...(section === null ? {} : { filter: { section } }) },
          );
          times.push(performance.now() - began);
          strangers += hits.filter(({ metadata }) => section !== null && metadata?.section !== section).length;
          found.push([query, { rows: hits.map(({ id }) => Number(id.slice(4))), scores: hits.map(({ score }) => score) }]);
        }
        await memory.close();
        times.sort((a, b) => a - b);
        return { found, strangers, p95: times[Math.floor(times.length * 0.95)] ?? 0 };
      }, [DIMENSIONS, which, exact, section ?? null, TOP] as const);
      const answers: Answer[] = [];
      for (const [query, answer] of found) answers[query] = answer;
      return { answers, strangers, p95 };
    }

    /** All queries, and some of them within a section. */
    async function check(tab: Page): Promise<void> {
      expect(mistakes((await ask(tab, every, true)).answers, groundTruth)).toEqual([]);
      const { answers, p95 } = await ask(tab, every, false);
      const found = recall(answers, groundTruth);
      expect(found).toBeGreaterThanOrEqual(0.98);
      console.log(`recall@10 ${found}; p95 of a search through the package ${p95.toFixed(2)} ms`);
      for (const section of sections) {
        const exact = await ask(tab, some, true, section);
        expect(mistakes(exact.answers, ofSection(section)), section).toEqual([]);
        const near = await ask(tab, some, false, section);
        expect(exact.strangers + near.strangers, section).toBe(0);
        expect(recall(near.answers, ofSection(section)), section).toBeGreaterThanOrEqual(0.95);
      }
    }

    test("10,000 documents are added, found, and found again after a restart of the browser", async () => {
      const tab = await browser.tab();
      const loaded = await tab.evaluate(async ([dimensions, chunk]) => {
        const base = new Float32Array(await (await fetch("/base.f32")).arrayBuffer());
        const rows = await (await fetch("/rows.json")).json() as Row[];
        const memory = await window.mnemora.open("idb://minilm");
        const notes = memory.collection("packages", { dimensions, metric: "cosine" });
        for (let from = 0; from < rows.length; from += chunk) {
          await notes.add(rows.slice(from, from + chunk).map(({ name, section, text }, at) => ({
            id: `row-${from + at}`, text, vector: base.subarray((from + at) * dimensions, (from + at + 1) * dimensions), metadata: { section, name },
          })));
        }
        const count = await notes.count();
        await memory.close();
        return count;
      }, [DIMENSIONS, CHUNK] as const);
      expect(loaded).toBe(count);
      await check(tab);
      await browser.restart();
      const again = await browser.tab();
      await check(again);
      // A sample comes back bit for bit.
      const sample = await again.evaluate(async (ids) => {
        const memory = await window.mnemora.open("idb://minilm");
        const notes = memory.collection("packages");
        const found = await Promise.all(ids.map((id) => notes.get(id)));
        const count = await notes.count();
        await memory.close();
        return { found: found.map((document) => ({ text: document?.text, metadata: document?.metadata as unknown, vector: [...document?.vector ?? []] })), count };
      }, some.map((row) => idOf(row * 50)));
      expect(sample.count).toBe(count);
      some.forEach((row, at) => {
        const { name, section, text } = rows[row * 50]!;
        expect(sample.found[at]).toEqual({ text, metadata: { section, name }, vector: [...vectorOf(base, row * 50)] });
      });
      expect(browser.problems).toEqual([]);
    });
  });
}
