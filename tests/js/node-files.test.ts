/** Storages that lie in files, in Node: what was stored is there after a reopen, and each fault has its error. */
import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { open, type Memory } from "mnemora";
import { all, expectRefusal, freshPath, refusal } from "./harness.js";

async function fill(memory: Memory): Promise<void> {
  const store = memory.store("s", { history: 2, ttlMs: 1e9 });
  for (let n = 0; n < 3; n++) await store.save("a", { n, when: new Date(n), big: 2n ** 70n, bytes: new Uint8Array([n]) });
  await store.saveMany(Array.from({ length: 50 }, (_, n) => ({ id: `ünï/${n}`, value: n })));
  await store.delete("ünï/3");
  await memory.agents.save("A", 1);
  await memory.agents.save("a", 2);
  await memory.collection("c", { dimensions: 3 }).add([{ id: "x", vector: [1, 2, 3], text: "text", metadata: { tags: ["t"] } }]);
}

async function content(memory: Memory): Promise<unknown> {
  const store = memory.store("s", { history: 2 });
  return [
    await all(store.list()), await store.history("a"), await all(memory.agents.list()), await all(memory.collection("c").list()),
    await memory.collection("c").search([1, 2, 3]), (await memory.agents.entry("a"))?.version,
  ];
}

describe.each(["sqlite", "json"])("%s", (kind) => {
  test.each(["relaxed", "strict"] as const)("what was stored %s is there again", async (durability) => {
    const url = `${kind}://${freshPath()}`;
    const memory = await open(url, { durability });
    expect(memory.info).toMatchObject({ url, backend: kind, durability, shared: false });
    await fill(memory);
    const [before, digest] = [await content(memory), await memory.digest()];
    await memory.close();
    for (let round = 0; round < 3; round++) {
      const again = await open(url, { durability });
      expect(await content(again)).toEqual(before);
      expect(await again.digest()).toBe(digest);
      expect(await again.verify()).toMatchObject({ ok: true, problems: [] });
      await again.close();
    }
    const later = await open(url);
    const { version } = await later.agents.save("later", 1);
    expect(version).toBeGreaterThan((await later.agents.entry("a"))!.version);
    await later.close();
  });

  test("has one holder, who is named", async () => {
    const url = `${kind}://${freshPath()}`;
    const memory = await open(url);
    await expectRefusal(() => open(url, { openTimeoutMs: 30 }), "ERR_BLOCKED", new RegExp(String(process.pid)));
    await memory.close();
    await (await open(url, { openTimeoutMs: 30 })).close();
  });

  test("waits for its holder to let go", async () => {
    const url = `${kind}://${freshPath()}`;
    const memory = await open(url);
    const waiting = open(url, { openTimeoutMs: 5_000 });
    await new Promise((resolve) => { setTimeout(resolve, 100); });
    await memory.close();
    await (await waiting).close();
  });

  test("closing ends what is in flight first", async () => {
    const url = `${kind}://${freshPath()}`;
    const memory = await open(url);
    const writes = Array.from({ length: 50 }, (_, n) => memory.agents.save(String(n), n));
    await memory.close();
    expect((await Promise.allSettled(writes)).every(({ status }) => status === "fulfilled")).toBe(true);
    const again = await open(url);
    expect(await again.agents.count()).toBe(50);
    await again.close();
  });

  test("a place that can not be written to is out of reach", async () => {
    const path = freshPath();
    writeFileSync(path, "in the way");
    await expectRefusal(() => open(`${kind}://${path}/below`), "ERR_UNAVAILABLE");
    // The superuser may write anywhere.
    if (process.getuid?.() !== 0) {
      const folder = freshPath();
      mkdirSync(folder);
      chmodSync(folder, 0o500);
      await expectRefusal(() => open(`${kind}://${folder}/x`), "ERR_UNAVAILABLE");
    }
  });

  test("a process that was killed leaves no lock that holds", async () => {
    const url = `${kind}://${freshPath()}`;
    const program = `
      import { open } from "mnemora";
      const memory = await open(${JSON.stringify(url)}, { durability: "strict" });
      await memory.agents.save("a", "acknowledged");
      process.kill(process.pid, "SIGKILL");`;
    const { signal, stderr } = spawnSync(process.execPath, ["--input-type=module", "-e", program], { cwd: new URL("../..", import.meta.url), encoding: "utf8", timeout: 30_000 });
    expect({ signal, stderr }).toEqual({ signal: "SIGKILL", stderr: "" });
    const memory = await open(url, { openTimeoutMs: 1_000 });
    expect(await memory.agents.get("a")).toBe("acknowledged");
    await memory.close();
  });
});

test("a file that is none of ours is refused and left alone", async () => {
  const path = freshPath();
  writeFileSync(path, "a diary\n".repeat(1_000));
  const error = await refusal(() => open(`sqlite://${path}`)) as { code: string };
  expect(error.code).toMatch(/ERR_CORRUPT|ERR_VERSION|ERR_INVALID/);
  expect(existsSync(path)).toBe(true);
});
