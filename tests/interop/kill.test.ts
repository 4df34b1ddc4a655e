/**
 * A process of Node is killed in the middle of writing, again and again: what it had acknowledged is there, and
 * of each transaction all or nothing.
 */
import { describe, expect, test } from "vitest";
import { open } from "mnemora";
import { all, ended, freshPath, KINDS, pseudoRandom, seed, startNode } from "./harness.js";

const CYCLES = 50;
const WRITERS = [0, 1, 2];

describe.each(KINDS)("%s, strict", (kind) => {
  test(`${CYCLES} kills`, async () => {
    console.log(`kill ${kind}: seed ${seed}`);
    const random = pseudoRandom(seed);
    const url = `${kind}://${freshPath()}`;
    const acknowledged = new Set<string>();
    let [extra, slowest] = [0, 0];
    for (let cycle = 0; cycle < CYCLES; cycle++) {
      const child = startNode("writer", url, String(cycle));
      let [text, errors, heard] = ["", "", 0];
      child.stderr?.on("data", (part: Buffer) => { errors += part.toString(); });
      const begun = new Promise<void>((resolve) => {
        child.once("exit", () => resolve());
        child.stdout?.on("data", (part: Buffer) => {
          text += part.toString();
          const lines = text.split("\n");
          text = lines.pop() ?? "";
          for (const id of lines) acknowledged.add(id);
          heard += lines.length;
          if (heard > 0) resolve();
        });
      });
      await begun;
      await new Promise((resolve) => { setTimeout(resolve, random() * 200); });
      const told = new Promise<void>((resolve) => { child.stdout?.once("close", () => resolve()); });
      expect(await ended(child, "SIGKILL"), errors).toBe("SIGKILL");
      await told;

      const began = performance.now();
      const memory = await open(url, { durability: "strict", openTimeoutMs: 1_000 });
      slowest = Math.max(slowest, performance.now() - began);
      const [left, right] = await Promise.all(["left", "right"].map(async (store) =>
        new Map((await all(memory.store<{ number?: number; id?: string }>(store).list())).map(({ id, value }) => [id, value]))));
      if (left === undefined || right === undefined) throw new Error("a store was not read");
      const lost = [...acknowledged].filter((id) => !left.has(id) || !right.has(id));
      const torn = [...new Set([...left.keys(), ...right.keys()])].filter((id) => left.has(id) !== right.has(id)
        || left.get(id)?.number !== right.get(id)?.number || left.get(id)?.id !== right.get(id)?.id);
      const transactions = left.size - WRITERS.filter((writer) => left.has(`last-${writer}`)).length;
      const counted = WRITERS.reduce((sum, writer) => sum + (left.get(`last-${writer}`)?.number ?? -1) + 1, 0);
      const { ok, problems } = await memory.verify();
      expect({ lost, torn, ok, problems, counted }, `cycle ${cycle}, seed ${seed}`)
        .toEqual({ lost: [], torn: [], ok: true, problems: [], counted: transactions });
      extra = transactions - acknowledged.size;
      await memory.close();
    }
    expect(acknowledged.size).toBeGreaterThan(CYCLES);
    console.log(`${kind}: ${CYCLES} kills, ${acknowledged.size} acknowledged transactions, 0 lost, 0 torn, ${extra} stored that nobody had heard of; slowest opening ${Math.round(slowest)} ms`);
  });
});
