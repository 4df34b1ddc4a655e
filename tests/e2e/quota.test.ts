/** A full disk: the write that does not fit fails as a whole and says so; reading and deleting go on. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { Page } from "playwright-core";
import { Browser, engine, seed, site, type Site } from "./harness.js";

const QUOTA = 5_000_000;

let pages: Site;
let browser: Browser;

beforeAll(async () => {
  console.log(`quota: seed ${seed}`);
  pages = await site();
});
afterAll(async () => {
  await pages?.close();
});
afterEach(async () => {
  const { problems } = browser;
  await browser.close();
  expect(problems).toEqual([]);
});

/** A tab in a browser of its own whose site may store `bytes`. */
async function limitedTab(bytes: number): Promise<{ tab: Page; limit(bytes: number): Promise<void> }> {
  browser = await Browser.start(pages);
  const tab = await browser.tab();
  const devtools = await browser.devtools(tab);
  const limit = async (quotaSize: number): Promise<void> => {
    await devtools.send("Storage.overrideQuotaForOrigin", { origin: pages.origin, quotaSize });
  };
  await limit(bytes);
  return { tab, limit };
}

/**
 * Saves records of the given sizes until not even one of the last size fits. What was acknowledged is kept in
 * `held.stored`. Tells of the first error of each size, and of anything that a failed write has left behind.
 */
async function fill(tab: Page, sizes: readonly number[]) {
  return tab.evaluate(async ([seed, sizes]) => {
    const random = window.kit.seeded(seed);
    const memory = await window.mnemora.open("idb://full");
    const store = memory.store<Uint8Array>("data");
    const stored: [id: string, bytes: Uint8Array][] = [];
    Object.assign(window.held, { memory, store, stored });
    const refusals: { code: string; name: string; retryable: boolean; typed: boolean }[] = [];
    const leftBehind: string[] = [];
    for (const size of sizes) {
      for (let refused = 0; refused < 3;) {
        const [id, bytes] = [`${size}-${stored.length}-${refused}`, window.kit.noise(size, random)];
        const outcome = await window.kit.attempt(() => store.save(id, bytes));
        if (outcome.ok) {
          stored.push([id, bytes]);
          if (stored.length > 20_000) throw new Error("the quota is not enforced");
          continue;
        }
        const { code, name, retryable, typed } = outcome;
        if (refused === 0) refusals.push({ code, name, retryable, typed });
        refused += 1;
        if (await store.get(id) !== null) leftBehind.push(id);
      }
    }
    return { refusals, leftBehind, stored: stored.length };
  }, [seed, sizes] as const);
}

/** How what is stored differs from what was acknowledged. */
async function audit(tab: Page) {
  return tab.evaluate(async () => {
    const { memory, store } = window.held;
    const stored = window.held["stored"] as [string, Uint8Array][];
    const values = await store.getMany(stored.map(([id]) => id)) as (Uint8Array | null)[];
    const listed = await window.kit.all(store.list());
    const { ok, problems } = await memory.verify();
    return {
      wrong: stored.flatMap(([id, bytes], at) => window.kit.differences(values[at], bytes, id)).slice(0, 5),
      unexpected: listed.map(({ id }) => id).filter((id) => !stored.some(([known]) => known === id)),
      count: await store.count() - stored.length,
      ok, problems,
    };
  });
}

const intact = { wrong: [], unexpected: [], count: 0, ok: true, problems: [] };
const refusal = { code: "ERR_QUOTA", name: "QuotaError", retryable: true, typed: true };

/** Deletes `share` of the records, one after another; tells which deletes did not do what they should. */
async function thinOut(tab: Page, share: number) {
  return tab.evaluate(async (share) => {
    const { store } = window.held;
    const stored = window.held["stored"] as [string, Uint8Array][];
    const wrong: string[] = [];
    const going = stored.splice(0, Math.ceil(stored.length * share));
    for (const [id] of going) {
      const outcome = await window.kit.attempt(() => store.delete(id));
      if (!outcome.ok) wrong.push(`${id}: ${outcome.code} ${outcome.message}`);
      else if (!outcome.value) wrong.push(`${id}: was not there`);
      else if (await store.get(id) !== null) wrong.push(`${id}: is still there`);
    }
    return { deleted: going.length - wrong.length, wrong: wrong.slice(0, 3) };
  }, share);
}

describe(`on ${engine}`, () => {
  test("a write that does not fit is refused as a whole; deleting makes room again", async () => {
    const { tab } = await limitedTab(QUOTA);
    // Chromium keeps values of this size in files, which it frees at once.
    const full = await fill(tab, [100_000, 65_536, 4_096, 512]);
    expect(full.refusals).toEqual([refusal, refusal, refusal, refusal]);
    expect(full.leftBehind).toEqual([]);
    expect(full.stored).toBeGreaterThan(20);
    expect(await audit(tab)).toEqual(intact);

    // Many at once share a transaction: none of them is stored, and each is told so.
    const together = await tab.evaluate(async () => {
      const { memory, store } = window.held;
      const random = window.kit.seeded(1);
      const big = () => window.kit.noise(100_000, random);
      const small = { id: "small", value: new Uint8Array(1) };
      const outcomes = await Promise.all([
        ...Array.from({ length: 5 }, (_, i) => window.kit.attempt(() => store.save(`together-${i}`, big()))),
        window.kit.attempt(() => store.saveMany([small, { id: "large", value: big() }])),
        window.kit.attempt(() => memory.transaction((tx) => { tx.save(store, "tx", big()); })),
        window.kit.attempt(() => memory.collection("notes", { dimensions: 2 }).add({ id: "n", vector: [1, 0], text: "x".repeat(100_000) })),
      ]);
      return outcomes.map((outcome) => outcome.ok ? "stored" : outcome.code);
    });
    expect(together).toEqual(Array.from({ length: 8 }, () => "ERR_QUOTA"));
    expect(await audit(tab)).toEqual(intact);

    expect(await thinOut(tab, 0.5)).toEqual({ deleted: Math.ceil(full.stored / 2), wrong: [] });
    expect(await audit(tab)).toEqual(intact);
    const again = await tab.evaluate(async () => {
      const bytes = window.kit.noise(100_000, window.kit.seeded(2));
      const saved = await window.kit.soon(async () => (await window.kit.attempt(() => window.held.store.save("again", bytes))).ok, 10_000);
      if (saved) (window.held["stored"] as [string, Uint8Array][]).push(["again", bytes]);
      return saved;
    });
    expect(again).toBe(true);
    expect(await audit(tab)).toEqual(intact);

    // A page that opens it later finds the same.
    const other = await browser.tab();
    expect(await other.evaluate(async () => {
      const memory = await window.mnemora.open("idb://full");
      const { ok, problems } = await memory.verify();
      return { ok, problems, count: await memory.store("data").count() };
    })).toEqual({ ok: true, problems: [], count: Math.floor(full.stored / 2) + 1 });
  });

  test("deleting works while it is full of small records too; with more room, saving works again by itself", async () => {
    const { tab, limit } = await limitedTab(QUOTA);
    const full = await fill(tab, [4_096, 512, 64]);
    expect(full.refusals).toEqual([refusal, refusal, refusal]);
    expect(full.leftBehind).toEqual([]);
    expect(await audit(tab)).toEqual(intact);
    expect(await thinOut(tab, 0.2)).toEqual({ deleted: Math.ceil(full.stored * 0.2), wrong: [] });
    expect(await audit(tab)).toEqual(intact);

    // LevelDB gives the room of small values back when it pleases, so more is given here.
    await limit(4 * QUOTA);
    const again = await tab.evaluate(async () => {
      const { store } = window.held;
      const seen: string[] = [];
      const stop = store.watch(({ kind, id }) => { seen.push(`${kind} ${id}`); });
      const bytes = window.kit.noise(10_000, window.kit.seeded(3));
      const outcome = await window.kit.attempt(() => store.save("again", bytes));
      if (outcome.ok) (window.held["stored"] as [string, Uint8Array][]).push(["again", bytes]);
      await window.kit.soon(() => seen.length > 0);
      stop();
      return { ok: outcome.ok, seen };
    });
    expect(again).toMatchObject({ ok: true, seen: expect.arrayContaining(["save again"]) as string[] });
    expect(await audit(tab)).toEqual(intact);
  });
});
