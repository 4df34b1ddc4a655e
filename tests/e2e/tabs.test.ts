/** Several tabs on the same data: sums are exact, versions have one winner, watchers miss nothing. */
import { describe, expect, test } from "vitest";
import type { Page } from "playwright-core";
import { type Browser, engine, seed, withBrowser } from "./harness.js";

let browser: Browser;
withBrowser("tabs", (started) => { browser = started; });

/** Two tabs that have both opened `url`. */
async function twoTabs(url: string): Promise<[Page, Page]> {
  const open = async (): Promise<Page> => {
    const tab = await browser.tab();
    await tab.evaluate(async (url) => {
      window.held.memory = await window.mnemora.open(url);
      window.held.store = window.held.memory.store("shared");
    }, url);
    return tab;
  };
  return [await open(), await open()];
}

/** What a watcher has seen of a change: its kind, its id and the version. */
type Seen = [kind: string, id: string, version: number];

/** Begins to write down every change of the store in a tab. */
async function watch(tab: Page, from?: number): Promise<void> {
  await tab.evaluate((from) => {
    const seen: Seen[] = [];
    window.held["seen"] = seen;
    window.held["stop"] = window.held.store.watch(from === undefined ? {} : { from }, ({ kind, id, version }) => {
      seen.push([kind, id, version]);
    });
  }, from);
}

/** What was written down, once the change with the version `last` is among it. */
async function seenUpTo(tab: Page, last: number): Promise<Seen[]> {
  return tab.evaluate(async (last) => {
    const seen = window.held["seen"] as Seen[];
    await window.kit.soon(() => seen.some(([, , version]) => version >= last), 10_000);
    return seen;
  }, last);
}

/** Saves and deletes records one after another, some at the same time, and gives what was done, in order of commit. */
async function mixedWrites(tab: Page, seed: number, steps: number): Promise<Seen[]> {
  return tab.evaluate(async ([seed, steps]) => {
    const random = window.kit.seeded(seed);
    const { store } = window.held;
    const done: Seen[] = [];
    for (let step = 0; step < steps; step++) {
      const ids = Array.from({ length: 1 + random() % 6 }, (_, at) => `${step}-${at}`);
      switch (random() % 4) {
        case 0: {
          const results = await Promise.all(ids.map((id) => store.save(id, { step })));
          results.forEach(({ version }, at) => done.push(["save", ids[at]!, version]));
          break;
        }
        case 1: {
          const { version } = await store.saveMany(ids.map((id) => ({ id, value: { step } })));
          ids.forEach((id) => done.push(["save", id, version]));
          break;
        }
        case 2: {
          const { version } = await store.save("again", { step });
          done.push(["save", "again", version]);
          break;
        }
        default: {
          const { version } = await store.save(ids[0]!, { step });
          done.push(["save", ids[0]!, version]);
          // The delete is the only commit between this save and the next.
          await store.delete(ids[0]!);
          done.push(["delete", ids[0]!, version + 1]);
        }
      }
    }
    return done.sort(([, , a], [, , b]) => a - b);
  }, [seed, steps] as const);
}

describe(`on ${engine}`, () => {
  test("300 transactional increments in each of two tabs make 600", async () => {
    const [a, b] = await twoTabs("idb://counter");
    await watch(b);
    const increments = (tab: Page) => tab.evaluate(async () => {
      const { memory, store } = window.held;
      let least = 0;
      for (let i = 0; i < 300; i++) {
        const value = await memory.transaction(async (tx) => {
          const next = ((await tx.get<number>(store, "counter")) ?? 0) + 1;
          tx.save(store, "counter", next);
          return next;
        });
        // In each tab the counter only grows: nobody else's increment was undone.
        if (value <= least) throw new Error(`the counter went from ${least} to ${value}`);
        least = value;
      }
    });
    await Promise.all([increments(a), increments(b)]);
    const read = (tab: Page) => tab.evaluate(async () => window.held.store.entry("counter").then((entry) => ({ ...entry })));
    const [inA, inB] = [await read(a), await read(b)];
    expect([inA["value"], inB["value"]]).toEqual([600, 600]);
    expect(inA["version"]).toBe(inB["version"]);
    // The watcher has seen each of the 600 once, whichever tab made it, in the order of the commits.
    const versions = (await seenUpTo(b, Number(inA["version"]))).map(([, , version]) => version);
    expect(versions).toEqual(Array.from({ length: 600 }, (_, i) => i + 1));
  });

  test("300 increments at once in each of two tabs make 600 too", async () => {
    const [a, b] = await twoTabs("idb://crowd");
    const increments = (tab: Page) => tab.evaluate(async () => {
      const { memory, store } = window.held;
      const outcomes = await Promise.all(Array.from({ length: 300 }, () => window.kit.attempt(() => memory.transaction(async (tx) => {
        tx.save(store, "counter", ((await tx.get<number>(store, "counter")) ?? 0) + 1);
      }), 120_000)));
      return outcomes.filter((outcome) => !outcome.ok).map((outcome) => outcome.ok ? "" : outcome.code);
    });
    expect(await Promise.all([increments(a), increments(b)])).toEqual([[], []]);
    expect(await b.evaluate(() => window.held.store.get("counter"))).toBe(600);
  });

  test("a watcher in another tab sees every change in order, whether it began early, late, or stopped in between", async () => {
    const [a, b] = await twoTabs("idb://watched");
    await a.evaluate(() => window.held.store.save("before", 1));
    const start = await b.evaluate(async () => (await window.held.store.entry("before"))!.version);
    await watch(b, start);
    const done = await mixedWrites(a, seed, 100);
    const last = done.at(-1)![2];
    expect(await seenUpTo(b, last)).toEqual(done);

    const late = await browser.tab();
    await late.evaluate(async () => {
      window.held.memory = await window.mnemora.open("idb://watched");
      window.held.store = window.held.memory.store("shared");
    });
    await watch(late, start);
    expect(await seenUpTo(late, last)).toEqual(done);

    // It takes a few changes at a time and goes on from the last cursor, while the other tab writes on. A watch that
    // was left in the middle of a commit may show that commit again, from its beginning; it never leaves anything out.
    const more = mixedWrites(a, seed + 1, 100);
    const piecewise = late.evaluate(async ([from, seed]) => {
      const random = window.kit.seeded(seed);
      let seen: Seen[] = [];
      let cursor = from;
      for (let quiet = false; !quiet;) {
        // Sometimes more than a commit has here, so that one that is shown again does not stop it for good.
        let left = 1 + random() % 9;
        const watching = window.held.store.watch({ from: cursor });
        const timer = setTimeout(() => { quiet = true; watching(); }, 4_000);
        let first = true;
        for await (const { kind, id, version, cursor: next } of watching) {
          if (first && version === seen.at(-1)?.[2]) seen = seen.filter((change) => change[2] !== version);
          first = false;
          seen.push([kind, id, version]);
          cursor = next;
          left -= 1;
          if (left <= 0) break;
        }
        clearTimeout(timer);
      }
      return seen;
    }, [last, seed] as const);
    const rest = await more;
    expect(await piecewise).toEqual(rest);
  });

  test("of two tabs that expect the same version exactly one wins, every time", async () => {
    const [a, b] = await twoTabs("idb://race");
    await a.evaluate(() => window.held.store.save("prize", "first"));
    const race = (tab: Page, name: string) => tab.evaluate(async (name) => {
      const { store } = window.held;
      const wins: [expected: number, version: number][] = [];
      const codes = new Set<string>();
      for (let i = 0; i < 150; i++) {
        const { version: expectedVersion } = (await store.entry("prize"))!;
        const outcome = await window.kit.attempt(() => store.save("prize", `${name}-${i}`, { expectedVersion }));
        if (outcome.ok) wins.push([expectedVersion, outcome.value.version]);
        else codes.add(`${outcome.code} ${outcome.retryable} ${outcome.key}`);
      }
      return { wins, codes: [...codes] };
    }, name);
    const [inA, inB] = await Promise.all([race(a, "a"), race(b, "b")]);
    const wins = [...inA.wins, ...inB.wins].sort(([x], [y]) => x - y);
    // Each win was made on the version that the win before it made: no version was won twice, none was skipped.
    expect(wins[0]?.[0]).toBe(1);
    expect(wins.slice(1).map(([expected]) => expected)).toEqual(wins.slice(0, -1).map(([, version]) => version));
    expect(new Set([...inA.codes, ...inB.codes])).toEqual(new Set(["ERR_CONFLICT true shared/prize"]));
    expect([inA.wins.length > 0, inB.wins.length > 0]).toEqual([true, true]);
    expect(await b.evaluate(async () => (await window.held.store.entry("prize"))!.version)).toBe(wins.at(-1)![1]);
  });

  test("two tabs that each look at two records and write one of them never break the rule between them", async () => {
    const [a, b] = await twoTabs("idb://skew");
    await a.evaluate(() => window.held.store.saveMany([{ id: "x", value: 50 }, { id: "y", value: 50 }]));
    const withdraw = (tab: Page, from: "x" | "y") => tab.evaluate(async (from) => {
      const { memory, store } = window.held;
      let taken = 0;
      for (let i = 0; i < 100; i++) {
        taken += await memory.transaction(async (tx) => {
          const x = (await tx.get<number>(store, "x"))!;
          const y = (await tx.get<number>(store, "y"))!;
          if (x + y < 1) return 0;
          tx.save(store, from, (from === "x" ? x : y) - 1);
          return 1;
        });
      }
      return taken;
    }, from);
    const taken = await Promise.all([withdraw(a, "x"), withdraw(b, "y")]);
    const [x, y] = await a.evaluate(() => window.held.store.getMany(["x", "y"]) as Promise<number[]>);
    expect({ sum: x! + y!, taken: taken[0] + taken[1] }).toEqual({ sum: 0, taken: 100 });
  });

  test("a collection finds what another tab adds, and no longer what it deletes", async () => {
    const [a, b] = await twoTabs("idb://found");
    const open = (tab: Page) => tab.evaluate(() => {
      window.held.collection = window.held.memory.collection("notes", { dimensions: 3, metric: "cosine" });
    });
    await Promise.all([open(a), open(b)]);
    /** Whether the tab soon finds exactly these documents near the vector. */
    const finds = (tab: Page, vector: number[], ids: string[]) => tab.evaluate(async ([vector, ids]) =>
      window.kit.soon(async () => {
        const hits = await window.held.collection.search(vector, { limit: 10 });
        return hits.map((hit) => hit.id).join() === ids.join() && await window.held.collection.count() === ids.length;
      }), [vector, ids] as const);
    // The index of tab B exists before there is anything in it.
    expect(await finds(b, [1, 0, 0], [])).toBe(true);
    await a.evaluate(() => window.held.collection.add([
      { id: "east", vector: [1, 0, 0], text: "east" }, { id: "north", vector: [0, 1, 0] }, { id: "up", vector: [0, 0.1, 1] },
    ]));
    expect(await finds(b, [1, 0.3, 0.1], ["east", "north", "up"])).toBe(true);
    await a.evaluate(() => window.held.collection.delete("east"));
    expect(await finds(b, [1, 0.3, 0.1], ["north", "up"])).toBe(true);
    // A document that is replaced is found by its new vector.
    await a.evaluate(() => window.held.collection.add({ id: "up", vector: [1, 0, 0] }));
    expect(await finds(b, [1, 0.3, 0.1], ["up", "north"])).toBe(true);
    await b.evaluate(() => window.held.collection.delete("north"));
    expect(await finds(a, [0, 1, 0], ["up"])).toBe(true);
  });
});
