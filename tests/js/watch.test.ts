/** Watching: every change, once, in commit order, without a gap. */
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { Change, Memory, Store } from "mnemora";
import { clockAt, expectRefusal, open, refusal, seeded, settle, until } from "./harness.js";

let memory: Memory;
let store: Store<number>;
beforeEach(async () => {
  memory = await open("memory:");
  store = memory.store("s");
});
afterEach(() => memory.close());

/** Takes `count` changes of an iteration. */
async function take<T>(changes: AsyncIterable<Change<T>>, count: number): Promise<Change<T>[]> {
  const taken: Change<T>[] = [];
  for await (const change of changes) {
    taken.push(change);
    if (taken.length === count) break;
  }
  return taken;
}

const brief = ({ kind, id, version }: Change<unknown>) => [kind, id, version];

describe("a handler", () => {
  test("hears of saves and deletes from now on", async () => {
    const clock = clockAt(5_000);
    await memory.close();
    memory = await open("memory:", { now: clock.now });
    store = memory.store("s");
    await store.save("before", 0);
    const changes: Change<number>[] = [];
    const stop = store.watch((change) => { changes.push(change); });
    const one = await store.save("a", 1);
    await until(() => changes.length === 1);
    clock.ms = 6_000;
    await store.delete("a");
    await until(() => changes.length === 2);
    expect(changes).toEqual([
      { kind: "save", id: "a", version: one.version, value: 1, time: new Date(5_000), cursor: one.version },
      { kind: "delete", id: "a", version: one.version + 1, time: new Date(6_000), cursor: one.version + 1 },
    ]);
    stop();
    await stop.done;
  });

  test("hears only of its own store and of the prefix it wants", async () => {
    const changes: Change<number>[] = [];
    const stop = store.watch({ prefix: "a:" }, (change) => { changes.push(change); });
    await memory.store("other").save("a:1", 1);
    await memory.agents.save("a:1", 1);
    await memory.collection("s", { dimensions: 1 }).add({ id: "a:1", vector: [1] });
    await store.save("b:1", 2);
    await store.save("a", 3);
    await store.save("a:2", 4);
    await until(() => changes.length > 0);
    await settle();
    expect(changes.map(({ id, value }) => [id, value])).toEqual([["a:2", 4]]);
    stop();
  });

  test("hears of what transactions and saveMany write, all with one version", async () => {
    const changes: Change<number>[] = [];
    const stop = store.watch((change) => { changes.push(change); });
    const { version } = await store.saveMany([{ id: "b", value: 2 }, { id: "a", value: 1 }]);
    await memory.transaction((tx) => {
      tx.save(store, "c", 3);
      tx.delete(store, "a");
    });
    await until(() => changes.length === 4);
    expect(changes.map(brief)).toEqual([
      ["save", "a", version], ["save", "b", version], ["delete", "a", version + 1], ["save", "c", version + 1],
    ]);
    stop();
  });

  test("gets the value only while it is the current one", async () => {
    await Promise.all([store.save("a", 1), store.save("a", 2), store.save("b", 3), store.delete("b")]);
    const changes = await take(store.watch({ from: 0 }), 3);
    expect(changes.map(({ id, kind, value }) => [id, kind, value])).toEqual([["a", "save", undefined], ["a", "save", 2], ["b", "save", 3]]);
    expect("value" in changes[0]!).toBe(false);
    await store.delete("b");
    const [, , saved, deleted] = await take(store.watch({ from: 0 }), 4);
    expect("value" in saved!).toBe(false);
    expect(deleted).toMatchObject({ kind: "delete", id: "b" });
  });

  test("gets values of its own", async () => {
    const lists = memory.store<number[]>("lists");
    const seen: number[][] = [];
    const stops = [1, 2].map(() => lists.watch(({ value }) => {
      value!.push(9);
      seen.push(value!);
    }));
    await lists.save("a", [1]);
    await until(() => seen.length === 2);
    expect(seen).toEqual([[1, 9], [1, 9]]);
    expect(await lists.get("a")).toEqual([1]);
    for (const stop of stops) stop();
  });

  test("that throws does not end the watch, and its error is not lost", async () => {
    const reported: unknown[] = [];
    const report = (error: unknown): void => { reported.push(error); };
    vi.stubGlobal("reportError", report);
    try {
      const seen: string[] = [];
      const failure = new Error("of the handler");
      const stop = store.watch(({ id }) => {
        seen.push(id);
        if (id === "a") throw failure;
      });
      await store.save("a", 1);
      await store.save("b", 2);
      await until(() => seen.length === 2);
      expect(seen).toEqual(["a", "b"]);
      expect(reported).toEqual([failure]);
      stop();
      await stop.done;
    } finally {
      vi.unstubAllGlobals();
    }
  });

  test("that throws where the host has no reportError ends in an uncaught error, as in any event", async () => {
    expect(typeof globalThis.reportError).toBe("undefined");
    const others = process.listeners("uncaughtException");
    process.removeAllListeners("uncaughtException");
    const caught: unknown[] = [];
    process.on("uncaughtException", (error) => { caught.push(error); });
    try {
      const seen: string[] = [];
      const failure = new Error("of the handler");
      const stop = store.watch(({ id }) => {
        seen.push(id);
        if (id === "a") throw failure;
      });
      await store.save("a", 1);
      await store.save("b", 2);
      await until(() => seen.length === 2 && caught.length === 1);
      expect(caught).toEqual([failure]);
      stop();
    } finally {
      process.removeAllListeners("uncaughtException");
      for (const other of others) process.on("uncaughtException", other);
    }
  });

  test("may write, stop its own watch and start another", async () => {
    const seen: number[] = [];
    const stop = store.watch(({ value }) => {
      seen.push(value!);
      if (value! < 3) void store.save("n", value! + 1);
      else stop();
    });
    await store.save("n", 1);
    await stop.done;
    await store.save("n", 99);
    await settle();
    expect(seen).toEqual([1, 2, 3]);
  });
});

describe("an iteration", () => {
  test("gives what comes after it was made, also before its first step", async () => {
    await store.save("before", 0);
    const watch = store.watch();
    await store.save("a", 1);
    const taken = take(watch, 2);
    await store.save("b", 2);
    expect((await taken).map(({ id }) => id)).toEqual(["a", "b"]);
  });

  test("can be made twice of one watch", async () => {
    const watch = store.watch();
    await store.save("a", 1);
    await store.save("b", 2);
    expect((await take(watch, 2)).map(({ id }) => id)).toEqual(["a", "b"]);
    expect((await take(watch, 1)).map(({ id }) => id)).toEqual(["a"]);
  });

  test("goes on from the cursor of any change", async () => {
    for (let n = 0; n < 20; n++) await store.save(`k${n % 7}`, n);
    const everything = await take(store.watch({ from: 0 }), 20);
    expect(everything.map(({ version }) => version)).toEqual(Array.from({ length: 20 }, (_, n) => n + 1));
    for (const at of [0, 6, 18]) {
      const { cursor } = everything[at]!;
      const rest = await take(store.watch({ from: cursor }), 19 - at);
      expect(rest).toEqual(everything.slice(at + 1));
    }
  });

  test("ends when it is stopped, while it waits", async () => {
    const watch = store.watch();
    const taken = take(watch, 9);
    await store.save("a", 1);
    await settle();
    watch();
    expect((await taken).map(({ id }) => id)).toEqual(["a"]);
    await store.save("b", 1);
    expect(await take(watch, 1)).toEqual([]);
  });

  test("ends when the memory is closed, while it waits", async () => {
    const watches = [store.watch(), memory.agents.watch(), memory.collection("c", { dimensions: 1 }).watch()];
    const taken = watches.map((watch) => take<unknown>(watch, 9));
    await store.save("a", 1);
    await settle();
    await memory.close();
    expect((await Promise.all(taken)).map((changes) => changes.length)).toEqual([1, 0, 0]);
    for (const watch of watches) await watch.done;
  });

  test("that is left by break does not keep the memory from closing", async () => {
    await store.save("a", 1);
    expect(await take(store.watch({ from: 0 }), 1)).toHaveLength(1);
    await memory.close();
  });
});

describe("order", () => {
  test("has no gap under a thousand interleaved writes", async () => {
    const random = seeded(20_261_120);
    const seen: Change<number>[] = [];
    const stop = store.watch((change) => { seen.push(change); });
    const some: Change<number>[] = [];
    const stopSome = store.watch({ prefix: "k1" }, (change) => { some.push(change); });
    const iterated = take(store.watch(), 1_000);
    const done: { id: string; version: number }[] = [];
    const writer = async (): Promise<void> => {
      for (let n = 0; n < 100; n++) {
        const id = `k${random.below(40)}`;
        const kind = random.below(3);
        const version = kind === 0
          ? await memory.transaction((tx) => tx.save(store, id, n)).then(() => undefined)
          : (await store.save(id, n)).version;
        if (version !== undefined) done.push({ id, version });
        if (random.below(20) === 0) await settle();
      }
    };
    await Promise.all(Array.from({ length: 10 }, writer));
    await until(() => seen.length >= 1_000);
    await settle();
    expect(seen.map(({ version }) => version)).toEqual(Array.from({ length: 1_000 }, (_, n) => n + 1));
    const byVersion = new Map(seen.map(({ version, id }) => [version, id]));
    for (const { id, version } of done) expect(byVersion.get(version)).toBe(id);
    expect(some.map(({ version }) => version)).toEqual(seen.filter(({ id }) => id.startsWith("k1")).map(({ version }) => version));
    expect((await iterated).map(({ version, id }) => [version, id])).toEqual(seen.map(({ version, id }) => [version, id]));
    // The newest change of each record came with its value.
    for (const { id, version, value } of await Promise.all([...new Set(seen.map(({ id }) => id))].map(async (id) => (await store.entry(id))!))) {
      expect(seen.find((change) => change.version === version)).toMatchObject({ id, value });
    }
    stop();
    stopSome();
  });

  test("a watcher that is told late still hears of everything", async () => {
    const watch = store.watch();
    const changes = watch[Symbol.asyncIterator]();
    for (let n = 0; n < 700; n++) await store.save("a", n);
    const values: unknown[] = [];
    for (let n = 0; n < 700; n++) {
      const { value } = await changes.next() as IteratorYieldResult<Change<number>>;
      values.push(value.version);
    }
    expect(values).toEqual(Array.from({ length: 700 }, (_, n) => n + 1));
    watch();
  });
});

describe("the end", () => {
  test("stop holds at once, also for what was read already", async () => {
    const seen: string[] = [];
    const stop = store.watch(({ id }) => {
      seen.push(id);
      stop();
    });
    await store.saveMany([{ id: "a", value: 1 }, { id: "b", value: 2 }]);
    await stop.done;
    await settle();
    expect(seen).toEqual(["a"]);
  });

  test("a watch is a disposable, and stopping twice is stopping", async () => {
    const watch = store.watch(() => undefined);
    watch[Symbol.dispose]();
    watch();
    await watch.done;
  });

  test.each([["a handler", true], ["an iteration", false]])("done settles with the watch and not before: %s", async (_, withHandler) => {
    const watch = withHandler ? store.watch(() => undefined) : store.watch();
    let over = false;
    void watch.done.then(() => { over = true; });
    await store.save("a", 1);
    await settle();
    expect(over).toBe(false);
    watch();
    await watch.done;
    await settle();
    expect(over).toBe(true);
  });

  test("a signal ends it like stop", async () => {
    const controller = new AbortController();
    const seen: string[] = [];
    const watch = store.watch({ signal: controller.signal }, ({ id }) => { seen.push(id); });
    const taken = take(store.watch({ signal: controller.signal }), 9);
    await store.save("a", 1);
    await until(() => seen.length === 1);
    await settle();
    controller.abort(new Error("enough"));
    await watch.done.catch((reason: unknown) => { expect(reason).toBe(controller.signal.reason); });
    const iterated = await taken.catch((reason: unknown) => reason);
    if (Array.isArray(iterated)) expect(iterated).toHaveLength(1);
    else expect(iterated).toBe(controller.signal.reason);
    await store.save("b", 2);
    await settle();
    expect(seen).toEqual(["a"]);
  });

  test("a signal that is aborted already lets none begin", async () => {
    const reason = new Error("too late");
    expect(await refusal(() => store.watch({ signal: AbortSignal.abort(reason) }))).toBe(reason);
  });
});

describe("bad input", () => {
  test("a cursor that the log has not reached is refused, as an iteration and by done", async () => {
    await store.save("a", 1);
    await expectRefusal(() => store.watch({ from: 2 }), "ERR_INVALID", /has not reached 2/);
    await expectRefusal(() => store.watch({ from: 99 }, () => undefined).done, "ERR_INVALID", /has not reached 99/);
    expect(await take(store.watch({ from: 0 }), 1)).toHaveLength(1);
  });

  test.each([
    [{ from: -1 }, /from/], [{ from: 1.5 }, /from/], [{ from: "1" }, /from/], [{ prefix: 1 }, /prefix/],
    [{ prefix: "\ud800" }, /prefix/], [{ form: 1 }, /form is unknown/], [null, /is null/], ["a", /is "a"/], [7, /is 7/],
  ])("the options %j are refused", async (options, words) => {
    await expectRefusal(() => { store.watch(options as never, () => undefined); }, "ERR_INVALID", words);
  });

  test("a handler must be a function", async () => {
    await expectRefusal(() => { store.watch({}, "log" as never); }, "ERR_INVALID", /handler/);
  });
});
