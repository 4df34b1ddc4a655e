/** Transactions: all or nothing, as if each ran alone. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { isMemoryError, type Memory, type Store, type Transaction } from "mnemora";
import { all, clockAt, expectRefusal, ids, open, refusal, settle } from "./harness.js";

let memory: Memory;
let store: Store<number>;
beforeEach(async () => {
  memory = await open("memory:");
  store = memory.store("s");
});
afterEach(() => memory.close());

const listed = async (tx: Transaction, options?: { prefix?: string; limit?: number; reverse?: boolean }) =>
  (await all(tx.list(store, options))).map(({ id, value }) => `${id}=${value}`);

describe("inside", () => {
  test("its own writes are seen, and only inside", async () => {
    await store.saveMany([{ id: "a", value: 1 }, { id: "b", value: 2 }]);
    await memory.transaction(async (tx) => {
      tx.save(store, "a", 10);
      tx.delete(store, "b");
      tx.save(store, "c", 3);
      expect(await tx.get(store, "a")).toBe(10);
      expect(await tx.get(store, "b")).toBeNull();
      expect(await tx.get(store, "c")).toBe(3);
      expect(await listed(tx)).toEqual(["a=10", "c=3"]);
      tx.delete(store, "c");
      tx.save(store, "b", 20);
      expect(await listed(tx)).toEqual(["a=10", "b=20"]);
      expect(await store.getMany(["a", "b", "c"])).toEqual([1, 2, null]);
    });
    expect(await store.getMany(["a", "b", "c"])).toEqual([10, 20, null]);
  });

  test("list takes a prefix, a limit and a direction", async () => {
    await store.saveMany(["a1", "a2", "b1", "\u{1f600}", "\uffee"].map((id, value) => ({ id, value })));
    await memory.transaction(async (tx) => {
      tx.save(store, "a3", 9);
      tx.save(store, "c", 9);
      expect(await listed(tx, { prefix: "a" })).toEqual(["a1=0", "a2=1", "a3=9"]);
      expect(await listed(tx, { prefix: "a", limit: 2 })).toEqual(["a1=0", "a2=1"]);
      expect(await listed(tx, { prefix: "a", limit: 1, reverse: true })).toEqual(["a3=9"]);
      expect(await listed(tx, { limit: 0 })).toEqual([]);
      expect(await ids(tx.list(store))).toEqual(["a1", "a2", "a3", "b1", "c", "\uffee", "\u{1f600}"]);
    });
  });

  test("list goes through more than a page", async () => {
    await store.saveMany(Array.from({ length: 2_345 }, (_, value) => ({ id: String(value).padStart(5, "0"), value })));
    const sum = await memory.transaction(async (tx) => (await all(tx.list(store))).reduce((total, { value }) => total + value, 0));
    expect(sum).toBe(2_345 * 2_344 / 2);
  });

  test("what is read is the reader's own", async () => {
    const lists = memory.store<number[]>("lists");
    await lists.save("a", [1]);
    await memory.transaction(async (tx) => {
      (await tx.get(lists, "a"))!.push(2);
      expect(await tx.get(lists, "a")).toEqual([1]);
      const mine = [5];
      tx.save(lists, "b", mine);
      mine.push(6);
      expect(await tx.get(lists, "b")).toEqual([5]);
    });
    expect(await lists.getMany(["a", "b"])).toEqual([[1], [5]]);
  });

  test("several stores and agents take part together", async () => {
    const { version } = await store.save("a", 1);
    await memory.transaction(async (tx) => {
      const value = await tx.get(store, "a");
      tx.save(memory.agents, "x", { value });
      tx.save(memory.store("other"), "y", value);
    });
    expect(await memory.agents.get("x")).toEqual({ value: 1 });
    const entries = await Promise.all([memory.agents.entry("x"), memory.store("other").entry("y")]);
    expect(entries.map((entry) => entry!.version)).toEqual([version + 1, version + 1]);
  });

  test("times to live are kept", async () => {
    const clock = clockAt(1_000);
    const timed = await open("memory:", { now: clock.now });
    const cache = timed.store("cache", { ttlMs: 100 });
    await timed.transaction((tx) => {
      tx.save(cache, "store", 1);
      tx.save(cache, "own", 1, { ttlMs: 50 });
      tx.save(cache, "never", 1, { ttlMs: null });
    });
    clock.ms += 50;
    expect(await ids(cache.list())).toEqual(["never", "store"]);
    clock.ms += 50;
    expect(await ids(cache.list())).toEqual(["never"]);
    await timed.close();
  });

  test("a record that expires meanwhile is read alike from beginning to end", async () => {
    const clock = clockAt(1_000);
    const timed = await open("memory:", { now: clock.now });
    const cache = timed.store("cache");
    await cache.save("a", 1, { ttlMs: 10 });
    let runs = 0;
    await timed.transaction(async (tx) => {
      runs++;
      const first = [await tx.get(cache, "a"), await ids(tx.list(cache))];
      clock.ms += 10;
      expect(await cache.get("a")).toBeNull();
      expect([await tx.get(cache, "a"), await ids(tx.list(cache))]).toEqual(first);
    });
    expect(runs).toBeLessThanOrEqual(2);
    await timed.close();
  });
});

describe("the outcome", () => {
  test("is what the function gives", async () => {
    expect(await memory.transaction(() => 7)).toBe(7);
    expect(await memory.transaction(async (tx) => [await tx.get(store, "a")])).toEqual([null]);
    expect(await memory.transaction(() => undefined)).toBeUndefined();
  });

  test("is nothing at all if the function throws", async () => {
    const failure = new Error("of the function");
    for (const fail of [() => { throw failure; }, () => Promise.reject(failure)]) {
      const outcome = memory.transaction((tx) => {
        tx.save(store, "a", 1);
        tx.delete(store, "b");
        return fail();
      });
      expect(await refusal(() => outcome)).toBe(failure);
    }
    expect(await store.count()).toBe(0);
  });

  test("is nothing at all if one write is refused", async () => {
    const bad: [(tx: Transaction) => unknown, RegExp][] = [
      [(tx) => tx.save(store, "", 1), /empty/],
      [(tx) => tx.save(store, "a\0b", 1), /NUL/],
      [(tx) => tx.save(store, "x".repeat(1_025), 1), /1024|1,024/],
      [(tx) => tx.save(store, 5 as never, 1), /id/],
      [(tx) => tx.save(store, "b", (() => 1) as never), /value is a function/],
      [(tx) => tx.delete(store, ""), /empty/],
      [(tx) => tx.get(store, ""), /empty/],
      [(tx) => all(tx.list(store, { limit: -1 })), /limit/],
      [(tx) => all(tx.list(store, { prefix: 1 as never })), /prefix/],
    ];
    for (const [step, words] of bad) {
      await expectRefusal(() => memory.transaction(async (tx) => {
        tx.save(store, "good", 1);
        await step(tx);
      }), "ERR_INVALID", words);
      expect(await store.count()).toBe(0);
    }
  });

  test("a write that is refused is not forgotten because the function goes on", async () => {
    await expectRefusal(() => memory.transaction((tx) => {
      tx.save(store, "good", 1);
      try {
        tx.save(store, "", 1);
      } catch {
        // Some names are only judged by the core, later; this one as well.
      }
      return "fine";
    }), "ERR_INVALID");
    expect(await store.count()).toBe(0);
  });
});

describe("conflicts", () => {
  test("300 concurrent increments are 300", async () => {
    await store.save("n", 0);
    await Promise.all(Array.from({ length: 300 }, () => memory.transaction(async (tx) => {
      tx.save(store, "n", (await tx.get(store, "n"))! + 1);
    })));
    expect(await store.get("n")).toBe(300);
  });

  test("a record that changed is read again, by the whole function", async () => {
    await store.save("a", 1);
    const seen: unknown[] = [];
    const result = await memory.transaction(async (tx) => {
      const value = (await tx.get(store, "a"))!;
      seen.push(value);
      if (seen.length === 1) await store.save("a", 10);
      tx.save(store, "b", value * 2);
      return value;
    });
    expect(seen).toEqual([1, 10]);
    expect(result).toBe(10);
    expect(await store.get("b")).toBe(20);
  });

  test("what failed in a run that read too old a record does not count", async () => {
    await store.save("a", 1);
    let runs = 0;
    const result = await memory.transaction(async (tx) => {
      runs++;
      const first = await tx.get(store, "a");
      if (runs === 1) await store.save("a", 2);
      const second = await tx.get(store, "a");
      if (first !== second) throw new Error("impossible");
      return second;
    });
    expect([runs, result]).toEqual([2, 2]);
  });

  test("a record that appears in a listed range is a conflict", async () => {
    await store.save("item-1", 1);
    let runs = 0;
    await memory.transaction(async (tx) => {
      runs++;
      const count = (await all(tx.list(store, { prefix: "item-" }))).length;
      if (runs === 1) await store.save("item-2", 1);
      if (runs === 2) await store.delete("item-1");
      if (runs === 3) await store.save("item-2", 5);
      if (runs === 4) await store.save("unrelated", 1);
      tx.save(store, "count", count);
    });
    expect(runs).toBe(4);
    expect(await store.get("count")).toBe(1);
  });

  test("of two that read what the other writes, one is run again", async () => {
    await store.saveMany([{ id: "alice", value: 1 }, { id: "bob", value: 1 }]);
    // Each goes off duty if the other is on: one of them must stay.
    const leave = (id: string): Promise<void> => memory.transaction(async (tx) => {
      const onDuty = (await tx.get(store, "alice"))! + (await tx.get(store, "bob"))!;
      await settle();
      if (onDuty > 1) tx.save(store, id, 0);
    });
    await Promise.all([leave("alice"), leave("bob")]);
    expect((await store.getMany(["alice", "bob"])).sort()).toEqual([0, 1]);
  });

  test("money that moves at random is neither made nor lost", async () => {
    await store.saveMany(Array.from({ length: 5 }, (_, i) => ({ id: `account-${i}`, value: 100 })));
    const totals: number[] = [];
    await Promise.all([
      ...Array.from({ length: 100 }, (_, n) => memory.transaction(async (tx) => {
        const [from, to] = [`account-${n % 5}`, `account-${(n * 3 + 1) % 5}`];
        if (from === to) return;
        const amount = 1 + n % 10;
        tx.save(store, from, (await tx.get(store, from))! - amount);
        tx.save(store, to, (await tx.get(store, to))! + amount);
      })),
      ...Array.from({ length: 20 }, () => memory.transaction(async (tx) => {
        return (await all(tx.list(store, { prefix: "account-" }))).reduce((sum, { value }) => sum + value, 0);
      }).then((total) => totals.push(total))),
    ]);
    expect(new Set(totals)).toEqual(new Set([500]));
    expect((await all(store.list())).reduce((sum, { value }) => sum + value, 0)).toBe(500);
  });

  test("a function does not fail on a state that never was", async () => {
    await store.saveMany([{ id: "x", value: 0 }, { id: "y", value: 0 }]);
    let skewed = 0;
    const move = (): Promise<void> => memory.transaction(async (tx) => {
      tx.save(store, "x", (await tx.get(store, "x"))! + 1);
      tx.save(store, "y", (await tx.get(store, "y"))! - 1);
    });
    const audit = (): Promise<string> => memory.transaction(async (tx) => {
      const x = (await tx.get(store, "x"))!;
      await settle();
      const y = (await tx.get(store, "y"))!;
      if (x + y === 0) return "adds up";
      skewed++;
      throw new Error(`${x} and ${y} do not add up`);
    });
    const audits = Promise.allSettled(Array.from({ length: 10 }, audit));
    for (let n = 0; n < 30; n++) {
      await move();
      await settle();
    }
    expect(await audits).toEqual(Array(10).fill({ status: "fulfilled", value: "adds up" }));
    // Else this test would have tested nothing.
    expect(skewed).toBeGreaterThan(0);
    // What a function throws on a state that was, is thrown.
    const failure = new Error("of the function");
    expect(await refusal(() => memory.transaction(async (tx) => {
      await tx.get(store, "x");
      throw failure;
    }))).toBe(failure);
  });

  test("end in ERR_CONFLICT after as many retries as were allowed", async () => {
    await store.save("a", 0);
    for (const retries of [0, 1, 3]) {
      let runs = 0;
      const error = await expectRefusal(() => memory.transaction(async (tx) => {
        runs++;
        const value = (await tx.get(store, "a"))!;
        await store.save("a", value + 1);
        tx.save(store, "b", value);
      }, { retries }), "ERR_CONFLICT");
      expect(error).toMatchObject({ retryable: true, key: "s/a" });
      expect(runs).toBe(retries + 1);
      expect(await store.get("b")).toBeNull();
    }
  });

  test("two that only write the same record do not conflict", async () => {
    let runs = 0;
    await Promise.all([1, 2, 3].map((value) => memory.transaction((tx) => {
      runs++;
      tx.save(store, "a", value);
    })));
    expect(runs).toBe(3);
    expect(await store.get("a")).toBe(3);
  });
});

describe("use", () => {
  test("after its end is refused", async () => {
    let kept!: Transaction;
    await memory.transaction((tx) => { kept = tx; });
    const late: (() => unknown)[] = [
      () => kept.get(store, "a"), () => kept.save(store, "a", 1), () => kept.delete(store, "a"), () => kept.list(store),
    ];
    for (const call of late) await expectRefusal(call, "ERR_CLOSED", /over/);
    await memory.transaction((tx) => { kept = tx; throw new Error("out"); }).catch(() => undefined);
    for (const call of late) await expectRefusal(call, "ERR_CLOSED", /over/);
    expect(await store.count()).toBe(0);
  });

  test("with a store of another memory, or none, is refused", async () => {
    const other = await open("memory:");
    const foreign = [other.store("s"), other.agents, {}, null, "s", memory.collection("c", { dimensions: 1 })] as Store<number>[];
    for (const strange of foreign) {
      await expectRefusal(() => memory.transaction((tx) => tx.get(strange, "a")), "ERR_INVALID", /not one of this memory/);
      await expectRefusal(() => memory.transaction((tx) => tx.save(strange, "a", 1)), "ERR_INVALID", /not one of this memory/);
      await expectRefusal(() => memory.transaction((tx) => tx.delete(strange, "a")), "ERR_INVALID", /not one of this memory/);
      await expectRefusal(() => memory.transaction((tx) => all(tx.list(strange))), "ERR_INVALID", /not one of this memory/);
    }
    expect(await store.count()).toBe(0);
    await other.close();
  });

  test("one inside another stands for itself", async () => {
    const failure = new Error("outer");
    const outcome = memory.transaction(async (outer) => {
      outer.save(store, "outer", 1);
      await memory.transaction((inner) => { inner.save(store, "inner", 2); });
      expect(await outer.get(store, "inner")).toBe(2);
      throw failure;
    });
    expect(await refusal(() => outcome)).toBe(failure);
    expect(await store.getMany(["outer", "inner"])).toEqual([null, 2]);
  });

  test("one inside another that starts over does not wait for it for ever", async () => {
    await store.save("n", 0);
    const runs = { outer: 0, inner: 0 };
    const increment = async (tx: Transaction): Promise<void> => {
      const n = await tx.get<number>(store, "n") ?? 0;
      await settle();
      tx.save(store, "n", n + 1);
    };
    await memory.transaction(async (outer) => {
      runs.outer++;
      if (runs.outer === 1) {
        await increment(outer);
        await store.save("n", 10);
        return;
      }
      // It has its turn now, and waits for one that has to start over as well.
      await memory.transaction(async (inner) => {
        runs.inner++;
        await increment(inner);
        if (runs.inner === 1) await store.save("n", 20);
      });
    });
    expect([runs, await store.get("n")]).toEqual([{ outer: 2, inner: 2 }, 21]);
  });

  test.each([
    [undefined, {}, /fn/], [null, {}, /fn/], ["fn", {}, /fn/],
    [() => 1, { retries: -1 }, /retries/], [() => 1, { retries: 1.5 }, /retries/], [() => 1, { retry: 1 }, /retry is unknown/],
    [() => 1, null, /options/],
  ])("with %s and %j is refused", async (fn, options, words) => {
    await expectRefusal(() => memory.transaction(fn as never, options as never), "ERR_INVALID", words);
  });

  test("under a signal ends with its reason and writes nothing", async () => {
    const controller = new AbortController();
    const reason = new Error("enough");
    const outcome = memory.transaction(async (tx) => {
      tx.save(store, "a", 1);
      await settle();
      controller.abort(reason);
    }, { signal: controller.signal });
    expect(await refusal(() => outcome)).toBe(reason);
    expect(await store.count()).toBe(0);
  });

  test("that outlives the memory is refused", async () => {
    const outcome = memory.transaction(async (tx) => {
      tx.save(store, "a", 1);
      await memory.close();
    });
    const error = await refusal(() => outcome);
    expect(isMemoryError(error, "ERR_CLOSED")).toBe(true);
  });
});
