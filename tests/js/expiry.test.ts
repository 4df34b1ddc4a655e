/** Times to live, by an injected clock: what has expired is not there, removed or not. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Change, Memory, Store } from "mnemora";
import { all, clockAt, expectRefusal, ids, type ManualClock, open, until } from "./harness.js";

let memory: Memory;
let clock: ManualClock;
let store: Store<any>;  
beforeEach(async () => {
  clock = clockAt(1_000_000);
  memory = await open("memory:", { now: clock.now });
  store = memory.store("s", { history: 3 });
});
afterEach(() => memory.close());

describe("an expired record", () => {
  beforeEach(async () => {
    await store.save("short", "old", { ttlMs: 100 });
    await store.save("short", "new", { ttlMs: 100 });
    await store.save("long", 1);
  });

  test("is there up to its last millisecond", async () => {
    clock.ms += 99;
    expect(await store.get("short")).toBe("new");
    expect((await store.entry("short"))?.expires).toEqual(new Date(1_000_100));
    clock.ms += 1;
    expect(await store.get("short")).toBeNull();
  });

  test("is nowhere", async () => {
    clock.ms += 100;
    expect(await store.get("short")).toBeNull();
    expect(await store.getMany(["short", "long"])).toEqual([null, 1]);
    expect(await store.entry("short")).toBeNull();
    expect(await ids(store.list())).toEqual(["long"]);
    expect((await all(store.pages())).flat().map(({ id }) => id)).toEqual(["long"]);
    expect(await store.count()).toBe(1);
    expect(await store.count({ prefix: "s" })).toBe(0);
    expect(await store.history("short")).toEqual([]);
    expect(await memory.transaction((tx) => tx.get(store, "short"))).toBeNull();
    expect(await memory.transaction(async (tx) => ids(tx.list(store) as AsyncIterable<{ id: string }>))).toEqual(["long"]);
  });

  test("does not stand in the way of a new one, which has no part in its past", async () => {
    clock.ms += 100;
    expect(await store.delete("long", {})).toBe(true);
    await store.save("short", "reborn", { expectedVersion: 0 });
    const entry = await store.entry("short");
    expect(entry).toMatchObject({ value: "reborn", created: new Date(1_000_100), expires: null });
    expect(await store.history("short")).toEqual([]);
  });

  test("can not be deleted, since it is not there", async () => {
    clock.ms += 100;
    await expectRefusal(() => store.delete("short", { expectedVersion: 2 }), "ERR_CONFLICT");
    expect(await store.delete("short")).toBe(false);
  });

  test("stays gone when the clock goes back", async () => {
    clock.ms += 100;
    expect(await store.get("short")).toBeNull();
    clock.ms -= 50_000;
    expect(await store.get("short")).toBeNull();
    expect(await store.count()).toBe(1);
    expect(await ids(store.list())).toEqual(["long"]);
  });

  test("is removed by maintain, and told as expired", async () => {
    const changes: Change<unknown>[] = [];
    const stop = store.watch((change) => { changes.push(change); });
    clock.ms += 99;
    expect(await memory.maintain()).toEqual({ expired: 0, more: false });
    clock.ms += 1;
    expect(await memory.maintain()).toEqual({ expired: 1, more: false });
    expect(await memory.maintain()).toEqual({ expired: 0, more: false });
    await until(() => changes.length > 0);
    expect(changes).toMatchObject([{ kind: "expire", id: "short", time: new Date(1_000_100) }]);
    expect(changes[0]).not.toHaveProperty("value");
    expect(await store.history("short")).toEqual([]);
    stop();
  });
});

describe("a time to live", () => {
  test("starts anew with each save, and a save without one ends it", async () => {
    await store.save("a", 1, { ttlMs: 100 });
    clock.ms += 60;
    await store.save("a", 2, { ttlMs: 100 });
    clock.ms += 60;
    expect(await store.get("a")).toBe(2);
    await store.save("a", 3);
    clock.ms += 1_000;
    expect(await store.get("a")).toBe(3);
    expect(await memory.maintain()).toEqual({ expired: 0, more: false });
    expect(await store.get("a")).toBe(3);
  });

  test("of a store holds for what is saved through its handle, unless a save says otherwise", async () => {
    const cache = memory.store("cache", { ttlMs: 100 });
    await cache.save("default", 1);
    await cache.save("longer", 1, { ttlMs: 200 });
    await cache.save("forever", 1, { ttlMs: null });
    await cache.saveMany([{ id: "many-default", value: 1 }, { id: "many-longer", value: 1, ttlMs: 200 }, { id: "many-forever", value: 1, ttlMs: null }]);
    await memory.transaction((tx) => {
      tx.save(cache, "tx-default", 1);
      tx.save(cache, "tx-longer", 1, { ttlMs: 200 });
      tx.save(cache, "tx-forever", 1, { ttlMs: null });
    });
    await memory.store("cache").save("other handle", 1);
    clock.ms += 100;
    expect(await ids(cache.list())).toEqual(["forever", "longer", "many-forever", "many-longer", "other handle", "tx-forever", "tx-longer"]);
    clock.ms += 100;
    expect(await ids(cache.list())).toEqual(["forever", "many-forever", "other handle", "tx-forever"]);
    expect(await memory.maintain({ budgetMs: 1_000 })).toEqual({ expired: 6, more: false });
    expect(await cache.count()).toBe(4);
  });

  test("counts from the latest time that was seen, so that a clock set back does not cost a save", async () => {
    await store.save("a", 1, { ttlMs: 10 });
    clock.ms += 60_000;
    expect(await store.get("a")).toBeNull();
    clock.ms -= 59_000;
    await store.save("b", 2, { ttlMs: 10_000 });
    expect(await store.get("b")).toBe(2);
  });

  test("has an end that is a date, however long it is", async () => {
    for (const ttlMs of [1, 1e12, 8.64e15]) {
      const outcome = await store.save("a", 1, { ttlMs }).then(() => "saved", (error: { code: string }) => error.code);
      if (outcome === "saved") {
        expect((await store.entry("a"))?.expires?.getTime()).toBe(1_000_000 + ttlMs);
      } else {
        expect({ ttlMs, outcome }).toEqual({ ttlMs: 8.64e15, outcome: "ERR_INVALID" });
      }
    }
  });

  test.each([0, -1, 1.5, NaN, Infinity, "100", {}])("of %s is refused", async (ttlMs) => {
    const bad = ttlMs as number;
    await expectRefusal(() => store.save("a", 1, { ttlMs: bad }), "ERR_INVALID", /ttlMs/);
    await expectRefusal(() => store.saveMany([{ id: "a", value: 1, ttlMs: bad }]), "ERR_INVALID", /ttlMs/);
    await expectRefusal(() => memory.transaction((tx) => tx.save(store, "a", 1, { ttlMs: bad })), "ERR_INVALID", /ttlMs/);
    await expectRefusal(() => memory.store("x", { ttlMs: bad }), "ERR_INVALID", /options\.ttlMs/);
    expect(await store.count()).toBe(0);
  });
});

describe("maintain", () => {
  test("removes a thousand in steps and says whether there is more", async () => {
    await store.saveMany(Array.from({ length: 1_000 }, (_, i) => ({ id: String(i), value: i, ttlMs: 1 + i % 7 })));
    clock.ms += 10;
    let expired = 0;
    for (let more = true; more;) {
      const done = await memory.maintain({ budgetMs: 0 });
      expired += done.expired;
      ({ more } = done);
    }
    expect(expired).toBe(1_000);
    expect(await memory.verify()).toMatchObject({ ok: true, problems: [] });
  });

  test.each([-1, 0.5, NaN, "8"])("refuses a budget of %s", async (budgetMs) => {
    await expectRefusal(() => memory.maintain({ budgetMs: budgetMs as number }), "ERR_INVALID", /budgetMs/);
  });

  test("trims the log, and a watcher that comes from before is told", async () => {
    const first = await store.save("a", 0);
    for (let turn = 0; turn < 11; turn++) {
      await Promise.all(Array.from({ length: 1_000 }, (_, i) => memory.store("other").save(String(i), turn)));
    }
    await memory.maintain({ budgetMs: 1_000 });
    const watch = store.watch({ from: first.version });
    await expectRefusal(() => watch, "ERR_NOT_FOUND", /no longer/);
    expect(await store.get("a")).toBe(0);
  });
});
