/**
 * The generic store: see {@link Store}.
 */
import { checkCall, checkCount, checkEach, checkOptions, checkText, NONE } from "../core/check.js";
import type { Handle } from "../core/handle.js";
import { validate, type StandardSchemaV1 } from "../schema.js";
import type {
  CallOptions, Change, Entry, ListOptions, Page, PageOptions, SaveItem, SaveOptions, Store, StoreOptions, Watch,
  WatchOptions, WriteResult,
} from "../types.js";
import { Writer, type Reader } from "../value/wire.js";
import { encodeValue } from "../value/encode.js";
import { option, packIds, packValue, readEntry, readPage, readValue, sequence, unpackValue } from "./pack.js";
import { itemsOf, pagesOf, type Found, type Scan } from "./scan.js";
import { startWatch } from "./watch.js";

/** The core's handle of a store. */
export type CoreStore = ReturnType<Handle["core"]["store"]>;

/** Most earlier versions that `history` gives at once. */
const HISTORY = 10_000;
/** The longest time to live, in milliseconds: about a thousand years, well within the range of a `Date`. */
const LONGEST = 3.2e13;

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
    this.core = memory.instance.runNow(() => memory.core.store(place, history, ttlMs));
  }

  async save(id: string, value: T, options: SaveOptions = NONE): Promise<WriteResult> {
    checkCall(options, ["expectedVersion", "ttlMs"]);
    checkText(id, "id");
    const expected = expectedOf(options.expectedVersion);
    const ttl = ttlOf(options.ttlMs);
    // Without an await where none is needed: what the caller does to the value from now on does not count.
    const checked = this.schema === undefined ? value : validate(this.schema, value, `${this.name}/${id}`);
    const accepted = this.schema !== undefined && checked instanceof Promise ? await checked : checked;
    const version = await this.memory.write(
      options.signal, (claim) => this.core.save(id, packValue(accepted), expected, ttl, claim) as Promise<number>,
    );
    return this.memory.written(version);
  }

  async saveMany(items: readonly SaveItem<T>[], options: CallOptions = NONE): Promise<WriteResult> {
    checkCall(options);
    checkEach<SaveItem<T>>(items, "items", (item, place) => {
      checkOptions(item, place, ["id", "value", "expectedVersion", "ttlMs"]);
    });
    const { schema } = this;
    const checked = items.map((item) =>
      schema === undefined ? item.value : validate(schema, item.value, `${this.name}/${item.id}`)
    );
    const late = schema !== undefined && checked.some((value) => value instanceof Promise);
    const packed = packItems(items, late ? await Promise.all(checked) : checked);
    const version = await this.memory.write(
      options.signal, (claim) => this.core.saveMany(packed, claim) as Promise<number>,
    );
    return this.memory.written(version);
  }

  async get(id: string, options: CallOptions = NONE): Promise<T | null> {
    checkCall(options);
    checkText(id, "id");
    return this.memory.readPacked(options.signal, () => this.core.get(id) as unknown, unpackValue<T>);
  }

  async getMany(ids: readonly string[], options: CallOptions = NONE): Promise<(T | null)[]> {
    checkCall(options);
    checkEach(ids, "ids", checkText);
    const read = (reader: Reader) => sequence(reader, (from) => option(from, readValue<T>));
    return await this.memory.readPacked(options.signal, () => this.core.getMany(packIds(ids)) as unknown, read) as (T | null)[];
  }

  async entry(id: string, options: CallOptions = NONE): Promise<Entry<T> | null> {
    checkCall(options);
    checkText(id, "id");
    return this.memory.readPacked(options.signal, () => this.core.entry(id) as unknown, readEntry<T>);
  }

  async delete(id: string, options: CallOptions & { expectedVersion?: number } = NONE): Promise<boolean> {
    checkCall(options, ["expectedVersion"]);
    checkText(id, "id");
    const expected = expectedOf(options.expectedVersion);
    const was = await this.memory.write(
      options.signal, (claim) => this.core.delete(id, expected, claim) as Promise<boolean>,
    );
    this.memory.written(this.memory.head());
    return was;
  }

  async count(options: CallOptions & { prefix?: string } = NONE): Promise<number> {
    checkCall(options, ["prefix"]);
    const prefix = checkText(options.prefix ?? "", "prefix");
    return this.memory.read(options.signal, () => this.core.count(prefix) as Promise<number>);
  }

  list(options: ListOptions = NONE): AsyncIterable<Entry<T>> {
    return itemsOf(this.memory, options, this.page);
  }

  async *pages(options: PageOptions = NONE): AsyncGenerator<Page<T>, void, undefined> {
    for await (const { items, cursor, problems } of pagesOf(options, this.page)) {
      yield Object.assign(items, { cursor, problems });
    }
  }

  async history(id: string, options: CallOptions & { limit?: number } = NONE): Promise<Entry<T>[]> {
    checkCall(options, ["limit"]);
    checkText(id, "id");
    const limit = checkCount(options.limit ?? HISTORY, "limit", 0, HISTORY);
    const read = (reader: Reader) => sequence(reader, readEntry<T>);
    return await this.memory.readPacked(options.signal, () => this.core.history(id, limit) as unknown, read) as Entry<T>[];
  }

  watch(given?: WatchOptions | ((change: Change<T>) => void), handler?: (change: Change<T>) => void): Watch<T> {
    const read = (cursor: number, prefix: string) => this.core.changes(cursor, prefix) as unknown;
    return startWatch(this.memory, read, given, handler);
  }

  private readonly page = async (scan: Scan, limit: number): Promise<Found<Entry<T>>> => {
    const { prefix, match, reverse, after } = scan;
    const read = (reader: Reader) => readPage(reader, readEntry<T>);
    return await this.memory.readPacked(
      scan.signal, () => this.core.page(prefix, match, limit, reverse, after) as unknown, read,
    ) as Found<Entry<T>>;
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
