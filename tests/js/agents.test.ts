/** The main job: the state of agents, saved and got back. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Memory } from "mnemora";
import { open } from "./harness.js";

let memory: Memory;
beforeEach(async () => { memory = await open("memory:"); });
afterEach(() => memory.close());

describe("agents", () => {
  test("give a state back equal, with its Date", async () => {
    const state = { status: "active", step: 3, lastUpdated: new Date("2026-01-02T03:04:05.678Z"), scratch: { notes: ["a", "b"] } };
    await memory.agents.save("agent-123", state);
    const found = await memory.agents.get("agent-123");
    expect(found).toEqual(state);
    expect(found.lastUpdated).toBeInstanceOf(Date);
  });

  test("save a hundred states at once, and all of them are right", async () => {
    const numbers = Array.from({ length: 100 }, (_, i) => i);
    const written = await Promise.all(numbers.map((i) => memory.agents.save(`agent-${i}`, { value: i })));
    expect(new Set(written.map(({ version }) => version)).size).toBe(100);
    const found = await Promise.all(numbers.map((i) => memory.agents.get(`agent-${i}`)));
    expect(found).toEqual(numbers.map((value) => ({ value })));
    expect(await memory.agents.count()).toBe(100);
  });

  test("say what a write survives", async () => {
    expect(await memory.agents.save("a", 1)).toEqual({ version: 1, durability: memory.info.durability });
  });

  test("give null for what is not there", async () => {
    expect(await memory.agents.get("nobody")).toBeNull();
    expect(await memory.agents.delete("nobody")).toBe(false);
  });

  test("are apart from a store that is named like them", async () => {
    await memory.store("agents").save("a", "of the store");
    expect(await memory.agents.get("a")).toBeNull();
    expect(memory.agents.name).toBe("agents");
  });
});

describe("copies", () => {
  test("what is read is the reader's own", async () => {
    await memory.agents.save("a", { list: [1], map: new Map([["k", { n: 1 }]]), bytes: new Uint8Array([1, 2]), at: new Date(5) });
    const first = await memory.agents.get("a");
    first.list.push(2);
    first.map.get("k").n = 9;
    first.bytes[0] = 9;
    first.at.setTime(9);
    expect(await memory.agents.get("a")).toEqual({
      list: [1], map: new Map([["k", { n: 1 }]]), bytes: new Uint8Array([1, 2]), at: new Date(5),
    });
    const [one, two] = await memory.agents.getMany(["a", "a"]);
    one.list.push(3);
    expect(two.list).toEqual([1]);
  });

  test("what the caller does after save was called does not count", async () => {
    const state = { list: [1], bytes: new Uint8Array([1]) };
    const saved = memory.agents.save("a", state);
    state.list.push(2);
    state.bytes[0] = 9;
    await saved;
    expect(await memory.agents.get("a")).toEqual({ list: [1], bytes: new Uint8Array([1]) });

    const items = [{ id: "b", value: { n: 1 } }];
    const many = memory.agents.saveMany(items);
    items[0]!.value.n = 2;
    items[0]!.id = "c";
    await many;
    expect(await memory.agents.get("b")).toEqual({ n: 1 });
    expect(await memory.agents.get("c")).toBeNull();
  });

  test("a value that is in a transaction is taken as it was when it was handed over", async () => {
    const state = { n: 1 };
    await memory.transaction((tx) => {
      tx.save(memory.agents, "a", state);
      state.n = 2;
    });
    expect(await memory.agents.get("a")).toEqual({ n: 1 });
  });

  test("views of one buffer are stored as what they show", async () => {
    const buffer = new Float32Array([1, 2, 3, 4]);
    await memory.agents.save("a", buffer.subarray(1, 3));
    const found = await memory.agents.get("a");
    expect(found).toEqual(new Float32Array([2, 3]));
    expect(found.buffer.byteLength).toBe(8);
  });
});
