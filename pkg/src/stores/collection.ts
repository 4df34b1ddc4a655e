/**
 * Collections: see {@link Collection}.
 *
 * What runs for long (embedding, loading, reembedding, optimising) comes when it is first used.
 */
import { checkCall, checkEach, checkFunction, checkText, NONE } from "../core/check.js";
import type { Handle } from "../core/handle.js";
import { tell } from "../core/tell.js";
import type {
  CallOptions, Change, Collection, CollectionOptions, Document, DocumentInput, DocumentListOptions, ExplainedHits, Hit, LoadOptions,
  LoadReport, ProgressOptions, Query, SearchOptions, Watch, WatchOptions, WriteResult,
} from "../types.js";
import type { Reader } from "../value/wire.js";
import type { CollectionParts, CoreCollection } from "./collection-parts.js";
import { packDocuments, prepare, readDocument, wantsVector, type Prepared } from "./documents.js";
import { encoded, readPage } from "./pack.js";
import { checkScan, itemsOf, type Found, type Scan } from "./scan.js";
import { packOptions, packSearch, readQuery, readResult } from "./search.js";
import { packSettings } from "./settings.js";
import { startWatch } from "./watch.js";

const NOTHING = new Uint8Array(0);

export class CollectionHandle<M> implements Collection<M>, CollectionParts {
  /** @internal */
  readonly core: CoreCollection;
  /** @internal */
  readonly dimensions: number | undefined;

  constructor(
    /** @internal */
    readonly memory: Handle,
    readonly name: string, options: CollectionOptions | undefined,
  ) {
    const settings = packSettings(options, memory.embedding?.model);
    this.dimensions = options?.dimensions;
    this.core = memory.instance.runNow(() => memory.core.collection(name, settings));
  }

  async add(given: DocumentInput<M> | readonly DocumentInput<M>[], options: ProgressOptions = NONE): Promise<WriteResult> {
    checkCall(options, ["onProgress"]);
    checkFunction(options.onProgress, "onProgress");
    const { signal, onProgress } = options;
    const documents: Prepared[] = [];
    checkEach<DocumentInput<M>>(Array.isArray(given) ? given : [given], "documents", (document, place) => {
      documents.push(prepare(document, place));
    });
    const complete = this.memory.embedding === undefined || !documents.some(wantsVector);
    // Without an await where none is needed: what the caller does to the documents from now on does not count.
    const packed = packDocuments(complete ? documents : await this.embedded(documents, options));
    const total = documents.length;
    if (onProgress !== undefined) tell(onProgress, { done: 0, total });
    const version = await this.memory.write(signal, (claim) => this.core.add(packed, claim) as Promise<number>);
    const result = this.memory.written(version);
    if (onProgress !== undefined) tell(onProgress, { done: total, total });
    return result;
  }

  async load(
    source: Iterable<DocumentInput<M>> | AsyncIterable<DocumentInput<M>>, options: LoadOptions = NONE,
  ): Promise<LoadReport> {
    const { loadAll } = await import("./load.js");
    return loadAll(this, source, options);
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
    const filter = options.filter === undefined ? NOTHING : encoded(options.filter, "filter");
    return itemsOf(this.memory, options, async (scan: Scan, limit: number): Promise<Found<Document<M>>> => {
      const { prefix, match, reverse, after } = scan;
      const read = (reader: Reader) => readPage(reader, readDocument<M>);
      return await this.memory.readPacked(
        scan.signal, () => this.core.page(prefix, match, limit, reverse, after, filter) as unknown, read,
      ) as Found<Document<M>>;
    });
  }

  search(query: Query, options: SearchOptions & { explain: true }): Promise<ExplainedHits<M>>;
  search(query: Query, options?: SearchOptions): Promise<Hit<M>[]>;
  async search(query: Query, options: SearchOptions = NONE): Promise<Hit<M>[]> {
    const request = packOptions(options);
    const { mode, highlight = false, signal } = options;
    const sought = readQuery(query);
    const embeds = mode !== "text" && this.memory.embedding !== undefined && wantsVector(sought);
    const packed = packSearch(embeds ? await this.embeddedQuery(sought.text as string, signal) : sought, request);
    const read = (reader: Reader) => readResult<M>(reader, highlight);
    return await this.memory.readPacked(signal, () => this.core.search(packed) as unknown, read) as Hit<M>[];
  }

  async reembed(options: ProgressOptions = NONE): Promise<{ embedded: number }> {
    const { reembedAll } = await import("./reembed.js");
    return reembedAll(this, options);
  }

  async optimize(options: ProgressOptions = NONE): Promise<void> {
    const { optimizeAll } = await import("./optimize.js");
    return optimizeAll(this, options);
  }

  watch(
    given?: WatchOptions | ((change: Change<never>) => void), handler?: (change: Change<never>) => void,
  ): Watch<never> {
    const read = (cursor: number, prefix: string) => this.core.changes(cursor, prefix) as unknown;
    return startWatch(this.memory, read, given, handler);
  }

  /** The documents with the vectors of their texts. */
  private async embedded(documents: readonly Prepared[], options: ProgressOptions): Promise<Prepared[]> {
    // What stays while the texts are embedded is copied.
    const copies = documents.map((document): Prepared => ({ ...document, vector: document.vector?.slice() }));
    const { embedDocuments } = await import("./embedding.js");
    return embedDocuments(this, copies, options);
  }

  private async embeddedQuery(text: string, signal: AbortSignal | undefined): Promise<{ text: string; vector: Float32Array }> {
    const { embedTexts } = await import("./embedding.js");
    const [vector] = await embedTexts(this, [{ text, place: "query" }], { signal });
    return { text, vector: vector as Float32Array };
  }
}
