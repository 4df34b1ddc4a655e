/** Opening, closing, and having the database taken away: whatever happens, a call ends, and says how. */
import { describe, expect, test } from "vitest";
import type { Page } from "playwright-core";
import { type Browser, engine, seed, type Site, withBrowser } from "./harness.js";

let pages: Site;
let browser: Browser;
withBrowser("lifecycle", (started, site) => { [browser, pages] = [started, site]; });

/** A tab that has opened `url`, with a store and a collection in `held`. */
async function opened(url: string): Promise<Page> {
  const tab = await browser.tab();
  await tab.evaluate(async (url) => {
    const memory = await window.mnemora.open(url);
    Object.assign(window.held, { memory, store: memory.store("data"), collection: memory.collection("notes", { dimensions: 2 }) });
  }, url);
  return tab;
}

/** A connection of foreign code, which does not let go when it is asked to. */
async function stubborn(name: string, version: number): Promise<Page> {
  const tab = await browser.tab();
  await tab.evaluate(async ([name, version]) => {
    window.held["foreign"] = await window.kit.request(indexedDB.open(name, version));
  }, [name, version] as const);
  return tab;
}

describe(`opening on ${engine}`, () => {
  test("an open that foreign code blocks ends in ERR_BLOCKED at its time limit, and works once that lets go", async () => {
    const ours = await opened("idb://blocked");
    await ours.evaluate(async () => {
      await window.held.store.save("a", 1);
      await window.held.memory.close();
    });
    const foreign = await stubborn("mnemora:blocked", 1);
    // A deletion waits for the foreign connection, and every open waits for the deletion.
    await foreign.evaluate(() => {
      window.held["deletion"] = window.kit.erase("mnemora:blocked");
    });
    const outcome = await ours.evaluate(async () => {
      const { ok, ...rest } = await window.kit.attempt(() => window.mnemora.open("idb://blocked", { openTimeoutMs: 400 }));
      return { ok, ...rest };
    });
    expect(outcome).toMatchObject({ ok: false, code: "ERR_BLOCKED", name: "BlockedError", retryable: true, typed: true });
    expect(outcome.milliseconds).toBeGreaterThanOrEqual(390);
    expect(outcome.milliseconds).toBeLessThan(20_000);

    const [ids] = await Promise.all([
      ours.evaluate(async () => {
        const memory = await window.mnemora.open("idb://blocked", { openTimeoutMs: 30_000 });
        await memory.store("data").save("b", 2);
        const ids = (await window.kit.all(memory.store("data").list())).map(({ id }) => id);
        await memory.close();
        return ids;
      }),
      foreign.evaluate(async () => {
        (window.held["foreign"] as IDBDatabase).close();
        await (window.held["deletion"] as Promise<string>);
      }),
    ]);
    expect(ids).toEqual(["b"]);
    // The open that was too late has not kept a connection.
    expect(await ours.evaluate(() => window.kit.erase("mnemora:blocked"))).toBe("deleted");
  });

  test("a database that is not ours, or of a later release, is refused by a typed error and left alone", async () => {
    const tab = await browser.tab();
    const outcomes = await tab.evaluate(async () => {
      const make = async (name: string, version: number, stores: string[]) => {
        const asked = indexedDB.open(name, version);
        asked.onupgradeneeded = () => { for (const store of stores) asked.result.createObjectStore(store); };
        const database = await window.kit.request(asked);
        if (stores.length > 0) await window.kit.request(database.transaction(stores[0]!, "readwrite").objectStore(stores[0]!).put("theirs", "key"));
        database.close();
      };
      await make("mnemora:foreign", 1, ["things"]);
      await make("mnemora:empty", 1, []);
      await make("mnemora:later", 7, ["records", "meta"]);
      const outcomes = [];
      for (const name of ["foreign", "empty", "later"]) {
        const outcome = await window.kit.attempt(() => window.mnemora.open(`idb://${name}`, { openTimeoutMs: 2_000 }));
        outcomes.push(outcome.ok ? "opened" : `${outcome.code} ${outcome.typed}`);
      }
      const database = await window.kit.request(indexedDB.open("mnemora:foreign", 1));
      const kept: unknown = await window.kit.request(database.transaction("things").objectStore("things").get("key"));
      database.close();
      const erased = await Promise.all(["foreign", "empty", "later"].map((name) => window.kit.erase(`mnemora:${name}`)));
      return { outcomes, kept, erased };
    });
    expect(outcomes).toEqual({
      outcomes: ["ERR_INVALID true", "ERR_INVALID true", "ERR_VERSION true"], kept: "theirs",
      erased: ["deleted", "deleted", "deleted"],
    });
  });

  test("we let go when another tab upgrades, and then say that the data is of a later release", async () => {
    const ours = await opened("idb://upgraded");
    await ours.evaluate(() => window.held.store.save("a", 1));
    const other = await browser.tab();
    const upgraded = await other.evaluate(async () => {
      const asked = indexedDB.open("mnemora:upgraded", 2);
      let blocked = false;
      asked.onblocked = () => { blocked = true; };
      const database = await window.kit.request(asked);
      database.close();
      return { blocked, version: database.version };
    });
    expect(upgraded).toEqual({ blocked: false, version: 2 });
    const codes = await ours.evaluate(async () => {
      const { memory, store, collection } = window.held;
      const calls: (() => Promise<unknown>)[] = [
        () => store.get("a"), () => store.save("b", 2), () => window.kit.all(store.list()), () => collection.search([1, 0]),
        () => memory.transaction((tx) => tx.get(store, "a")), () => memory.verify(),
      ];
      return Promise.all(calls.map(async (call) => {
        const outcome = await window.kit.attempt(call, 10_000);
        return outcome.ok ? "done" : `${outcome.code} ${outcome.typed}`;
      }));
    });
    expect(codes).toEqual(Array.from({ length: 6 }, () => "ERR_VERSION true"));
  });
});

describe(`losing the database on ${engine}`, () => {
  test("after another tab has deleted it, every call says so, watches end, and opening again begins anew", async () => {
    const ours = await opened("idb://deleted");
    await ours.evaluate(async () => {
      const { memory, store, collection } = window.held;
      for (let i = 0; i < 20; i++) await store.save(`old-${i}`, i);
      await collection.add([{ id: "old", vector: [1, 0] }, { id: "older", vector: [0, 1] }]);
      await collection.search([1, 0]);
      const watching = memory.store("data").watch(() => undefined);
      window.held["watched"] = watching.done.then(() => "ended", (error: { code: string }) => error.code);
    });
    const other = await browser.tab();
    expect(await other.evaluate(() => window.kit.erase("mnemora:deleted"))).toBe("deleted");
    const after = await ours.evaluate(async () => {
      const { memory, store, collection } = window.held;
      const calls: Record<string, () => unknown> = {
        found: () => collection.count(), search: () => collection.search([1, 0]), document: () => collection.get("old"),
        get: () => store.get("old-1"), save: () => store.save("new", 1), delete: () => store.delete("old-1"),
        replace: () => store.save("old-1", 1, { expectedVersion: 2 }), count: () => store.count(), list: () => window.kit.all(store.list()),
        add: () => collection.add({ id: "new", vector: [1, 0] }), transaction: () => memory.transaction((tx) => { tx.save(store, "x", 1); }), verify: () => memory.verify(),
      };
      const wrong: string[] = [];
      for (const [name, call] of Object.entries(calls)) {
        const outcome = await window.kit.attempt(call, 10_000);
        if (outcome.ok || outcome.code !== "ERR_CLOSED" || !outcome.typed) wrong.push(`${name}: ${outcome.ok ? "done" : outcome.code}`);
      }
      return {
        wrong,
        watched: await Promise.race([window.held["watched"] as Promise<string>, window.kit.sleep(5_000).then(() => "still waiting")]),
        closed: (await window.kit.attempt(() => memory.close(), 5_000)).ok,
        // Asking what became of it has not made it again.
        there: (await indexedDB.databases()).some(({ name }) => name === "mnemora:deleted"),
      };
    });
    expect(after).toEqual({ wrong: [], watched: expect.stringMatching(/^(ended|ERR_CLOSED)$/) as string, closed: true, there: false });
    const anew = await ours.evaluate(async () => {
      const memory = await window.mnemora.open("idb://deleted");
      const [store, collection] = [memory.store("data"), memory.collection("notes", { dimensions: 2 })];
      const seen: string[] = [];
      store.watch(({ kind, id }) => { seen.push(`${kind} ${id}`); });
      const before = [await store.count(), await collection.count()];
      await store.save("new", 1);
      await collection.add({ id: "new", vector: [0, 1] });
      await window.kit.soon(() => seen.length > 0);
      const hits = (await collection.search([1, 0])).map(({ id }) => id);
      const { ok } = await memory.verify();
      await memory.close();
      return { before, hits, seen, ok };
    });
    expect(anew).toEqual({ before: [0, 0], hits: ["new"], seen: ["save new"], ok: true });
    const late = await opened("idb://deleted");
    expect(await late.evaluate(() => window.held.store.get("new"))).toBe(1);
  });

  /** Takes the database away in the middle of many calls; each must end, and opening again must work. */
  async function takeAway(url: string, take: () => Promise<unknown>, rounds: number): Promise<void> {
    for (let round = 0; round < rounds; round++) {
      const ours = await opened(url);
      const calls = ours.evaluate(async () => {
        const { store } = window.held;
        await store.save("old", 1);
        const outcomes = await Promise.all(Array.from({ length: 150 }, async (_, i) => {
          await window.kit.sleep(i - i % 10);
          const calls: (() => Promise<unknown>)[] = [() => store.save(`${i}`, i), () => store.get("old"), () => window.kit.all(store.list())];
          return window.kit.attempt(calls[i % 3]!, 20_000);
        }));
        const after = await window.kit.attempt(() => store.save("after", 1), 20_000);
        const closed = await window.kit.attempt(() => window.held.memory.close(), 20_000);
        return {
          outcomes: [...new Set(outcomes.map((outcome) => outcome.ok ? "done" : `${outcome.code} ${outcome.typed}`))],
          after: after.ok ? "done" : `${after.code} ${after.typed}`, closed: closed.ok,
        };
      });
      await new Promise((resolve) => setTimeout(resolve, 20 + 20 * round));
      await take();
      const { outcomes, after, closed } = await calls;
      for (const outcome of outcomes) expect(["done", "ERR_UNAVAILABLE true", "ERR_CLOSED true", "ERR_BLOCKED true"]).toContain(outcome);
      expect(["done", "ERR_CLOSED true"]).toContain(after);
      expect(closed).toBe(true);
      expect(await ours.evaluate(async (url) => {
        const memory = await window.mnemora.open(url);
        await memory.store("data").save("new", 1);
        const state = [await memory.store("data").get("new"), (await memory.verify()).ok];
        await memory.close();
        return state;
      }, url)).toEqual([1, true]);
      await ours.close();
    }
  }

  test("deleted by another tab in the middle of reading and writing: every call ends", async () => {
    const other = await browser.tab();
    await takeAway("idb://pulled", () => other.evaluate(() => window.kit.erase("mnemora:pulled")), 5);
  });

  test("cleared by the browser in the middle of reading and writing: every call ends", async () => {
    const devtools = await browser.devtools(await browser.tab());
    await takeAway("idb://cleared", () => devtools.send("Storage.clearDataForOrigin", { origin: pages.origin, storageTypes: "indexeddb" }), 5);
  });

  test("a frozen tab with the same data open does not hold up another, and goes on afterwards", async () => {
    const [frozen, active] = [await opened("idb://frozen"), await opened("idb://frozen")];
    await frozen.evaluate(() => {
      const { memory, store } = window.held;
      window.held["running"] = true;
      window.held["done"] = (async () => {
        let own = 0;
        for (; window.held["running"] === true; own++) {
          await memory.transaction(async (tx) => { tx.save(store, "sum", ((await tx.get<number>(store, "sum")) ?? 0) + 1); });
        }
        return own;
      })();
    });
    const devtools = await browser.devtools(frozen);
    await new Promise((resolve) => setTimeout(resolve, 200));
    await devtools.send("Page.setWebLifecycleState", { state: "frozen" });
    const outcome = await active.evaluate(async () => {
      const { memory, store } = window.held;
      return window.kit.attempt(async () => {
        for (let i = 0; i < 100; i++) {
          await memory.transaction(async (tx) => { tx.save(store, "sum", ((await tx.get<number>(store, "sum")) ?? 0) + 1); });
        }
        return store.get("sum") as Promise<number>;
      }, 30_000);
    });
    expect(outcome.ok).toBe(true);
    await devtools.send("Page.setWebLifecycleState", { state: "active" });
    const own = await frozen.evaluate(() => {
      window.held["running"] = false;
      return window.held["done"] as Promise<number>;
    });
    expect(await active.evaluate(() => window.held.store.get("sum"))).toBe(own + 100);
  });
});

describe(`closing on ${engine}`, () => {
  test("every call after close is ERR_CLOSED; what was accepted before it is stored; closing twice is fine", async () => {
    const tab = await opened("idb://closed");
    const seen = await tab.evaluate(async () => {
      const { memory, store, collection } = window.held;
      const watching = store.watch();
      const iterated = (async () => { for await (const _ of watching); return "ended"; })();
      const half = store.list()[Symbol.asyncIterator]();
      await store.saveMany([{ id: "x", value: 1 }, { id: "y", value: 2 }]);
      await half.next();
      // Not awaited: accepted, but not stored yet.
      const writes = Array.from({ length: 50 }, (_, i) => store.save(`last-${i}`, i));
      const closing = memory.close();
      const stored = (await Promise.allSettled(writes)).filter(({ status }) => status === "fulfilled").length;
      await closing;
      await memory.close();
      const calls: Record<string, () => unknown> = {
        save: () => store.save("a", 1), saveMany: () => store.saveMany([{ id: "a", value: 1 }]), get: () => store.get("x"),
        getMany: () => store.getMany(["x"]), entry: () => store.entry("x"), delete: () => store.delete("x"), count: () => store.count(),
        list: () => window.kit.all(store.list()), pages: () => window.kit.all(store.pages()), history: () => store.history("x"),
        watch: () => store.watch(() => undefined), agents: () => memory.agents.get("x"), store: () => memory.store("other"),
        collection: () => memory.collection("other", { dimensions: 2 }), add: () => collection.add({ id: "a", vector: [1, 0] }),
        find: () => collection.get("a"), search: () => collection.search([1, 0]), remove: () => collection.delete("a"),
        documents: () => collection.count(), transaction: () => memory.transaction(() => 1), maintain: () => memory.maintain(),
        verify: () => memory.verify(), rest: () => window.kit.all({ [Symbol.asyncIterator]: () => half }),
      };
      const wrong: string[] = [];
      for (const [name, call] of Object.entries(calls)) {
        const outcome = await window.kit.attempt(call, 5_000);
        // The rest of a page that was read before may still be handed out; nothing new is read.
        const fine = outcome.ok ? name === "rest" : outcome.code === "ERR_CLOSED" && outcome.typed && !outcome.retryable;
        if (!fine) wrong.push(`${name}: ${outcome.ok ? "done" : `${outcome.code} ${outcome.message}`}`);
      }
      const again = await window.mnemora.open("idb://closed");
      const count = await again.store("data").count();
      await again[Symbol.asyncDispose]();
      return { wrong, stored, count, iterated: await Promise.race([iterated, window.kit.sleep(5_000).then(() => "hangs")]), erased: await window.kit.erase("mnemora:closed") };
    });
    expect(seen).toEqual({ wrong: [], stored: 50, count: 52, iterated: "ended", erased: "deleted" });
  });

  test("200 times opened, used and closed: the wasm memory stays as large, and no connection stays open", async () => {
    const tab = await browser.tab();
    const grown = await tab.evaluate(async () => {
      // The core starts at the first open: whoever starts it here tells us of its memory.
      let memoryOfCore: WebAssembly.Memory | undefined;
      const note = (instance: WebAssembly.Instance): void => { memoryOfCore ??= instance.exports["memory"] as WebAssembly.Memory | undefined; };
      const { instantiate, instantiateStreaming } = WebAssembly;
      type Started = WebAssembly.Instance | WebAssembly.WebAssemblyInstantiatedSource;
      const watched = (start: (...given: never[]) => Promise<Started>) => async (...given: never[]): Promise<Started> => {
        const started = await start(...given);
        note("instance" in started ? started.instance : started);
        return started;
      };
      Object.assign(WebAssembly, {
        instantiate: watched(instantiate as never), instantiateStreaming: watched(instantiateStreaming as never),
      });
      const random = window.kit.seeded(5);
      const vectors = Array.from({ length: 200 }, () => Float32Array.from({ length: 64 }, () => random() / 2 ** 31 - 1));
      const cycle = async (i: number): Promise<void> => {
        const memory = await window.mnemora.open("idb://cycles");
        const store = memory.store("data", { history: 2 });
        const stop = store.watch(() => undefined);
        await store.save("state", { i, text: "x".repeat(2_000) });
        await memory.transaction(async (tx) => { tx.save(store, "tx", await tx.get(store, "state")); });
        const collection = memory.collection("notes", { dimensions: 64 });
        if (i === 0) await collection.add(vectors.map((vector, at) => ({ id: String(at), vector })));
        const [hit] = await collection.search(vectors[i % 200]!, { limit: 1 });
        if (hit?.id !== String(i % 200)) throw new Error(`cycle ${i} found ${hit?.id}`);
        // Some are left without being told to stop.
        if (i % 2 === 0) stop();
        for await (const _ of store.list()) break;
        await memory.close();
      };
      for (let i = 0; i < 30; i++) await cycle(i);
      const before = memoryOfCore?.buffer.byteLength;
      for (let i = 30; i < 230; i++) await cycle(i);
      const after = memoryOfCore?.buffer.byteLength;
      return { measured: before !== undefined, grown: (after ?? 0) - (before ?? 0), erased: await window.kit.erase("mnemora:cycles") };
    });
    expect(grown.measured).toBe(true);
    expect(grown.grown).toBeLessThanOrEqual(1 << 20);
    expect(grown.erased).toBe("deleted");
  });
});

describe(`aborting on ${engine}`, () => {
  test("a call whose signal is aborted already does nothing and rejects with the reason", async () => {
    const tab = await opened("idb://aborted");
    const wrong = await tab.evaluate(async () => {
      const { memory, store, collection } = window.held;
      await store.save("x", 1);
      const version = (await store.entry("x"))!.version;
      const reason = { why: "no longer wanted" };
      const signal = AbortSignal.abort(reason);
      const calls: Record<string, () => unknown> = {
        open: () => window.mnemora.open("idb://never", { signal }), save: () => store.save("a", 1, { signal }),
        saveMany: () => store.saveMany([{ id: "a", value: 1 }], { signal }), get: () => store.get("x", { signal }),
        getMany: () => store.getMany(["x"], { signal }), entry: () => store.entry("x", { signal }), delete: () => store.delete("x", { signal }),
        count: () => store.count({ signal }), list: () => window.kit.all(store.list({ signal })), pages: () => window.kit.all(store.pages({ signal })),
        history: () => store.history("x", { signal }), watch: () => store.watch({ signal }, () => undefined),
        transaction: () => memory.transaction((tx) => { tx.save(store, "a", 1); }, { signal }), maintain: () => memory.maintain({ signal }),
        verify: () => memory.verify({ signal }), add: () => collection.add({ id: "a", vector: [1, 0] }, { signal }), search: () => collection.search([1, 0], { signal }),
        find: () => collection.get("a", { signal }), remove: () => collection.delete("a", { signal }), documents: () => collection.count({ signal }),
      };
      const wrong: string[] = [];
      for (const [name, call] of Object.entries(calls)) {
        const thrown: unknown = await (async () => call())().then(() => "nothing", (error: unknown) => error);
        if (thrown !== reason) wrong.push(`${name}: ${thrown instanceof Error ? thrown.message : typeof thrown}`);
      }
      const state = await window.kit.all(store.list());
      if (state.length !== 1 || state[0]!.version !== version) wrong.push("something was written");
      if ((await store.save("next", 1)).version !== version + 1) wrong.push("something was committed");
      if ((await indexedDB.databases()).some(({ name }) => name === "mnemora:never")) wrong.push("a database was made");
      return wrong;
    });
    expect(wrong).toEqual([]);
  });

  test.each([true, false])("a write that waits behind another is taken back: nothing of it is stored (groupCommit: %s)", async (groupCommit) => {
    const tab = await browser.tab();
    const seen = await tab.evaluate(async ([groupCommit, seed]) => {
      const memory = await window.mnemora.open(`idb://queued-${groupCommit}`, { groupCommit });
      const store = memory.store("data");
      const large = window.kit.noise(30_000_000, window.kit.seeded(seed));
      await store.save("first", 1);
      let finished = false;
      const ahead = store.save("large", large).finally(() => { finished = true; });
      // By now the large one is on its way and everything that comes waits for it.
      await window.kit.sleep(1);
      const controller = new AbortController();
      const { signal } = controller;
      const reason = new Error("changed my mind");
      const writes = [
        store.save("a", 1, { signal }), store.saveMany([{ id: "b", value: 1 }, { id: "c", value: 1 }], { signal }),
        memory.transaction((tx) => { tx.save(store, "d", 1); }, { signal }), store.delete("first", { signal }),
      ];
      const kept = store.save("kept", 1);
      await window.kit.sleep(1);
      controller.abort(reason);
      const before = finished;
      const settled = await Promise.allSettled(writes);
      await Promise.all([ahead, kept]);
      const ids = (await window.kit.all(store.list())).map(({ id }) => id);
      const versions = (await window.kit.all(store.list())).map(({ version }) => version).sort((x, y) => x - y);
      await memory.close();
      return {
        before, reasons: settled.map((outcome) => outcome.status === "rejected" && outcome.reason === reason), ids, versions,
      };
    }, [groupCommit, seed] as const);
    expect(seen).toEqual({
      before: false, reasons: [true, true, true, true], ids: ["first", "kept", "large"], versions: [1, 2, 3],
    });
  });

  test("a write that is aborted at any moment tells the truth about what became of it", async () => {
    const tab = await opened("idb://moments");
    const seen = await tab.evaluate(async (seed) => {
      const { store } = window.held;
      const random = window.kit.seeded(seed);
      const reason = new Error("too late?");
      const count = { stored: 0, takenBack: 0 };
      const lies: string[] = [];
      for (let i = 0; i < 400; i++) {
        const controller = new AbortController();
        const write = store.saveMany(
          [{ id: `${i}-a`, value: "x".repeat(random() % 50_000) }, { id: `${i}-b`, value: i }], { signal: controller.signal },
        );
        const delay = random() % 5;
        if (delay === 1) await Promise.resolve();
        else if (delay > 1) await window.kit.sleep(delay - 2);
        controller.abort(reason);
        const error: unknown = await write.then(() => null, (thrown: unknown) => thrown);
        const there = (await store.getMany([`${i}-a`, `${i}-b`])).filter((value) => value !== null).length;
        if (error === null) count.stored += 1;
        else count.takenBack += 1;
        if (error !== null && error !== reason) lies.push(`${i}: ${error instanceof Error ? error.message : typeof error}`);
        if (there !== (error === null ? 2 : 0)) lies.push(`${i}: ${there} of 2 are there after ${error === null ? "success" : "an abort"}`);
      }
      return { lies, ...count };
    }, seed);
    expect(seen.lies).toEqual([]);
    expect([seen.stored > 0, seen.takenBack > 0]).toEqual([true, true]);
  });

  test("an open that is given up leaves no connection behind", async () => {
    const tab = await opened("idb://given-up");
    const seen = await tab.evaluate(async () => {
      await window.held.memory.close();
      const outcomes = new Set<string>();
      const reason = new Error("given up");
      for (let i = 0; i < 20; i++) {
        const controller = new AbortController();
        const opening = window.mnemora.open("idb://given-up", { signal: controller.signal });
        if (i % 2 === 0) await window.kit.sleep(i / 4);
        controller.abort(reason);
        outcomes.add(await opening.then((memory) => memory.close().then(() => "opened"), (error: unknown) => error === reason ? "given up" : "another error"));
      }
      // A connection that nobody holds closes as soon as it is there.
      await window.kit.sleep(200);
      return { outcomes: [...outcomes].sort(), erased: await window.kit.erase("mnemora:given-up") };
    });
    expect(seen.erased).toBe("deleted");
    expect(seen.outcomes).toContain("given up");
    expect(seen.outcomes.filter((outcome) => !["given up", "opened"].includes(outcome))).toEqual([]);
  });
});
