/**
 * The store against a plain Map: 200 sequences of 50 operations at random (from 0 to 110), shrunk when one differs.
 *
 * The model knows the rules as the types tell them, in the simplest way: one Map, one clock, one counter.
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import { isMemoryError, type Memory, type Store } from "mnemora";
import { all, clockAt, type ManualClock, open } from "./harness.js";

const SEED = 20_261_120;
const IDS = ["a", "ab", "b", "b\u{1f600}", "\uffee", "\u{10ffff}"];

interface Kept { value: unknown; version: number; created: number; updated: number; expires: number | null }

/** What the store should hold. */
class Model {
  readonly records = new Map<string, Kept>();
  version = 0;

  constructor(readonly clock: ManualClock) {}

  there(id: string): Kept | undefined {
    const kept = this.records.get(id);
    return kept === undefined || (kept.expires !== null && kept.expires <= this.clock.ms) ? undefined : kept;
  }

  put(id: string, value: unknown, ttlMs: number | null, version: number): void {
    const before = this.there(id);
    this.records.set(id, {
      value, version, created: before?.created ?? this.clock.ms, updated: this.clock.ms, expires: ttlMs === null ? null : this.clock.ms + ttlMs,
    });
  }

  entries(): [string, Kept][] {
    return IDS.filter((id) => this.there(id) !== undefined).map((id) => [id, this.there(id)!]);
  }
}

interface Real { readonly memory: Memory; readonly store: Store<unknown> }

const byCodePoint = (options: { prefix?: string; reverse?: boolean; limit?: number }, model: Model): [string, Kept][] => {
  const found = model.entries().filter(([id]) => id.startsWith(options.prefix ?? ""));
  if (options.reverse === true) found.reverse();
  return found.slice(0, options.limit ?? found.length);
};

type Operation = fc.AsyncCommand<Model, Real>;
const operation = (name: string, run: (model: Model, real: Real) => Promise<void>): Operation => ({ check: () => true, run, toString: () => name });

const id = fc.constantFrom(...IDS);
const value = fc.oneof(fc.integer(), fc.string(), fc.constant(null), fc.date(), fc.array(fc.integer(), { maxLength: 3 }), fc.record({ n: fc.double() }));
const ttlMs = fc.oneof(fc.constant(null), fc.integer({ min: 1, max: 50 }));

/** Which version a write expects: none in particular, none at all, the right one, a wrong one. */
const expectation = fc.constantFrom("any", "any", "none", "right", "wrong");
const versionOf = (expected: string, model: Model, id: string): number | undefined => {
  if (expected === "any") return undefined;
  if (expected === "none") return 0;
  return (model.there(id)?.version ?? 0) + (expected === "right" ? 0 : 1_000);
};

/** Runs a write that may be a conflict; gives its version, or undefined if it was one. */
async function attempt<T>(write: Promise<T>): Promise<T | undefined> {
  try {
    return await write;
  } catch (error) {
    if (isMemoryError(error, "ERR_CONFLICT")) return undefined;
    throw error;
  }
}

const commands: fc.Arbitrary<Operation>[] = [
  fc.tuple(id, value, ttlMs, expectation).map(([id, value, ttlMs, expected]) => operation(
    `save(${JSON.stringify(id)}, ${fc.stringify(value)}, ttl ${ttlMs}, ${expected})`, async (model, { store }) => {
      const expectedVersion = versionOf(expected, model, id);
      const fits = expectedVersion === undefined || expectedVersion === (model.there(id)?.version ?? 0);
      const result = await attempt(store.save(id, value, { ttlMs, ...(expectedVersion === undefined ? {} : { expectedVersion }) }));
      expect(result !== undefined).toBe(fits);
      if (result !== undefined) {
        expect(result.version).toBe(++model.version);
        model.put(id, value, ttlMs, result.version);
      }
    },
  )),
  fc.tuple(fc.uniqueArray(id, { minLength: 1, maxLength: 4 }), value, ttlMs, fc.boolean()).map(([ids, value, ttlMs, wrong]) => operation(
    `saveMany(${JSON.stringify(ids)}, ${fc.stringify(value)}, ttl ${ttlMs}, last is ${wrong ? "wrong" : "right"})`, async (model, { store }) => {
      const items = ids.map((id, at) => at === ids.length - 1 && wrong ? { id, value, ttlMs, expectedVersion: 99_999 } : { id, value, ttlMs });
      const result = await attempt(store.saveMany(items));
      expect(result !== undefined).toBe(!wrong);
      if (result !== undefined) {
        expect(result.version).toBe(++model.version);
        for (const id of ids) model.put(id, value, ttlMs, result.version);
      }
    },
  )),
  id.map((id) => operation(`delete(${JSON.stringify(id)})`, async (model, { store }) => {
    expect(await store.delete(id)).toBe(model.there(id) !== undefined);
    if (model.records.delete(id)) model.version++;
  })),
  id.map((id) => operation(`get(${JSON.stringify(id)})`, async (model, { store }) => {
    expect(await store.get(id)).toEqual(model.there(id)?.value ?? null);
    const kept = model.there(id);
    expect(await store.entry(id)).toEqual(kept === undefined ? null : asEntry(id, kept));
  })),
  fc.array(id, { maxLength: 5 }).map((ids) => operation(`getMany(${JSON.stringify(ids)})`, async (model, { store }) => {
    expect(await store.getMany(ids)).toEqual(ids.map((id) => model.there(id)?.value ?? null));
  })),
  fc.record({ prefix: fc.constantFrom("", "a", "b", "\u{10ffff}"), reverse: fc.boolean(), limit: fc.integer({ min: 1, max: 7 }) })
    .map((options) => operation(`list(${JSON.stringify(options)})`, async (model, { store }) => {
      expect(await all(store.list(options))).toEqual(byCodePoint(options, model).map(([id, kept]) => asEntry(id, kept)));
      const { limit: _, ...whole } = options;
      const pages = await all(store.pages(options));
      expect(pages.flat()).toEqual(byCodePoint(whole, model).map(([id, kept]) => asEntry(id, kept)));
      expect(await store.count({ prefix: options.prefix })).toBe(byCodePoint({ prefix: options.prefix }, model).length);
    })),
  fc.integer({ min: 1, max: 60 }).map((ms) => operation(`wait(${ms})`, async (model) => { model.clock.ms += ms; })),
  fc.constant(operation("maintain()", async (model, { memory }) => {
    const due = [...model.records].filter(([id]) => model.there(id) === undefined);
    expect(await memory.maintain({ budgetMs: 1_000 })).toEqual({ expired: due.length, more: false });
    for (const [id] of due) model.records.delete(id);
    // How many commits upkeep makes is its own affair; the log's end tells.
    model.version = await latest(memory);
  })),
  fc.tuple(id, id, fc.integer({ min: 1, max: 9 }), fc.boolean()).map(([from, to, by, fail]) => operation(
    `transaction(${JSON.stringify(from)} -> ${JSON.stringify(to)}, ${by}, ${fail ? "fails" : "passes"})`, async (model, { memory, store }) => {
      const failure = new Error("on purpose");
      const outcome = memory.transaction(async (tx) => {
        const value = await tx.get(store, from);
        expect(value).toEqual(model.there(from)?.value ?? null);
        tx.delete(store, from);
        tx.save(store, to, [value, by]);
        const listed = (await all(tx.list(store))).map(({ id }) => id);
        expect(listed).toEqual(IDS.filter((id) => id === to || (id !== from && model.there(id) !== undefined)));
        if (fail) throw failure;
      });
      if (fail) {
        await expect(outcome).rejects.toBe(failure);
        return;
      }
      await outcome;
      const value = model.there(from)?.value ?? null;
      model.version++;
      // A record that is deleted and saved in one is saved over.
      if (from !== to) model.records.delete(from);
      model.put(to, [value, by], null, model.version);
    },
  )),
];

function asEntry(id: string, kept: Kept): unknown {
  const { value, version, created, updated, expires } = kept;
  return { id, value, version, created: new Date(created), updated: new Date(updated), expires: expires === null ? null : new Date(expires) };
}

async function latest(memory: Memory): Promise<number> {
  const { version } = await memory.store("counter").save("n", 0);
  return version;
}

test("200 sequences of about 50 operations agree with a Map", async () => {
  console.log(`seed ${SEED}`);
  let operations = 0;
  await fc.assert(fc.asyncProperty(fc.commands(commands, { maxCommands: 110, size: "max" }), async (sequence) => {
    const clock = clockAt(1_000_000);
    const memory = await open("memory:", { now: clock.now });
    try {
      const real = { memory, store: memory.store("s") };
      await fc.asyncModelRun(() => ({ model: new Model(clock), real }), sequence);
      operations += [...sequence].length;
      expect(await memory.verify()).toMatchObject({ ok: true });
    } finally {
      await memory.close();
    }
  }), { numRuns: 200, seed: SEED, endOnFailure: false });
  console.log(`${operations} operations`);
  expect(operations).toBeGreaterThan(200 * 50);
}, 120_000);
