/**
 * Input that means harm, or makes no sense: a typed error that says what and where, nothing written, and a handle
 * that goes on as if nothing had been asked.
 */
import { describe, expect, test } from "vitest";
import type { Page } from "playwright-core";
import { type Browser, engine, type Site, withBrowser } from "./harness.js";

let pages: Site;
let browser: Browser;
withBrowser("hostile", (started, site) => { [browser, pages] = [started, site]; });

/** A tab with a memory that holds a little of everything, and with what the tables below need in `held`. */
async function prepared(name: string): Promise<Page> {
  const tab = await browser.tab();
  await tab.evaluate(async (name) => {
    const { kit } = window;
    const memory = await window.mnemora.open(`idb://${name}`);
    const [store, collection] = [memory.store("data"), memory.collection("notes", { dimensions: 3, metric: "cosine" })];
    await store.save("x", { kept: true });
    await collection.add({ id: "d", vector: [1, 0, 0], text: "kept" });
    /** What is stored, looked at past the package: every key, and the bytes of every row of the records and the log. */
    const footprint = async (): Promise<string> => {
      const database = await kit.request(indexedDB.open(`mnemora:${name}`));
      const columns = await Promise.all(["records", "meta"].flatMap((store) => {
        const rows = database.transaction(store).objectStore(store);
        const [keys, values]: Promise<unknown[]>[] = [kit.request(rows.getAllKeys()), kit.request(rows.getAll())];
        return store === "meta" ? [keys!] : [keys!, values!];
      }));
      database.close();
      const bytes = (value: unknown): string => value instanceof ArrayBuffer ? bytes(new Uint8Array(value)) : value instanceof Uint8Array ? value.join() : JSON.stringify(value);
      return JSON.stringify(columns.map((column) => column.map(bytes)));
    };
    /**
     * Calls what must be refused, one after another. Tells of each that was not: by a typed error of this code,
     * at once, with a message that has `place` in it, without a trace in the database.
     */
    const refuses = async (calls: [what: string, call: () => unknown, place?: string, code?: string][]): Promise<string[]> => {
      const wrong: string[] = [];
      let before = await footprint();
      for (const [what, call, place, code = "ERR_INVALID"] of calls) {
        const outcome = await kit.attempt(call, 10_000);
        if (outcome.ok) wrong.push(`${what}: was taken`);
        else if (outcome.code !== code || !outcome.typed || outcome.retryable) wrong.push(`${what}: ${outcome.code} ${outcome.message}`);
        else if (place !== undefined && !outcome.message.includes(place)) wrong.push(`${what}: does not name ${place}: ${outcome.message}`);
        const after = await footprint();
        if (after !== before) wrong.push(`${what}: something was written`);
        before = after;
      }
      // And the handle is as good as before.
      const version = (await store.save("alive", wrong.length)).version;
      if ((await store.entry("alive"))?.version !== version || (await collection.search([1, 0, 0]))[0]?.id !== "d") wrong.push("the handle is broken");
      return wrong;
    };
    Object.assign(window.held, { memory, store, collection, refuses });
  }, name);
  return tab;
}

describe(`hostile input on ${engine}`, () => {
  test("values that can not come back equal are refused, wherever they are, by the path to them", async () => {
    const tab = await prepared("values");
    expect(await tab.evaluate(async () => {
      const { memory, store, collection } = window.held;
      const nest = (depth: number): unknown => Array.from({ length: depth }).reduce<unknown>((inner) => [inner], 1);
      const cycle: Record<string, unknown> = { inner: {} };
      cycle["inner"] = { again: cycle };
      const loop = new Map<string, unknown>();
      loop.set("self", new Set([loop]));
      const detached = new Uint8Array(8);
      structuredClone(detached, { transfer: [detached.buffer] });
      class Agent { name = "a"; greet(): string { return this.name; } }
      class Numbers extends Array<number> {}
      const bad: [what: string, value: unknown, place: string][] = [
        ["undefined", undefined, ""], ["a function", () => 1, ""], ["a symbol", Symbol("s"), ""], ["a class", Agent, ""],
        ["a method", { list: [1, { act() { return 1; } }] }, ".list[1].act"], ["a symbol inside", { a: { b: Symbol.iterator } }, ".a.b"],
        ["an instance", { agent: new Agent() }, ".agent"], ["a subclass of Array", { list: Numbers.from([1]) }, ".list"],
        ["a proxy", new Proxy({ a: 1 }, {}), ""], ["a proxy inside", { a: [new Proxy([1], {})] }, ""],
        ["a proxy that throws", { a: new Proxy({}, { ownKeys() { throw new Error("no keys for you"); } }) }, ""],
        ["a revoked proxy", (() => { const { proxy, revoke } = Proxy.revocable({}, {}); revoke(); return { proxy }; })(), ""],
        ["a getter that throws", { get secret() { throw new Error("not for you"); } }, ".secret"],
        ["a weak map", { seen: new WeakMap() }, ".seen"], ["a promise", { later: Promise.resolve(1) }, ".later"],
        ["a regular expression", { pattern: /a/ }, ".pattern"], ["an error", { failed: new Error("x") }, ".failed"], ["an element", { body: document.body }, ".body"],
        ["a blob", { file: new Blob(["x"]) }, ".file"], ["a URL", { link: new URL("http://localhost") }, ".link"], ["the window", window, ""],
        ["a boxed number", { n: Object(1) as unknown }, ".n"], ["a generator", { g: (function* () { yield 1; })() }, ".g"],
        ["shared memory", { m: new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true }).buffer }, ".m"], ["a detached array", { d: detached }, ".d"],
        ["a cycle", cycle, ".inner.again"], ["a cycle of a map and a set", loop, ""], ["257 levels", nest(257), "[0][0]"], ["100,000 levels", nest(100_000), "[0][0]"],
        ["a map of functions", new Map([["f", () => 1]]), ".m<value 0>"], ["a set of symbols", new Set([Symbol("s")]), ""],
      ];
      const calls = bad.flatMap(([what, value, place]): [string, () => unknown, string][] => [
        [`save ${what}`, () => store.save("bad", value), place],
        [`replace by ${what}`, () => store.save("x", value), place],
        [`agents.save ${what}`, () => memory.agents.save("bad", value), place],
        [`saveMany ${what}`, () => store.saveMany([{ id: "good", value: 1 }, { id: "bad", value }]), `items[1].value${place}`],
        [`transaction ${what}`, () => memory.transaction((tx) => { tx.save(store, "good", 1); tx.save(store, "bad", value); }), place],
        ...what === "undefined" ? [] : [
          [`metadata ${what}`, () => collection.add([{ id: "e", vector: [0, 1, 0] }, { id: "f", vector: [0, 1, 0], metadata: { m: value } }]), `documents[1].metadata.m${place}`] as [string, () => unknown, string],
        ],
      ]);
      // One level more around it would not fit either.
      const deep = await window.kit.attempt(() => store.save("deep", nest(256)));
      if (deep.ok) await store.delete("deep");
      return { wrong: await (window.held["refuses"] as (calls: unknown) => Promise<string[]>)(calls), deepest: deep.ok, polluted: "kept" in {} };
    })).toEqual({ wrong: [], deepest: true, polluted: false });
  });

  test("ids and names that are none are refused; strange ones that are well-formed are kept apart", async () => {
    const tab = await prepared("keys");
    expect(await tab.evaluate(async () => {
      const { memory, store, collection } = window.held;
      const bad: [what: string, id: unknown][] = [
        ["empty", ""], ["half a pair", "a\ud800b"], ["the other half", "\udc00"], ["NUL", "a\0b"], ["1,025 bytes", "a".repeat(1_025)],
        ["1,026 bytes of two-byte characters", "\u00e9".repeat(513)], ["a million characters", "x".repeat(1_000_000)], ["undefined", undefined], ["null", null], ["NaN", NaN], ["a number", 1], ["true", true],
        ["a date", new Date(NaN)], ["an object", {}], ["an array", ["x"]], ["a symbol", Symbol("id")], ["a bigint", 1n], ["a string object", Object("x")],
        ["an object that says it is x", { toString: () => "x" }],
      ];
      const calls = bad.flatMap(([what, given]): [string, () => unknown][] => {
        const id = given as string;
        return [
          [`save ${what}`, () => store.save(id, 1)], [`get ${what}`, () => store.get(id)], [`entry ${what}`, () => store.entry(id)],
          [`delete ${what}`, () => store.delete(id)], [`history ${what}`, () => store.history(id)], [`getMany ${what}`, () => store.getMany(["x", id])],
          [`saveMany ${what}`, () => store.saveMany([{ id: "good", value: 1 }, { id, value: 1 }])],
          [`tx.get ${what}`, () => memory.transaction((tx) => tx.get(store, id))],
          [`tx.save ${what}`, () => memory.transaction((tx) => { tx.save(store, "good", 1); tx.save(store, id, 1); })],
          [`tx.delete ${what}`, () => memory.transaction((tx) => { tx.delete(store, "x"); tx.delete(store, id); })],
          [`add ${what}`, () => collection.add([{ id: "e", vector: [0, 1, 0] }, { id, vector: [1, 1, 1] }])],
          [`collection.get ${what}`, () => collection.get(id)], [`collection.delete ${what}`, () => collection.delete(id)],
          [`store named ${what}`, () => memory.store(id).save("a", 1)],
          [`collection named ${what}`, () => memory.collection(id, { dimensions: 3 }).add({ id: "a", vector: [1, 0, 0] })],
        ];
      });
      calls.push(
        ["twice in one call", () => store.saveMany([{ id: "t", value: 1 }, { id: "t", value: 2 }])],
        ["twice in one add", () => collection.add([{ id: "t", vector: [1, 0, 0] }, { id: "t", vector: [0, 1, 0] }])],
        ["a reserved name", () => memory.store("$agents")], ["a store of another memory", async () => {
          const other = await window.mnemora.open("memory:");
          await memory.transaction((tx) => { tx.save(other.store("data"), "x", 1); });
        }],
      );
      const wrong = await (window.held["refuses"] as (calls: unknown) => Promise<string[]>)(calls);
      // Ids that are hostile to somebody else, but fine here.
      const strange = [
        "__proto__", "constructor", "toString", "hasOwnProperty", "a/b", "a//b", "../../etc/passwd", "*", "?", "%00", "'; DROP TABLE records; --", "<img src=x onerror=alert(1)>",
        "\u{1F600}", "e\u0301", "\u00e9", " ", "\n", "\uffff", "\u0001", "a".repeat(1_024), "\u00e9".repeat(512), "data", "x ", "X",
      ];
      const all = memory.store("strange");
      await all.saveMany(strange.map((id, at) => ({ id, value: { [id]: at } })));
      await memory.store("__proto__").save("__proto__", 1);
      for (const [at, id] of strange.entries()) {
        const found: Record<string, number> | null = await all.get(id);
        if (found === null || Object.keys(found).join() !== id || Object.getOwnPropertyDescriptor(found, id)?.value !== at) wrong.push(`${JSON.stringify(id)} is not what was saved`);
      }
      const listed = (await window.kit.all(all.list())).map(({ id }) => id);
      const points = (text: string): number[] => Array.from(text, (character) => character.codePointAt(0)!);
      const order = [...strange].sort((a, b) => {
        const [p, q] = [points(a), points(b)];
        for (let i = 0; i < Math.min(p.length, q.length); i++) if (p[i] !== q[i]) return p[i]! - q[i]!;
        return p.length - q.length;
      });
      if (listed.join("|") !== order.join("|")) wrong.push(`listed as ${listed.join("|")}`);
      if (await memory.store("strange", {}).count({ prefix: "a" }) !== strange.filter((id) => id.startsWith("a")).length) wrong.push("a prefix counts something else");
      return { wrong, polluted: Object.keys(Object.prototype) };
    })).toEqual({ wrong: [], polluted: [] });
  });

  test("vectors that are none are refused by the position of the bad number", async () => {
    const tab = await prepared("vectors");
    expect(await tab.evaluate(async () => {
      const { memory, collection } = window.held;
      const sparse = [1, 0, 0];
      delete sparse[1];
      const bad: [what: string, vector: unknown, place: string][] = [
        ["too short", [1, 0], "2"], ["too long", [1, 0, 0, 0], "4"], ["empty", [], "0"], ["NaN", [0, 1, NaN], "vector[2]"], ["Infinity", [0, Infinity, 0], "vector[1]"],
        ["-Infinity", new Float32Array([-Infinity, 0, 0]), "vector[0]"], ["more than single precision holds", [1, 0, 1e39], "vector[2]"],
        ["NaN in double precision", new Float64Array([0, NaN, 0]), "vector[1]"], ["zero", [0, 0, 0], "zero"], ["minus zero", [-0, 0, -0], "zero"], ["smaller than single precision holds", [1e-60, 0, 0], "zero"],
        ["text", ["1", 0, 0], "[0]"], ["a hole", sparse, "[1]"], ["null inside", [1, null, 0], "[1]"], ["nested", [[1, 0, 0]], "[0]"], ["a bigint", [1n, 0, 0], "[0]"],
        ["bytes", new Uint8Array([1, 0, 0]), "vector"], ["big integers", new BigInt64Array(3), "vector"], ["null", null, "vector"], ["a number", 3, "vector"],
        ["an object", { 0: 1, 1: 0, 2: 0, length: 3 }, "vector"], ["a function", () => [1, 0, 0], "vector"],
      ];
      const calls = bad.flatMap(([what, given, place]): [string, () => unknown, string][] => {
        const vector = given as number[];
        return [
          [`add ${what}`, () => collection.add([{ id: "good", vector: [0, 1, 0] }, { id: "bad", vector }]), "documents[1]"],
          [`add, position: ${what}`, () => collection.add({ id: "bad", vector }), place],
          [`replace by ${what}`, () => collection.add({ id: "d", vector }), place],
          [`search ${what}`, () => collection.search(vector), place.startsWith("vector") && place !== "vector" ? place.slice(6) : ""],
        ];
      });
      const wrong = await (window.held["refuses"] as (calls: unknown) => Promise<string[]>)([
        ...calls,
        ["neither vector nor text", () => collection.add({ id: "bad" }), "documents[0]"],
        ["an unknown field", () => collection.add({ id: "bad", vector: [1, 0, 0], vectr: [1] } as never), "vectr"], ["no object", () => collection.add([null as never]), "documents[0]"],
        ["importance of 2", () => collection.add({ id: "bad", vector: [1, 0, 0], importance: 2 }), "importance"], ["importance of NaN", () => collection.add({ id: "bad", vector: [1, 0, 0], importance: NaN }), "importance"],
        ["half a pair in the text", () => collection.add({ id: "bad", vector: [1, 0, 0], text: "\ud800" }), "documents[0].text"],
        ["metadata that is a list", () => collection.add({ id: "bad", vector: [1, 0, 0], metadata: [1] }), "metadata"],
        ["other dimensions", () => memory.collection("notes", { dimensions: 4 }).add({ id: "bad", vector: [1, 0, 0, 0] }), "4"],
        ["another metric", () => memory.collection("notes", { dimensions: 3, metric: "dot" }).add({ id: "bad", vector: [1, 0, 0] }), "dot"],
        ["search by meaning without embed", () => collection.search("hello", { mode: "vector" }), "vector"],
      ]);
      // The largest numbers and the smallest are fine.
      await collection.add([{ id: "huge", vector: [3e38, 3e38, -3e38] }, { id: "tiny", vector: [1e-45, 0, 1e-45] }]);
      const hits = await collection.search([3e38, 3e38, -3e38], { limit: 3 });
      if (hits[0]?.id !== "huge" || Math.abs(hits[0].score - 1) > 1e-6) wrong.push(`huge: ${JSON.stringify(hits)}`);
      if (!hits.every(({ score }) => Number.isFinite(score))) wrong.push(`scores: ${JSON.stringify(hits)}`);
      return wrong;
    })).toEqual([]);
  });

  test("options that are unknown or out of range are refused", async () => {
    const tab = await prepared("options");
    expect(await tab.evaluate(async () => {
      const { memory, store, collection } = window.held;
      // As somebody who writes plain JavaScript would call it.
      const { open } = window.mnemora as unknown as { open(...given: unknown[]): Promise<unknown> };
      const [s, c, m] = [store, collection, memory] as unknown as Record<string, (...given: unknown[]) => unknown>[];
      const list = (options: unknown): unknown => window.kit.all(s!["list"]!(options) as AsyncIterable<unknown>);
      const pagesOf = (options: unknown): unknown => window.kit.all(s!["pages"]!(options) as AsyncIterable<unknown>);
      return (window.held["refuses"] as (calls: unknown) => Promise<string[]>)([
        ...["", "memory", "memory:x", "idb:", "idb://", "idb:x", "ftp://x", "idb://\ud800", "idb://a\0", `idb://${"x".repeat(1_025)}`, null, undefined, 5, {}].map(
          (url) => [`open ${JSON.stringify(url)}`, () => open(url)]),
        ...["sqlite://x", "opfs://x", "json://x"].map((url) => [`open ${url}`, () => open(url), undefined, "ERR_UNSUPPORTED"]),
        ...["encryption", "retention"].map((name) => [`open with ${name}`, () => open("memory:", { [name]: {} }), name, "ERR_UNSUPPORTED"]),
        ...([
          ["options", 5], ["durability", "fast"], ["durability", null], ["groupCommit", 1], ["openTimeoutMs", -1], ["openTimeoutMs", NaN], ["openTimeoutMs", "5"], ["now", 5], ["now", () => NaN],
          ["cache", 5], ["cache", { maxBytes: 1 }], ["fallback", {}], ["fallback", ["ftp://x"]], ["embed", {}], ["signal", {}], ["durabilty", "strict"],
        ] as const).map(([name, value]) => [`open with ${name}`, () => open("memory:", name === "options" ? value : { [name]: value })]),
        ...([["ttlMs", -1], ["ttlMs", 0], ["ttlMs", NaN], ["ttlMs", Infinity], ["ttlMs", "5"], ["ttlMs", 1.5], ["expectedVersion", -1], ["expectedVersion", 1.5], ["expectedVersion", NaN], ["expectedVersion", "1"], ["expectedVersion", 2 ** 53], ["signal", 5], ["expected", 1]] as const)
          .flatMap(([name, value]) => [
            [`save with ${name} ${value}`, () => s!["save"]!("bad", 1, { [name]: value }), name],
            [`saveMany with ${name} ${value}`, () => s!["saveMany"]!([{ id: "bad", value: 1, [name]: value }]), name],
          ]),
        ["saveMany of no array", () => s!["saveMany"]!({ id: "bad", value: 1 })], ["saveMany of null", () => s!["saveMany"]!([null])], ["getMany of no array", () => s!["getMany"]!("x")],
        ...([["limit", -1], ["limit", 1.5], ["limit", NaN], ["limit", "5"], ["prefix", 5], ["prefix", "\ud800"], ["match", 5], ["after", 5], ["reverse", "yes"], ["onProblem", 5], ["lmit", 5]] as const)
          .flatMap(([name, value]) => [[`list with ${name} ${value}`, () => list({ [name]: value }), name], [`pages with ${name} ${value}`, () => pagesOf({ [name]: value }), name]]),
        ["pages of 0", () => pagesOf({ limit: 0 }), "limit"], ["pages of 1,001", () => pagesOf({ limit: 1_001 }), "limit"], ["history of -1", () => s!["history"]!("x", { limit: -1 }), "limit"],
        ["watch from -1", () => s!["watch"]!({ from: -1 }), "from"], ["watch from text", () => s!["watch"]!({ from: "1" }), "from"], ["watch without a function", () => s!["watch"]!({}, 5)],
        ["store with a history of -1", () => m!["store"]!("s", { history: -1 }), "history"], ["store with too long a history", () => m!["store"]!("s", { history: 10_001 }), "history"],
        ["store with ttlMs 0", () => m!["store"]!("s", { ttlMs: 0 }), "ttlMs"], ["store with a schema that is none", () => m!["store"]!("s", { schema: {} }), "schema"], ["store with an unknown option", () => m!["store"]!("s", { hstory: 1 }), "hstory"],
        ["store with indexes", () => m!["store"]!("s", { indexes: ["a"] }), "indexes", "ERR_UNSUPPORTED"],
        ...([["dimensions", 0], ["dimensions", 4_097], ["dimensions", 1.5], ["dimensions", "3"], ["dimensions", NaN], ["metric", "hamming"], ["metric", 5], ["dims", 3]] as const)
          .map(([name, value]) => [`collection with ${name} ${value}`, () => m!["collection"]!("c", { dimensions: 3, [name]: value }), name]),
        ...([["limit", 0], ["limit", 10_001], ["limit", 1.5], ["limit", "5"], ["lmit", 5], ["exact", "yes"], ["ef", -1]] as const).map(([name, value]) => [`search with ${name} ${value}`, () => c!["search"]!([1, 0, 0], { [name]: value }), name]),
        ["search by an unknown mode", () => c!["search"]!([1, 0, 0], { mode: "psychic" }), "mode"],
        ...([
          ["no object", 5], ["a list", []], ["an unknown operator", { $near: 1 }], ["an unknown operator of a field", { a: { $near: 1 } }], ["$in without a list", { a: { $in: 1 } }],
          ["$and without a list", { $and: {} }], ["$exists without a flag", { a: { $exists: "yes" } }], ["operators and fields mixed", { a: { $eq: 1, b: 2 } }], ["a function", { a: () => 1 }],
          ["a cycle", (() => { const f: Record<string, unknown> = {}; f["$not"] = f; return f; })()], ["10,000 levels", Array.from({ length: 10_000 }).reduce<unknown>((inner) => ({ $not: inner }), { a: 1 })],
        ] as const).map(([what, filter]) => [`filter that is ${what}`, () => c!["search"]!([1, 0, 0], { filter })]),
        ["transaction without a function", () => m!["transaction"]!(5)], ["transaction with retries -1", () => m!["transaction"]!(() => 1, { retries: -1 }), "retries"], ["transaction with an unknown option", () => m!["transaction"]!(() => 1, { retry: 1 }), "retry"],
        ["maintain with budgetMs -1", () => m!["maintain"]!({ budgetMs: -1 }), "budgetMs"], ["verify with onProgress 5", () => m!["verify"]!({ onProgress: 5 }), "onProgress"],
      ]);
    })).toEqual([]);
  });
});

test("forged messages on the channel do no harm to watchers, collections, saves, deletes and the log", async () => {
  const [ours, other] = [await prepared("forged"), await browser.tab()];
  await other.evaluate(async () => {
    const memory = await window.mnemora.open("idb://forged");
    Object.assign(window.held, { memory, store: memory.store("data"), collection: memory.collection("notes") });
    window.held["seen"] = [];
    window.held.store.watch(({ kind, id }) => { (window.held["seen"] as string[]).push(`${kind} ${id}`); });
    await window.held.collection.search([1, 0, 0]);
  });
  const forger = await browser.tab(pages.bare);
  await forger.evaluate(async () => {
    const channel = new BroadcastChannel("mnemora:idb://forged");
    const garbage: unknown[] = [
      null, undefined, 0, "head", true, 5n, [], {}, new Map([["head", 5]]), new Date(), new ArrayBuffer(1_000_000), new Blob(["x"]), new Error("x"),
      ...[NaN, Infinity, -Infinity, -1, 0, 0.5, 1e300, 2 ** 53, Number.MAX_SAFE_INTEGER, 2 ** 40, 10_000_000, "7", null, {}, [9], 5n].map((head) => ({ head })),
      { head: 3, extra: "x".repeat(100_000) }, JSON.parse('{"__proto__": {"head": 9}, "head": {"valueOf": 1}}'),
    ];
    for (const message of garbage) channel.postMessage(message);
    for (let i = 0; i < 2_000; i++) channel.postMessage({ head: 1_000_000 + i });
    await new Promise((resolve) => setTimeout(resolve, 300));
    channel.close();
  });
  const seen = await ours.evaluate(async () => {
    const { memory, store, collection } = window.held;
    // One that begins after the forgery must not believe that the log is already that far.
    const late: string[] = [];
    store.watch(({ kind, id }) => { late.push(`${kind} ${id}`); });
    const versions: number[] = [];
    for (let i = 0; i < 20; i++) versions.push((await store.save(`n-${i % 7}`, i)).version);
    await store.delete("n-3");
    await collection.add({ id: "e", vector: [0, 1, 0] });
    await collection.delete("d");
    await memory.transaction(async (tx) => { tx.save(store, "sum", await tx.get(store, "n-1")); });
    await memory.maintain({ budgetMs: 100 });
    await window.kit.soon(() => late.includes("save sum"), 5_000);
    // The whole log is still there.
    const replayed: string[] = [];
    const watching = store.watch({ from: 0 });
    const end = setTimeout(watching, 5_000);
    for await (const { kind, id } of watching) {
      replayed.push(`${kind} ${id}`);
      if (id === "sum") break;
    }
    clearTimeout(end);
    return {
      late, replayed, inOrder: versions.every((version, at) => at === 0 || version === versions[at - 1]! + 1), first: versions[0],
      hits: (await collection.search([1, 1, 0])).map(({ id }) => id), count: await collection.count(), ok: (await memory.verify()).ok,
    };
  });
  const expected = [...Array.from({ length: 20 }, (_, i) => `save n-${i % 7}`), "delete n-3", "save sum"];
  expect(seen).toMatchObject({ late: expected, replayed: ["save x", ...expected], inOrder: true, hits: ["e"], count: 1, ok: true });
  const elsewhere = await other.evaluate(async () => {
    const seen = window.held["seen"] as string[];
    await window.kit.soon(() => seen.includes("save sum"), 5_000);
    const found = await window.kit.soon(async () => (await window.held.collection.search([1, 1, 0])).map(({ id }) => id).join() === "e");
    await window.held.store.save("back", 1);
    return { seen, found };
  });
  expect(elsewhere).toEqual({ seen: expected, found: true });
});

describe(`damage on ${engine}`, () => {
  /** Makes 30 records and 3 documents, and damages some of the stored rows past the package. */
  async function damaged(name: string): Promise<{ tab: Page; ids: string[] }> {
    const tab = await browser.tab();
    const ids = await tab.evaluate(async (name) => {
      const { kit } = window;
      const memory = await window.mnemora.open(`idb://${name}`);
      const [store, collection] = [memory.store("data"), memory.collection("notes", { dimensions: 2 })];
      Object.assign(window.held, { memory, store, collection });
      await store.saveMany(Array.from({ length: 30 }, (_, i) => ({ id: `r-${String(i).padStart(2, "0")}`, value: { i, text: "payload ".repeat(5) } })));
      await collection.add([{ id: "good", vector: [1, 0] }, { id: "broken", vector: [1, 0.1] }, { id: "fine", vector: [0, 1] }]);
      const database = await kit.request(indexedDB.open(`mnemora:${name}`));
      const records = database.transaction("records", "readwrite").objectStore("records");
      const keys = await kit.request(records.getAllKeys()) as ArrayBuffer[];
      const rows = await kit.request(records.getAll()) as Uint8Array[];
      const at = (id: string): number => keys.findIndex((key) => new TextDecoder("latin1").decode(key).endsWith(`${id}\0`));
      const change = (id: string, damage: (row: Uint8Array) => unknown): string => {
        records.put(damage(rows[at(id)]!.slice()), keys[at(id)]);
        return id;
      };
      const flip = (offset: (length: number) => number) => (row: Uint8Array): Uint8Array => {
        row[offset(row.length)]! ^= 1;
        return row;
      };
      const ids = [
        change("r-03", flip(() => 0)), change("r-05", flip(() => 7)), change("r-07", flip(() => 14)), change("r-09", flip((length) => length >> 1)),
        change("r-11", flip((length) => length - 9)), change("r-13", (row) => row.subarray(0, 20)), change("r-15", (row) => row.subarray(0, 3)),
        change("r-17", () => new Uint8Array(0)), change("r-19", () => "no bytes at all"), change("r-21", () => rows[at("r-20")]!), change("r-23", () => ({ forged: true })),
      ];
      change("broken", flip((length) => length - 12));
      await new Promise((resolve) => { records.transaction.oncomplete = resolve; });
      database.close();
      return ids;
    }, name);
    return { tab, ids };
  }

  test("a damaged record is named and stops nothing: lists, searches, other records and verify go on", async () => {
    const { tab, ids } = await damaged("damaged");
    const keys = ids.map((id) => `data/${id}`);
    // Found by the handle that knows the records, and by one that has never seen them.
    for (const reopen of [false, true]) {
      const seen = await tab.evaluate(async ([ids, reopen]) => {
        const { kit } = window;
        if (reopen) {
          await window.held.memory.close();
          const memory = await window.mnemora.open("idb://damaged");
          Object.assign(window.held, { memory, store: memory.store("data"), collection: memory.collection("notes") });
        }
        const { memory, store, collection } = window.held;
        const list = async (options: { reverse?: boolean }) => {
          const reported: string[] = [];
          const found = await kit.all(store.list({ ...options, onProblem: ({ key, kind }) => { reported.push(`${key} ${kind}`); } }));
          return { found: found.map(({ id }) => id).sort(), reported: reported.sort() };
        };
        const strict: string[] = [];
        const refused = await kit.attempt(async () => { for await (const { id } of store.list()) strict.push(id); });
        const pages = await kit.all(store.pages({ limit: 4 }));
        const wrongKeys: string[] = [];
        for (const id of ids) {
          for (const [what, call] of [["get", () => store.get(id)], ["entry", () => store.entry(id)], ["getMany", () => store.getMany(["r-00", id])], ["tx", () => memory.transaction((tx) => tx.get(store, id))]] as const) {
            const outcome = await kit.attempt(call as () => Promise<unknown>);
            if (outcome.ok || outcome.code !== "ERR_CORRUPT" || outcome.key !== `data/${id}` || outcome.retryable) wrongKeys.push(`${what} ${id}: ${JSON.stringify(outcome)}`);
          }
        }
        const { ok, problems, checked } = await memory.verify();
        return {
          forward: await list({}), backward: await list({ reverse: true }), strict: strict.length, refused: refused.ok ? "listed" : refused.code,
          paged: [pages.flatMap((page) => page.map(({ id }) => id)).length, pages.flatMap(({ problems }) => problems.map(({ key }) => key)).sort()],
          wrongKeys, verified: { ok, keys: problems.map(({ key }) => key).sort(), checked }, others: (await store.getMany(["r-00", "r-29"])).map((value: { i: number }) => value.i),
          hits: (await collection.search([1, 0])).map(({ id }) => id), fine: (await collection.get("fine"))?.id, broken: await kit.attempt(() => collection.get("broken")).then((outcome) => outcome.ok ? "read" : `${outcome.code} ${outcome.key}`),
        };
      }, [ids, reopen] as const);
      const good = Array.from({ length: 30 }, (_, i) => `r-${String(i).padStart(2, "0")}`).filter((id) => !ids.includes(id));
      const reported = keys.map((key) => `${key} corrupt`).sort();
      expect(seen.wrongKeys).toEqual([]);
      expect(seen.forward).toEqual({ found: good, reported });
      expect(seen.backward).toEqual({ found: good, reported });
      expect(seen.paged).toEqual([good.length, [...keys].sort()]);
      expect([seen.strict, seen.refused]).toEqual([good.length, "ERR_CORRUPT"]);
      expect(seen.verified).toMatchObject({ ok: false, keys: [...keys, "notes/broken"].sort() });
      expect(seen.others).toEqual([0, 29]);
      // The handle that has the document in its index may go on finding it; one that starts from what is stored can not.
      expect(seen.hits.filter((id) => id !== "broken" || reopen)).toEqual(["good", "fine"]);
      expect([seen.fine, seen.broken]).toEqual(["fine", "ERR_CORRUPT notes/broken"]);
    }
    // What is damaged can be written anew, or deleted; then all is well again.
    expect(await tab.evaluate(async (ids) => {
      const { memory, store, collection } = window.held;
      const wrong: string[] = [];
      for (const [at, id] of ids.entries()) {
        const outcome = await window.kit.attempt(async () => at % 2 === 0 ? store.save(id, "anew") : store.delete(id));
        if (!outcome.ok) wrong.push(`${id}: ${outcome.code} ${outcome.message}`);
      }
      const outcome = await window.kit.attempt(() => collection.delete("broken"));
      if (!outcome.ok) wrong.push(`broken: ${outcome.code} ${outcome.message}`);
      const { ok, problems } = await memory.verify();
      return { wrong, ok, problems, count: await store.count() };
    }, ids)).toEqual({ wrong: [], ok: true, problems: [], count: 30 - Math.floor(ids.length / 2) });
  });

  test("whichever byte of a stored row changes, and wherever it is cut off, it is noticed", async () => {
    const tab = await prepared("bytes");
    const seen = await tab.evaluate(async () => {
      const { kit } = window;
      const { memory, store, collection } = window.held;
      const database = await kit.request(indexedDB.open("mnemora:bytes"));
      const records = (): IDBObjectStore => database.transaction("records", "readwrite").objectStore("records");
      const keys = await kit.request(records().getAllKeys()) as ArrayBuffer[];
      const missed: string[] = [];
      let tried = 0;
      const targets: [what: string, id: string, read: () => Promise<unknown>][] = [
        ["record", "data\0\u0002x\0", () => store.entry("x")], ["document", "notes\0\u0002d\0", () => collection.get("d")],
      ];
      for (const [what, ending, read] of targets) {
        const key = keys.find((key) => new TextDecoder("latin1").decode(key).endsWith(ending))!;
        const good = await kit.request(records().get(key)) as Uint8Array;
        const forge = async (how: string, row: Uint8Array): Promise<void> => {
          tried += 1;
          await kit.request(records().put(row, key));
          const outcome = await kit.attempt(read);
          // A row that says it is of a later format is not damaged, as far as anybody can tell.
          if (outcome.ok || !["ERR_CORRUPT", "ERR_VERSION"].includes(outcome.code)) missed.push(`${what}, ${how}: ${outcome.ok ? "read" : outcome.code}`);
        };
        for (let at = 0; at < good.length; at++) {
          const row = good.slice();
          row[at]! ^= 1 << (at % 8);
          await forge(`byte ${at} of ${good.length}`, row);
        }
        for (let length = 0; length < good.length; length++) await forge(`cut off at ${length} of ${good.length}`, good.slice(0, length));
        await forge("one byte more", Uint8Array.from([...good, 0]));
        await kit.request(records().put(good, key));
      }
      database.close();
      const { ok } = await memory.verify();
      return { missed, tried: tried > 200, ok };
    });
    expect(seen).toEqual({ missed: [], tried: true, ok: true });
  });

  test("a damaged log is named by verify and by whoever follows it, and stops no save", async () => {
    const tab = await prepared("log");
    const seen = await tab.evaluate(async () => {
      const { kit } = window;
      const { store } = window.held;
      for (let i = 0; i < 5; i++) await store.save(`s-${i}`, i);
      const { version: last } = (await store.entry("s-4"))!;
      const database = await kit.request(indexedDB.open("mnemora:log"));
      const log = database.transaction("records", "readwrite").objectStore("records");
      // The log lies behind all records.
      const behind = IDBKeyRange.lowerBound(new Uint8Array([0xf0]));
      const [keys, rows] = [await kit.request(log.getAllKeys(behind)), await kit.request(log.getAll(behind)) as Uint8Array[]];
      const middle = rows.length - 3;
      rows[middle]![rows[middle]!.length - 1]! ^= 1;
      log.put(rows[middle], keys[middle]);
      await new Promise((resolve) => { log.transaction.oncomplete = resolve; });
      database.close();
      await window.held.memory.close();
      const memory = await window.mnemora.open("idb://log");
      const again = memory.store("data");
      const watched = await kit.attempt(async () => {
        for await (const change of again.watch({ from: 0 })) if (change.version >= last) break;
      });
      const fresh: string[] = [];
      again.watch(({ id }) => { fresh.push(id); });
      const saved = await kit.attempt(() => again.save("after", 1));
      await kit.soon(() => fresh.length > 0);
      const { ok, problems } = await memory.verify();
      return {
        watched: watched.ok ? "went through" : `${watched.code} ${watched.typed}`, saved: saved.ok && saved.value.version === last + 1, fresh, ok, named: problems.length,
        count: await again.count(), hits: (await memory.collection("notes").search([1, 0, 0])).length,
      };
    });
    expect(seen).toEqual({ watched: "ERR_CORRUPT true", saved: true, fresh: ["after"], ok: false, named: 1, count: 7, hits: 1 });
  });
});
