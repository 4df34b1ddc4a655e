/** The same data has the same digest, whatever it lies in: a copy goes round and comes back equal. */
import { expect, test } from "vitest";
import { copy, handles, open } from "mnemora";
import { content, fill, FILLED, freshPath, KINDS, readNatively, without } from "./harness.js";

test("memory, then each storage in files, then memory again", async () => {
  const first = await open("memory:");
  await fill(first);
  const [digest, before] = [await first.digest(), await content(first, { versions: false })];
  const last = await open("memory:");
  const chain = [first, ...KINDS.map((kind) => `${kind}://${freshPath()}`), last];
  for (const [at, to] of chain.slice(1).entries()) {
    const from = chain[at];
    if (from === undefined) throw new Error("the chain has a gap");
    expect(await copy(from, to, { durability: "strict", pageBytes: 16_384 })).toMatchObject({ digest, resumed: false });
    const opened = typeof to === "string" ? await open(to) : to;
    expect(await opened.digest()).toBe(digest);
    expect(await content(opened, { versions: false })).toEqual(before);
    expect(await opened.verify()).toMatchObject({ ok: true, problems: [] });
    if (typeof to === "string") await opened.close();
  }
  expect(handles()).toHaveLength(2);
  await Promise.all([first.close(), last.close()]);
});

test.skipIf(without !== undefined)("a native program reads the two copies to the same", async () => {
  const memory = await open("memory:");
  await fill(memory);
  const urls = KINDS.map((kind) => `${kind}://${freshPath()}`);
  for (const url of urls) await copy(memory, url);
  await memory.close();
  const values = urls.map((url) => ["values", "many", "past", "$agents"].flatMap((store) => readNatively(url, store).map(({ id, value }) => [store, id, value])));
  expect(values[0]).toHaveLength(FILLED.values + FILLED.many + FILLED.past + FILLED.agents);
  expect(values[1]).toEqual(values[0]);
});
