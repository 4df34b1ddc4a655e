/** What an opened memory costs its process: it does not keep it alive, and it gives back what it took. */
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { open } from "mnemora";
import { expect, test } from "vitest";
import { settle } from "./harness.js";

test("a program that forgets to close ends all the same", async () => {
  const folder = await mkdtemp(join(tmpdir(), "mnemora-lifetime-"));
  try {
    await mkdir(join(folder, "node_modules"));
    await symlink(fileURLToPath(new URL("../..", import.meta.url)), join(folder, "node_modules", "mnemora"), "dir");
    const program = `
      import { open } from "mnemora";
      const memory = await open("memory:");
      const store = memory.store("s");
      store.watch(() => undefined);
      (async () => { for await (const change of store.watch()) console.log(change.id); })();
      await store.save("a", 1);
      setTimeout(() => console.log("end"), 20);`;
    await writeFile(join(folder, "program.mjs"), program);
    const { stdout, stderr } = await promisify(execFile)(process.execPath, ["program.mjs"], { cwd: folder, timeout: 30_000 });
    expect(stdout).toBe("a\nend\n");
    expect(stderr).toBe("");
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

test("a thousand memories, one after the other, take no more room than some hundreds", async () => {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  const vectors = Array.from({ length: 20 }, (_, n) => new Float32Array(64).fill(n + 1));
  const cycles = async (count: number): Promise<number> => {
    for (let n = 1; n <= count; n++) {
      const memory = await open("memory:");
      const notes = memory.collection("notes", { dimensions: 64 });
      await notes.add(vectors.map((vector, i) => ({ id: String(i), vector, metadata: { i } })));
      await notes.search(vectors[0]!);
      await memory.agents.save("a", new Uint8Array(10_000));
      await memory.agents.get("a");
      memory.agents.watch(() => undefined);
      await memory.close();
      if (n % 50 === 0) {
        // Handles of the core are given back by finalizers, which need a turn of their own.
        collect();
        await settle();
        collect();
      }
    }
    const { external, arrayBuffers } = process.memoryUsage();
    return external + arrayBuffers;
  };
  await cycles(400);
  const before = await cycles(100);
  const after = await cycles(600);
  expect(after - before).toBeLessThanOrEqual(1 << 20);
}, 120_000);
