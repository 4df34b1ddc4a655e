/**
 * What is happening now: counts and changes of everything the page knows, from this and from other tabs.
 *
 * Invariants: one watch for each known source; `changes` holds the newest {@link KEPT} in commit order, newest
 * first; counts are read from the memory after a change, never added up here.
 */
import { batch, computed, effect, signal } from "@preact/signals";
import type { Change, Memory } from "mnemora";
import { sourceOf } from "../data/source.js";
import { fail, isAbort } from "./errors.js";
import { keyOf, known, type Known } from "./registry.js";

/** How many changes the page keeps. */
export const KEPT = 100;
const COUNT_EVERY_MS = 250;
const SHOW_EVERY_MS = 100;

export interface Seen {
  source: Known;
  kind: Change<unknown>["kind"];
  id: string;
  version: number;
  time: Date;
}

export const counts = signal<ReadonlyMap<string, number>>(new Map());
export const changes = signal<readonly Seen[]>([]);
/** Changes seen since the page was opened. */
export const seenTotal = signal(0);
/** The highest commit number that this page has come across. */
export const lastVersion = signal(0);
export const total = computed(() => [...counts.value.values()].reduce((sum, count) => sum + count, 0));

type Listener = (source: Known, change: Change<unknown>) => void;
const listeners = new Set<Listener>();

/** Tells `listener` of every change; the result ends it. */
export function onChange(listener: Listener): () => void {
  listeners.add(listener);
  return () => {
    listeners.delete(listener);
  };
}

/** Notes a commit number that a read or write has shown. */
export function sawVersion(version: number): void {
  if (version > lastVersion.peek()) lastVersion.value = version;
}

/** Follows all known sources of `memory`; the result ends it. */
export function followAll(memory: Memory): () => void {
  const stops = new Map<string, () => void>();
  let waiting: Seen[] = [];
  const show = throttled(SHOW_EVERY_MS, () => {
    // Each watch is in commit order by itself; between sources the commit number is the order.
    const merged = [...waiting, ...changes.peek()].sort((a, b) => b.version - a.version);
    batch(() => {
      seenTotal.value += waiting.length;
      changes.value = merged.slice(0, KEPT);
    });
    waiting = [];
  });
  const begin = (item: Known): (() => void) => {
    const source = sourceOf(memory, item);
    const recount = throttled(COUNT_EVERY_MS, async () => {
      try {
        const count = await source.count();
        counts.value = new Map(counts.value).set(keyOf(item), count);
      } catch (error) {
        if (stops.has(keyOf(item))) fail(error);
      }
    });
    const watch = source.watch(item.from === undefined ? {} : { from: item.from }, (change) => {
      const { kind, id, version, time } = change;
      waiting.push({ source: item, kind, id, version, time });
      sawVersion(version);
      for (const listener of listeners) listener(item, change);
      show.soon();
      recount.soon();
    });
    watch.done.catch((error: unknown) => {
      if (!isAbort(error) && stops.has(keyOf(item))) fail(error);
    });
    recount.soon(0);
    return () => {
      watch();
      recount.stop();
    };
  };
  const stopFollowing = effect(() => {
    const wanted = new Map(known.value.map((item) => [keyOf(item), item]));
    for (const [key, item] of wanted) if (!stops.has(key)) stops.set(key, begin(item));
    for (const [key, stop] of stops) {
      if (wanted.has(key)) continue;
      stops.delete(key);
      stop();
      const rest = new Map(counts.peek());
      rest.delete(key);
      counts.value = rest;
    }
  });
  return () => {
    stopFollowing();
    const all = [...stops.values()];
    stops.clear();
    for (const stop of all) stop();
    show.stop();
  };
}

/** Runs `work` at most once in `everyMs`, never twice at once, and once more after the last request. */
export function throttled(everyMs: number, work: () => void | Promise<void>): { soon: (delay?: number) => void; stop: () => void } {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let busy = false;
  let again = false;
  let stopped = false;
  const run = async () => {
    timer = undefined;
    busy = true;
    await work();
    busy = false;
    if (again) {
      again = false;
      soon();
    }
  };
  const soon = (delay = everyMs) => {
    if (stopped) return;
    if (busy) again = true;
    else timer ??= setTimeout(() => void run(), delay);
  };
  return {
    soon,
    stop() {
      stopped = true;
      clearTimeout(timer);
    },
  };
}
