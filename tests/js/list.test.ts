/** Going through a store: order, prefixes, patterns, limits, pages. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Memory, Page, Store } from "mnemora";
import { all, expectRefusal, ids, open } from "./harness.js";

let memory: Memory;
let store: Store<string>;
beforeEach(async () => {
  memory = await open("memory:");
  store = memory.store("s");
});
afterEach(() => memory.close());

const fill = (names: readonly string[]) => store.saveMany(names.map((id) => ({ id, value: `value of ${id}` })));

describe("list", () => {
  const astral = ["z", "\u{e000}", "\uffee", "\u{10000}", "\u{1f600}", "\u{10ffff}"];

  test("goes in order of code point, also beyond the basic plane", async () => {
    await fill([...astral].reverse());
    expect(await ids(store.list())).toEqual(astral);
    expect(await ids(store.list({ reverse: true }))).toEqual([...astral].reverse());
    // UTF-16 order, which JavaScript sorts by, is another.
    expect([...astral].sort()).not.toEqual(astral);
  });

  test("takes a prefix", async () => {
    await fill(["a", "aa", "ab", "b", "ä", "aä"]);
    expect(await ids(store.list({ prefix: "a" }))).toEqual(["a", "aa", "ab", "aä"]);
    expect(await ids(store.list({ prefix: "aa" }))).toEqual(["aa"]);
    expect(await ids(store.list({ prefix: "x" }))).toEqual([]);
    expect(await store.count({ prefix: "a" })).toBe(4);
    expect(await store.count()).toBe(6);
  });

  test("takes a prefix that ends in the highest characters", async () => {
    const high = ["\u{10ffff}", "\u{10ffff}\u{10ffff}", "\u{10ffff}a"];
    await fill(["a", ...high]);
    expect(await ids(store.list({ prefix: "\u{10ffff}" }))).toEqual(["\u{10ffff}", "\u{10ffff}a", "\u{10ffff}\u{10ffff}"]);
    expect(await store.count({ prefix: "\u{10ffff}" })).toBe(3);
  });

  test.each([
    ["user:*:settings", ["user:1:settings", "user:1:2:settings"]],
    ["user:*", ["user:1:2:settings", "user:1:profile", "user:1:settings"]],
    ["*:settings", ["team:1:settings", "user:1:2:settings", "user:1:settings"]],
    ["user:1:profile", ["user:1:profile"]],
    ["*1*2*", ["user:1:2:settings"]],
    ["*", ["team:1:settings", "user:1:2:settings", "user:1:profile", "user:1:settings"]],
    ["", []],
    ["user", []],
    ["user.1.profile", []],
  ])("takes the pattern %s", async (match, expected) => {
    await fill(["user:1:settings", "user:1:profile", "user:1:2:settings", "team:1:settings"]);
    expect((await ids(store.list({ match }))).sort()).toEqual([...expected].sort());
  });

  test("takes prefix and pattern together", async () => {
    await fill(["a:1", "a:2", "b:1"]);
    expect(await ids(store.list({ prefix: "a", match: "*1" }))).toEqual(["a:1"]);
    expect(await ids(store.list({ prefix: "b", match: "a*" }))).toEqual([]);
  });

  test("takes a limit, a direction and a place to go on from", async () => {
    const names = Array.from({ length: 25 }, (_, i) => String(i).padStart(2, "0"));
    await fill(names);
    expect(await ids(store.list({ limit: 3 }))).toEqual(["00", "01", "02"]);
    expect(await ids(store.list({ limit: 3, reverse: true }))).toEqual(["24", "23", "22"]);
    expect(await ids(store.list({ after: "21" }))).toEqual(["22", "23", "24"]);
    expect(await ids(store.list({ after: "21x" }))).toEqual(["22", "23", "24"]);
    expect(await ids(store.list({ after: "02", reverse: true }))).toEqual(["01", "00"]);
    expect(await ids(store.list({ after: "21", limit: 1, prefix: "2" }))).toEqual(["22"]);
    expect(await ids(store.list({ limit: 0 }))).toEqual([]);
    expect(await ids(store.list({ after: "99" }))).toEqual([]);
  });

  test("goes through more than a page", async () => {
    const names = Array.from({ length: 1_234 }, (_, i) => String(i).padStart(5, "0"));
    await fill(names);
    expect(await ids(store.list())).toEqual(names);
    expect(await ids(store.list({ reverse: true, limit: 500 }))).toEqual([...names].reverse().slice(0, 500));
  });

  test("may be left at any time, and what is written in between does not disturb it", async () => {
    await fill(Array.from({ length: 300 }, (_, i) => String(i).padStart(3, "0")));
    const seen: string[] = [];
    for await (const { id } of store.list()) {
      seen.push(id);
      if (seen.length % 50 === 0) await store.delete(id);
      if (seen.length === 250) break;
    }
    expect(seen).toEqual(Array.from({ length: 250 }, (_, i) => String(i).padStart(3, "0")));
    expect(await store.count()).toBe(295);
  });
});

describe("pages", () => {
  test("are arrays with a cursor, as long as the limit says", async () => {
    const names = Array.from({ length: 11 }, (_, i) => String.fromCharCode(97 + i));
    await fill(names);
    const pages: Page<unknown>[] = await all(store.pages({ limit: 4 }));
    expect(pages.map((page) => page.length)).toEqual([4, 4, 3]);
    expect(pages.every((page) => Array.isArray(page) && page.problems.length === 0)).toBe(true);
    expect(pages.map((page) => page.cursor !== null)).toEqual([true, true, false]);
    expect(pages.flat().map(({ id }) => id)).toEqual(names);
  });

  test("end with the last record, not with a page of nothing", async () => {
    await fill(["a", "b", "c", "d"]);
    const pages = await all(store.pages({ limit: 2 }));
    expect(pages.map((page) => page.length)).toEqual([2, 2]);
    expect(pages[1]!.cursor).toBeNull();
  });

  test.each([false, true])("go on from a cursor another time (reverse: %s)", async (reverse) => {
    const names = Array.from({ length: 10 }, (_, i) => `k${i}`);
    await fill(names);
    const found: string[] = [];
    let after: string | undefined;
    for (let turn = 0; turn < 20; turn++) {
      const [page] = await all(take(store.pages({ limit: 3, reverse, ...(after === undefined ? {} : { after }) }), 1));
      found.push(...page!.map(({ id }) => id));
      if (page!.cursor === null) break;
      after = page!.cursor;
    }
    expect(found).toEqual(reverse ? [...names].reverse() : names);
  });

  test("with a pattern are full pages of what matches", async () => {
    await fill(Array.from({ length: 60 }, (_, i) => `${i % 3 === 0 ? "x" : "y"}:${String(i).padStart(2, "0")}`));
    const pages = await all(store.pages({ match: "*:*0", limit: 2 }));
    expect(pages.flat().map(({ id }) => id)).toEqual(["x:00", "x:30", "y:10", "y:20", "y:40", "y:50"]);
    expect(pages.slice(0, -1).every((page) => page.length === 2)).toBe(true);
  });

  test.each([0, -1, 1_001, 1.5, NaN, "10"])("refuse a limit of %s", async (limit) => {
    await expectRefusal(() => store.pages({ limit: limit as number }), "ERR_INVALID", /limit.*1 to 1000/);
  });
});

async function* take<T>(items: AsyncIterable<T>, most: number): AsyncGenerator<T> {
  let left = most;
  for await (const item of items) {
    yield item;
    if (--left === 0) return;
  }
}
