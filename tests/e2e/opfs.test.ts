/**
 * SQLite over the private file system of the origin: what a worker saves there is kept, by one holder at a
 * time, and no fault gives a wrong value.
 *
 * Writing under SIGKILL is in opfs-kill.test.ts.
 */
import { describe, expect, test } from "vitest";
import type { Page, Worker } from "playwright-core";
import { type Browser, engine, pseudoRandom, ready, seed, type Site, startWorker, withBrowser, without } from "./harness.js";

let browser: Browser;
let pages: Site;
withBrowser("opfs", (started, site) => { [browser, pages] = [started, site]; });

/** A worker in a tab of its own. */
async function workerTab(): Promise<[worker: Worker, tab: Page]> {
  const tab = await browser.tab();
  return [await startWorker(tab), tab];
}

/** How an opening ends, to be run in a worker or a page. What was opened is closed again. */
const attemptOpening = ([url, openTimeoutMs]: readonly [url: string, openTimeoutMs: number]) => self.kit.attempt(async () => {
  const memory = await self.mnemora.open(url, { openTimeoutMs });
  const count = await memory.agents.count();
  await memory.close();
  return count;
});
const opening = (worker: Worker, url: string, openTimeoutMs: number) => worker.evaluate(attemptOpening, [url, openTimeoutMs] as const);

/** Opens a storage in a worker, saves one record, and leaves it open. */
const hold = (worker: Worker, url: string) => worker.evaluate(async (url) => {
  self.held.memory = await self.mnemora.open(url);
  await self.held.memory.agents.save("held", 1);
}, url);

// The engine of IndexedDB makes no difference here.
describe.skipIf(engine !== "leveldb" || without !== undefined)("opfs:", () => {
  test("what a worker saves comes back equal: at once, after a reload, and in another run of the browser", async () => {
    const write = await workerTab();
    const written = await write[0].evaluate(async () => {
      const memory = await self.mnemora.open("opfs://first", { durability: "strict" });
      const { info } = memory;
      const store = memory.store<any>("s", { history: 2 });
      const results = await Promise.all(Array.from({ length: 100 }, (_, n) => store.save(`key-${n}`, { n, when: new Date(n), big: BigInt(n) ** 20n })));
      for (let n = 0; n < 3; n++) await store.save("changed", { n });
      await store.saveMany([{ id: "a", value: new Map([[1, new Set(["x"])]]) }, { id: "b", value: new Uint8Array([1, 2, 3]) }]);
      const sums = await Promise.all(Array.from({ length: 20 }, () => memory.transaction(async (tx) => {
        const next = ((await tx.get<number>(store, "sum")) ?? 0) + 1;
        tx.save(store, "sum", next);
        return next;
      })));
      await memory.collection("c", { dimensions: 2 }).add([{ id: "east", vector: [1, 0], metadata: { when: new Date(7) } }, { id: "north", vector: [0, 1] }]);
      const digest = await memory.digest();
      await memory.close();
      return {
        info: { backend: info.backend, durability: info.durability, shared: info.shared },
        versions: new Set(results.map(({ version }) => version)).size, sums: sums.sort((a, b) => a - b), digest,
      };
    });
    expect(written).toEqual({
      info: { backend: "sqlite", durability: "strict", shared: false }, versions: 100,
      sums: Array.from({ length: 20 }, (_, n) => n + 1), digest: expect.stringMatching(/^[0-9a-f]+$/) as string,
    });

    const examine = (worker: Worker) => worker.evaluate(async () => {
      const { kit } = self;
      const memory = await self.mnemora.open("opfs://first");
      const store = memory.store<any>("s", { history: 2 });
      const values = await store.getMany(Array.from({ length: 100 }, (_, n) => `key-${n}`));
      const wrong = [
        ...values.flatMap((value, n) => kit.differences(value, { n, when: new Date(n), big: BigInt(n) ** 20n }, `key-${n}`)),
        ...kit.differences(await store.getMany(["a", "b", "sum", "none"]), [new Map([[1, new Set(["x"])]]), new Uint8Array([1, 2, 3]), 20, null]),
        ...kit.differences((await store.history("changed")).map(({ value }) => value), [{ n: 1 }, { n: 0 }]),
        ...kit.differences((await memory.collection("c").get("east"))?.metadata, { when: new Date(7) }),
        ...kit.differences((await memory.collection("c").search([0.1, 1])).map(({ id }) => id), ["north", "east"]),
      ];
      const [{ ok, problems }, digest] = [await memory.verify(), await memory.digest()];
      await memory.close();
      return { wrong, ok, problems, digest };
    });
    const intact = { wrong: [], ok: true, problems: [], digest: written.digest };
    expect(await examine(write[0])).toEqual(intact);
    await write[1].reload();
    await ready(write[1]);
    expect(await examine(await startWorker(write[1]))).toEqual(intact);
    await browser.restart();
    expect(await examine((await workerTab())[0])).toEqual(intact);
  });

  test("has one holder: another worker, of this page or of another tab, is told so in time, and comes next", async () => {
    const [first, tab] = await workerTab();
    const [second, [third]] = [await startWorker(tab), await workerTab()];
    await hold(first, "opfs://one");
    for (const worker of [second, third]) {
      const refused = await opening(worker, "opfs://one", 300);
      expect(refused).toMatchObject({
        ok: false, code: "ERR_BLOCKED", typed: true, retryable: true, message: expect.stringMatching(/opfs:\/\/one.*another worker or tab/) as string,
      });
      expect(refused.milliseconds).toBeGreaterThanOrEqual(290);
      expect(refused.milliseconds).toBeLessThan(3_000);
    }
    expect(await opening(second, "opfs://another", 300)).toMatchObject({ ok: true, value: 0 });
    // One who waits longer gets it as soon as it is let go of.
    const waiting = opening(third, "opfs://one", 20_000);
    await first.evaluate(() => self.held.memory.close());
    expect(await waiting).toMatchObject({ ok: true, value: 1 });
    expect(await opening(second, "opfs://one", 300)).toMatchObject({ ok: true, value: 1 });
  });

  test("a worker that was ended, and a tab that was closed, hold nothing any more", async () => {
    const [first, tab] = await workerTab();
    await hold(first, "opfs://left");
    await tab.evaluate(() => { (window.held["worker"] as PagesWorker).terminate(); });
    const second = await startWorker(tab);
    expect(await opening(second, "opfs://left", 5_000)).toMatchObject({ ok: true, value: 1 });
    await hold(second, "opfs://left");
    const [third] = await workerTab();
    expect(await opening(third, "opfs://left", 100)).toMatchObject({ code: "ERR_BLOCKED" });
    await tab.close();
    expect(await opening(third, "opfs://left", 5_000)).toMatchObject({ ok: true, value: 1 });
  });

  test("on the page itself it is refused, with what to do", async () => {
    const tab = await browser.tab();
    expect(await tab.evaluate(attemptOpening, ["opfs://page", 300] as const)).toMatchObject({
      ok: false, code: "ERR_UNSUPPORTED", name: "UnsupportedError", typed: true, retryable: false,
      message: expect.stringMatching(/in a\s+worker/) as string,
    });
    expect(await tab.evaluate(async () => {
      const memory = await window.mnemora.open("opfs://page", { fallback: ["idb://page"] });
      const { backend, refused } = memory.info;
      await memory.close();
      return [backend, refused.map(({ code }) => code)];
    })).toEqual(["indexeddb", ["ERR_UNSUPPORTED"]]);
  });

  test("200 times opened and closed, nothing is left that stands in the way", async () => {
    const [worker] = await workerTab();
    expect(await worker.evaluate(async () => {
      const began = performance.now();
      for (let n = 1; n <= 200; n++) {
        const memory = await self.mnemora.open("opfs://cycles", { openTimeoutMs: 1 });
        const { version } = await memory.agents.save("n", n);
        if (version !== n) throw new Error(`the version is ${version} in cycle ${n}`);
        await memory.close();
      }
      return { handles: self.mnemora.handles(), slow: performance.now() - began > 100_000 };
    })).toEqual({ handles: [], slow: false });
    const [other] = await workerTab();
    expect(await opening(other, "opfs://cycles", 1)).toMatchObject({ ok: true, value: 1 });
  });

  test("when the disk is full, a write is refused as a whole and reading goes on; with some room, so does the rest", async () => {
    const [worker, tab] = await workerTab();
    const devtools = await browser.devtools(tab);
    await devtools.send("Storage.overrideQuotaForOrigin", { origin: pages.origin, quotaSize: 6_000_000 });
    try {
      const full = await worker.evaluate(async (seed) => {
        const { kit } = self;
        const random = kit.seeded(seed);
        const memory = await self.mnemora.open("opfs://full");
        const store = memory.store<Uint8Array>("data");
        const stored = new Map<string, Uint8Array>();
        Object.assign(self.held, { memory, store, stored });
        const refusals: unknown[] = [];
        const leftBehind: string[] = [];
        for (const size of [200_000, 20_000, 1_000]) {
          for (let refused = 0; refused < 3;) {
            const [id, bytes] = [`${size}-${stored.size}-${refused}`, kit.noise(size, random)];
            const outcome = await kit.attempt(() => store.save(id, bytes));
            if (outcome.ok) {
              stored.set(id, bytes);
              if (stored.size > 20_000) throw new Error("the quota is not enforced");
              continue;
            }
            if (refused === 0) refusals.push([outcome.code, outcome.name, outcome.typed]);
            refused += 1;
            if (await store.get(id) !== null) leftBehind.push(id);
          }
        }
        const both = await kit.attempt(() => store.saveMany([{ id: "small", value: new Uint8Array(1) }, { id: "large", value: kit.noise(300_000, random) }]));
        return { refusals, leftBehind, both: both.ok ? "stored" : both.code, stored: stored.size };
      }, seed);
      expect(full).toEqual({
        refusals: Array.from({ length: 3 }, () => ["ERR_QUOTA", "QuotaError", true]), leftBehind: [], both: "ERR_QUOTA", stored: expect.any(Number) as number,
      });
      expect(full.stored).toBeGreaterThan(10);
      const audit = () => worker.evaluate(async () => {
        const { kit, held: { memory, store } } = self;
        const stored = self.held["stored"] as Map<string, Uint8Array>;
        const found = new Map((await kit.all(store.list())).map(({ id, value }) => [id, value as Uint8Array]));
        const verified = await kit.attempt(() => memory.verify());
        const { ok, problems } = verified.ok ? verified.value : { ok: false, problems: [verified.message] };
        return { wrong: kit.differences(new Map([...found].sort()), new Map([...stored].sort())).slice(0, 5), ok, problems };
      });
      const intact = { wrong: [], ok: true, problems: [] };
      expect(await audit()).toEqual(intact);
      // A delete is a commit, which the log needs room for, and so does what moves from it to the main file.
      await devtools.send("Storage.overrideQuotaForOrigin", { origin: pages.origin, quotaSize: 20_000_000 });
      const deleted = await worker.evaluate(async () => {
        const { kit, held: { store } } = self;
        const stored = self.held["stored"] as Map<string, Uint8Array>;
        const wrong: string[] = [];
        for (const id of [...stored.keys()].filter((_, at) => at % 2 === 0)) {
          const outcome = await kit.attempt(() => store.delete(id));
          if (outcome.ok && outcome.value) stored.delete(id);
          else wrong.push(`${id}: ${outcome.ok ? "was not there" : `${outcome.code} ${outcome.message}`}`);
        }
        return wrong.slice(0, 3);
      });
      expect(deleted).toEqual([]);
      expect(await audit()).toEqual(intact);
      const again = await worker.evaluate(async () => {
        const { kit, held: { store } } = self;
        const bytes = kit.noise(200_000, kit.seeded(2));
        const outcome = await kit.attempt(() => store.save("again", bytes));
        if (outcome.ok) (self.held["stored"] as Map<string, Uint8Array>).set("again", bytes);
        return outcome.ok ? "stored" : `${outcome.code} ${outcome.message}`;
      });
      expect(again).toBe("stored");
      expect(await audit()).toEqual(intact);
      // It is all there for the next one, too.
      await worker.evaluate(async () => {
        await self.held.memory.close();
        self.held.memory = await self.mnemora.open("opfs://full");
        self.held.store = self.held.memory.store("data");
      });
      expect(await audit()).toEqual(intact);
    } finally {
      await devtools.send("Storage.overrideQuotaForOrigin", { origin: pages.origin });
    }
  });

  test("a damaged file is refused or its damage is told; it never gives a wrong value", async () => {
    const [worker, tab] = await workerTab();
    const vandal = await startWorker(tab);
    const state = (n: number) => ({ n, text: `record ${n} `.repeat(20) });
    await worker.evaluate(async ([states]) => {
      const memory = await self.mnemora.open("opfs://damaged");
      await memory.store("s").saveMany(states.map((value) => ({ id: `id-${value.n}`, value })));
      await memory.close();
    }, [Array.from({ length: 200 }, (_, n) => state(n))] as const);
    const random = pseudoRandom(seed);
    const outcomes = { refused: 0, reported: 0, harmless: 0 };
    for (let trial = 0; trial < 60; trial++) {
      // The first time it keeps the whole file, to begin each trial with it.
      const [place, bit, cut] = [random(), Math.floor(random() * 8), trial % 10 === 9];
      await vandal.evaluate(async ([place, bit, cut]) => {
        const root = await navigator.storage.getDirectory();
        const folder = await (await root.getDirectoryHandle("mnemora")).getDirectoryHandle("damaged");
        const take = async (name: string) => (await folder.getFileHandle(name) as unknown as WorkersFile).createSyncAccessHandle();
        const access = await take("database.db");
        if (self.held["whole"] === undefined) {
          const bytes = new Uint8Array(access.getSize());
          access.read(bytes, { at: 0 });
          self.held["whole"] = bytes;
        }
        const bytes = (self.held["whole"] as Uint8Array).slice();
        const at = Math.floor(place * bytes.length);
        bytes[at] = (bytes[at] ?? 0) ^ (1 << bit);
        access.truncate(0);
        access.write(cut ? bytes.subarray(0, at) : bytes, { at: 0 });
        access.flush();
        access.close();
        const log = await take("database.db-wal");
        log.truncate(0);
        log.close();
      }, [place, bit, cut] as const);
      const seen = await worker.evaluate(async () => {
        const { kit } = self;
        const opened = await kit.attempt(() => self.mnemora.open("opfs://damaged", { openTimeoutMs: 100 }), 10_000);
        if (!opened.ok) return { ended: "refused", codes: [opened.code], typed: opened.typed, wrong: [] };
        const memory = opened.value;
        const store = memory.store<{ n: number; text: string }>("s");
        const [wrong, codes]: [string[], string[]] = [[], []];
        let [typed, missing] = [true, 0];
        for (let n = 0; n < 200; n++) {
          const got = await kit.attempt(() => store.get(`id-${n}`), 10_000);
          if (!got.ok) {
            typed &&= got.typed;
            codes.push(got.code);
          } else if (got.value === null) missing += 1;
          else wrong.push(...kit.differences(got.value, { n, text: `record ${n} `.repeat(20) }, `id-${n}`));
        }
        const verified = await kit.attempt(() => memory.verify(), 10_000);
        const told = !verified.ok || !verified.value.ok || codes.length > 0;
        if (missing > 0) wrong.push(`${missing} records are not found${told ? "" : ", and nothing says so"}`);
        await kit.attempt(() => memory.close(), 10_000);
        return { ended: told ? "reported" : "harmless", codes: [...new Set(codes)], typed, wrong };
      });
      const at = `trial ${trial}, seed ${seed}, at ${place}, bit ${bit}${cut ? ", cut off" : ""}`;
      expect({ wrong: seen.wrong, typed: seen.typed }, at).toEqual({ wrong: [], typed: true });
      for (const code of seen.codes) expect(code, at).toMatch(/^ERR_(CORRUPT|VERSION|INVALID)$/);
      outcomes[seen.ended as keyof typeof outcomes] += 1;
    }
    console.log(`opfs, damaged 60 times: ${JSON.stringify(outcomes)}`);
    expect(outcomes.refused + outcomes.reported).toBeGreaterThan(30);
  });
});

/** A worker as its page sees it; `Worker` is that of the test process here. */
interface PagesWorker { terminate(): void }

/** A file as a worker sees it: the types of pages do not have this. */
interface WorkersFile {
  createSyncAccessHandle(): Promise<{
    read(into: Uint8Array, options: { at: number }): number;
    write(bytes: Uint8Array, options: { at: number }): number;
    truncate(size: number): void; getSize(): number; flush(): void; close(): void;
  }>;
}
