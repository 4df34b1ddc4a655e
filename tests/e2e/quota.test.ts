/** A full disk: the write that does not fit fails as a whole and says so; all else goes on. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { Page } from "playwright-core";
import { Browser, engine, seed, site, type Site } from "./harness.js";

const QUOTA = 3_000_000;

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

/** A tab in a browser of its own that may store `bytes`. */
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

/** Saves records until not even a small one fits; tells of the errors and of how many were stored. */
async function fill(tab: Page, seed: number) {
  return tab.evaluate(async (seed) => {
    const random = window.kit.seeded(seed);
    const memory = await window.mnemora.open("idb://full");
    const store = memory.store<Uint8Array>("data");
    window.held.memory = memory;
    window.held.store = store;
    const stored: [id: string, bytes: Uint8Array][] = [];
    window.held["stored"] = stored;
    const refusals = [];
    for (const size of [65_536, 16_384, 4_096, 512]) {
      for (let refused = 0; refused < 3;) {
        const [id, bytes] = [`${size}-${stored.length}-${refused}`, window.kit.noise(size, random)];
        const outcome = await window.kit.attempt(() => store.save(id, bytes));
        if (outcome.ok) {
          stored.push([id, bytes]);
          if (stored.length > 5_000) throw new Error("the quota is not enforced");
        } else {
          refused += 1;
          refusals.push({ ...outcome, there: await store.get(id) });
        }
      }
    }
    return { refusals, stored: stored.length, estimate: (await navigator.storage.estimate()).usage };
  }, seed);
}

describe(`on ${engine}`, () => {
  test("explore", async () => {
    const { tab } = await limitedTab(QUOTA);
    const full = await fill(tab, seed);
    console.log(full.refusals.map((r) => `${r.code} ${r.message} ${r.there}`), full.stored, full.estimate);
    const after = await tab.evaluate(async () => {
      const stored = window.held["stored"] as [string, Uint8Array][];
      const { store } = window.held;
      const out: unknown[] = [];
      const db = await window.kit.request(indexedDB.open("mnemora:full"));
      const keys = await window.kit.request(db.transaction("records").objectStore("records").getAllKeys());
      const usage = async () => (await navigator.storage.estimate()).usage;
      out.push(["first", stored.length, keys.length, await usage()]);
      const del = (ks: IDBValidKey[]) => window.kit.attempt(() => new Promise<string>((resolve, reject) => {
        const tx = db.transaction("records", "readwrite", { durability: "relaxed" });
        for (const k of ks) tx.objectStore("records").delete(k);
        tx.oncomplete = () => resolve("complete");
        tx.onabort = () => reject(tx.error ?? new Error("aborted"));
      }));
      for (let i = 0; i < 40; i++) {
        const r = await del(keys.splice(0, 1));
        const s = await window.kit.attempt(() => store.save("retry", window.kit.noise(512, window.kit.seeded(i))));
        out.push([i, r.ok || r, s.ok || s.code, await usage()]);
        if (s.ok) break;
      }
      for (let i = 0; i < 10; i++) {
        await window.kit.sleep(1000);
        const s = await window.kit.attempt(() => store.save("retry", window.kit.noise(512, window.kit.seeded(i))));
        out.push(["wait", i, s.ok || s.code, await usage()]);
        if (s.ok) break;
      }
      db.close();
      await window.held.memory.close();
      for (let i = 0; i < 6; i++) {
        await window.kit.sleep(1500);
        out.push(["closed", i, await usage()]);
      }
      const m2 = await window.mnemora.open("idb://full");
      const s = await window.kit.attempt(() => m2.store("data").save("retry", window.kit.noise(512, window.kit.seeded(1))));
      out.push(["reopened", s.ok || s, await usage()]);
      return out;
    });
    console.log(JSON.stringify(after).replaceAll("],", "],\n"));
  });
});
