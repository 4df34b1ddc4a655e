/** What was added is found again after close and open, by vector and by words, over every storage that keeps it. */
import { describe, expect, test } from "vitest";
import { open } from "mnemora";
import { freshPath, seeded } from "./harness.js";

const COUNT = 2_000;
const DIMENSIONS = 48;

describe.each(["sqlite", "json"])("%s", (scheme) => {
  test("2,000 documents are found again, each by its own vector and by its words", async () => {
    const random = seeded(48);
    const vectors = Array.from({ length: COUNT }, () => Float32Array.from({ length: DIMENSIONS }, () => random.unit() - 0.5));
    const url = `${scheme}://${freshPath()}`;
    const first = await open(url);
    await first.collection("notes").load(vectors.map((vector, n) => ({ id: `n${n}`, vector, text: `the unique${n} text`, metadata: { n } })));
    await first.close();

    const second = await open(url);
    const notes = second.collection("notes");
    let found = 0;
    for (const [n, vector] of vectors.entries()) {
      const [hit] = await notes.search(vector, { limit: 1 });
      if (hit?.id === `n${n}`) found += 1;
    }
    expect(found).toBeGreaterThanOrEqual(COUNT * 0.99);
    for (let n = 0; n < COUNT; n += 97) {
      expect((await notes.search(vectors[n]!, { limit: 1, exact: true }))[0]).toMatchObject({ id: `n${n}`, metadata: { n } });
      expect((await notes.search(`unique${n}`)).map(({ id }) => id)).toEqual([`n${n}`]);
    }
    // What is changed now is found as it is now, also after the next opening.
    for (let n = 0; n < 100; n++) await notes.delete(`n${n}`);
    await notes.load(vectors.slice(100, 200).map((vector, n) => ({ id: `n${n + 100}`, vector: vector.map((number) => -number), text: "turned round" })));
    await second.close();

    const third = await open(url);
    const again = third.collection("notes");
    for (let n = 0; n < 200; n += 9) {
      const hits = await again.search(vectors[n]!.map((number) => n < 100 ? number : -number), { limit: 1, exact: true });
      expect(hits[0]!.id === `n${n}`).toBe(n >= 100);
      expect(await again.search(`unique${n}`)).toEqual([]);
    }
    expect(await again.search("turned", { limit: 1_000 })).toHaveLength(100);
    expect(await again.count()).toBe(COUNT - 100);
    expect((await third.verify()).ok).toBe(true);
    await third.close();
  }, 120_000);
});
