/** Copying between the storages of a browser: everything arrives, also after the tab that copied was closed in the middle. */
import { afterEach, describe, expect, test } from "vitest";
import type { Page, Worker } from "playwright-core";
import { type Browser, engine, seed, type Site, startWorker, withBrowser, without } from "./harness.js";

let browser: Browser;
let pages: Site;
withBrowser("copy", (started, site) => { [browser, pages] = [started, site]; });
afterEach(() => { pages.route("/step", () => undefined); });

async function workerTab(): Promise<[worker: Worker, tab: Page]> {
  const tab = await browser.tab();
  return [await startWorker(tab), tab];
}

/** Writes something of everything to `url`, and copies it into memory: gives the digest that both have. */
const fill = (worker: Worker, url: string, records: number) => worker.evaluate(async ([url, records, seed]) => {
  const random = self.kit.seeded(seed);
  const memory = await self.mnemora.open(url);
  const store = memory.store<any>("s", { history: 3 });
  await store.saveMany(Array.from({ length: records }, (_, n) => ({
    id: `id ${n}`, value: { n, when: new Date(n), big: BigInt(n) << 70n, bytes: self.kit.noise(400, random), map: new Map([[n, new Set([n])]]) },
  })));
  for (let n = 0; n < 4; n++) await store.save("changed", n);
  await store.delete("id 7");
  await memory.agents.save("expiring", "é", { ttlMs: 1e9 });
  await memory.collection("c", { dimensions: 2 }).add([{ id: "a", vector: [1, 0], text: "one" }, { id: "b", vector: [0, 1], metadata: { n: 1n } }]);
  const plain = await self.mnemora.open("memory:");
  const { digest } = await self.mnemora.copy(memory, plain);
  const digests = [await memory.digest(), await plain.digest()];
  await Promise.all([memory.close(), plain.close()]);
  if (digests.some((other) => other !== digest)) throw new Error(`the digests differ: ${digest}, ${digests.join()}`);
  return digest;
}, [url, records, seed] as const);

/** What is at `url`, compared in the worker with what {@link fill} wrote. */
const examine = (worker: Worker, url: string, records: number) => worker.evaluate(async ([url, records, seed]) => {
  const { kit } = self;
  const random = kit.seeded(seed);
  const memory = await self.mnemora.open(url);
  const store = memory.store<any>("s", { history: 3 });
  const found = new Map((await kit.all(store.list())).map(({ id, value }) => [id, value as unknown]));
  const due = new Map<string, unknown>(Array.from({ length: records }, (_, n) => [
    `id ${n}`, { n, when: new Date(n), big: BigInt(n) << 70n, bytes: kit.noise(400, random), map: new Map([[n, new Set([n])]]) },
  ]));
  due.delete("id 7");
  due.set("changed", 3);
  const wrong = [
    ...kit.differences(new Map([...found].sort()), new Map([...due].sort())),
    ...kit.differences((await store.history("changed")).map(({ value }) => value), [2, 1, 0]),
    ...kit.differences(await memory.agents.get("expiring"), "é"),
    ...kit.differences((await memory.collection("c").search([0, 1])).map(({ id }) => id), ["b", "a"]),
  ];
  const [{ ok, problems }, digest] = [await memory.verify(), await memory.digest()];
  await memory.close();
  return { wrong: wrong.slice(0, 5), ok, problems, digest };
}, [url, records, seed] as const);

/** Copies in a worker; tells the test process of every step. Its answer never comes if the tab is closed. */
const copying = (worker: Worker, from: string, to: string, pageBytes: number) => worker.evaluate(async ([from, to, pageBytes]) => {
  const steps: { phase: string; records: number; bytes: number }[] = [];
  const report = await self.mnemora.copy(from, to, {
    pageBytes, durability: "strict", openTimeoutMs: 10_000,
    onProgress: (step) => {
      steps.push(step);
      void fetch("/step", { method: "POST", body: String(steps.length) });
    },
  });
  return { report, steps, handles: self.mnemora.handles().length };
}, [from, to, pageBytes] as const);

describe.skipIf(without !== undefined)(`on ${engine}`, () => {
  test("idb: to opfs: and back, with the digest that memory has", async () => {
    const RECORDS = 500;
    const [worker] = await workerTab();
    const digest = await fill(worker, "idb://origin", RECORDS);
    const hops = [["idb://origin", "opfs://hop"], ["opfs://hop", "idb://home"]] as const;
    for (const [from, to] of hops) {
      const { report, steps, handles } = await copying(worker, from, to, 32_768);
      expect(report).toMatchObject({ digest, resumed: false });
      expect(handles).toBe(0);
      // It grows from step to step, and ends with what the report says.
      expect(steps.length).toBeGreaterThan(5);
      for (const [at, step] of steps.slice(1).entries()) {
        expect(step.records).toBeGreaterThanOrEqual(steps[at]?.records ?? Infinity);
        expect(step.bytes).toBeGreaterThanOrEqual(steps[at]?.bytes ?? Infinity);
      }
      expect(steps.at(-1)).toEqual({ phase: "verify", records: report.records, bytes: report.bytes });
      expect(await examine(worker, to, RECORDS)).toEqual({ wrong: [], ok: true, problems: [], digest });
    }
    // The origin is as it was.
    expect(await examine(worker, "idb://origin", RECORDS)).toEqual({ wrong: [], ok: true, problems: [], digest });
  });

  test.each([["idb", "opfs"], ["opfs", "idb"]])("from %s: to %s:, with the tab closed in the middle, and the browser killed, it is gone on with", async (source, target) => {
    const RECORDS = 1_500;
    const [from, to] = [`${source}://broken-${source}`, `${target}://half-${source}`];
    let [worker, tab] = await workerTab();
    const digest = await fill(worker, from, RECORDS);
    // Small pages, so that there is time to break it off: once by closing the tab, once by killing the browser.
    const breakOff = async (end: () => Promise<unknown>): Promise<number> => {
      let steps = 0;
      pages.route("/step", () => { steps += 1; return undefined; });
      const broken = copying(worker, from, to, 4_096).then(() => "finished", () => "broken off");
      await expect.poll(() => steps, { timeout: 30_000, interval: 5 }).toBeGreaterThan(5);
      await end();
      expect(await broken).toBe("broken off");
      return steps;
    };
    const whole = Math.floor(RECORDS * 400 / 4_096);
    expect(await breakOff(() => tab.close())).toBeLessThan(whole);
    [worker, tab] = await workerTab();
    expect(await breakOff(() => browser.crash())).toBeLessThan(whole);
    [worker, tab] = await workerTab();
    const { report } = await copying(worker, from, to, 65_536);
    expect(report).toMatchObject({ digest, resumed: true });
    expect(await examine(worker, to, RECORDS)).toEqual({ wrong: [], ok: true, problems: [], digest });
    // What is written now and then copied once more is refused, unless the target is to be replaced.
    expect(await worker.evaluate(async ([from, to]) => {
      const source = await self.mnemora.open(from);
      await source.agents.save("later", 1);
      const refused = await self.kit.attempt(() => self.mnemora.copy(source, to));
      const replaced = await self.mnemora.copy(source, to, { replace: true });
      const digest = await source.digest();
      await source.close();
      return [refused.ok ? "copied" : refused.code, replaced.resumed, replaced.digest === digest];
    }, [from, to] as const)).toEqual(["ERR_INVALID", false, true]);
  });

  test("a signal ends it with its own reason, and the next one goes on from there", async () => {
    const [worker] = await workerTab();
    const digest = await fill(worker, "idb://signal", 500);
    const seen = await worker.evaluate(async (to) => {
      const { kit, mnemora } = self;
      const controller = new AbortController();
      const reason = new Error("enough");
      let steps = 0;
      let error: unknown;
      await mnemora.copy("idb://signal", to, {
        pageBytes: 4_096, signal: controller.signal, onProgress: () => { if (++steps === 4) controller.abort(reason); },
      }).catch((caught: unknown) => { error = caught; });
      const early = await kit.attempt(() => mnemora.copy("idb://signal", to, { signal: AbortSignal.abort("at once") }));
      const open = mnemora.handles().length;
      const report = await mnemora.copy("idb://signal", to);
      return { same: error === reason, steps, early: early.ok ? "copied" : early.message, open, report };
    }, "opfs://signal");
    expect(seen).toMatchObject({ same: true, steps: 4, early: "at once", open: 0, report: { digest, resumed: true } });
  });
});
