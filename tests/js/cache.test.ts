/** The cache as users see it: what hits, what does not, and what it must never do. */
import { afterEach, expect, test } from "vitest";
import { open, type HostBackend, type Memory, type OpenOptions } from "mnemora";
import { MapHost, Rows } from "../wasm/host.js";
import { clockAt, expectRefusal } from "./harness.js";

const opened: Memory[] = [];
async function kept(url: string | HostBackend, options: OpenOptions): Promise<Memory> {
  const memory = await open(url, options);
  opened.push(memory);
  return memory;
}
afterEach(async () => {
  for (const memory of opened.splice(0)) await memory.close();
});

/** A host that counts how often it is read. */
function counting(rows = new Rows()): { host: MapHost; reads: () => number } {
  const host = new MapHost(rows);
  const { get } = host;
  let reads = 0;
  host.get = (keys) => { reads += 1; return get.call(host, keys); };
  return { host, reads: () => reads };
}

test("there is none unless it is asked for", async () => {
  const memory = await kept("memory:", {});
  expect(await memory.cacheStats()).toBeNull();
});

test("what was read once is not read again, falsy values and nothing included", async () => {
  const { host, reads } = counting();
  const memory = await kept(host, { cache: {} });
  const values = [0, "", false, null, -0, NaN, [], {}];
  for (const [at, value] of values.entries()) await memory.agents.save(String(at), value);
  for (const [at, value] of values.entries()) expect(await memory.agents.get(String(at))).toEqual(value);
  expect(await memory.agents.get("nothing")).toBeNull();
  const before = reads();
  for (const [at, value] of values.entries()) expect(await memory.agents.get(String(at))).toEqual(value);
  expect(await memory.agents.get("nothing")).toBeNull();
  expect(reads()).toBe(before);
  const stats = await memory.cacheStats();
  expect(stats).toMatchObject({ evictions: 0, second: null });
  expect(stats!.hits).toBeGreaterThanOrEqual(values.length + 1);
  expect(stats!.negativeHits).toBeGreaterThanOrEqual(1);
  expect(stats!.entries).toBeGreaterThanOrEqual(values.length + 1);
  expect(stats!.bytes).toBeGreaterThan(0);
});

test("a cached value can not be changed by its reader", async () => {
  const memory = await kept("memory:", { cache: {} });
  await memory.agents.save("a", { list: [1], bytes: new Uint8Array([1]) });
  const first = await memory.agents.get("a") as { list: number[]; bytes: Uint8Array };
  first.list.push(2);
  first.bytes.fill(9);
  expect(await memory.agents.get("a")).toEqual({ list: [1], bytes: new Uint8Array([1]) });
});

test("a write is seen at once, and so is one of somebody else once it is heard of", async () => {
  const rows = new Rows();
  const [mine, theirs] = [await kept(new MapHost(rows), { cache: {} }), await kept(new MapHost(rows), { cache: {} })];
  await mine.agents.save("a", 1);
  expect([await mine.agents.get("a"), await theirs.agents.get("a")]).toEqual([1, 1]);
  await theirs.agents.save("a", 2);
  expect(await theirs.agents.get("a")).toBe(2);
  await expect.poll(() => mine.agents.get("a"), { timeout: 5_000 }).toBe(2);
  await mine.agents.delete("a");
  expect(await mine.agents.get("a")).toBeNull();
});

test("its bound holds", async () => {
  const memory = await kept("memory:", { cache: { maxBytes: 20_000 } });
  for (let n = 0; n < 200; n++) await memory.agents.save(String(n), "x".repeat(500));
  for (let n = 0; n < 200; n++) await memory.agents.get(String(n));
  const stats = await memory.cacheStats();
  expect(stats!.bytes).toBeLessThanOrEqual(20_000);
  expect(stats!.evictions).toBeGreaterThan(0);
});

test("what has outlived its time is read anew", async () => {
  const clock = clockAt(1_700_000_000_000);
  const { host, reads } = counting();
  const memory = await kept(host, { now: clock.now, cache: { ttlMs: 1_000 } });
  await memory.agents.save("a", 1);
  await memory.agents.get("a");
  const before = reads();
  await memory.agents.get("a");
  expect(reads()).toBe(before);
  clock.ms += 1_001;
  expect(await memory.agents.get("a")).toBe(1);
  expect(reads()).toBeGreaterThan(before);
});

test("a second level answers after the first was lost, and belongs to the memory", async () => {
  const truth = counting();
  const second = new MapHost();
  const memory = await kept(truth.host, { cache: { maxBytes: 4_096, second, secondTtlMs: 60_000 } });
  for (let n = 0; n < 30; n++) await memory.agents.save(String(n), "x".repeat(200));
  for (let round = 0; round < 3; round++) {
    for (let n = 0; n < 30; n++) expect(await memory.agents.get(String(n))).toBe("x".repeat(200));
  }
  const stats = await memory.cacheStats();
  expect(stats!.second).toMatchObject({ failures: 0, inUse: true });
  expect(stats!.second!.hits).toBeGreaterThan(0);
  await memory.close();
  expect([second.closed, truth.host.closed]).toEqual([true, true]);
});

test("after close it says no more", async () => {
  const memory = await kept("memory:", { cache: {} });
  await memory.close();
  await expectRefusal(() => memory.cacheStats(), "ERR_CLOSED");
});
