/** A backend given as an object: what it must be, what becomes of its lies, and what it may do besides. */
import { describe, expect, test } from "vitest";
import { open, type HostBackend, type HostWrite, type MemoryError } from "mnemora";
import { Liar, lieOf, lies, MapHost, Rows } from "../wasm/host.js";
import { all, expectRefusal, refusal } from "./harness.js";

describe("an object", () => {
  test("stands for a storage, and what is stored is there for the next one over it", async () => {
    const rows = new Rows();
    const host = new MapHost(rows);
    const memory = await open(host);
    expect(memory.info).toEqual({
      url: "host:map", requested: "host:map", refused: [], backend: "host", durability: "volatile", shared: true, dataLoss: null,
    });
    await memory.agents.save("a", { n: 1 });
    await memory.close();
    expect(host.closed).toBe(true);
    const again = await open(new MapHost(rows));
    expect(await again.agents.get("a")).toEqual({ n: 1 });
    expect(await again.verify()).toMatchObject({ ok: true });
    await again.close();
  });

  test.each([
    [{ commit() {} }, /no method info/], [{ ...methods(), get: 5 }, /no method get/], [{ ...methods(), stats: undefined }, /no method stats/],
    [{ ...methods(), info: () => null }, /info\(\) is null/], [{ ...methods(), info: () => ({ name: "", durability: "strict" }) }, /name/],
    [{ ...methods(), info: () => ({ name: "two words", durability: "strict" }) }, /name/],
    [{ ...methods(), info: () => ({ name: "x", durability: "safe" }) }, /durability/],
    [{ ...methods(), info: () => ({ name: "x", durability: "strict", shared: 1 }) }, /shared/],
    [{ ...methods(), info: () => ({ name: "x", durability: "strict", maxValueBytes: 1.5 }) }, /maxValueBytes/],
    [{ ...methods(), info: () => ({ name: "x", durability: "strict", maxValueBytes: 1_000 }) }, /65536/],
  ])("that is none is refused: %o", async (object, words) => {
    await expectRefusal(() => open(object as never), "ERR_INVALID", words);
  });

  test("whose info fails or never comes is out of reach", async () => {
    await expectRefusal(() => open({ ...methods(), info: () => { throw new Error("no"); } }), "ERR_UNAVAILABLE", /info\(\) failed: no/);
    await expectRefusal(() => open({ ...methods(), info: () => new Promise<never>(() => undefined) }, { timeoutMs: 20 }), "ERR_UNAVAILABLE", /20 ms/);
  });

  test("whose check answers with an array of its own making is read by its places alone", async () => {
    // What its methods give would be gone through four thousand million times.
    class Endless extends Array<string> {
      override slice(): never { return { map: () => ({ length: 2 ** 32 - 1 }) } as never; }
    }
    const host = Object.assign(new MapHost(), { check: () => Endless.of("one", "x".repeat(5_000)) });
    const memory = await open(host);
    const { ok, problems } = await memory.verify();
    expect([ok, problems.map(({ message }) => message.length < 2_000)]).toEqual([false, [true, true]]);
    expect(problems[0]!.message).toMatch(/one/);
    await memory.close();
  });

  test("is called from a task of its own, and may use the memory itself", async () => {
    const host = new MapHost();
    let inside: Promise<unknown> | undefined;
    const memory = await open(host);
    const { commit } = host;
    host.commit = (write: HostWrite) => {
      inside ??= memory.agents.get("other");
      return commit.call(host, write);
    };
    let saved = false;
    const saving = memory.agents.save("a", 1).then(() => { saved = true; });
    expect(inside).toBeUndefined();
    await saving;
    expect([saved, await inside]).toEqual([true, null]);
    await memory.close();
  });

  test("may not change afterwards what it has handed over, nor what was handed to it", async () => {
    const rows = new Rows();
    const host = new MapHost(rows);
    const memory = await open(host);
    await memory.agents.save("a", "first");
    const { get } = host;
    host.get = async (keys) => {
      const found = await get.call(host, keys);
      const copies = found.map((row) => row && { ...row, value: row.value.slice() });
      queueMicrotask(() => queueMicrotask(() => queueMicrotask(() => copies.forEach((row) => row?.value.fill(255)))));
      return copies;
    };
    for (let n = 0; n < 20; n++) expect(await memory.agents.get("a")).toBe("first");
    host.get = get;
    // What it keeps is its own: the memory of the core may move and change under it.
    await memory.agents.save("b", "x".repeat(1 << 20));
    expect(await memory.agents.get("a")).toBe("first");
    await memory.close();
  });
});

describe("a lie", () => {
  test.each(lies().filter((lie) => lieOf(lie)[0] === "get"))("%s: a typed error in time, and then all is well", async (lie) => {
    const host = new Liar();
    const memory = await open(host, { timeoutMs: 50 });
    await memory.agents.save("a", "kept");
    host.lie = lie;
    const error = await refusal(() => memory.agents.get("a")) as MemoryError;
    expect({ code: error.code, message: error.message }).toMatchObject({ code: lieOf(lie)[1], message: expect.stringMatching(/backend object/) as string });
    host.lie = undefined;
    expect(await memory.agents.get("a")).toBe("kept");
    await memory.close();
  });

  test("of a write that was not answered says that nobody knows", async () => {
    const host = new Liar();
    const memory = await open(host, { timeoutMs: 50 });
    host.lie = "commit never answers";
    const error = await expectRefusal(() => memory.agents.save("a", 1), "ERR_UNAVAILABLE", /outcome of this write is unknown/);
    expect(error.retryable).toBe(true);
    host.lie = undefined;
    // This one had written, and the next write goes on from there.
    expect(await memory.agents.get("a")).toBe(1);
    expect((await memory.agents.save("b", 2)).version).toBe(2);
    await memory.close();
  });

  test("keeps its cause", async () => {
    const host = new MapHost();
    const memory = await open(host);
    const cause = new TypeError("socket closed");
    host.get = () => Promise.reject(cause);
    expect((await refusal(() => memory.agents.get("a")) as MemoryError).cause).toBe(cause);
    await memory.close();
  });
});

test("two memories over the same rows see each other, and lose nothing", async () => {
  const rows = new Rows();
  const [one, two] = [await open(new MapHost(rows)), await open(new MapHost(rows))];
  const add = async (memory: typeof one): Promise<void> => {
    const store = memory.store<number>("s");
    for (let n = 0; n < 25; n++) {
      await memory.transaction(async (tx) => { tx.save(store, "sum", (await tx.get(store, "sum") ?? 0) + 1); });
    }
  };
  await Promise.all([add(one), add(two)]);
  expect(await one.store("s").get("sum")).toBe(50);
  expect(await all(two.store("s").list())).toHaveLength(1);
  await one.close();
  await two.close();
});

function methods(): HostBackend {
  const host = new MapHost();
  return {
    info: () => host.info(), get: (keys) => host.get(keys), scan: (range) => host.scan(range),
    commit: (write) => host.commit(write), stats: () => host.stats(), close: () => host.close(),
  };
}
