/** Schemas: validation by whatever library speaks Standard Schema. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { open, type InvalidError, type Memory, type Store } from "mnemora";
import { countSchema, expectRefusal, schemaOf } from "./harness.js";

let memory: Memory;
beforeEach(async () => { memory = await open("memory:"); });
afterEach(() => memory.close());

describe.each([["synchronous", false], ["asynchronous", true]])("a schema that is %s", (_, asynchronous) => {
  let store: Store<{ count: number }>;
  beforeEach(() => { store = memory.store("counts", { schema: countSchema(asynchronous) }); });
  const given = (count: unknown) => ({ count, extra: true }) as unknown as { count: number };

  test("decides what is stored", async () => {
    await store.save("a", given("7"));
    expect(await store.get("a")).toEqual({ count: 7 });
    await store.saveMany([{ id: "b", value: given("8") }, { id: "c", value: given(9) }]);
    expect(await store.getMany(["b", "c"])).toEqual([{ count: 8 }, { count: 9 }]);
    await memory.transaction(async (tx) => {
      tx.save(store, "d", given("10"));
      expect(await tx.get(store, "d")).toEqual({ count: 10 });
    });
    expect(await store.get("d")).toEqual({ count: 10 });
  });

  test("refuses with its issues, and nothing is written", async () => {
    const refusals: [string, () => Promise<unknown>][] = [
      ["counts/a", () => store.save("a", given("x"))],
      ["counts/b", () => store.saveMany([{ id: "a", value: given(1) }, { id: "b", value: given("x") }])],
      ["counts/b", () => memory.transaction((tx) => {
        tx.save(store, "a", given(1));
        tx.save(store, "b", given("x"));
      })],
    ];
    for (const [key, call] of refusals) {
      const error = await expectRefusal(call, "ERR_INVALID", /at count: must be whole/) as InvalidError;
      expect(error.issues).toEqual([{ message: "must be whole", path: ["count"] }]);
      expect(error.key).toBe(key);
      expect(await store.count()).toBe(0);
    }
    await store.save("a", given(1));
    expect(await store.count()).toBe(1);
  });

  test("keeps the order of what a transaction does", async () => {
    await memory.transaction(async (tx) => {
      tx.save(store, "a", given(1));
      tx.delete(store, "a");
      expect(await tx.get(store, "a")).toBeNull();
      tx.delete(store, "b");
      tx.save(store, "b", given(2));
      tx.save(store, "b", given(3));
    });
    expect(await store.getMany(["a", "b"])).toEqual([null, { count: 3 }]);
  });

  test("that throws, throws", async () => {
    const broken = memory.store("x", { schema: schemaOf((): { value: number } => { throw new RangeError("broken"); }, asynchronous) });
    await expect(broken.save("a", 1)).rejects.toThrow(RangeError);
    await expect(memory.transaction((tx) => tx.save(broken, "a", 1))).rejects.toThrow("broken");
    expect(await broken.count()).toBe(0);
  });
});

test("what the caller does after save was called does not count behind a synchronous schema either", async () => {
  const store = memory.store("x", { schema: schemaOf((value) => ({ value: value as { n: number } })) });
  const value = { n: 1 };
  const saved = store.save("a", value);
  const many = store.saveMany([{ id: "b", value }]);
  value.n = 2;
  await Promise.all([saved, many]);
  expect(await store.getMany(["a", "b"])).toEqual([{ n: 1 }, { n: 1 }]);
});

test("a schema may be a function, as those of some libraries are", async () => {
  const schema = Object.assign(() => undefined, schemaOf((value) => ({ value: String(value) })));
  const store = memory.store("x", { schema });
  await store.save("a", 5 as unknown as string);
  expect(await store.get("a")).toBe("5");
});

test("what a schema gives must be storable", async () => {
  const store = memory.store("x", { schema: schemaOf(() => ({ value: { run: () => 1 } })) });
  await expectRefusal(() => store.save("a", { run: () => 1 }), "ERR_INVALID", /value\.run is a function/);
  expect(await store.count()).toBe(0);
});

test.each([null, {}, "zod", { "~standard": { version: 2, validate: () => 0 } }, { "~standard": { version: 1 } }])(
  "%j is no schema", async (schema) => {
    await expectRefusal(() => memory.store("x", { schema: schema as never }), "ERR_INVALID", /options\.schema/);
  },
);
