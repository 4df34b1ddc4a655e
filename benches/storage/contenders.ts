/**
 * The ways to store a state in IndexedDB that are compared. Each has a database of its own.
 *
 * Invariants
 * - A save resolves when its transaction has completed, never earlier.
 * - A get or a scan resolves with the values.
 * - All store the same objects; none holds a cache of values.
 */
import { Dexie } from "dexie";
import { openDB } from "idb";
import { open as openMemory } from "mnemora";
import type { AgentState } from "./state.js";

export type Level = "relaxed" | "strict";

export interface Contender {
  save(id: string, value: AgentState): Promise<unknown>;
  get(id: string): Promise<AgentState | null | undefined>;
  /** Up to `limit` records whose id starts with `prefix`: ids and values, in order. */
  scan(prefix: string, limit: number): Promise<[string, AgentState][]>;
  /** Stores many, as fast as this contender can; not measured. */
  fill(items: { id: string; value: AgentState }[]): Promise<unknown>;
  close(): unknown;
}

const STORE = "states";

function openRaw(name: string): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(name, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(STORE);
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

/** Ids that start with `prefix`; ids here are ASCII. */
const startingWith = (prefix: string): IDBKeyRange => IDBKeyRange.bound(prefix, `${prefix}\uffff`);

/** What all contenders without a library share: reads, and how a transaction ends. */
abstract class Raw implements Contender {
  constructor(protected readonly database: IDBDatabase, private readonly durability: Level) {}

  abstract save(id: string, value: AgentState): Promise<void>;

  protected writing(): IDBTransaction {
    return this.database.transaction(STORE, "readwrite", { durability: this.durability });
  }

  get(id: string): Promise<AgentState | undefined> {
    return new Promise((resolve, reject) => {
      const request = this.database.transaction(STORE, "readonly").objectStore(STORE).get(id);
      request.onsuccess = () => resolve(request.result as AgentState | undefined);
      request.onerror = () => reject(request.error);
    });
  }

  scan(prefix: string, limit: number): Promise<[string, AgentState][]> {
    return new Promise((resolve, reject) => {
      const transaction = this.database.transaction(STORE, "readonly");
      const store = transaction.objectStore(STORE);
      const keys = store.getAllKeys(startingWith(prefix), limit);
      const values = store.getAll(startingWith(prefix), limit);
      // Requests of a transaction end in their order: when the last has, both have.
      values.onsuccess = () => resolve((values.result as AgentState[]).map((value, at) => [keys.result[at] as string, value]));
      transaction.onabort = () => reject(transaction.error);
    });
  }

  fill(items: { id: string; value: AgentState }[]): Promise<void> {
    const transaction = this.writing();
    const store = transaction.objectStore(STORE);
    for (const { id, value } of items) store.put(value, id);
    return ended(transaction);
  }

  close(): void {
    this.database.close();
  }
}

function ended(transaction: IDBTransaction): Promise<void> {
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onabort = () => reject(transaction.error);
  });
}

/** One transaction a put, which ends by itself: what most code does. */
class RawPut extends Raw {
  save(id: string, value: AgentState): Promise<void> {
    const transaction = this.writing();
    transaction.objectStore(STORE).put(value, id);
    return ended(transaction);
  }
}

/** The same with `commit()`, which saves the turn in which the browser finds out that no more comes. */
class RawCommit extends Raw {
  save(id: string, value: AgentState): Promise<void> {
    const transaction = this.writing();
    transaction.objectStore(STORE).put(value, id);
    transaction.commit();
    return ended(transaction);
  }
}

interface Waiting {
  id: string;
  value: AgentState;
  resolve: () => void;
  reject: (error: unknown) => void;
}

/** Bare group commit: what arrives while a transaction is in flight goes together into the next one. */
class RawGroup extends Raw {
  protected waiting: Waiting[] = [];
  protected busy = false;

  save(id: string, value: AgentState): Promise<void> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ id, value, resolve, reject });
      if (!this.busy) this.flush();
    });
  }

  protected flush(): void {
    this.busy = true;
    const group = this.waiting;
    this.waiting = [];
    const transaction = this.writing();
    const store = transaction.objectStore(STORE);
    for (const { id, value } of group) store.put(value, id);
    transaction.oncomplete = () => {
      for (const { resolve } of group) resolve();
      this.next();
    };
    transaction.onabort = () => {
      for (const { reject } of group) reject(transaction.error);
      this.next();
    };
  }

  protected next(): void {
    this.busy = false;
    if (this.waiting.length > 0) this.flush();
  }
}

/** The same, tuned: everyone who writes in the same turn comes aboard, and `commit()` ends it at once. */
class RawGroupTuned extends RawGroup {
  override save(id: string, value: AgentState): Promise<void> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ id, value, resolve, reject });
      if (!this.busy) this.soon();
    });
  }

  protected override writing(): IDBTransaction {
    const transaction = super.writing();
    if (this.busy) queueMicrotask(() => transaction.commit());
    return transaction;
  }

  protected override next(): void {
    this.soon();
  }

  private soon(): void {
    this.busy = true;
    // A few rounds of microtasks: those who were just answered and write again join as well.
    void Promise.resolve().then(() => undefined).then(() => undefined).then(() => {
      if (this.waiting.length > 0) this.flush();
      else this.busy = false;
    });
  }
}

async function openIdb(name: string, durability: Level): Promise<Contender> {
  const database = await openDB(name, 1, { upgrade: (upgraded) => void upgraded.createObjectStore(STORE) });
  const writing = () => database.transaction(STORE, "readwrite", { durability });
  return {
    async save(id, value) {
      const transaction = writing();
      await Promise.all([transaction.store.put(value, id), transaction.done]);
    },
    get: (id) => database.get(STORE, id),
    async scan(prefix, limit) {
      const { store } = database.transaction(STORE, "readonly");
      const [keys, values] = await Promise.all([
        store.getAllKeys(startingWith(prefix), limit), store.getAll(startingWith(prefix), limit),
      ]);
      return values.map((value, at) => [keys[at] as string, value]);
    },
    async fill(items) {
      const transaction = writing();
      await Promise.all([...items.map(({ id, value }) => transaction.store.put(value, id)), transaction.done]);
    },
    close: () => database.close(),
  };
}

async function openDexie(name: string, durability: Level): Promise<Contender> {
  const database = new Dexie(name, { chromeTransactionDurability: durability });
  database.version(1).stores({ [STORE]: "" });
  await database.open();
  const table = database.table<AgentState, string>(STORE);
  return {
    save: (id, value) => table.put(value, id),
    get: (id) => table.get(id),
    async scan(prefix, limit) {
      const wanted = () => table.where(":id").startsWith(prefix).limit(limit);
      const [keys, values] = await database.transaction("r", table, () => Promise.all([wanted().primaryKeys(), wanted().toArray()]));
      return values.map((value, at) => [keys[at]!, value]);
    },
    fill: (items) => table.bulkPut(items.map(({ value }) => value), items.map(({ id }) => id)),
    close: () => database.close(),
  };
}

async function openMnemora(name: string, durability: Level): Promise<Contender> {
  const memory = await openMemory(`idb://${name}`, { durability });
  const store = memory.store<AgentState>(STORE);
  return {
    save: (id, value) => store.save(id, value),
    get: (id) => store.get(id),
    async scan(prefix, limit) {
      const found: [string, AgentState][] = [];
      for await (const { id, value } of store.list({ prefix, limit })) found.push([id, value]);
      return found;
    },
    fill: (items) => store.saveMany(items),
    close: () => memory.close(),
  };
}

const raw = (kind: new (database: IDBDatabase, durability: Level) => Raw) =>
  async (name: string, durability: Level): Promise<Contender> => new kind(await openRaw(name), durability);

/** By name. */
export const contenders: Record<string, (name: string, durability: Level) => Promise<Contender>> = {
  "raw": raw(RawPut),
  "raw + commit()": raw(RawCommit),
  "raw group commit": raw(RawGroup),
  "raw group commit, tuned": raw(RawGroupTuned),
  "idb": openIdb,
  "Dexie": openDexie,
  "mnemora": openMnemora,
};
