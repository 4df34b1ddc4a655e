/** The generic store: saving, reading, deleting, expected versions, times. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Memory, Store } from "mnemora";
import { all, clockAt, expectRefusal, ids, type ManualClock, open } from "./harness.js";

let memory: Memory;
let clock: ManualClock;
let store: Store<any>;  
beforeEach(async () => {
  clock = clockAt(1_000);
  memory = await open("memory:", { now: clock.now });
  store = memory.store("s");
});
afterEach(() => memory.close());

const fill = (names: readonly string[]) => store.saveMany(names.map((id) => ({ id, value: `value of ${id}` })));

describe("saving and reading", () => {
  test("a value replaces the one before", async () => {
    const first = await store.save("a", { n: 1 });
    const second = await store.save("a", "two");
    expect(second.version).toBeGreaterThan(first.version);
    expect(await store.get("a")).toBe("two");
    expect(await store.count()).toBe(1);
  });

  test("null is a value that is there, and get can not tell it from none, but entry can", async () => {
    await store.save("a", null);
    expect(await store.get("a")).toBeNull();
    expect(await store.entry("a")).toMatchObject({ id: "a", value: null });
    expect(await store.entry("b")).toBeNull();
    expect(await store.delete("a")).toBe(true);
  });

  test("two handles of one name are one store, and other names are others", async () => {
    await store.save("a", 1);
    expect(await memory.store("s").get("a")).toBe(1);
    expect(await memory.store("s2").get("a")).toBeNull();
    expect(await memory.store("S").get("a")).toBeNull();
    expect(store.name).toBe("s");
  });

  test("getMany keeps the order of the ids", async () => {
    await fill(["a", "b", "c"]);
    expect(await store.getMany(["c", "x", "a", "c"])).toEqual(["value of c", null, "value of a", "value of c"]);
    expect(await store.getMany([])).toEqual([]);
  });

  test("delete says whether there was one", async () => {
    await store.save("a", 1);
    expect(await store.delete("a")).toBe(true);
    expect(await store.delete("a")).toBe(false);
    expect(await store.get("a")).toBeNull();
    expect(await store.count()).toBe(0);
  });

  test("names of the object prototype are ids like others", async () => {
    const strange = ["__proto__", "constructor", "toString", "hasOwnProperty"];
    await fill(strange);
    expect(await store.getMany(strange)).toEqual(strange.map((id) => `value of ${id}`));
    await store.save("__proto__", { ["__proto__"]: { polluted: true } });
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
    expect(Object.hasOwn(await store.get("__proto__"), "__proto__")).toBe(true);
  });

  test("the longest id and the longest name", async () => {
    const longest = "ä".repeat(512);
    await memory.store(longest).save(longest, 1);
    expect(await memory.store(longest).get(longest)).toBe(1);
    expect(await ids(memory.store(longest).list())).toEqual([longest]);
  });

  test("ids that differ only in their form are different", async () => {
    const composed = "\u00e9";
    const decomposed = "e\u0301";
    await fill([composed, decomposed]);
    expect(await store.count()).toBe(2);
  });
});

describe("saveMany", () => {
  test("gives all of them one version", async () => {
    const { version, durability } = await fill(["a", "b"]);
    expect(durability).toBe(memory.info.durability);
    expect((await store.entry("a"))?.version).toBe(version);
    expect((await store.entry("b"))?.version).toBe(version);
  });

  test("of nothing writes nothing", async () => {
    await store.save("a", 1);
    await store.saveMany([]);
    expect(await store.count()).toBe(1);
  });

  test("refuses an id that comes twice", async () => {
    const error = await expectRefusal(() => store.saveMany([{ id: "a", value: 1 }, { id: "b", value: 2 }, { id: "a", value: 3 }]), "ERR_INVALID", /twice/);
    expect(error.key).toBe("s/a");
    expect(await store.count()).toBe(0);
  });

  test("writes nothing if one of them is refused, and names it", async () => {
    await store.save("old", 1);
    const bad: [unknown[], RegExp][] = [
      [[{ id: "new", value: 1 }, { id: "old", value: () => 1 }], /items\[1\]\.value/],
      [[{ id: "new", value: 1 }, { id: "", value: 1 }], /empty/],
      [[{ id: "new", value: 1 }, { id: 7, value: 1 }], /items\[1\]\.id/],
      [[{ id: "new", value: 1 }, { value: 1 }], /items\[1\]\.id/],
      [[{ id: "new", value: 1 }, null], /items\[1\]/],
      [[{ id: "new", value: 1 }, "old"], /items\[1\]/],
      [[{ id: "new", value: 1 }, { id: "x", value: 1, ttlMs: 0 }], /ttlMs/],
      [[{ id: "new", value: 1 }, { id: "x", value: 1, expectedVersion: -1 }], /expectedVersion/],
    ];
    for (const [items, words] of bad) {
      await expectRefusal(() => store.saveMany(items as []), "ERR_INVALID", words);
      expect(await ids(store.list())).toEqual(["old"]);
    }
  });

  test("writes nothing if one version is not the expected one", async () => {
    const { version } = await store.save("a", 1);
    const error = await expectRefusal(
      () => store.saveMany([{ id: "b", value: 2 }, { id: "a", value: 2, expectedVersion: version + 1 }]), "ERR_CONFLICT", /version/,
    );
    expect(error.key).toBe("s/a");
    expect(error.retryable).toBe(true);
    expect(await ids(store.list())).toEqual(["a"]);
    await store.saveMany([{ id: "b", value: 2, expectedVersion: 0 }, { id: "a", value: 2, expectedVersion: version }]);
    expect(await store.getMany(["a", "b"])).toEqual([2, 2]);
  });
});

describe("expectedVersion", () => {
  test("0 saves only what is not there", async () => {
    await store.save("a", 1, { expectedVersion: 0 });
    await expectRefusal(() => store.save("a", 2, { expectedVersion: 0 }), "ERR_CONFLICT", /not to be there/);
    expect(await store.get("a")).toBe(1);
  });

  test("is that of the latest save", async () => {
    const one = await store.save("a", 1);
    const two = await store.save("a", 2, { expectedVersion: one.version });
    const error = await expectRefusal(() => store.save("a", 3, { expectedVersion: one.version }), "ERR_CONFLICT");
    expect(error.message).toContain(String(two.version));
    expect(error.message).toContain(String(one.version));
    expect(error.key).toBe("s/a");
    await expectRefusal(() => store.save("none", 1, { expectedVersion: 5 }), "ERR_CONFLICT", /not there/);
    expect(await store.entry("a")).toMatchObject({ value: 2, version: two.version });
  });

  test("binds a delete as well", async () => {
    const { version } = await store.save("a", 1);
    await expectRefusal(() => store.delete("a", { expectedVersion: version + 7 }), "ERR_CONFLICT");
    await expectRefusal(() => store.delete("a", { expectedVersion: 0 }), "ERR_CONFLICT");
    expect(await store.delete("a", { expectedVersion: version })).toBe(true);
    expect(await store.delete("a", { expectedVersion: 0 })).toBe(false);
    await expectRefusal(() => store.delete("a", { expectedVersion: version }), "ERR_CONFLICT");
  });

  test("of fifty writers lets one through", async () => {
    const { version } = await store.save("a", -1);
    const outcomes = await Promise.allSettled(
      Array.from({ length: 50 }, (_, i) => store.save("a", i, { expectedVersion: version })),
    );
    const winners = outcomes.flatMap((outcome, i) => outcome.status === "fulfilled" ? [i] : []);
    expect(winners).toHaveLength(1);
    expect(await store.get("a")).toBe(winners[0]);
  });

  test("the key of a conflict names the store as its user knows it", async () => {
    const error = await expectRefusal(() => memory.agents.save("a", 1, { expectedVersion: 9 }), "ERR_CONFLICT");
    expect(error.key).toBe("agents/a");
  });
});

describe("times", () => {
  test("created is that of the first save, updated that of the last", async () => {
    await store.save("a", 1);
    clock.ms = 2_000;
    await store.save("a", 2);
    const entry = await store.entry("a");
    expect(entry).toMatchObject({ created: new Date(1_000), updated: new Date(2_000), expires: null });
    clock.ms = 3_000;
    await store.delete("a");
    await store.save("a", 3);
    expect(await store.entry("a")).toMatchObject({ created: new Date(3_000), updated: new Date(3_000) });
  });

  test("list, pages and entry tell the same", async () => {
    await store.save("a", 1, { ttlMs: 500 });
    const entry = await store.entry("a");
    expect(entry).toEqual({ id: "a", value: 1, version: 1, created: new Date(1_000), updated: new Date(1_000), expires: new Date(1_500) });
    expect(await all(store.list())).toEqual([entry]);
    expect([...(await all(store.pages()))[0]!]).toEqual([entry]);
  });

  test("the host's clock is used if none is given", async () => {
    const plain = await open("memory:");
    const before = Date.now();
    await plain.agents.save("a", 1);
    const { created } = (await plain.agents.entry("a"))!;
    expect(created.getTime()).toBeGreaterThanOrEqual(before);
    expect(created.getTime()).toBeLessThanOrEqual(Date.now());
    await plain.close();
  });

  test("a clock that gives no time is refused, and nothing is written", async () => {
    for (const bad of [NaN, -1, Infinity, "now" as unknown as number]) {
      clock.ms = bad;
      await expectRefusal(() => store.save("a", 1), "ERR_INVALID", /now\(\)/);
    }
    clock.ms = 1_000;
    expect(await store.count()).toBe(0);
  });
});
