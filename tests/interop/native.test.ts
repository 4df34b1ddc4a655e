/** A file written by the package opens natively with equal records, and the other way round. */
import { cpSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { open } from "mnemora";
import { all, content, fill, freshPath, KINDS, nativeProgram, readNatively, root, runNative, VALUES, without } from "./harness.js";

beforeAll(() => {
  for (const example of ["read_file", "agent_memory", "inventory"]) nativeProgram(example);
});

describe.each(KINDS)("%s", (kind) => {
  test.each(["relaxed", "strict"] as const)("what Node wrote %s is read natively", async (durability) => {
    const url = `${kind}://${freshPath()}`;
    const memory = await open(url, { durability });
    await fill(memory);
    const before = await content(memory);
    const versions = new Map((await all(memory.store("values").list())).map(({ id, version }) => [id, version]));
    const agents = (await all(memory.agents.list())).map(({ id, version }) => [id, version]);
    const many = (await all(memory.store("many").list())).map(({ id, value, version }) => ({ id, value: value as unknown, version }));
    await memory.close();

    const byId = <T extends { id: string }>(records: readonly T[]): T[] => [...records].sort((a, b) => a.id < b.id ? -1 : 1);
    expect(readNatively(url, "values"))
      .toEqual(byId(VALUES.map(([id, , native]) => ({ id, version: versions.get(id), value: native }))));
    expect(readNatively(url, "many")).toEqual(many);
    expect(readNatively(url, "$agents")).toEqual([
      { id: "A", version: agents[0]?.[1], value: { name: "upper", big: { $bigint: "0x010000000000000000" } } },
      { id: "a", version: agents[1]?.[1], value: { name: "lower", seen: { $date: 1 } } },
    ]);

    // Reading natively has changed nothing for Node.
    const again = await open(url);
    expect(await content(again)).toEqual(before);
    expect(await again.verify()).toMatchObject({ ok: true, problems: [] });
    await again.close();
  });

  test("a native program goes on in a file of Node's, and Node in one of its", async () => {
    const url = `${kind}://${freshPath()}`;
    const memory = await open(url);
    await fill(memory);
    const [head, before] = [(await memory.agents.save("last", 1)).version, await all(memory.store("many").list())];
    await memory.close();

    expect(runNative("inventory", url)).toMatchObject({ status: 0, stdout: "sold 150, orders 150, left 0\n", stderr: "" });

    const again = await open(url);
    expect(await all(again.store("many").list())).toEqual(before);
    for (const [id, value] of VALUES) expect(await again.store("values").get(id)).toEqual(value);
    expect(await again.store("stock").get("microphone")).toBe(0);
    const orders = await all(again.store<{ clerk: number; article: string }>("orders").list());
    expect(orders).toHaveLength(150);
    for (const { id, value, version } of orders) {
      expect(value).toEqual({ clerk: Number(id.split("-")[0]), article: "microphone" });
      expect(version).toBeGreaterThan(head);
    }
    expect(await again.verify()).toMatchObject({ ok: true, problems: [] });
    // Its own reading and ours give the same.
    const mine = orders.map(({ id, value, version }) => ({ id, value, version }));
    const { version } = await again.store("stock").save("microphone", 7);
    expect(version).toBeGreaterThan(Math.max(...orders.map((order) => order.version)));
    await again.close();
    expect(readNatively(url, "orders")).toEqual(mine);
    expect(readNatively(url, "stock")).toEqual([{ id: "microphone", version, value: 7 }]);
  });
});

test.skipIf(without !== undefined)("the agent memory that a native program keeps in SQLite is that of Node", async () => {
  const path = freshPath();
  const began = Date.now();
  for (let run = 1; run <= 2; run++) expect(runNative("agent_memory", path)).toMatchObject({ status: 0, stderr: "" });
  const memory = await open(`sqlite://${path}`, { durability: "strict" });
  expect(await memory.store("agents").get("researcher")).toEqual({ runs: 2, budget_cents: 400 });
  const sessions = memory.store<{ topic: string; turns: string[]; begun: Date }>("sessions", { history: 5 });
  const found = await all(sessions.list());
  expect(found.map(({ id }) => id)).toEqual(["run-001", "run-002"]);
  for (const { value, created, updated } of found) {
    expect(value.turns).toEqual(["who could be a guest?", "book the studio for Tuesday"]);
    expect(value.begun).toBeInstanceOf(Date);
    for (const time of [value.begun, created, updated]) {
      expect(Number(time)).toBeGreaterThanOrEqual(began);
      expect(Number(time)).toBeLessThanOrEqual(Date.now());
    }
  }
  expect((await sessions.history("run-001")).map(({ value }) => value.turns)).toEqual([["who could be a guest?"]]);
  const notes = memory.collection("notes");
  const guest = await notes.get("run-002/guest");
  expect(guest).toMatchObject({ text: "The guest of episode 2 is a bee keeper", importance: 0.5, metadata: null });
  expect(guest?.vector).toHaveLength(256);
  expect((await notes.search(guest?.vector ?? [], { limit: 1 }))[0]).toMatchObject({ id: "run-002/guest", score: expect.closeTo(1, 5) as number });
  expect(await memory.verify()).toMatchObject({ ok: true, problems: [] });
  // A third run goes on where Node leaves off.
  await memory.transaction(async (tx) => {
    const agents = memory.store<{ runs: number; budget_cents: number }>("agents");
    const agent = await tx.get(agents, "researcher");
    tx.save(agents, "researcher", { runs: (agent?.runs ?? 0) + 10, budget_cents: 50 });
  });
  await memory.close();
  expect(runNative("agent_memory", path)).toMatchObject({ status: 0, stdout: expect.stringContaining("run 13, ") as string });
  expect(readNatively(`sqlite://${path}`, "agents")).toMatchObject([{ value: { runs: 13, budget_cents: 0 } }]);
});

describe("files of the first release", () => {
  test.skipIf(without !== undefined)("of SQLite: what is no record of a store is reported, each by its key, and nothing is made up", async () => {
    const path = freshPath();
    cpSync(join(root, "tests/golden/sqlite-v1.db"), path);
    const memory = await open(`sqlite://${path}`);
    const problems: string[] = [];
    expect(await all(memory.store("s").list({ onProblem: ({ kind, key }) => { problems.push(`${kind} ${key}`); } }))).toEqual([]);
    expect(problems.sort()).toEqual(Array.from({ length: 20 }, (_, n) => `corrupt s/${n}`).sort());
    expect(await memory.store("s").save("0", "mended")).toMatchObject({ version: 21 });
    expect(await memory.store("s").get("0")).toBe("mended");
    await memory.close();
    expect(runNative("read_file", `sqlite://${path}`, "s")).toMatchObject({
      status: 1, stdout: '{"id":"0","value":"mended","version":21}\n', stderr: expect.stringMatching(/^(ERR_CORRUPT|corrupt) s\/1: /mi) as string,
    });
  });

  test.each(["closed", "open"])("of JSON files, %s", async (state) => {
    const path = freshPath();
    cpSync(join(root, "tests/golden/json", state), path, { recursive: true });
    // Before the agent's time to live is over.
    const memory = await open(`json://${path}`, { now: () => Date.parse("2026-11-20T12:00:00.006Z") });
    const agent = await memory.store("agents").entry("a");
    expect(agent).toMatchObject({ version: 1, created: new Date("2026-11-20T12:00:00.000Z"), expires: new Date("2026-11-20T12:00:00.009Z") });
    expect(agent?.value).toEqual({
      name: "Ada 🚀 \"quoted\"\n", seen: new Date("2026-11-20T12:00:00.123Z"), score: 0.5, big: 256n, odd: [undefined, -0, null], forged: { $date: null },
    });
    expect(await memory.collection("notes").get("d")).toMatchObject({ text: "some text", importance: 0.25, vector: new Float32Array([1]), metadata: { year: 2026 } });
    await memory.close();
  });
});
