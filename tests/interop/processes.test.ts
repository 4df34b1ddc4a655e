/** One holder at a time, whoever it is: others are told its process, and take over from one that has died. */
import { type ChildProcess } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { beforeAll, describe, expect, test } from "vitest";
import { isMemoryError, open } from "mnemora";
import { all, ended, freshPath, type Kind, KINDS, nativeProgram, readNatively, runNative, startNative, startNode } from "./harness.js";

beforeAll(() => {
  for (const example of ["read_file", "inventory"]) nativeProgram(example);
});

/** What a process that was started says first. */
async function firstLine(child: ChildProcess): Promise<{ held?: number; seen?: number; code?: string; message?: string; milliseconds?: number }> {
  let text = "";
  let errors = "";
  child.stderr?.on("data", (part: Buffer) => { errors += part.toString(); });
  return new Promise((resolve, reject) => {
    child.stdout?.on("data", (part: Buffer) => {
      text += part.toString();
      if (text.includes("\n")) resolve(JSON.parse(text.slice(0, text.indexOf("\n"))) as object);
    });
    child.once("exit", (code) => reject(new Error(`ended with ${code} and said nothing: ${errors}`)));
  });
}

const lockOf = (kind: Kind, path: string): string => kind === "sqlite" ? `${path}.lock` : `${path}/lock`;

describe.each(KINDS)("%s", (kind) => {
  test("held by a process of Node: another one and a native program are told so, and which; when it is killed, the next has everything", async () => {
    const path = freshPath();
    const url = `${kind}://${path}`;
    const owner = startNode("holder", url);
    const { held, seen } = await firstLine(owner);
    expect({ held, seen }).toEqual({ held: owner.pid, seen: 0 });
    const [pid, named] = [owner.pid ?? 0, new RegExp(`\\b${owner.pid}\\b`)];

    const other = await firstLine(startNode("holder", url, "500"));
    expect(other).toMatchObject({ code: "ERR_BLOCKED", message: expect.stringMatching(named) as string });
    expect(other.milliseconds).toBeGreaterThanOrEqual(450);
    expect(other.milliseconds).toBeLessThan(3_000);

    const began = Date.now();
    const native = runNative("read_file", url, "$agents");
    expect(native).toMatchObject({ status: 1, stdout: "", stderr: expect.stringMatching(named) as string });
    // Its time limit is the default one, 5 s.
    expect(Date.now() - began).toBeLessThan(9_000);

    // And this process too; being refused takes nothing away from the owner.
    const refused = await open(url, { openTimeoutMs: 30 }).catch((error: unknown) => error);
    expect(isMemoryError(refused, "ERR_BLOCKED")).toBe(true);
    expect(readFileSync(lockOf(kind, path), "utf8")).toContain(`process ${pid}\n`);

    await ended(owner, "SIGKILL");
    expect(existsSync(lockOf(kind, path))).toBe(true);
    const killed = performance.now();
    const memory = await open(url, { openTimeoutMs: 1_000 });
    expect(performance.now() - killed).toBeLessThan(1_000);
    expect((await all(memory.agents.list())).map(({ id }) => id).sort()).toEqual(Array.from({ length: 20 }, (_, n) => `${pid}/${n}`).sort());
    expect(await memory.verify()).toMatchObject({ ok: true, problems: [] });
    await memory.close();
    expect(existsSync(lockOf(kind, path))).toBe(false);
  });

  test("a native program takes over from a process of Node that was killed, and reads all it had acknowledged", async () => {
    const path = freshPath();
    const url = `${kind}://${path}`;
    const owner = startNode("holder", url);
    await firstLine(owner);
    await ended(owner, "SIGKILL");
    const began = Date.now();
    const found = readNatively(url, "$agents");
    expect(Date.now() - began).toBeLessThan(2_000);
    expect(found.map(({ value }) => (value as { n: number }).n).sort((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, n) => n));
    expect(existsSync(lockOf(kind, path))).toBe(false);
  });

  test("held by a native program: a process of Node is told so, and which; when that is killed, it takes over", async () => {
    const { path, owner } = await stoppedInTheMiddle(kind);
    const url = `${kind}://${path}`;
    const refused = await firstLine(startNode("holder", url, "300"));
    expect(refused).toMatchObject({ code: "ERR_BLOCKED", message: expect.stringMatching(new RegExp(`\\b${owner.pid}\\b`)) as string });
    await ended(owner, "SIGKILL");
    const memory = await open(url, { openTimeoutMs: 1_000 });
    const stock = await memory.store<number>("stock").get("microphone");
    // Each sale is a transaction: what is gone from the stock has its order.
    expect(await memory.store("orders").count()).toBe(stock === null ? 0 : 150 - stock);
    expect(await memory.verify()).toMatchObject({ ok: true, problems: [] });
    await memory.close();
  });
});

/** A native program that has the storage open and does not go on. */
async function stoppedInTheMiddle(kind: Kind): Promise<{ path: string; owner: ChildProcess }> {
  for (let attempt = 0; attempt < 20; attempt++) {
    const path = freshPath();
    const owner = startNative("inventory", `${kind}://${path}`);
    while (!existsSync(lockOf(kind, path)) && owner.exitCode === null) await new Promise((resolve) => { setImmediate(resolve); });
    owner.kill("SIGSTOP");
    // It may have ended between the two.
    if (owner.exitCode === null && existsSync(lockOf(kind, path))) return { path, owner };
    await ended(owner, "SIGKILL");
  }
  throw new Error("the program was never caught with the storage open");
}
