/**
 * Bulk loads: see {@link Collection.load}.
 *
 * Invariants
 * - Each batch is written whole or not at all, and no id comes twice in one.
 * - What is stored just so is neither embedded nor written.
 * - Between batches the host is given way to.
 */
import { checkCall, checkCount, checkFunction, describe } from "../core/check.js";
import { abortable } from "../core/handle.js";
import { pause } from "../core/pause.js";
import { tell } from "../core/tell.js";
import { InvalidError, isMemoryError } from "../errors.js";
import type { DocumentInput, LoadOptions, LoadReport } from "../types.js";
import type { CollectionParts } from "./collection-parts.js";
import { packDocuments, prepare, wantsVector, type Prepared } from "./documents.js";
import { embedDocuments } from "./embedding.js";
import { sequence } from "./pack.js";

/** Documents a batch, if not said otherwise. */
const BATCH = 256;
/** About how many bytes make a batch full, however few its documents are. */
const BATCH_BYTES = 4 << 20;

type Source<T> = Iterable<T> | AsyncIterable<T>;

/** Loads everything that the source gives. */
export async function loadAll<M>(
  collection: CollectionParts, source: Source<DocumentInput<M>>, options: LoadOptions,
): Promise<LoadReport> {
  checkCall(options, ["batchSize", "onProgress"]);
  checkFunction(options.onProgress, "onProgress");
  const batchSize = checkCount(options.batchSize ?? BATCH, "batchSize", 1, 10_000);
  const { signal } = options;
  checkSource(source);
  collection.memory.begin(signal);
  const load = new Load(collection, options, Array.isArray(source) ? source.length : null);
  let place = 0;
  for await (const given of withSignal(source, signal)) {
    const document = prepare(given, `documents[${place++}]`);
    if (load.has(document.id)) await load.flush();
    load.take(document);
    if (load.size >= batchSize || load.bytes >= BATCH_BYTES) await load.flush();
  }
  await load.flush();
  return load.report;
}

/** A load under way: what it has done, and the batch that is being filled. */
class Load {
  readonly report = { added: 0, unchanged: 0, version: 0 };
  bytes = 0;
  private batch = new Map<string, Prepared>();

  constructor(
    private readonly collection: CollectionParts, private readonly options: LoadOptions, private readonly total: number | null,
  ) {}

  get size(): number {
    return this.batch.size;
  }

  has(id: string): boolean {
    return this.batch.has(id);
  }

  take(document: Prepared): void {
    const { id, text, metadata, vector } = document;
    // A source may use its arrays again for the next document.
    this.batch.set(id, { ...document, vector: vector?.slice() });
    this.bytes += id.length + (text?.length ?? 0) + (metadata?.length ?? 0) + (vector?.byteLength ?? 0);
  }

  /** Writes the batch. */
  async flush(): Promise<void> {
    const batch = [...this.batch.values()];
    if (batch.length === 0) return;
    this.batch.clear();
    this.bytes = 0;
    const { report, collection: { memory, core }, options: { signal, onProgress } } = this;
    const asked = packDocuments(batch);
    const stored = await named(batch, () => memory.readPacked(
      signal, () => core.stored(asked) as unknown, (reader) => sequence(reader, (from) => from.bool()),
    ));
    const fresh = batch.filter((_, index) => stored?.[index] !== true);
    if (fresh.length > 0) {
      const version = await this.write(fresh);
      report.added += fresh.length;
      report.version = version;
    }
    report.unchanged += batch.length - fresh.length;
    if (onProgress !== undefined) tell(onProgress, { done: report.added + report.unchanged, total: this.total });
    await pause(0, signal);
  }

  private async write(fresh: readonly Prepared[]): Promise<number> {
    const { collection, collection: { memory, core }, options: { signal } } = this;
    const embeds = memory.embedding !== undefined && fresh.some(wantsVector);
    const packed = packDocuments(embeds ? await embedDocuments(collection, fresh, { signal }) : fresh);
    return memory.written(
      await named(fresh, () => memory.write(signal, (claim) => core.add(packed, claim) as Promise<number>)),
    ).version;
  }
}

/** A call on a batch, whose errors name documents by their places in the source. */
async function named<T>(batch: readonly Prepared[], call: () => T | Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    if (isMemoryError(error)) {
      error.message = error.message.replace(/\bdocuments\[(\d+)\]/, (name, index: string) => batch[Number(index)]?.place ?? name);
    }
    throw error;
  }
}

function checkSource(source: unknown): void {
  const iterable = typeof source === "object" && source !== null && (Symbol.asyncIterator in source || Symbol.iterator in source);
  if (!iterable) throw new InvalidError(`source is ${describe(source)}; give an iterable of documents, such as an array or a generator`);
}

/** What a source gives, until the signal is aborted. */
async function* withSignal<T>(source: Source<T>, signal: AbortSignal | undefined): AsyncGenerator<T, void, undefined> {
  const iterator: Iterator<T> | AsyncIterator<T> = Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : source[Symbol.iterator]();
  let open = true;
  try {
    for (;;) {
      signal?.throwIfAborted();
      const step = iterator.next();
      const result = "then" in step ? await abortable(Promise.resolve(step), signal) : step;
      if (result.done === true) {
        open = false;
        return;
      }
      yield result.value;
    }
  } catch (error) {
    // A source that has failed is over. One that was broken off in mid-step is told, and not waited for: it may hang.
    if (signal?.aborted !== true) open = false;
    throw error;
  } finally {
    if (open) {
      const ended = Promise.resolve(iterator.return?.());
      if (signal?.aborted === true) ended.catch(() => undefined);
      else await ended;
    }
  }
}
