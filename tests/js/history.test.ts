/** The past of records: what is kept, for how long, in which order. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Memory, Store } from "mnemora";
import { all, clockAt, expectRefusal, type ManualClock, open } from "./harness.js";

let memory: Memory;
let clock: ManualClock;
beforeEach(async () => {
  clock = clockAt(1_000);
  memory = await open("memory:", { now: clock.now });
});
afterEach(() => memory.close());

describe("history", () => {
  const versions = async (id: string, options?: { limit?: number }) => (await kept.history(id, options)).map(({ value }) => value);
  let kept: Store<number>;
  beforeEach(() => { kept = memory.store("kept", { history: 3 }); });

  test("holds what was there before, newest first, and no more than it should", async () => {
    expect(await versions("a")).toEqual([]);
    const written = [];
    for (let n = 1; n <= 6; n++) {
      clock.ms = n * 1_000;
      written.push(await kept.save("a", n));
    }
    expect(await versions("a")).toEqual([5, 4, 3]);
    expect(await versions("a", { limit: 2 })).toEqual([5, 4]);
    expect(await versions("a", { limit: 0 })).toEqual([]);
    const [newest] = await kept.history("a");
    expect(newest).toEqual({ id: "a", value: 5, version: written[4]!.version, created: new Date(1_000), updated: new Date(5_000), expires: null });
    expect(await kept.get("a")).toBe(6);
  });

  test("does not count as records", async () => {
    for (let n = 1; n <= 4; n++) await kept.save("a", n);
    expect(await kept.count()).toBe(1);
    expect(await all(kept.list())).toHaveLength(1);
  });

  test("is kept apart by id", async () => {
    for (const id of ["a", "ab", "a"]) await kept.save(id, id.length);
    await kept.save("ab", 9);
    expect(await versions("a")).toEqual([1]);
    expect(await versions("ab")).toEqual([2]);
  });

  test("outlives a delete, which adds to it", async () => {
    await kept.save("a", 1);
    await kept.save("a", 2);
    await kept.delete("a");
    expect(await kept.get("a")).toBeNull();
    expect(await versions("a")).toEqual([2, 1]);
    await kept.save("a", 3);
    expect(await versions("a")).toEqual([2, 1]);
    await kept.save("a", 4);
    expect(await versions("a")).toEqual([3, 2, 1]);
  });

  test("shrinks when fewer are kept", async () => {
    const long = memory.store<number>("kept", { history: 10 });
    for (let n = 1; n <= 11; n++) await long.save("a", n);
    expect(await versions("a")).toHaveLength(10);
    const short = memory.store<number>("kept", { history: 2 });
    await short.save("a", 12);
    expect(await versions("a")).toEqual([11, 10]);
  });

  test("is written by saveMany and transactions as well", async () => {
    await kept.saveMany([{ id: "a", value: 1 }, { id: "b", value: 1 }]);
    await kept.saveMany([{ id: "a", value: 2 }, { id: "b", value: 2 }]);
    await memory.transaction((tx) => {
      tx.save(kept, "a", 3);
      tx.delete(kept, "b");
    });
    expect(await versions("a")).toEqual([2, 1]);
    expect(await versions("b")).toEqual([2, 1]);
  });

  test("has a hundred and fifty writers of one record wait for one another, and refuses none", async () => {
    const numbers = Array.from({ length: 150 }, (_, i) => i);
    const written = await Promise.all(numbers.map(async (n) => ({ n, ...await kept.save("hot", n) })));
    written.sort((a, b) => b.version - a.version);
    expect(await kept.get("hot")).toBe(written[0]!.n);
    expect(await versions("hot")).toEqual(written.slice(1, 4).map(({ n }) => n));
  });

  test.each([-1, 1.5, 10_001, "3", Infinity])("refuses to keep %s", async (history) => {
    await expectRefusal(() => memory.store("x", { history: history as number }), "ERR_INVALID", /options\.history/);
  });
});
