/** What is open: the registry, and that thousands of openings leave nothing behind. */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, expect, test } from "vitest";
import { handles, open } from "mnemora";
import { MapHost } from "../wasm/host.js";
import { freshPath, refusal, settle } from "./harness.js";

test("what is open is listed in order, and what is closed is not", async () => {
  expect(handles()).toEqual([]);
  const begun = Date.now();
  const one = await open("memory:");
  const two = await open(new MapHost());
  const listed = handles();
  expect(listed.map(({ url, backend }) => [url, backend])).toEqual([["memory:", "memory"], ["host:map", "host"]]);
  for (const { openedAt } of listed) expect(openedAt.getTime()).toBeGreaterThanOrEqual(begun);
  listed[0]!.openedAt.setTime(0);
  expect(handles()[0]!.openedAt.getTime()).toBeGreaterThanOrEqual(begun);
  await one.close();
  expect(handles()).toHaveLength(1);
  await two.close();
  expect(handles()).toEqual([]);
});

test("what could not be opened, or closed in order, is not listed", async () => {
  await refusal(() => open("idb://x"));
  const host = new MapHost();
  host.close = () => Promise.reject(new Error("no"));
  const memory = await open(host);
  await refusal(() => memory.close());
  expect(handles()).toEqual([]);
});

test("an opening that is aborted leaves nothing open", async () => {
  const host = new MapHost();
  const controller = new AbortController();
  const reason = new Error("enough");
  const { info } = host;
  host.info = () => {
    controller.abort(reason);
    return info.call(host);
  };
  expect(await refusal(() => open(host, { signal: controller.signal }))).toBe(reason);
  await expect.poll(() => host.closed).toBe(true);
  expect(handles()).toEqual([]);
  // And before anything was opened, nothing is.
  const other = new MapHost();
  expect(await refusal(() => open(other, { signal: AbortSignal.abort(reason) }))).toBe(reason);
  expect([other.closed, handles()]).toEqual([false, []]);
});

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

describe("opening and closing", () => {
  test.each([["memory", 10_000, 2_000], ["host", 4_000, 1_000], ["json", 300, 100], ["sqlite", 300, 100]])(
    "%s %i times leaves no handle, and takes no more room than some hundreds", async (kind, cycles, warm) => {
      const path = freshPath();
      const cycle = async (count: number): Promise<number> => {
        for (let n = 1; n <= count; n++) {
          const memory = await open(kind === "memory" ? "memory:" : kind === "host" ? new MapHost() : `${kind}://${path}`);
          await memory.agents.save("a", new Uint8Array(1_000));
          await memory.close();
          if (n % 50 === 0) {
            // Handles of the core are given back by finalizers, which need a turn of their own.
            collect();
            await settle();
          }
        }
        expect(handles()).toEqual([]);
        collect();
        await settle();
        collect();
        const { external, arrayBuffers } = process.memoryUsage();
        return external + arrayBuffers;
      };
      const before = await cycle(warm);
      expect(await cycle(cycles) - before).toBeLessThanOrEqual(2 << 20);
    }, 300_000,
  );
});
