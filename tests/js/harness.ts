/**
 * What the tests of the public API share: clocks, seeded numbers, and ways to look at refusals.
 *
 * Invariants
 * - Nothing here knows the insides of the package: it is imported as users import it.
 * - `refusal` fails a test whose call went through; it never passes by accident.
 */
import { mkdtempSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect } from "vitest";
import {
  isMemoryError, open as openMemory, type ErrorCode, type HostBackend, type Memory, type MemoryError, type OpenOptions, type StandardSchemaV1,
} from "mnemora";
import { mapHost } from "../wasm/host.js";

/** The storages that the tests of stores run over. */
export type Storage = "memory" | "sqlite" | "json" | "host";

let storage: Storage = "memory";
let folder: string | undefined;
let made = 0;

/** From now on, `open` opens memories over this storage. To be called once a file, before any test runs. */
export function useStorage(chosen: Storage): void {
  storage = chosen;
}

/** A path in a folder of its own, which is removed when the tests of the file are through. */
export function freshPath(): string {
  folder ??= mkdtempSync(join(tmpdir(), "mnemora-js-"));
  return join(folder, String(made++));
}
afterAll(async () => {
  if (folder !== undefined) await rm(folder, { recursive: true, force: true });
}, 120_000);

/** A fresh storage of the kind that the file uses: what to give to `open` of the package. */
export function freshStorage(kind: Storage = storage): string | HostBackend {
  switch (kind) {
    case "memory": return "memory:";
    case "host": return mapHost();
    default: return `${kind}://${freshPath()}`;
  }
}

/** Opens a memory over a fresh storage of the kind that the file uses, which is memory if it says nothing. */
export function open(url: "memory:", options?: OpenOptions): Promise<Memory> {
  expect(url).toBe("memory:");
  return openMemory(freshStorage(), options);
}

/** Everything that an iteration gives. */
export async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}

/** The ids of what an iteration gives. */
export async function ids(items: AsyncIterable<{ readonly id: string }>): Promise<string[]> {
  return (await all(items)).map(({ id }) => id);
}

/** What a call throws or rejects with. An iteration is begun, since that is its first awaited call. */
export async function refusal(call: () => unknown): Promise<unknown> {
  let outcome: unknown;
  try {
    outcome = await begin(call());
  } catch (error) {
    return error;
  }
  throw new Error(`the call went through and gave ${String(JSON.stringify(outcome))}; it should have been refused`);
}

async function begin(given: unknown): Promise<unknown> {
  const iterable = given as Partial<AsyncIterable<unknown>> | null | undefined;
  if (iterable === null || iterable === undefined || typeof iterable[Symbol.asyncIterator] !== "function") return given;
  const iterator = iterable[Symbol.asyncIterator]!();
  try {
    return await iterator.next();
  } finally {
    await iterator.return?.();
  }
}

/** Expects that a call is refused with this code, in words that match. */
export async function expectRefusal(call: () => unknown, code: ErrorCode, words: RegExp = /./): Promise<MemoryError> {
  const error = await refusal(call);
  if (!isMemoryError(error)) throw new Error(`not an error of the package: ${String(error)}`, { cause: error });
  expect(`${error.code}: ${error.message}`).toMatch(new RegExp(`^${code}: `));
  expect(error.message).toMatch(words);
  return error;
}

/** A clock that stands still until it is set. */
export interface ManualClock {
  ms: number;
  readonly now: () => number;
}

/** A clock that shows `ms`. */
export function clockAt(ms: number): ManualClock {
  const clock = { ms, now: () => clock.ms };
  return clock;
}

/** Seeded numbers (mulberry32). Prints the seed, so that a failure can be run again. */
export function seeded(seed: number): { below(most: number): number; unit(): number } {
  console.log(`seed ${seed}`);
  let state = seed >>> 0;
  const unit = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  return { unit, below: (most) => Math.floor(unit() * most) };
}

/** A Standard Schema from a function that gives the value or the issues. */
export function schemaOf<T>(
  check: (value: unknown) => { value: T } | { issues: { message: string; path?: (string | number)[] }[] }, asynchronous = false,
): StandardSchemaV1<unknown, T> {
  return {
    "~standard": {
      version: 1,
      vendor: "by hand",
      validate: (value) => asynchronous ? Promise.resolve().then(() => check(value)) : check(value),
    },
  };
}

/** A schema of `{ count }` that turns numerals into numbers. */
export function countSchema(asynchronous = false): StandardSchemaV1<unknown, { count: number }> {
  return schemaOf<{ count: number }>((value) => {
    const count = Number((value as { count?: unknown } | null)?.count);
    return Number.isInteger(count) ? { value: { count } } : { issues: [{ message: "must be whole", path: ["count"] }] };
  }, asynchronous);
}

/** Lets everything that is due in this turn of the event loop, and a few after it, happen. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => { setTimeout(resolve, 0); });
}

/** Waits until `test` holds; a test that waits for ever fails by its time limit. */
export async function until(test: () => boolean): Promise<void> {
  while (!test()) await new Promise((resolve) => { setTimeout(resolve, 1); });
}

/** Every store and id that `names` hold: a picture of what is stored, to compare. */
export async function picture(memory: Memory, names: readonly string[]): Promise<unknown> {
  return Promise.all(names.map(async (name) => all(memory.store(name).list())));
}
