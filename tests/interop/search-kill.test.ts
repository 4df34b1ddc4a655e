/**
 * A process of Node is killed while it adds to a collection, replaces, deletes, repairs its index and writes the
 * index's pages: when it is opened again, a search finds just the records that are there.
 */
import { expect, test } from "vitest";
import { open } from "mnemora";
import { examine } from "../search/documents.mjs";
import { ended, freshPath, pseudoRandom, seed, startNode, without } from "./harness.js";

const CYCLES = 100;

test.skipIf(without !== undefined)(`${CYCLES} kills`, async () => {
  console.log(`search kill: seed ${seed}`);
  const random = pseudoRandom(seed);
  const url = `sqlite://${freshPath()}`;
  let [batches, documents, missed, slowest] = [0, 0, 0, 0];
  for (let cycle = 0; cycle < CYCLES; cycle++) {
    const child = startNode("indexer", url, String(cycle * 10_000));
    let [errors, heard] = ["", 0];
    child.stderr?.on("data", (part: Buffer) => { errors += part.toString(); });
    await new Promise<void>((resolve) => {
      child.once("exit", () => resolve());
      child.stdout?.on("data", (part: Buffer) => {
        heard += part.toString().split("\n").length - 1;
        resolve();
      });
    });
    await new Promise((resolve) => { setTimeout(resolve, random() * 250); });
    expect(await ended(child, "SIGKILL"), errors).toBe("SIGKILL");
    batches += heard;

    const memory = await open(url, { openTimeoutMs: 1_000 });
    const began = performance.now();
    await memory.collection("documents").count();
    slowest = Math.max(slowest, performance.now() - began);
    const found = await examine(memory, seed + cycle);
    const { ok, problems } = await memory.verify();
    expect({ wrong: found.problems, ok, problems }, `cycle ${cycle}, seed ${seed}`).toEqual({ wrong: [], ok: true, problems: [] });
    documents = found.documents;
    missed += found.missed;
    await memory.close();
  }
  expect(documents).toBeGreaterThan(500);
  expect(missed / (CYCLES * 25), "what the graph missed").toBeLessThan(0.01);
  console.log(`${CYCLES} kills, ${batches} acknowledged batches, ${documents} documents at the end; slowest index ${Math.round(slowest)} ms`);
});
