/** Copying: everything arrives, between any two storages, also when it is broken off in the middle. */
import { describe, expect, test } from "vitest";
import { copy, handles, open, type CopyProgress, type HostBackend, type Memory } from "mnemora";
import { MapHost, Rows } from "../wasm/host.js";
import { all, expectRefusal, freshPath, refusal, type Storage } from "./harness.js";

const KINDS: readonly Storage[] = ["memory", "host", "json", "sqlite"];

/** A storage that can be opened again: as what is to be given to `open` each time. */
function lasting(kind: Storage): () => string | HostBackend {
  const rows = new Rows();
  const path = freshPath();
  return () => kind === "host" ? new MapHost(rows) : `${kind}://${path}`;
}

async function fill(memory: Memory, count = 150): Promise<void> {
  const store = memory.store("s", { history: 3 });
  await store.saveMany(Array.from({ length: count }, (_, n) => ({ id: `id ${n}`, value: { n, text: "é".repeat(n) } })));
  for (let n = 0; n < 3; n++) await store.save("changed", n);
  await store.delete("id 7");
  await memory.agents.save("expiring", new Date(0), { ttlMs: 1e9 });
  await memory.collection("c", { dimensions: 2 }).add([{ id: "a", vector: [1, 0], text: "one" }, { id: "b", vector: [0, 1], metadata: { n: 1n } }]);
}

async function content(memory: Memory): Promise<unknown> {
  const plain = (entries: { id: string; value?: unknown; created: Date; updated: Date }[]): unknown =>
    entries.map(({ id, value, created, updated }) => [id, value, created, updated]);
  return [
    plain(await all(memory.store("s").list())), plain(await memory.store("s").history("changed")), plain(await all(memory.agents.list())),
    (await all(memory.collection("c").list())).map(({ id, text, vector, metadata }) => [id, text, vector, metadata]),
    (await memory.collection("c").search([1, 0])).map(({ id, score }) => [id, score]),
  ];
}

describe.each(KINDS)("from %s", (from) => {
  test.each(KINDS)("to %s, everything is there, with the same digest", async (to) => {
    const source = await open(from === "memory" ? "memory:" : lasting(from)());
    const target = await open(to === "memory" ? "memory:" : lasting(to)());
    await fill(source);
    const steps: CopyProgress[] = [];
    const report = await copy(source, target, { pageBytes: 4_096, onProgress: (step) => { steps.push(step); } });
    expect(report).toMatchObject({ resumed: false, digest: await source.digest() });
    expect(await target.digest()).toBe(report.digest);
    expect(await content(target)).toEqual(await content(source));
    expect(await target.verify()).toMatchObject({ ok: true, problems: [] });
    expect(steps.length).toBeGreaterThan(3);
    expect(steps.at(-1)).toEqual({ phase: "verify", records: report.records, bytes: report.bytes });
    // Both go on as before.
    await target.store("s").save("after", 1);
    expect(await source.store("s").get("after")).toBeNull();
    await source.close();
    await target.close();
  });
});

test("storages that copy opened itself are closed by it", async () => {
  const [from, to] = [lasting("json"), lasting("sqlite")];
  const source = await open(from());
  await fill(source, 20);
  const before = await content(source);
  await source.close();
  await copy(from(), to());
  expect(handles()).toEqual([]);
  const target = await open(to());
  expect(await content(target)).toEqual(before);
  await target.close();
});

test("a copy that was broken off goes on where it was", async () => {
  const to = lasting("json");
  const source = await open("memory:");
  await fill(source);
  const controller = new AbortController();
  const reason = new Error("enough");
  let steps = 0;
  const broken = copy(source, to(), {
    pageBytes: 2_048, signal: controller.signal, onProgress: () => { if (++steps === 3) controller.abort(reason); },
  });
  expect(await refusal(() => broken)).toBe(reason);
  expect(handles()).toHaveLength(1);
  await source.store("s").save("meanwhile", 1);
  const report = await copy(source, to(), { pageBytes: 2_048 });
  expect(report).toMatchObject({ resumed: true, digest: await source.digest() });
  const target = await open(to());
  expect(await target.store("s").get("meanwhile")).toBe(1);
  expect(await content(target)).toEqual(await content(source));
  await target.close();
  await source.close();
});

test("a target that holds something is refused, unless it is to be replaced", async () => {
  const [source, target] = [await open("memory:"), await open("memory:")];
  await fill(source, 10);
  await target.agents.save("mine", 1);
  await expectRefusal(() => copy(source, target), "ERR_INVALID", /replace/);
  expect(await target.agents.get("mine")).toBe(1);
  await copy(source, target, { replace: true });
  expect(await target.agents.get("mine")).toBeNull();
  expect(await content(target)).toEqual(await content(source));
  await source.close();
  await target.close();
});

test("watchers of the target hear of it", async () => {
  const [source, target] = [await open("memory:"), await open("memory:")];
  await source.store("s").save("a", 1);
  const heard: string[] = [];
  target.store("s").watch(({ id }) => { heard.push(id); });
  await copy(source, target);
  await expect.poll(() => heard).toEqual(["a"]);
  await source.close();
  await target.close();
});

test("mistakes are refused", async () => {
  const memory = await open("memory:");
  await expectRefusal(() => copy(memory, memory), "ERR_INVALID", /same/);
  await expectRefusal(() => copy(memory, "memory:", { pageBytes: 0 }), "ERR_INVALID", /pageBytes/);
  await expectRefusal(() => copy(memory, "memory:", { resume: true } as never), "ERR_INVALID", /resume is unknown/);
  await expectRefusal(() => copy(memory, 5 as never), "ERR_INVALID");
  await expectRefusal(() => copy("idb://x", memory), "ERR_UNSUPPORTED");
  await memory.close();
  await expectRefusal(() => copy(memory, "memory:"), "ERR_CLOSED");
  await expectRefusal(() => memory.digest(), "ERR_CLOSED");
  expect(handles()).toEqual([]);
});
