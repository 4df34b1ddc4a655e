/** What is opened in place of what can not be: only what was declared, only after the right failures, never in silence. */
import { writeFileSync } from "node:fs";
import { afterEach, describe, expect, test } from "vitest";
import { open, type HostBackend, type Memory, type MemoryEvent, type OpenOptions } from "mnemora";
import { MapHost } from "../wasm/host.js";
import { expectRefusal, freshPath, refusal } from "./harness.js";

const opened: Memory[] = [];
async function kept(url: string | HostBackend, options?: OpenOptions): Promise<Memory> {
  const memory = await open(url, options);
  opened.push(memory);
  return memory;
}
afterEach(async () => {
  for (const memory of opened.splice(0)) await memory.close();
});

/** An object that fails to open with this code. */
function failing(code: string): HostBackend {
  return Object.assign(new MapHost(), { stats: () => Promise.reject(Object.assign(new Error("as it says"), { code })) });
}

test("nothing is taken that was not declared", async () => {
  await expectRefusal(() => open("idb://x"), "ERR_UNSUPPORTED");
  await expectRefusal(() => open("idb://x", { fallback: [] }), "ERR_UNSUPPORTED");
});

test("the first that opens is taken, and info and an event say why", async () => {
  const events: MemoryEvent[] = [];
  const memory = await kept("idb://x", { fallback: ["opfs://y", new MapHost(), "memory:"], onEvent: (event) => { events.push(event); } });
  const { info } = memory;
  expect(info).toMatchObject({ url: "host:map", requested: "idb://x", backend: "host" });
  expect(info.refused.map(({ url, code }) => [url, code])).toEqual([["idb://x", "ERR_UNSUPPORTED"], ["opfs://y", "ERR_UNSUPPORTED"]]);
  expect(events).toEqual([{ type: "fallback", wanted: "idb://x", taken: "host:map", refused: info.refused }]);
  await memory.agents.save("a", 1);
  expect(await memory.agents.get("a")).toBe(1);
});

test("what opens at once has nothing to tell", async () => {
  const memory = await kept("memory:", { fallback: ["idb://x"], onEvent: () => { throw new Error("must not be called"); } });
  expect(memory.info).toMatchObject({ url: "memory:", requested: "memory:", refused: [] });
});

describe("after", () => {
  test.each(["ERR_UNSUPPORTED", "ERR_UNAVAILABLE", "ERR_BLOCKED", "ERR_QUOTA"])("%s the next is tried", async (code) => {
    const memory = await kept(failing(code), { fallback: ["memory:"] });
    expect(memory.info).toMatchObject({ url: "memory:", refused: [{ url: "host:", code }] });
  });

  test.each(["ERR_INVALID", "ERR_CORRUPT", "ERR_VERSION", "ERR_CRYPTO", "ERR_CLOSED", "ERR_CONFLICT", "ERR_INTERNAL", "ERR_NOT_FOUND"])(
    "%s it is not: what is there is not hidden", async (code) => {
      await expectRefusal(() => open(failing(code), { fallback: ["memory:"] }), code as "ERR_INVALID", /as it says/);
    },
  );

  test("a file that is held by another, the next is tried", async () => {
    const url = `json://${freshPath()}`;
    const holder = await kept(url);
    const memory = await kept(url, { openTimeoutMs: 30, fallback: ["memory:"] });
    expect(memory.info).toMatchObject({ url: "memory:", requested: url, refused: [{ url, code: "ERR_BLOCKED" }] });
    expect(memory.info.refused[0]!.message).toContain(String(process.pid));
    await holder.agents.save("a", 1);
  });

  test("a file that is none of ours, it is not", async () => {
    const path = freshPath();
    writeFileSync(path, "this is a diary, and no database\n".repeat(200));
    const error = await refusal(() => open(`sqlite://${path}`, { fallback: ["memory:"] }));
    expect((error as { code: string }).code).toMatch(/ERR_CORRUPT|ERR_VERSION|ERR_INVALID/);
  });

  test("a mistake in the URL, it is not", async () => {
    await expectRefusal(() => open("idb:x", { fallback: ["memory:"] }), "ERR_INVALID");
  });

  test("a second level of the cache that does not open, it is not", async () => {
    await expectRefusal(() => open("memory:", { cache: { second: "idb://x" }, fallback: ["memory:"] }), "ERR_UNSUPPORTED");
  });
});

test("if none opens, the error is that of the first, and names the others", async () => {
  const error = await expectRefusal(
    () => open(failing("ERR_BLOCKED"), { fallback: ["idb://x", failing("ERR_QUOTA")] }), "ERR_BLOCKED", /idb:\/\/x ERR_UNSUPPORTED: .*host: ERR_QUOTA: /,
  );
  expect(error.message).toContain("as it says");
});
