/**
 * Collections: see {@link Collection}.
 */
import { checkCall, checkCount, checkEach, checkFlag, checkFunction, checkOptions, checkText, describe, NONE } from "../core/check.js";
import type { Handle } from "../core/handle.js";
import { InvalidError, UnsupportedError } from "../errors.js";
import type {
  CallOptions, Change, Collection, CollectionOptions, Document, DocumentInput, DocumentListOptions, Hit, ProgressOptions,
  SearchOptions, Watch, WatchOptions, WriteResult,
} from "../types.js";
import { encodeValue } from "../value/encode.js";
import { Writer, type Reader } from "../value/wire.js";
import { option, readPage, readValue, sequence } from "./pack.js";
import { checkScan, itemsOf, type Found, type Scan } from "./scan.js";
import { startWatch } from "./watch.js";

type CoreCollection = ReturnType<Handle["core"]["collection"]>;

const METRICS = ["cosine", "dot", "l2"];
const NOTHING = new Uint8Array(0);

export class CollectionHandle<M> implements Collection<M> {
  private readonly core: CoreCollection;

  constructor(private readonly memory: Handle, readonly name: string, options: CollectionOptions | undefined) {
    let dimensions = 0;
    let metric = "cosine";
    if (options !== undefined) {
      checkOptions(options, "options", ["dimensions", "metric"], ["language", "keep", "M", "efConstruction"]);
      dimensions = checkCount(options.dimensions, "options.dimensions", 1, 4_096);
      metric = options.metric ?? metric;
      if (!METRICS.includes(metric)) {
        throw new InvalidError(`options.metric is ${describe(metric)}; give one of ${METRICS.join(", ")}`);
      }
    }
    this.core = memory.instance.runNow(() => memory.core.collection(name, dimensions, metric));
  }

  async add(given: DocumentInput<M> | readonly DocumentInput<M>[], options: ProgressOptions = NONE): Promise<WriteResult> {
    checkCall(options, ["onProgress"]);
    checkFunction(options.onProgress, "onProgress");
    const documents: Prepared[] = [];
    checkEach<DocumentInput<M>>(Array.isArray(given) ? given : [given], "documents", (document, place) => {
      documents.push(prepare(document, place));
    });
    const complete = documents.every(({ vector }) => vector !== undefined);
    // Without an await where none is needed: what the caller does to the documents from now on does not count.
    const packed = packDocuments(complete ? documents : await this.embedded(documents, options.signal));
    options.onProgress?.({ done: 0, total: documents.length });
    const version = await this.memory.write(
      options.signal, (claim) => this.core.add(packed, claim) as Promise<number>,
    );
    options.onProgress?.({ done: documents.length, total: documents.length });
    return this.memory.written(version);
  }

  async get(id: string, options: CallOptions = NONE): Promise<Document<M> | null> {
    checkCall(options);
    checkText(id, "id");
    return this.memory.readPacked(options.signal, () => this.core.get(id) as unknown, readDocument<M>);
  }

  async delete(id: string, options: CallOptions = NONE): Promise<boolean> {
    checkCall(options);
    checkText(id, "id");
    const was = await this.memory.write(options.signal, (claim) => this.core.delete(id, claim) as Promise<boolean>);
    this.memory.written(this.memory.head());
    return was;
  }

  async count(options: CallOptions = NONE): Promise<number> {
    checkCall(options);
    return this.memory.read(options.signal, () => this.core.count() as Promise<number>);
  }

  list(options: DocumentListOptions = NONE): AsyncIterable<Document<M>> {
    checkScan(options, ["onProblem", "filter"]);
    const filter = packFilter(options.filter);
    return itemsOf(this.memory, options, async (scan: Scan, limit: number): Promise<Found<Document<M>>> => {
      const { prefix, match, reverse, after } = scan;
      const read = (reader: Reader) => readPage(reader, readDocument<M>);
      return await this.memory.readPacked(
        scan.signal, () => this.core.page(prefix, match, limit, reverse, after, filter) as unknown, read,
      ) as Found<Document<M>>;
    });
  }

  async search(
    query: Float32Array | readonly number[] | string, options: SearchOptions = NONE,
  ): Promise<Hit<M>[]> {
    checkCall(options, ["limit", "filter", "mode", "exact", "ef"], ["explain", "groupBy", "minScore"]);
    checkFlag(options.exact ?? true, "exact");
    checkCount(options.ef ?? 1, "ef", 1);
    const limit = checkCount(options.limit ?? 10, "limit", 1, 10_000);
    if (options.mode !== undefined && options.mode !== "vector") {
      throw new UnsupportedError(`mode ${describe(options.mode)} is not in this release; search by vector, or give embed to open`);
    }
    const filter = packFilter(options.filter);
    const vector = typeof query === "string" ? await this.embedQuery(query, options.signal) : toVector(query, "query");
    const read = (reader: Reader) => sequence(reader, readHit<M>);
    return await this.memory.readPacked(
      options.signal, () => this.core.search(vector, limit, filter) as unknown, read,
    ) as Hit<M>[];
  }

  watch(
    given?: WatchOptions | ((change: Change<never>) => void), handler?: (change: Change<never>) => void,
  ): Watch<never> {
    const read = (cursor: number, prefix: string) => this.core.changes(cursor, prefix) as unknown;
    return startWatch(this.memory, read, given, handler);
  }

  /** The documents, each with its own vector or that of its text. */
  private async embedded(documents: readonly Prepared[], signal: AbortSignal | undefined): Promise<Prepared[]> {
    // What stays while the texts are embedded is copied.
    const copies = documents.map((document): Prepared => ({ ...document, vector: document.vector?.slice() }));
    const missing = copies.filter(({ vector }) => vector === undefined);
    const place = `documents[${copies.findIndex(({ vector }) => vector === undefined)}]`;
    const vectors = await this.embed(missing.map(({ text }) => text as string), place, signal);
    missing.forEach((document, index) => { document.vector = vectors[index]; });
    return copies;
  }

  private async embedQuery(query: string, signal: AbortSignal | undefined): Promise<Float32Array> {
    checkText(query, "query");
    if (this.memory.embed === undefined) {
      throw new UnsupportedError("a text can only be searched for by its vector in this release; give embed to open, or a vector");
    }
    const [vector] = await this.embed([query], "query", signal);
    return vector as Float32Array;
  }

  private async embed(texts: readonly string[], place: string, signal: AbortSignal | undefined): Promise<readonly Float32Array[]> {
    const { embed } = this.memory;
    if (embed === undefined) {
      throw new InvalidError(`${place} has no vector, and the memory was opened without embed; give either`);
    }
    signal?.throwIfAborted();
    const vectors = await embed(texts, signal === undefined ? {} : { signal });
    if (!Array.isArray(vectors) || vectors.length !== texts.length) {
      const got = Array.isArray(vectors) ? `${vectors.length} vectors` : describe(vectors);
      throw new InvalidError(`embed gave ${got} for ${texts.length} texts; give one Float32Array a text`);
    }
    return vectors.map((vector, index) => toVector(vector, `embed's vector ${index}`));
  }
}

function toVector(given: unknown, name: string): Float32Array {
  if (given instanceof Float32Array) return given;
  if (!Array.isArray(given) && !(given instanceof Float64Array)) {
    throw new InvalidError(`${name} is ${describe(given)}; give a Float32Array or an array of numbers`);
  }
  const bad = (given as ArrayLike<unknown> & { findIndex(test: (n: unknown) => boolean): number })
    .findIndex((number) => typeof number !== "number");
  if (bad >= 0) throw new InvalidError(`${name}[${bad}] is ${describe(given[bad])}; give a number`);
  return Float32Array.from(given as ArrayLike<number>);
}

/** A filter as an encoded value; the core names what is wrong with it. */
function packFilter(filter: unknown): Uint8Array {
  return filter === undefined ? NOTHING : encoded(filter, "filter");
}

/** The bytes of a vector. The platforms that run wasm are little-endian, as the format is. */
function bytesOf(vector: Float32Array): Uint8Array {
  return new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength);
}

/** A document, checked, with its metadata encoded. */
interface Prepared {
  readonly id: string;
  readonly text: string | undefined;
  readonly importance: number;
  readonly metadata: Uint8Array | undefined;
  vector: Float32Array | undefined;
}

const DOCUMENT_FIELDS = ["id", "text", "vector", "metadata", "importance"];

function prepare(document: DocumentInput<unknown>, place: string): Prepared {
  checkOptions(document, place, DOCUMENT_FIELDS);
  const { id, text, vector, metadata, importance = 0.5 } = document;
  if (vector === undefined && text == null) throw new InvalidError(`${place} has neither vector nor text; give one of them`);
  if (typeof importance !== "number" || !(importance >= 0 && importance <= 1)) {
    throw new InvalidError(`${place}.importance is ${describe(importance)}; give a number from 0 to 1`);
  }
  return {
    id: checkText(id, `${place}.id`),
    text: text == null ? undefined : checkText(text, `${place}.text`),
    importance,
    metadata: metadata == null ? undefined : encoded(metadata, `${place}.metadata`),
    vector: vector === undefined ? undefined : toVector(vector, `${place}.vector`),
  };
}

function encoded(value: unknown, place: string): Uint8Array {
  const writer = new Writer();
  encodeValue(value, writer, place);
  return writer.finish();
}

function packDocuments(documents: readonly Prepared[]): Uint8Array {
  const writer = new Writer();
  writer.varint(documents.length);
  for (const { id, text, importance, metadata, vector } of documents) {
    writer.string(id);
    writer.u8(text === undefined ? 0 : 1);
    if (text !== undefined) writer.string(text);
    writer.f64(importance);
    writer.blob(bytesOf(vector as Float32Array));
    writer.u8(metadata === undefined ? 0 : 1);
    if (metadata !== undefined) writer.blob(metadata);
  }
  return writer.finish();
}

function readDocument<M>(reader: Reader): Document<M> {
  const id = reader.string();
  const text = option(reader, (from) => from.string());
  const importance = reader.f64();
  const vector = new Float32Array(reader.blob().buffer);
  const metadata = option(reader, (from) => readValue<M>(from));
  const version = reader.varint();
  const created = new Date(reader.varint());
  const updated = new Date(reader.varint());
  return { id, text, vector, metadata, importance, version, created, updated };
}

function readHit<M>(reader: Reader): Hit<M> {
  const id = reader.string();
  const score = reader.f64();
  const text = option(reader, (from) => from.string());
  const metadata = option(reader, (from) => readValue<M>(from));
  return { id, score, text, metadata, parts: { vector: score } };
}
