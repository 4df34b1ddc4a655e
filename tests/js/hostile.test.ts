/**
 * Hostile input through the public API: a typed error that names what is wrong, nothing written, and
 * the handle goes on working. What a value may be is told in `value-refused.test.ts`; here stands that
 * every way into the storage asks.
 */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { open, type Memory } from "mnemora";
import { all, expectRefusal, settle } from "./harness.js";
import { everyCall, seed } from "./methods.js";

let memory: Memory;
beforeEach(async () => {
  memory = await open("memory:", { embed: async (texts) => texts.map(() => new Float32Array([1, 1])) });
  await seed(memory);
});
afterEach(() => memory.close());

async function stored(): Promise<unknown> {
  return [
    await all(memory.store("s").list()), await all(memory.agents.list()), await all(memory.collection("c").list()),
    await memory.collection("c").count(), await memory.store("s").count(), (await memory.verify()).checked,
  ];
}

/** Runs a hostile call; afterwards everything is as it was, and works. */
async function harmless(call: () => unknown, words: RegExp = /./): Promise<void> {
  const before = await stored();
  await expectRefusal(call, "ERR_INVALID", words);
  await settle();
  expect(await stored()).toEqual(before);
  await memory.store("s").save("probe", 1);
  expect(await memory.store("s").get("probe")).toBe(1);
}

const booby = { toString(): string { throw new Error("read me"); }, [Symbol.toPrimitive](): string { throw new Error("read me"); } };

const strangeTexts: [string, unknown][] = [
  ["half a pair at the end", "a\ud800"], ["half a pair at the start", "\udc00a"], ["halves the wrong way round", "\udc00\ud800"],
  ["a number", 5], ["NaN", NaN], ["a bigint", 10n], ["null", null], ["a boolean", true],
  ["a symbol", Symbol("id")], ["a function", () => "a"], ["an array", ["a"]], ["an object", {}], ["a String object", new String("a")],
  ["a Date", new Date(0)], ["an object that fights back", booby],
];
const strangeIds: [string, unknown][] = [
  ...strangeTexts, ["undefined", undefined], ["nothing", ""], ["NUL", "\0"], ["NUL inside", "a\0b"], ["NUL at the end", "a\0"],
  ["1,025 bytes", "x".repeat(1_025)], ["513 characters of two bytes", "ä".repeat(513)], ["257 of four", "\u{1f600}".repeat(257)],
  ["a megabyte", "x".repeat(1 << 20)],
];

describe.each(strangeIds)("as an id: %s", (_, strange) => {
  const id = strange as string;
  test("no method takes it", async () => {
    const store = memory.store("s");
    const collection = memory.collection<unknown>("c");
    const calls: (() => unknown)[] = [
      () => store.save(id, 1), () => store.saveMany([{ id: "fine", value: 1 }, { id, value: 1 }]), () => store.get(id),
      () => store.getMany(["old", id]), () => store.entry(id), () => store.delete(id), () => store.history(id),
      () => memory.agents.save(id, 1), () => memory.transaction((tx) => tx.get(store, id)),
      () => memory.transaction((tx) => { tx.save(store, "fine", 1); tx.save(store, id, 1); }),
      () => memory.transaction((tx) => { tx.save(store, "fine", 1); tx.delete(store, id); }),
      () => collection.add([{ id: "fine", vector: [1, 1] }, { id, vector: [1, 1] }]), () => collection.get(id), () => collection.delete(id),
    ];
    for (const call of calls) await expectRefusal(call, "ERR_INVALID", /id/);
    await harmless(calls[1]!);
    await harmless(calls[9]!);
    await harmless(calls[11]!);
  });

  test("no store and no collection is named so", async () => {
    await harmless(() => memory.store(id), /name of the store/);
    await harmless(() => memory.collection(id, { dimensions: 1 }), /name of the collection/);
  });
});

test.each(["$", "$agents", "$anything"])("the name %s is the package's own", async (name) => {
  await harmless(() => memory.store(name), /begins with \$/);
  await harmless(() => memory.collection(name, { dimensions: 1 }), /begins with \$/);
});

describe.each(strangeTexts.filter(([name]) => name !== "null"))("as a prefix, a pattern, a cursor: %s", (_, strange) => {
  const text = strange as string;
  test("no scan takes it", async () => {
    const [store, collection] = [memory.store("s"), memory.collection("c")];
    for (const field of ["prefix", "match", "after"]) {
      const options = { [field]: text };
      await expectRefusal(() => store.list(options), "ERR_INVALID", new RegExp(field));
      await expectRefusal(() => store.pages(options), "ERR_INVALID", new RegExp(field));
      await expectRefusal(() => collection.list(options), "ERR_INVALID", new RegExp(field));
    }
    await expectRefusal(() => store.count({ prefix: text }), "ERR_INVALID", /prefix/);
    await expectRefusal(() => memory.transaction((tx) => all(tx.list(store, { prefix: text }))), "ERR_INVALID", /prefix/);
    await harmless(() => store.list({ prefix: text }));
  });
});

describe("scans with strange texts that are texts", () => {
  test("find nothing, and nothing else", async () => {
    const store = memory.store("s");
    for (const strange of ["\0", "x".repeat(5_000), "\u{10ffff}", "o\0", "%", "_", "(", "[a-z]"]) {
      expect(await all(store.list({ prefix: strange }))).toEqual([]);
      expect(await all(store.list({ match: strange }))).toEqual([]);
      expect(await store.count({ prefix: strange })).toBe(0);
    }
  });

  test("are quick, whatever the pattern", async () => {
    await memory.store("s").saveMany([{ id: "a".repeat(1_000), value: 1 }, { id: `${"a".repeat(1_000)}b`, value: 1 }]);
    // Exponential for a matcher that backtracks: it would not come back within the time of a test.
    expect(await all(memory.store("s").list({ match: `${"a*".repeat(400)}c` }))).toEqual([]);
    expect(await all(memory.store("s").list({ match: `${"*a".repeat(400)}*b` }))).toHaveLength(1);
    expect(await all(memory.store("s").list({ match: "*".repeat(10_000) }))).toHaveLength(3);
  });
});

describe.each([
  ["undefined", undefined, /value is undefined/], ["a function", () => 1, /value is a function/], ["a symbol", Symbol("x"), /value is a symbol/],
  ["a function inside", { a: [{ run: () => 1 }] }, /value\.a\[0\]\.run is a function/], ["a promise", Promise.resolve(1), /value/],
  ["a WeakMap", { w: new WeakMap() }, /value\.w/], ["a class instance", { m: new (class Agent { n = 1; })() }, /value\.m .*Agent/],
  ["a cycle", (() => { const loop: Record<string, unknown> = {}; loop["self"] = { loop }; return loop; })(), /value/],
  ["a depth of 5,000", Array.from({ length: 5_000 }).reduce((inner) => [inner], 1), /256/],
  ["a getter that throws", { get secret(): string { throw new Error("no"); } }, /value\.secret/],
  ["a revoked proxy", (() => { const { proxy, revoke } = Proxy.revocable({}, {}); revoke(); return proxy; })(), /value/],
  ["a proxy", { p: new Proxy({}, {}) }, /value\.p/], ["an error", { e: new Error("x") }, /value\.e/],
])("as a value: %s", (_, strange, words) => {
  const value = strange;
  test("no way in takes it", async () => {
    const store = memory.store("s");
    await harmless(() => store.save("a", value), words);
    await harmless(() => store.saveMany([{ id: "a", value: 1 }, { id: "b", value }]), /items\[1\]\.value/);
    await harmless(() => memory.agents.save("a", value), words);
    await harmless(() => memory.transaction((tx) => { tx.save(store, "a", 1); tx.save(store, "b", value); }), words);
    if (value !== undefined) {
      await harmless(() => memory.collection("c").add([{ id: "a", vector: [1, 1] }, { id: "b", vector: [1, 1], metadata: value }]), /documents\[1\].*metadata/);
    }
  });
});

test("a value of more than 64 MiB is refused, and one that is large is not", async () => {
  await harmless(() => memory.store("s").save("a", new Uint8Array((64 << 20) + 1)), /64 MiB/);
  await memory.store("s").save("large", new Uint8Array(8 << 20));
  expect((await memory.store("s").get("large")).byteLength).toBe(8 << 20);
});

describe("as a version", () => {
  test.each([-1, 1.5, NaN, Infinity, 2 ** 53, "1", 1n, null, {}])("%s is refused", async (strange) => {
    const expectedVersion = strange as number;
    const store = memory.store("s");
    await harmless(() => store.save("a", 1, { expectedVersion }), /expectedVersion/);
    await harmless(() => store.delete("old", { expectedVersion }), /expectedVersion/);
    await harmless(() => store.saveMany([{ id: "a", value: 1 }, { id: "b", value: 1, expectedVersion }]), /expectedVersion/);
  });
});

describe("as a list", () => {
  test.each([null, undefined, 5, "old", {}, new Set(["old"]), { length: 1, 0: "old" }])("%s is refused", async (strange) => {
    await harmless(() => memory.store("s").getMany(strange as never), /ids/);
    await harmless(() => memory.store("s").saveMany(strange as never), /items/);
  });

  test("with holes is refused", async () => {
    await harmless(() => memory.store("s").getMany(Array(2) as string[]), /ids\[0\]/);
    await harmless(() => memory.store("s").saveMany(Array(1) as []), /items\[0\]/);
  });
});

const sample = await open("memory:");
const methods = everyCall(sample).map(([name]) => name);
await sample.close();

describe("as options", () => {
  test.each(methods)("%s takes only options that it knows", async (name) => {
    const call = everyCall(memory).find(([known]) => known === name)![1];
    // What is wrongly accepted is begun and left, so that a watch does not hang the test.
    const hostile: [unknown, RegExp][] = [
      [null, /null/], [5, /5/], ["signal", /signal/], [{ sginal: 1 }, /sginal/], [{ signal: {} }, /signal/], [{ signal: "x" }, /signal/],
    ];
    const accepted: unknown[] = [];
    for (const [options, words] of hostile) {
      const before = await stored();
      try {
        const given = call(options as never);
        if (name.endsWith(".watch")) (given as () => void)();
        else if (typeof (given as AsyncIterable<unknown>)[Symbol.asyncIterator] === "function") await all(given as AsyncIterable<unknown>);
        else await given;
        accepted.push(options);
      } catch (error) {
        expect({ options, code: (error as { code?: unknown }).code, error: String(error) }).toMatchObject({ code: "ERR_INVALID" });
        expect((error as Error).message).toMatch(words);
        expect(await stored()).toEqual(before);
      }
    }
    expect(accepted).toEqual([]);
  });

  test.each([
    ["reverse", "yes"], ["reverse", 1], ["limit", -1], ["limit", 1.5], ["limit", "5"], ["limit", NaN], ["onProblem", "log"],
  ])("a list does not take %s: %j", async (field, strange) => {
    await harmless(() => memory.store("s").list({ [field]: strange }), new RegExp(field));
    await harmless(() => memory.collection("c").list({ [field]: strange }), new RegExp(field));
  });

  test("a time to live that is misspelt is not for ever", async () => {
    await harmless(() => memory.store("s").save("a", 1, { ttl: 5 } as never), /ttl is unknown/);
    await harmless(() => memory.store("s").saveMany([{ id: "a", value: 1, ttl: 5 } as never]), /items\[0\]\.ttl is unknown/);
    await harmless(() => memory.store("x", { ttl: 5 } as never), /ttl is unknown/);
  });

  test("progress is told to a function only", async () => {
    await harmless(() => memory.collection("c").add({ id: "a", vector: [1, 1] }, { onProgress: 5 } as never), /onProgress/);
    await harmless(() => memory.verify({ onProgress: "log" } as never), /onProgress/);
  });

  test("what is of a later release is said to be", async () => {
    await expectRefusal(() => memory.store("x", { indexes: ["status"] } as never), "ERR_UNSUPPORTED", /options\.indexes is not in this release/);
  });
});
