/** The main promise: what an agent saves comes back equal, also after a reload and in another run of the browser. */
import { describe, expect, test } from "vitest";
import type { Page } from "playwright-core";
import { type Browser, engine, ready, withBrowser } from "./harness.js";

let browser: Browser;
withBrowser("round-trip", (started) => { browser = started; });

/** Saves the state of an agent and 100 states at a time; gives what came back that should not have. */
async function saveAndReadBack(tab: Page, url: string, durability: "relaxed" | "strict" = "relaxed") {
  return tab.evaluate(async ([url, durability]) => {
    const memory = await window.mnemora.open(url, { durability });
    const state = {
      status: "active", currentTask: "research", progress: 0.75, attempts: 3, lastUpdated: new Date(),
      context: { topic: "podcast", sources: ["a", "b"], score: -0, parent: null },
    };
    const written = await memory.agents.save("agent-123", state);
    const found = await memory.agents.get("agent-123");
    const numbers = Array.from({ length: 100 }, (_, i) => i);
    const store = memory.store<{ value: number }>("concurrent");
    const results = await Promise.all(numbers.map((i) => store.save(`key-${i}`, { value: i })));
    const values = await Promise.all(numbers.map((i) => store.get(`key-${i}`)));
    const outcome = {
      differences: window.kit.differences(found, state),
      isDate: found.lastUpdated instanceof Date,
      isCopy: found !== state && found.context !== state.context,
      saved: state.lastUpdated.getTime(),
      version: written.version, durability: written.durability,
      wrong: values.flatMap((value, i) => window.kit.differences(value, { value: i }, `key-${i}`)),
      versions: new Set(results.map((result) => result.version)).size,
      count: await store.count(),
      info: memory.info,
    };
    await memory.close();
    return outcome;
  }, [url, durability] as const);
}

/** Reads what {@link saveAndReadBack} has saved. */
async function readAgain(tab: Page, url: string) {
  return tab.evaluate(async (url) => {
    const memory = await window.mnemora.open(url);
    const found = await memory.agents.get("agent-123");
    const store = memory.store<{ value: number }>("concurrent");
    const ids = Array.from({ length: 100 }, (_, i) => `key-${i}`);
    const values = await store.getMany(ids);
    const verified = await memory.verify();
    const listed = await window.kit.all(store.list());
    await memory.close();
    return {
      isDate: found?.lastUpdated instanceof Date,
      saved: Number(found?.lastUpdated),
      differences: window.kit.differences({ ...found, lastUpdated: null }, {
        status: "active", currentTask: "research", progress: 0.75, attempts: 3, lastUpdated: null,
        context: { topic: "podcast", sources: ["a", "b"], score: -0, parent: null },
      }),
      wrong: values.flatMap((value, i) => window.kit.differences(value, { value: i }, `key-${i}`)),
      listed: listed.map(({ id }) => id),
      verified,
    };
  }, url);
}

const asSaved = (saved: number) => ({
  isDate: true, saved, differences: [], wrong: [],
  listed: Array.from({ length: 100 }, (_, i) => `key-${i}`).sort(),
  verified: { ok: true, checked: expect.any(Number) as number, problems: [] },
});

describe(`on ${engine}`, () => {
  test("memory: an agent's state comes back equal, dates as dates, 100 concurrent saves all right", async () => {
    const tab = await browser.tab();
    const before = Date.now();
    const seen = await saveAndReadBack(tab, "memory:");
    expect(seen).toMatchObject({
      differences: [], isDate: true, isCopy: true, wrong: [], versions: 100, count: 100, version: 1, durability: "volatile",
      info: { url: "memory:", backend: "memory", durability: "volatile", shared: false },
    });
    expect(seen.saved).toBeGreaterThanOrEqual(before);
  });

  test.each(["relaxed", "strict"] as const)("idb: the same, %s, and again after a reload and in the next run of the browser", async (durability) => {
    const url = `idb://round-trip-${durability}`;
    let tab = await browser.tab();
    const seen = await saveAndReadBack(tab, url, durability);
    expect(seen).toMatchObject({
      differences: [], isDate: true, isCopy: true, wrong: [], versions: 100, count: 100, durability,
      info: { url, backend: "indexeddb", durability, shared: true },
    });
    expect(await readAgain(tab, url)).toEqual(asSaved(seen.saved));
    await tab.reload();
    await ready(tab);
    expect(await readAgain(tab, url)).toEqual(asSaved(seen.saved));
    await browser.restart();
    tab = await browser.tab();
    expect(await readAgain(tab, url)).toEqual(asSaved(seen.saved));
  });

  test("every kind of value comes back as what it was, after a reload as well", async () => {
    const tab = await browser.tab();
    // The same function makes the values before and after: they are too rich to be sent.
    const check = (mode: "save" | "read") => tab.evaluate(async (mode) => {
      const values: Record<string, unknown> = {
        null: null, true: true, zero: 0, negativeZero: -0, nan: NaN, infinity: -Infinity, large: 2 ** 53 + 2, tiny: 5e-324,
        bigint: -(2n ** 200n), text: "naïve \u{1F600} \0 end", halfPair: "a\ud800b", empty: "",
        date: new Date(-1), noDate: new Date(NaN), bytes: new Uint8Array([0, 255]), floats: new Float64Array([NaN, -0]),
        buffer: new Uint8Array([1, 2, 3]).buffer, view: new DataView(new Uint8Array([9, 8, 7, 6]).buffer, 1, 2),
        array: [1, [2, [3, []]], undefined, null], map: new Map<unknown, unknown>([["a", new Date(5)], [1, new Map([[null, new Set([1n])]])]]),
        set: new Set(["x", 2, new Date(7)]), object: { a: { b: { c: [{ d: new Date(0) }] } }, "": 1, "a.b": 2 },
        // A field of this name, not a prototype.
        prototype: JSON.parse('{"__proto__": {"polluted": true}, "constructor": 1, "toString": 2}') as object,
        deep: Array.from({ length: 250 }).reduce<unknown>((inner) => ({ inner }), "bottom"),
      };
      const memory = await window.mnemora.open("idb://every-kind");
      const store = memory.store("values");
      if (mode === "save") await store.saveMany(Object.entries(values).map(([id, value]) => ({ id, value })));
      const found = await Promise.all(Object.keys(values).map((id) => store.get(id)));
      await memory.close();
      return {
        differences: Object.entries(values).flatMap(([id, value], at) => window.kit.differences(found[at], value, id)),
        polluted: "polluted" in {},
      };
    }, mode);
    expect(await check("save")).toEqual({ differences: [], polluted: false });
    await tab.reload();
    await ready(tab);
    expect(await check("read")).toEqual({ differences: [], polluted: false });
  });
});
