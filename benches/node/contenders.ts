/**
 * The ways to store a state on the disk of a Node program that are compared. Each has a folder of its own.
 *
 * Invariants
 * - A save returns, or resolves, when the state is stored as its level says, never earlier.
 * - A get or a list gives values of the caller's own.
 * - All store the same objects. None but those that say so in their name hold a cache of values.
 */
import { mkdir, open as openFile, readdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Memory, open as openMemory, OpenOptions, Store } from "mnemora";
import type { AgentState } from "../storage/state.js";

/** `relaxed` survives the end of the process, `strict` also that of the power. */
export type Level = "relaxed" | "strict";

export interface Item {
  id: string;
  value: AgentState;
}

/** What has to be done at once gives its result, what takes time a promise. */
export interface Contender {
  save(id: string, value: AgentState): unknown;
  get(id: string): AgentState | null | undefined | Promise<AgentState | null | undefined>;
  getMany(ids: string[]): (AgentState | null | undefined)[] | Promise<(AgentState | null | undefined)[]>;
  /** Up to `limit` records whose id starts with `prefix`, in order. */
  list(prefix: string, limit: number): Item[] | Promise<Item[]>;
  /** Reads the record and writes what `change` makes of it, so that nobody can write in between. */
  update?(id: string, change: (state: AgentState) => AgentState): unknown;
  /** Stores many, as fast as this contender can; not measured. */
  fill(items: Item[]): unknown;
  close(): unknown;
}

/** What is used of better-sqlite3, which is installed for the benchmark only. */
interface Statement {
  run(...bound: unknown[]): unknown;
  get(...bound: unknown[]): unknown;
  all(...bound: unknown[]): unknown[];
  /** Gives the first column in place of the row. */
  pluck(): this;
  /** Gives rows as arrays. */
  raw(): this;
}

interface Transaction<Arguments extends unknown[], Result> {
  (...given: Arguments): Result;
  immediate(...given: Arguments): Result;
}

interface Sqlite {
  pragma(source: string): unknown;
  exec(source: string): unknown;
  prepare(source: string): Statement;
  transaction<Arguments extends unknown[], Result>(work: (...given: Arguments) => Result): Transaction<Arguments, Result>;
  close(): unknown;
}

/** What the benchmark was given to compare. */
export interface Libraries {
  open: typeof openMemory;
  /** Not there where it could not be installed. */
  Database: (new (file: string) => Sqlite) | undefined;
}

/** A contender to be. */
export interface Entrant {
  name: string;
  start(libraries: Libraries, folder: string): Promise<Contender>;
}

/** The package `better-sqlite3`, used as its manual shows: WAL, prepared statements, a transaction a put. */
function sqlite(Database: new (file: string) => Sqlite, file: string, level: Level): Contender {
  const database = new Database(file);
  database.pragma("journal_mode = WAL");
  database.pragma(`synchronous = ${level === "strict" ? "FULL" : "NORMAL"}`);
  database.exec("CREATE TABLE states (id TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID");
  const put = database.prepare(
    // Faster than REPLACE, which deletes the row first.
    "INSERT INTO states VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET value = excluded.value",
  );
  const one = database.prepare("SELECT value FROM states WHERE id = ?").pluck();
  const range = database.prepare(
    "SELECT id, value FROM states WHERE id >= ? AND id < ? ORDER BY id LIMIT ?",
  ).raw();
  const get = (id: string): AgentState | undefined => {
    const text = one.get(id) as string | undefined;
    return text === undefined ? undefined : JSON.parse(text) as AgentState;
  };
  const save = (id: string, value: AgentState): unknown => put.run(id, JSON.stringify(value));
  const update = database.transaction((id: string, change: (state: AgentState) => AgentState) => {
    save(id, change(get(id) as AgentState));
  });
  return {
    save,
    get,
    // One snapshot, as the other contenders give it.
    getMany: database.transaction((ids: string[]) => ids.map(get)),
    list: (prefix, limit) => (range.all(prefix, `${prefix}\u{10ffff}`, limit) as [string, string][])
      .map(([id, value]) => ({ id, value: JSON.parse(value) as AgentState })),
    update: (id, change) => update.immediate(id, change),
    fill: database.transaction((items: Item[]) => { for (const { id, value } of items) save(id, value); }),
    close: () => database.close(),
  };
}

/** One file a key: written beside, synced, renamed, and the folder synced, as the guides to safe writing say. */
function files(folder: string, level: Level): Contender {
  const strict = level === "strict";
  let temporary = 0;
  const place = (id: string): string => join(folder, `${encodeURIComponent(id)}.json`);
  const save = async (id: string, value: AgentState): Promise<void> => {
    const beside = join(folder, `${temporary++}.tmp`);
    const file = await openFile(beside, "w");
    try {
      await file.writeFile(JSON.stringify(value));
      if (strict) await file.sync();
    } finally {
      await file.close();
    }
    await rename(beside, place(id));
    if (!strict) return;
    const parent = await openFile(folder, "r");
    try {
      await parent.sync();
    } finally {
      await parent.close();
    }
  };
  const get = async (id: string): Promise<AgentState> => JSON.parse(await readFile(place(id), "utf8")) as AgentState;
  return {
    save,
    get,
    getMany: (ids) => Promise.all(ids.map(get)),
    async list(prefix, limit) {
      const start = encodeURIComponent(prefix);
      const names = (await readdir(folder)).filter((name) => name.startsWith(start) && name.endsWith(".json"));
      const ids = names.map((name) => decodeURIComponent(name.slice(0, -".json".length))).sort().slice(0, limit);
      return Promise.all(ids.map(async (id) => ({ id, value: await get(id) })));
    },
    async fill(items) {
      await Promise.all(items.map(({ id, value }) => writeFile(place(id), JSON.stringify(value))));
    },
    close: () => undefined,
  };
}

/** The package itself. */
class Mnemora implements Contender {
  private readonly store: Store<AgentState>;

  constructor(private readonly memory: Memory) {
    this.store = memory.store<AgentState>("states");
  }

  save(id: string, value: AgentState): Promise<unknown> {
    return this.store.save(id, value);
  }

  get(id: string): Promise<AgentState | null> {
    return this.store.get(id);
  }

  getMany(ids: string[]): Promise<(AgentState | null)[]> {
    return this.store.getMany(ids);
  }

  async list(prefix: string, limit: number): Promise<Item[]> {
    const found: Item[] = [];
    for await (const entry of this.store.list({ prefix, limit })) found.push(entry);
    return found;
  }

  update(id: string, change: (state: AgentState) => AgentState): Promise<unknown> {
    return this.memory.transaction(async (tx) => {
      const state = await tx.get(this.store, id);
      tx.save(this.store, id, change(state as AgentState));
    });
  }

  fill(items: Item[]): Promise<unknown> {
    return this.store.saveMany(items);
  }

  close(): Promise<void> {
    return this.memory.close();
  }
}

/** mnemora at a URL; `below` is what stands in for `*`: a path in the contender's folder. */
function mnemora(url: string, options: OpenOptions = {}): Entrant {
  const scheme = url.slice(0, url.indexOf(":"));
  return {
    name: `mnemora ${scheme}${options.cache === undefined ? "" : ", cached"}`,
    start: async ({ open }, folder) => new Mnemora(await open(url.replace("*", folder), options)),
  };
}

/** Large enough for all that the reads read. */
const CACHE = { maxBytes: 64e6 };

/** Who takes part in writing at `level`. */
export function writers(level: Level): Entrant[] {
  return [
    { name: "better-sqlite3", start: async ({ Database }, folder) => sqlite(present(Database), join(folder, "peer.sqlite"), level) },
    { name: "a file a key", start: (_, folder) => startFiles(folder, level) },
    mnemora("sqlite://*/ours.sqlite", { durability: level }),
    mnemora("json://*/ours", { durability: level }),
    ...level === "relaxed" ? [mnemora("memory:")] : [],
  ];
}

/** Who takes part in reading. Reads know no level. */
export function readers(): Entrant[] {
  return [
    ...writers("relaxed"),
    mnemora("sqlite://*/cached.sqlite", { cache: CACHE }),
    mnemora("memory:", { cache: CACHE }),
  ];
}

async function startFiles(folder: string, level: Level): Promise<Contender> {
  const own = join(folder, "files");
  await mkdir(own);
  return files(own, level);
}

function present<T>(library: T | undefined): T {
  if (library === undefined) throw new Error("it is not installed");
  return library;
}
