/**
 * The public types, used as the documentation shows: this file compiles, and each line that is marked as
 * an error is one. Nothing here runs.
 */
import {
  type CacheStats, type Change, type Collection, copy, type CopyReport, type Document, type DocumentInput, type Embed, type Embedder, type Entry, type ExplainedHits, type Filter, handles, type Hit, type HostBackend, type LoadReport, type Memory, type MemoryEvent, type MemoryInfo, type OpenedHandle,
  type Page, type Progress, type SearchExplain, type SearchMode, type StandardSchemaV1, type Store, type Transaction, type Watch, type WriteResult, type ConflictError, type InvalidError, isMemoryError,
  type MemoryError, open,
} from "mnemora";

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
/** Compiles only if `value` has exactly the type `Expected`. */
declare function exactly<Expected>(): <Actual>(value: Actual, ...same: Equal<Actual, Expected> extends true ? [] : [never]) => void;

interface Prefs { theme: string; size?: number }
interface Meta { section: string; year: number }
declare const schema: StandardSchemaV1<unknown, Prefs>;
declare const transforming: StandardSchemaV1<string, number>;

export async function opening(): Promise<void> {
  await using memory = await open("idb://podcast", {
    durability: "strict", groupCommit: true, openTimeoutMs: 1_000, now: () => Date.now(),
    embed: async (texts) => texts.map(() => new Float32Array(3)), signal: new AbortController().signal,
  });
  exactly<Memory>()(memory);
  exactly<MemoryInfo>()(memory.info);
  exactly<"volatile" | "relaxed" | "strict">()(memory.info.durability);
  exactly<Promise<void>>()(memory.close());
  // @ts-expect-error what was opened can not be changed
  memory.info.url = "idb://other";
  // @ts-expect-error volatile is what a backend may offer, not what can be asked for
  await open("memory:", { durability: "volatile" });
  // @ts-expect-error a misspelt option is none
  await open("memory:", { durabilty: "strict" });
  const backend: HostBackend = {
    info: () => ({ name: "mine", durability: "strict" }),
    get: (keys) => keys.map(() => null),
    scan: async ({ start, limit }) => ({ records: [{ key: start, version: limit, value: new Uint8Array() }], more: false }),
    commit: async ({ head }) => ({ committed: true, head }),
    stats: () => ({ head: 0, keys: 0 }),
    close() {},
  };
  await open(backend, {
    timeoutMs: 1, fallback: ["memory:", backend], cache: { maxBytes: 1e6, ttlMs: 1, second: backend, secondTtlMs: 1 },
    onEvent: (event) => { exactly<MemoryEvent>()(event); },
  });
  // @ts-expect-error a backend has all methods
  await open({ info: backend.info });
  exactly<CacheStats | null>()(await memory.cacheStats());
  exactly<string>()(await memory.digest());
  exactly<CopyReport>()(await copy(memory, "memory:", { replace: true, onProgress: ({ records }) => records }));
  exactly<OpenedHandle[]>()(handles());
  // @ts-expect-error a URL is a string
  await open(new URL("memory:"));
  const embed: Embed = async (texts, { signal }) => {
    exactly<readonly string[]>()(texts);
    exactly<AbortSignal | undefined>()(signal);
    return [];
  };
  await open("memory:", { embed });
  await open("memory:", { embed: Object.assign(embed, { model: "mine-1" }) });
  const embedder: Embedder = { model: "mine-1", embed, dimensions: 384, maxBatch: 32 };
  await open("memory:", { embed: embedder });
  class Own { model = "own"; private readonly weights = [1]; async embed(texts: readonly string[]) { return texts.map(() => Float32Array.from(this.weights)); } }
  await open("memory:", { embed: new Own() });
  // @ts-expect-error an embedder that is an object has a name for its model
  await open("memory:", { embed: { embed } });
  // @ts-expect-error vectors are arrays of floats
  await open("memory:", { embed: async (texts: readonly string[]) => texts.map(() => "x") });
}

export async function stores(memory: Memory): Promise<void> {
  const prefs = memory.store<Prefs>("prefs", { ttlMs: 5, history: 10 });
  exactly<Store<Prefs>>()(prefs);
  exactly<Store<Prefs>>()(memory.store("prefs", { schema }));
  exactly<Prefs | null>()(await prefs.get("theme"));
  exactly<(Prefs | null)[]>()(await prefs.getMany(["theme"]));
  exactly<Entry<Prefs> | null>()(await prefs.entry("theme"));
  exactly<Entry<Prefs>[]>()(await prefs.history("theme", { limit: 2 }));
  exactly<boolean>()(await prefs.delete("theme", { expectedVersion: 3 }));
  exactly<number>()(await prefs.count({ prefix: "t" }));
  const written = await prefs.save("theme", { theme: "dark" }, { expectedVersion: 0, ttlMs: null, signal: new AbortController().signal });
  exactly<WriteResult>()(written);
  exactly<number>()(written.version);
  await prefs.saveMany([{ id: "a", value: { theme: "x" }, expectedVersion: 1, ttlMs: 5 }] as const);
  for await (const entry of prefs.list({ prefix: "th", match: "*", limit: 100, reverse: false, after: "a", onProblem: ({ key }) => key })) {
    exactly<Entry<Prefs>>()(entry);
    exactly<Date>()(entry.created);
    exactly<Date | null>()(entry.expires);
  }
  for await (const page of prefs.pages({ match: "user:*:settings" })) {
    exactly<Page<Prefs>>()(page);
    exactly<string | null>()(page.cursor);
    exactly<Prefs[]>()(page.map(({ value }) => value));
  }
  // @ts-expect-error a value must fit the store
  await prefs.save("theme", { colour: "dark" });
  // @ts-expect-error and so must each of many
  await prefs.saveMany([{ id: "a", value: 5 }]);
  // @ts-expect-error a time to live is a number
  await prefs.save("theme", { theme: "x" }, { ttlMs: "5" });
  // @ts-expect-error a misspelt option is none
  await prefs.save("theme", { theme: "x" }, { ttl: 5 });
  // @ts-expect-error values that were read are only null if there is none
  (await prefs.get("theme")).theme;
  // @ts-expect-error a record is as it was read
  for await (const entry of prefs.list()) entry.version = 5;
  // Without a type a store takes and gives anything.
  const anything = memory.store("anything");
  await anything.save("a", 5);
  (await anything.get("a")).whatever;
  await memory.agents.save("agent-123", { lastUpdated: new Date() });
  (await memory.agents.get("agent-123")).lastUpdated.getTime();
  // What a schema gives is what the store holds.
  exactly<Store<number>>()(memory.store("numbers", { schema: transforming }));
}

export async function watching(memory: Memory): Promise<void> {
  const prefs = memory.store<Prefs>("prefs");
  const stop = prefs.watch({ prefix: "a", from: 5 }, (change) => {
    exactly<Change<Prefs>>()(change);
    exactly<"save" | "delete" | "expire">()(change.kind);
    exactly<Prefs | undefined>()(change.value);
  });
  exactly<Watch<Prefs>>()(stop);
  stop();
  exactly<Promise<void>>()(stop.done);
  const iterable: AsyncIterable<Change<Prefs>> = prefs.watch();
  for await (const change of iterable) exactly<number>()(change.cursor);
  {
    using watch = prefs.watch((change) => change.id);
    exactly<void>()(watch());
  }
  // @ts-expect-error a handler is a function
  prefs.watch({}, "log");
  const notes = memory.collection<Meta>("notes");
  for await (const change of notes.watch({ prefix: "n" })) exactly<undefined>()(change.value);
}

export async function transactions(memory: Memory): Promise<void> {
  const prefs = memory.store<Prefs>("prefs");
  const result = await memory.transaction(async (tx) => {
    exactly<Transaction>()(tx);
    const before = await tx.get(prefs, "a");
    exactly<Prefs | null>()(before);
    exactly<void>()(tx.save(prefs, "b", { theme: "x" }, { ttlMs: null }));
    exactly<void>()(tx.delete(prefs, "a"));
    for await (const { id, value } of tx.list(prefs, { prefix: "a", limit: 1, reverse: true })) {
      exactly<string>()(id);
      exactly<Prefs>()(value);
    }
    // @ts-expect-error a value must fit its store
    tx.save(prefs, "b", 5);
    return before?.theme;
  }, { retries: 3 });
  exactly<string | undefined>()(result);
  exactly<number>()(await memory.transaction(() => 5));
}

export async function collections(memory: Memory): Promise<void> {
  const notes = memory.collection<Meta>("notes", { dimensions: 384, metric: "cosine" });
  exactly<Collection<Meta>>()(notes);
  const documents: readonly DocumentInput<Meta>[] = [{ id: "a", text: "x", vector: [1], metadata: { section: "web", year: 2024 }, importance: 1 }];
  await notes.add(documents, { onProgress: ({ done, total }) => [exactly<number>()(done), exactly<number | null>()(total)] });
  await notes.add({ id: "b", vector: new Float32Array(384) });
  exactly<Document<Meta> | null>()(await notes.get("a"));
  const hits = await notes.search("pricing", {
    limit: 10, offset: 10, filter: { section: "web", year: { $gte: 2024 } }, mode: "hybrid", exact: true, ef: 64, minScore: 0.5,
    groupBy: "owner.team", recency: { halfLifeMs: 1_000, weight: 0.5 }, importance: 0.5, diversity: 0.3, highlight: true,
  });
  exactly<Hit<Meta>[]>()(hits);
  exactly<number>()(hits[0]!.score);
  exactly<number | undefined>()(hits[0]!.parts.vector);
  exactly<number | undefined>()(hits[0]!.parts.fused);
  exactly<Meta | null>()(hits[0]!.metadata);
  for (const [start, end] of hits[0]!.highlights ?? []) exactly<string | undefined>()(hits[0]!.text?.slice(start, end));
  const explained = await notes.search({ text: "pricing", vector: [1] }, { explain: true });
  exactly<ExplainedHits<Meta>>()(explained);
  exactly<SearchExplain>()(explained.explain);
  exactly<SearchMode>()(explained.explain.mode);
  exactly<"empty" | "scan" | "graph" | undefined>()(explained.explain.vectors?.path);
  exactly<readonly string[] | undefined>()(explained.explain.words?.terms);
  // @ts-expect-error only who asks is told how a result came about
  (await notes.search("x", { explain: false })).explain;
  // @ts-expect-error only who asks is told how a result came about
  (await notes.search("x")).explain;
  exactly<LoadReport>()(await notes.load(documents, { batchSize: 100, signal: new AbortController().signal }));
  await notes.load(new Set(documents));
  await notes.load((async function* () { yield documents[0]!; })(), { onProgress: (progress) => { exactly<Progress>()(progress); } });
  exactly<{ embedded: number }>()(await notes.reembed({ onProgress: ({ done }) => done }));
  exactly<void>()(await notes.optimize());
  await notes.search([1, 2] as const);
  for await (const document of notes.list({ filter: { "owner.team": "web" } })) exactly<Float32Array | null>()(document.vector);
  const filters: Filter[] = [
    { $and: [{ a: 1 }, { $or: [{ b: { $in: ["x"] } }, { $not: { c: { $exists: true } } }] }] },
    { at: { $gt: new Date(), $lte: new Date() }, big: 5n, gone: null, tags: { $nin: ["a"], $ne: "b", $not: { $eq: "c" } } },
  ];
  await notes.search([1], { filter: filters[0]! });
  // @ts-expect-error metadata must fit the collection
  await notes.add({ id: "c", metadata: { section: 5 } });
  // @ts-expect-error what is loaded must fit the collection as well
  await notes.load([{ id: "c", metadata: { section: 5 } }]);
  memory.collection("x", {
    dimensions: 3, metric: "dot", language: "german", fields: { title: 2, "owner.name": 0.5 }, keep: "codes", M: 8, efConstruction: 100,
  });
  memory.collection("x", {});
  // @ts-expect-error there are three metrics
  memory.collection("x", { dimensions: 3, metric: "euclid" });
  // @ts-expect-error weights are numbers
  memory.collection("x", { fields: { title: "high" } });
  // @ts-expect-error there are three modes
  await notes.search("x", { mode: "fuzzy" });
  // @ts-expect-error a recency has a half-life
  await notes.search("x", { recency: { weight: 1 } });
}

export async function upkeep(memory: Memory): Promise<void> {
  exactly<{ expired: number; more: boolean }>()(await memory.maintain({ budgetMs: 8 }));
  const { ok, checked, problems } = await memory.verify({ onProgress: ({ done }) => done });
  exactly<boolean>()(ok);
  exactly<number>()(checked);
  exactly<"corrupt" | "version">()(problems[0]!.kind);
}

export function errors(error: unknown): void {
  if (isMemoryError(error, "ERR_CONFLICT")) exactly<ConflictError>()(error);
  if (isMemoryError(error, "ERR_INVALID")) {
    exactly<InvalidError>()(error);
    exactly<string | undefined>()(error.issues?.[0]?.message);
  }
  if (isMemoryError(error)) {
    exactly<MemoryError>()(error);
    exactly<boolean>()(error.retryable);
    switch (error.code) {
      case "ERR_QUOTA":
      case "ERR_BLOCKED":
        break;
      // @ts-expect-error there is no such code
      case "ERR_FULL":
        break;
      default:
        exactly<string | undefined>()(error.key);
    }
  }
}
