/**
 * Which stores and collections the page knows. A memory does not list its own, so the page keeps what it made and
 * what its user named, in a store of the memory itself; other tabs follow it by a watch.
 *
 * Invariants: the sample's stores and `agents` are always known; a collection says which embedder filled it
 * (`null` = vectors from elsewhere, `undefined` in the record = not known).
 */
import { computed, signal } from "@preact/signals";
import type { Memory, Watch } from "mnemora";
import { DIMENSIONS, EMBEDDER } from "../data/hashing.js";
import { fail } from "./errors.js";

/** The page's own store. */
export const REGISTRY = "mnemora-dashboard";

/** A store or collection as the page knows it. */
export interface Known {
  kind: "agents" | "store" | "collection";
  name: string;
  /** Collections only: what turned its texts into vectors, if this page can do the same. */
  embedder: string | null;
  /** Collections only, once known. */
  dimensions: number | null;
  /** Where to begin watching it: the log position at which it was registered by another tab. */
  from?: number;
}

const BUILT_IN: readonly Known[] = [
  { kind: "collection", name: "memories", embedder: EMBEDDER, dimensions: DIMENSIONS },
  { kind: "agents", name: "agents", embedder: null, dimensions: null },
  { kind: "store", name: "episodes", embedder: null, dimensions: null },
  { kind: "store", name: "decisions", embedder: null, dimensions: null },
];

const added = signal<ReadonlyMap<string, Known>>(new Map());

/** Everything the page knows, the sample's first. */
export const known = computed<readonly Known[]>(() => {
  const own = new Set(BUILT_IN.map(keyOf));
  return [...BUILT_IN, ...[...added.value].filter(([key]) => !own.has(key)).map(([, item]) => item)];
});

export function keyOf(item: Pick<Known, "kind" | "name">): string {
  return `${item.kind}/${item.name}`;
}

/** Whether a source is one of the sample's. */
export function isBuiltIn(item: Known): boolean {
  return BUILT_IN.some((own) => keyOf(own) === keyOf(item));
}

type Stored = Pick<Known, "kind" | "name" | "embedder" | "dimensions">;

/** Reads the registry and follows it. The result ends the following. */
export async function followRegistry(memory: Memory): Promise<Watch<Stored>> {
  const store = memory.store<Stored>(REGISTRY);
  const watch = store.watch({ prefix: "source/" }, (change) => {
    const next = new Map(added.value);
    const key = change.id.slice("source/".length);
    if (change.kind !== "save") next.delete(key);
    else if (isStored(change.value)) next.set(key, { ...change.value, from: change.cursor });
    added.value = next;
  });
  watch.done.catch(fail);
  const found = new Map<string, Known>();
  for await (const { value } of store.list({ prefix: "source/" })) {
    if (isStored(value)) found.set(keyOf(value), value);
  }
  added.value = new Map([...found, ...added.value]);
  return watch;
}

/** Writes down a store or collection, so that this and other tabs show it. */
export async function remember(memory: Memory, item: Stored): Promise<void> {
  const { kind, name, embedder, dimensions } = item;
  await memory.store<Stored>(REGISTRY).save(`source/${keyOf(item)}`, { kind, name, embedder, dimensions });
  // Shown at once, and watched from now on: nothing has been written to it through this page before.
  if (!added.value.has(keyOf(item))) added.value = new Map(added.value).set(keyOf(item), { kind, name, embedder, dimensions });
}

/** Takes a store or collection off the list; its records stay. */
export async function forget(memory: Memory, item: Pick<Known, "kind" | "name">): Promise<void> {
  await memory.store<Stored>(REGISTRY).delete(`source/${keyOf(item)}`);
}

/** Records of the registry can come from an older page or another writer: what does not fit is left out. */
function isStored(value: Stored | undefined | null): value is Stored {
  return value !== null && typeof value === "object" && typeof value.name === "string"
    && (value.kind === "store" || value.kind === "collection");
}
