/**
 * The generic store: see {@link Store}.
 */
import { checkCount, checkText } from "../core/check.js";
import type { Handle } from "../core/handle.js";
import { runNow } from "../core/instance.js";
import { InvalidError } from "../errors.js";
import { validate, type StandardSchemaV1 } from "../schema.js";
import type {
  CallOptions, Change, Entry, ListOptions, Page, PageOptions, SaveItem, SaveOptions, Store, StoreOptions, Watch,
  WatchOptions, WriteResult,
} from "../types.js";
import { Reader, Writer } from "../value/wire.js";
import { encodeValue } from "../value/encode.js";
import {
  option, packIds, packValue, readEntry, readProblem, sequence, toEntry, unpackValue,
} from "./pack.js";
import { itemsOf, pagesOf, type Found, type Scan } from "./scan.js";
import { startWatch } from "./watch.js";

/** The core's handle of a store. */
export type CoreStore = ReturnType<Handle["core"]["store"]>;

/** Most earlier versions that `history` gives at once. */
const HISTORY = 10_000;
/** The longest time to live, in milliseconds: the range of a `Date`. */
const LONGEST = 8.64e15;

export class StoreHandle<T> implements Store<T> {
  /** @internal */
  readonly core: CoreStore;
  /** @internal */
  readonly schema: StandardSchemaV1<unknown, T> | undefined;

  /** `name` is what users see, `place` what the core calls it. */
  constructor(readonly memory: Handle, readonly name: string, place: string, options: StoreOptions<T>) {
    const history = checkCount(options.history ?? 0, "options.history", 0, HISTORY);
    const ttlMs = options.ttlMs === undefined ? 0 : checkCount(options.ttlMs, "options.ttlMs", 1, LONGEST);
    this.schema = options.schema;
    this.core = runNow(() => memory.core.store(place, history, ttlMs));
  }

  async save(id: string, value: T, options: SaveOptions = {}): Promise<WriteResult> {
    checkText(id, "id");
    const expected = expectedOf(options.expectedVersion);
    const ttl = ttlOf(options.ttlMs);
    const accepted = this.schema === undefined ? value : await validate(this.schema, value, `${this.name}/${id}`);
    const version = await this.memory.write(
      options.signal, (claim) => this.core.save(id, packValue(accepted), expected, ttl, claim) as Promise<number>,
    );
    return this.memory.written(version);
  }

  async saveMany(items: readonly SaveItem<T>[], options: CallOptions = {}): Promise<WriteResult> {
    if (!Array.isArray(items)) throw new InvalidError("items is no array; give [{ id, value }, ...]");
    const { schema } = this;
    const values = schema === undefined
      ? items.map((item) => item.value)
      : await Promise.all(items.map((item) => validate(schema, item.value, `${this.name}/${item.id}`)));
    const packed = packItems(items, values);
    const version = await this.memory.write(
      options.signal, (claim) => this.core.saveMany(packed, claim) as Promise<number>,
    );
    return this.memory.written(version);
  }

  async get(id: string, options: CallOptions = {}): Promise<T | null> {
    checkText(id, "id");
    const bytes = await this.memory.read(options.signal, () => this.core.get(id) as Promise<Uint8Array | undefined>);
    return bytes === undefined ? null : unpackValue<T>(bytes);
  }

  async getMany(ids: readonly string[], options: CallOptions = {}): Promise<(T | null)[]> {
    if (!Array.isArray(ids)) throw new InvalidError("ids is no array; give the ids to read");
    ids.forEach((id, index) => checkText(id, `ids[${index}]`));
    const bytes = await this.memory.read(options.signal, () => this.core.getMany(packIds(ids)) as Promise<Uint8Array>);
    return sequence(new Reader(bytes), (reader) => {
      const payload = option(reader, (from) => from.blob());
      return payload === null ? null : unpackValue<T>(payload);
    });
  }

  async entry(id: string, options: CallOptions = {}): Promise<Entry<T> | null> {
    checkText(id, "id");
    const bytes = await this.memory.read(options.signal, () => this.core.entry(id) as Promise<Uint8Array | undefined>);
    return bytes === undefined ? null : toEntry<T>(readEntry(new Reader(bytes)));
  }

  async delete(id: string, options: CallOptions & { expectedVersion?: number } = {}): Promise<boolean> {
    checkText(id, "id");
    const expected = expectedOf(options.expectedVersion);
    const was = await this.memory.write(
      options.signal, (claim) => this.core.delete(id, expected, claim) as Promise<boolean>,
    );
    this.memory.written(this.memory.core.head());
    return was;
  }

  async count(options: CallOptions & { prefix?: string } = {}): Promise<number> {
    const prefix = checkText(options.prefix ?? "", "prefix");
    return this.memory.read(options.signal, () => this.core.count(prefix) as Promise<number>);
  }

  list(options: ListOptions = {}): AsyncIterable<Entry<T>> {
    return itemsOf(options, this.readPage);
  }

  async *pages(options: PageOptions = {}): AsyncGenerator<Page<T>, void, undefined> {
    for await (const { items, cursor, problems } of pagesOf(options, this.readPage)) {
      yield Object.assign(items, { cursor, problems });
    }
  }

  async history(id: string, options: CallOptions & { limit?: number } = {}): Promise<Entry<T>[]> {
    checkText(id, "id");
    const limit = checkCount(options.limit ?? HISTORY, "limit", 0, HISTORY);
    const bytes = await this.memory.read(options.signal, () => this.core.history(id, limit) as Promise<Uint8Array>);
    return sequence(new Reader(bytes), readEntry).map((raw) => toEntry<T>(raw));
  }

  watch(given?: WatchOptions | ((change: Change<T>) => void), handler?: (change: Change<T>) => void): Watch<T> {
    const read = (cursor: number, prefix: string) => this.core.changes(cursor, prefix) as Promise<Uint8Array>;
    return startWatch(this.memory, read, given, handler);
  }

  private readonly readPage = async (scan: Scan, limit: number): Promise<Found<Entry<T>>> => {
    const { prefix, match, reverse, after } = scan;
    const bytes = await this.memory.read(
      scan.signal, () => this.core.page(prefix, match, limit, reverse, after) as Promise<Uint8Array>,
    );
    const reader = new Reader(bytes);
    const items = sequence(reader, readEntry).map((raw) => toEntry<T>(raw));
    return { items, cursor: option(reader, (from) => from.string()), problems: sequence(reader, readProblem) };
  };
}

/** An expected version as the core takes it: NaN for none. */
function expectedOf(version: number | undefined): number {
  return version === undefined ? NaN : checkCount(version, "expectedVersion", 0);
}

/** A time to live as the core takes it: NaN = as the store says, infinity = for ever. */
export function ttlOf(ttlMs: number | null | undefined): number {
  if (ttlMs === undefined) return NaN;
  return ttlMs === null ? Infinity : checkCount(ttlMs, "ttlMs", 1, LONGEST);
}

function packItems(items: readonly SaveItem<unknown>[], values: readonly unknown[]): Uint8Array {
  const writer = new Writer();
  const inner = new Writer();
  writer.varint(items.length);
  items.forEach((item, index) => {
    writer.string(checkText(item.id, `items[${index}].id`));
    const expected = expectedOf(item.expectedVersion);
    writer.u8(Number.isNaN(expected) ? 0 : 1);
    if (!Number.isNaN(expected)) writer.varint(expected);
    const ttl = ttlOf(item.ttlMs);
    writer.varint(Number.isNaN(ttl) ? 0 : ttl === Infinity ? 1 : ttl + 2);
    inner.reset();
    encodeValue(values[index], inner, `items[${index}].value`);
    writer.blob(inner.peek());
  });
  return writer.finish();
}
