/**
 * Every method of every handle, once, with arguments that are fine.
 *
 * Invariants
 * - The compiler holds the tables complete: a method that is new in the types and missing here does not
 *   compile, so no test that goes through the tables can forget one.
 */
import type { CallOptions, Collection, Memory, OpenOptions, Store } from "mnemora";

/** The names of the methods of `T`. */
type Methods<T> = { [K in keyof T]: K extends string ? T[K] extends (...args: never[]) => unknown ? K : never : never }[keyof T] & string;

/** One call of each method of `T`, with whatever options it is to have. */
type Calls<T> = Record<Methods<T>, (handle: T, options: CallOptions) => unknown>;

/** A store's methods. */
export const storeCalls: Calls<Store<unknown>> = {
  save: (store, options) => store.save("new", 1, options),
  saveMany: (store, options) => store.saveMany([{ id: "new", value: 1 }], options),
  get: (store, options) => store.get("old", options),
  getMany: (store, options) => store.getMany(["old"], options),
  entry: (store, options) => store.entry("old", options),
  delete: (store, options) => store.delete("old", options),
  count: (store, options) => store.count(options),
  list: (store, options) => store.list(options),
  pages: (store, options) => store.pages(options),
  history: (store, options) => store.history("old", options),
  watch: (store, options) => store.watch(options),
};

/** A collection's methods. */
export const collectionCalls: Calls<Collection<unknown>> = {
  add: (collection, options) => collection.add({ id: "new", vector: [1, 2] }, options),
  load: (collection, options) => collection.load([{ id: "new", vector: [1, 2] }], options),
  get: (collection, options) => collection.get("old", options),
  delete: (collection, options) => collection.delete("old", options),
  count: (collection, options) => collection.count(options),
  list: (collection, options) => collection.list(options),
  search: (collection, options) => collection.search([1, 2], options),
  reembed: (collection, options) => collection.reembed(options),
  optimize: (collection, options) => collection.optimize(options),
  watch: (collection, options) => collection.watch(options),
};

/** A memory's methods that are calls to the storage. */
export const memoryCalls: Omit<Calls<Memory>, "store" | "collection" | "close"> = {
  transaction: (memory, options) => memory.transaction((tx) => tx.save(memory.store("s"), "new", 1), options),
  maintain: (memory, options) => memory.maintain(options),
  verify: (memory, options) => memory.verify(options),
  digest: (memory, options) => memory.digest(options),
  cacheStats: (memory, options) => memory.cacheStats(options),
};

/** What a memory must be opened with for all of them to go through. */
export const withEverything: OpenOptions = {
  embed: { model: "ones", embed: async (texts) => texts.map(() => new Float32Array([1, 1])) },
};

/** All of them over one memory: `[name, call]`. */
export function everyCall(memory: Memory): [string, (options: CallOptions) => unknown][] {
  const store = memory.store("s");
  const collection = memory.collection("c", { dimensions: 2 });
  return [
    ...Object.entries(storeCalls).map(([name, call]): [string, (options: CallOptions) => unknown] => [`store.${name}`, (options) => call(store, options)]),
    ...Object.entries(storeCalls).map(([name, call]): [string, (options: CallOptions) => unknown] => [`agents.${name}`, (options) => call(memory.agents, options)]),
    ...Object.entries(collectionCalls).map(([name, call]): [string, (options: CallOptions) => unknown] => [`collection.${name}`, (options) => call(collection, options)]),
    ...Object.entries(memoryCalls).map(([name, call]): [string, (options: CallOptions) => unknown] => [`memory.${name}`, (options) => call(memory, options)]),
  ];
}

/** Puts something there for the calls to find. */
export async function seed(memory: Memory): Promise<void> {
  await memory.store("s").save("old", "value");
  await memory.agents.save("old", "value");
  await memory.collection("c", { dimensions: 2 }).add({ id: "old", vector: [1, 0], metadata: { n: 1 } });
}
