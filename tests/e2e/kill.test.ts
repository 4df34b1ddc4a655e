/**
 * The browser is killed in the middle of writing, again and again: nothing that was acknowledged is lost, and
 * of what was written together nothing is there without the rest.
 *
 * Acknowledgements go to the test process over HTTP, so what it has heard of was acknowledged before the kill.
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Page } from "playwright-core";
import { Acknowledgements, Browser, engine, pseudoRandom, seed, site, type Site } from "./harness.js";

/** The second engine runs through the same code of ours: fewer cycles do. */
const CYCLES = engine === "leveldb" ? 25 : 10;

/** Keys of a batch: all of them carry the number of the same round, or none does. */
const BATCH = 7;

let pages: Site;
let browser: Browser;
let acknowledged: Acknowledgements;

beforeAll(async () => {
  console.log(`kill: seed ${seed}`);
  pages = await site();
  acknowledged = new Acknowledgements(pages);
});
afterAll(async () => {
  await pages?.close();
});

/** Starts writers that do not stop: four of batches, two of single records, one of increments. */
async function startWriting(tab: Page, durability: "relaxed" | "strict", from: number): Promise<void> {
  await tab.evaluate(async ([durability, from, size]) => {
    const memory = await window.mnemora.open("idb://killed", { durability });
    const store = memory.store<{ round: number; filler: string }>("data");
    const filler = "x".repeat(200);
    const tell = window.kit.teller();
    const writer = async (write: (round: number) => Promise<[what: string, round: number]>): Promise<void> => {
      for (let round = from; ; round++) tell(...await write(round));
    };
    for (let n = 0; n < 4; n++) {
      void writer(async (round) => {
        await store.saveMany(Array.from({ length: size }, (_, at) => ({ id: `batch-${n}-${at}`, value: { round, filler } })));
        return [`batch-${n}`, round];
      });
    }
    for (let n = 0; n < 2; n++) {
      void writer(async (round) => {
        const id = `single-${n}-${round % 50}`;
        await store.save(id, { round, filler });
        return [id, round];
      });
    }
    void writer(async () => {
      const count = await memory.transaction(async (tx) => {
        const next = ((await tx.get(store, "counter"))?.round ?? 0) + 1;
        tx.save(store, "counter", { round: next, filler });
        tx.save(store, "counter-copy", { round: next, filler });
        return next;
      }, { retries: 1_000 });
      return ["counter", count];
    });
  }, [durability, from, BATCH] as const);
}

/** Looks at what is stored: what is lost or torn, and whether the store still takes a write. */
async function examine(tab: Page, expected: Map<string, number>) {
  return tab.evaluate(async ([expected, batch]) => {
    const memory = await window.mnemora.open("idb://killed");
    const store = memory.store<{ round: number }>("data");
    const found = new Map((await window.kit.all(store.list())).map(({ id, value }) => [id, value.round]));
    const lost: string[] = [];
    const torn: string[] = [];
    for (const [what, round] of expected) {
      const id = what.startsWith("batch-") ? `${what}-0` : what;
      const there = found.get(id);
      if (there === undefined || there < round) lost.push(`${what}: ${round} was acknowledged, ${there} is there`);
    }
    for (let n = 0; n < 4; n++) {
      const rounds = new Set(Array.from({ length: batch }, (_, at) => found.get(`batch-${n}-${at}`)));
      if (rounds.size > 1) torn.push(`batch-${n}: ${[...rounds].join()}`);
    }
    if (found.get("counter") !== found.get("counter-copy")) torn.push(`counter: ${found.get("counter")}, ${found.get("counter-copy")}`);
    const { ok, problems } = await memory.verify();
    // Every version in the log, in order: no number is missing and none is there twice.
    const versions: number[] = [];
    const newest = Math.max(0, ...(await window.kit.all(store.list())).map(({ version }) => version));
    const watching = store.watch({ from: 0 });
    const end = setTimeout(watching, 5_000);
    if (newest > 0) for await (const { version } of watching) {
      if (versions.at(-1) !== version) versions.push(version);
      if (version >= newest) break;
    }
    clearTimeout(end);
    const gaps = versions.filter((version, at) => version !== at + 1).slice(0, 5);
    const probe = { round: Math.random() };
    const { version } = await store.save("probe", probe);
    const writes = window.kit.differences(await store.get("probe"), probe);
    await memory.close();
    return {
      state: { lost, torn, ok, problems, gaps, ends: versions.at(-1) ?? 0, newest, writes, next: version - newest },
      highest: Math.max(0, ...[...found.values()].filter((round) => Number.isInteger(round))),
    };
  }, [[...expected], BATCH] as const);
}

describe(`on ${engine}`, () => {
  test.each(["relaxed", "strict"] as const)(`${CYCLES} kills in mid-write, %s`, async (durability) => {
    const random = pseudoRandom(seed);
    let [total, halves, from] = [0, 0, 1];
    const begin = async (): Promise<void> => {
      acknowledged.rounds = new Map();
      from = 1;
      browser = await Browser.start(pages);
    };
    await begin();
    try {
      for (let cycle = 0; cycle < CYCLES; cycle++) {
        acknowledged.heard = 0;
        await startWriting(await browser.tab(), durability, from);
        // Not before there is something to lose; then at any moment.
        await expect.poll(() => acknowledged.heard, { timeout: 20_000, interval: 5 }).toBeGreaterThan(20);
        await new Promise((resolve) => setTimeout(resolve, random() * 250));
        const { halfARecord } = await browser.crash();
        total += acknowledged.heard;
        const { state, highest } = await examine(await browser.tab(), acknowledged.rounds);
        expect(state, `cycle ${cycle}, seed ${seed}`).toEqual({
          lost: [], torn: [], ok: true, problems: [], gaps: [], ends: state.newest, newest: state.newest, writes: [], next: 1,
        });
        expect(browser.problems).toEqual([]);
        await browser.closeTabs();
        from = highest + 1;
        if (halfARecord) {
          halves += 1;
          await browser.close();
          await begin();
        }
      }
      console.log(`${durability}: ${CYCLES} kills, ${total} acknowledged writes, 0 lost, 0 torn; ${halves} profiles could not be used again`);
    } finally {
      await browser.close();
    }
  });
});
