/**
 * The browser is killed while a worker writes to SQLite in the private file system, again and again: nothing
 * that was acknowledged is lost, and of what was written together nothing is there without the rest.
 *
 * Acknowledgements go to the test process over HTTP, so what it has heard of was acknowledged before the kill.
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Worker } from "playwright-core";
import { Acknowledgements, Browser, engine, pseudoRandom, seed, site, type Site, startWorker, without } from "./harness.js";

const CYCLES = 10;

/** Keys of a batch: all of them carry the number of the same round, or none does. */
const BATCH = 5;
const BATCHES = 3;

let pages: Site;
let acknowledged: Acknowledgements;

beforeAll(async () => {
  console.log(`opfs-kill: seed ${seed}`);
  pages = await site();
  acknowledged = new Acknowledgements(pages);
});
afterAll(async () => {
  await pages?.close();
});

/** Starts writers that do not stop: some of batches, one of increments by transactions. */
async function startWriting(worker: Worker, url: string, durability: "relaxed" | "strict", from: number): Promise<void> {
  await worker.evaluate(async ([url, durability, from, batches, size]) => {
    const memory = await self.mnemora.open(url, { durability });
    const store = memory.store<{ round: number; filler: string }>("data");
    const filler = "x".repeat(500);
    const tell = self.kit.teller();
    const writer = async (write: (round: number) => Promise<[what: string, round: number]>): Promise<void> => {
      for (let round = from; ; round++) {
        tell(...await write(round));
        // Writing may go on without ever waiting for anything; what was acknowledged has to get out.
        await self.kit.sleep(0);
      }
    };
    for (let n = 0; n < batches; n++) {
      void writer(async (round) => {
        await store.saveMany(Array.from({ length: size }, (_, at) => ({ id: `batch-${n}-${at}`, value: { round, filler } })));
        return [`batch-${n}`, round];
      });
    }
    void writer(async () => {
      const count = await memory.transaction(async (tx) => {
        const next = ((await tx.get(store, "counter"))?.round ?? 0) + 1;
        tx.save(store, "counter", { round: next, filler });
        tx.save(store, "counter-copy", { round: next, filler });
        return next;
      });
      return ["counter", count];
    });
  }, [url, durability, from, BATCHES, BATCH] as const);
}

/** Looks at what is stored: what is lost or torn, and whether the store still takes a write. */
async function examine(worker: Worker, url: string) {
  return worker.evaluate(async ([url, expected, batches, batch]) => {
    const memory = await self.mnemora.open(url, { openTimeoutMs: 5_000 });
    const store = memory.store<{ round: number }>("data");
    const found = new Map((await self.kit.all(store.list())).map(({ id, value }) => [id, value.round]));
    const lost: string[] = [];
    const torn: string[] = [];
    for (const [what, round] of expected) {
      const there = found.get(what === "counter" ? what : `${what}-0`);
      if (there === undefined || there < round) lost.push(`${what}: ${round} was acknowledged, ${there} is there`);
    }
    for (let n = 0; n < batches; n++) {
      const rounds = new Set(Array.from({ length: batch }, (_, at) => found.get(`batch-${n}-${at}`)));
      if (rounds.size > 1) torn.push(`batch-${n}: ${[...rounds].join()}`);
    }
    if (found.get("counter") !== found.get("counter-copy")) torn.push(`counter: ${found.get("counter")}, ${found.get("counter-copy")}`);
    const { ok, problems } = await memory.verify();
    const newest = Math.max(0, ...(await self.kit.all(store.list())).map(({ version }) => version));
    const { version } = await store.save("probe", { round: 0 });
    await memory.close();
    return { state: { lost, torn, ok, problems, next: version - newest }, highest: Math.max(0, ...found.values()) };
  }, [url, [...acknowledged.rounds], BATCHES, BATCH] as const);
}

// The engine of IndexedDB makes no difference here.
describe.skipIf(engine !== "leveldb" || without !== undefined).each(["relaxed", "strict"] as const)("opfs:, %s", (durability) => {
  test(`${CYCLES} kills in mid-write`, async () => {
    const random = pseudoRandom(seed);
    let [total, from] = [0, 1];
    acknowledged.rounds = new Map();
    const browser = await Browser.start(pages);
    try {
      for (let cycle = 0; cycle < CYCLES; cycle++) {
        acknowledged.heard = 0;
        await startWriting(await startWorker(await browser.tab()), "opfs://killed", durability, from);
        // Not before there is something to lose; then at any moment.
        await expect.poll(() => acknowledged.heard, { timeout: 20_000, interval: 5 }).toBeGreaterThan(20);
        await new Promise((resolve) => setTimeout(resolve, random() * 250));
        await browser.crash();
        total += acknowledged.heard;
        const { state, highest } = await examine(await startWorker(await browser.tab()), "opfs://killed");
        expect(state, `cycle ${cycle}, seed ${seed}`).toEqual({ lost: [], torn: [], ok: true, problems: [], next: 1 });
        expect(browser.problems).toEqual([]);
        await browser.closeTabs();
        from = highest + 1;
      }
      console.log(`opfs ${durability}: ${CYCLES} kills, ${total} acknowledged writes, 0 lost, 0 torn`);
    } finally {
      await browser.close();
    }
  });
});
