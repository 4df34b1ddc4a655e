/**
 * The browser is killed while a page adds to a collection, replaces, deletes, repairs its index and writes the
 * index's pages: when it is opened again, a search finds just the records that are there.
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Acknowledgements, Browser, engine, pseudoRandom, seed, site, type Site } from "./harness.js";

const CYCLES = 15;

let pages: Site;
let acknowledged: Acknowledgements;

beforeAll(async () => {
  console.log(`search kill: seed ${seed}`);
  pages = await site();
  acknowledged = new Acknowledgements(pages);
});
afterAll(async () => {
  await pages?.close();
});

describe(`on ${engine}`, () => {
  test(`${CYCLES} kills`, async () => {
    const random = pseudoRandom(seed);
    let [batches, documents, missed, halves] = [0, 0, 0, 0];
    let browser = await Browser.start(pages);
    try {
      for (let cycle = 0; cycle < CYCLES; cycle++) {
        acknowledged.heard = 0;
        await (await browser.tab()).evaluate(async (from) => {
          const memory = await window.mnemora.open("idb://indexed");
          const tell = window.kit.teller();
          void window.kit.documents.write(memory, from, (round) => tell("batch", round));
        }, cycle * 10_000);
        await expect.poll(() => acknowledged.heard, { timeout: 20_000, interval: 5 }).toBeGreaterThan(0);
        await new Promise((resolve) => setTimeout(resolve, random() * 800));
        const { halfARecord } = await browser.crash();
        batches += acknowledged.heard;
        const found = await (await browser.tab()).evaluate(async (from) => {
          const memory = await window.mnemora.open("idb://indexed");
          const { problems: wrong, documents, missed } = await window.kit.documents.examine(memory, from);
          const { ok, problems } = await memory.verify();
          await memory.close();
          return { wrong, ok, problems, documents, missed };
        }, seed + cycle);
        ({ documents } = found);
        missed += found.missed;
        expect(found, `cycle ${cycle}, seed ${seed}`).toEqual({ wrong: [], ok: true, problems: [], documents, missed: found.missed });
        expect(browser.problems).toEqual([]);
        await browser.closeTabs();
        if (halfARecord) {
          halves += 1;
          await browser.close();
          browser = await Browser.start(pages);
        }
      }
      expect(batches).toBeGreaterThan(CYCLES);
      expect(missed / (CYCLES * 25), "what the graph missed").toBeLessThan(0.02);
      console.log(`${CYCLES} kills, ${batches} acknowledged batches, ${documents} documents at the end; ${halves} profiles could not be used again`);
    } finally {
      await browser.close();
    }
  });
});
