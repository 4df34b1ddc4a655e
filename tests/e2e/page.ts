/**
 * What every page of these tests has on `window`, and every worker that a test starts in one on `self`: the
 * package itself as `mnemora`, and a few means of looking at what comes out of it as `kit`.
 *
 * Invariants
 * - What is compared is compared here, in the page: a value that crossed to the test process would have
 *   lost its types on the way.
 * - What crosses is plain: numbers, strings, arrays and objects of them.
 */
import * as mnemora from "mnemora";
import * as documents from "../search/documents.mjs";

/** A rejection, as the test process sees it. */
export interface Refusal {
  readonly ok: false;
  readonly code: string;
  readonly name: string;
  readonly message: string;
  readonly retryable: boolean;
  readonly key: string | null;
  /** Whether it is an error of this package, and not just something that looks like one. */
  readonly typed: boolean;
  readonly milliseconds: number;
}

/** How a call ended. */
export type Outcome<T> = { readonly ok: true; readonly value: T; readonly milliseconds: number } | Refusal;

/** Runs a call and tells how it ended. A call that has not ended after `limitMs` hangs: that is an outcome too. */
async function attempt<T>(call: () => Promise<T> | T, limitMs = 30_000): Promise<Outcome<T>> {
  const started = performance.now();
  const milliseconds = () => Math.round(performance.now() - started);
  let timer: ReturnType<typeof setTimeout> | undefined;
  try {
    const value = await Promise.race([
      (async () => call())(),
      new Promise<never>((_, reject) => {
        timer = setTimeout(() => reject(Object.assign(new Error(`no answer after ${limitMs} ms`), { code: "HUNG" })), limitMs);
      }),
    ]);
    return { ok: true, value, milliseconds: milliseconds() };
  } catch (error) {
    const seen = (error ?? {}) as Partial<mnemora.MemoryError>;
    return {
      ok: false,
      code: String(seen.code),
      name: String(seen.name),
      message: String(seen.message ?? error),
      retryable: seen.retryable === true,
      key: typeof seen.key === "string" ? seen.key : null,
      typed: mnemora.isMemoryError(error) && error instanceof mnemora.MemoryError && error instanceof Error,
      milliseconds: milliseconds(),
    };
  } finally {
    clearTimeout(timer);
  }
}

/** Something that was acknowledged: which record or batch, and the round that it was written in. */
export interface Acknowledged {
  readonly what: string;
  readonly round: number;
}

/** Gives a function that tells the test process: one message at a time, each with all since the one before. */
function teller(): (what: string, round: number) => void {
  let waiting: Acknowledged[] = [];
  let sending = false;
  return (what, round) => {
    waiting.push({ what, round });
    if (sending) return;
    sending = true;
    void (async () => {
      for (let batch = waiting; batch.length > 0; batch = waiting) {
        waiting = [];
        await fetch("/acknowledged", { method: "POST", body: JSON.stringify(batch) });
      }
      sending = false;
    })();
  };
}

const kindOf = (value: unknown): string => Object.prototype.toString.call(value).slice(8, -1);

/** Where two values differ, in type, prototype, contents or order; nothing if they are equal. */
function differences(actual: unknown, expected: unknown, path = "value"): string[] {
  if (Object.is(actual, expected)) return [];
  const [kind, wanted] = [kindOf(actual), kindOf(expected)];
  if (kind !== wanted) return [`${path} is of type ${kind}, not ${wanted}`];
  if (typeof actual !== "object" || typeof expected !== "object" || actual === null || expected === null) {
    return [`${path} is ${String(actual)}, not ${String(expected)}`];
  }
  if (Object.getPrototypeOf(actual) !== Object.getPrototypeOf(expected)) return [`${path} has another prototype`];
  if (actual instanceof Date) {
    return differences(actual.getTime(), (expected as Date).getTime(), `${path}.getTime()`);
  }
  if (actual instanceof ArrayBuffer) return differences(new Uint8Array(actual), new Uint8Array(expected as ArrayBuffer), path);
  if (actual instanceof DataView) {
    const bytes = (view: DataView): Uint8Array => new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
    return differences(bytes(actual), bytes(expected as DataView), path);
  }
  if (actual instanceof Map) return differences([...actual], [...(expected as Map<unknown, unknown>)], `${path}(entries)`);
  if (actual instanceof Set) return differences([...actual], [...(expected as Set<unknown>)], `${path}(elements)`);
  const keys = (object: object): string[] => Object.keys(object).sort();
  const [found, due] = [keys(actual), keys(expected)];
  if (found.join("\0") !== due.join("\0")) return [`${path} has the fields [${found.join()}], not [${due.join()}]`];
  return due.flatMap((key) => differences(
    (actual as Record<string, unknown>)[key], (expected as Record<string, unknown>)[key], `${path}.${key}`,
  ));
}

/** A generator of numbers below 2^32 (mulberry32): the same seed, the same numbers. */
function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
}

/** Bytes that can not be compressed. */
function noise(length: number, random: () => number): Uint8Array {
  const words = Uint32Array.from({ length: Math.ceil(length / 4) }, random);
  return new Uint8Array(words.buffer, 0, length);
}

/** Asks `read` again until it gives `true`, for at most `limitMs`; tells whether it did. */
async function soon(read: () => Promise<boolean> | boolean, limitMs = 2_000): Promise<boolean> {
  for (const end = performance.now() + limitMs; ;) {
    if (await read()) return true;
    if (performance.now() > end) return false;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}

/** The result of a request of IndexedDB, used directly. */
function request<T>(asked: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    asked.onsuccess = () => resolve(asked.result);
    asked.onerror = () => reject(asked.error ?? new Error("a request failed without saying why"));
  });
}

/** Deletes a database; tells whether anybody stood in the way. */
function erase(name: string): Promise<"deleted" | "blocked"> {
  return new Promise((resolve, reject) => {
    const asked = indexedDB.deleteDatabase(name);
    let outcome: "deleted" | "blocked" = "deleted";
    // A connection that was closed is gone when its last transaction has ended: that is not in the way yet.
    asked.onblocked = () => { setTimeout(() => { outcome = "blocked"; }, 1_000); };
    asked.onsuccess = () => resolve(outcome);
    asked.onerror = () => reject(asked.error ?? new Error("the database could not be deleted"));
  });
}

const kit = { attempt, teller, differences, seeded, noise, soon, sleep, all, request, erase, documents };

declare global {
  interface Window {
    mnemora: typeof mnemora;
    kit: typeof kit;
    /** Whatever a test leaves in a page between two steps. */
    held: {
      memory: mnemora.Memory;
      store: mnemora.Store<any>;
      collection: mnemora.Collection<any>;
      [name: string]: any;
    };
  }
}

Object.assign(globalThis, { mnemora, kit, held: {} });
