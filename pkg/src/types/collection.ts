/** Types of collections: the semantic store. */
import type { CallOptions, ProgressOptions, WriteResult } from "./call.js";
import type { ExplainedHits, Filter, Hit, Query, SearchOptions, Vector } from "./search.js";
import type { Change, ListOptions, Watch, WatchOptions } from "./store.js";

/** How near two vectors are. `cosine`: of their angle. `dot`: their product. `l2`: 1 / (1 + distance²). */
export type Metric = "cosine" | "dot" | "l2";

/** A language whose words are brought to their stems, and whose stop words are left out; `"none"`: words as they stand. */
export type Language =
  | "none" | "english" | "german" | "french" | "spanish" | "portuguese" | "russian";

/** Options of {@link Memory.collection}. They are stored with the first documents; from then on they may be left
 * out, and others than the stored ones are refused with `ERR_INVALID`. */
export interface CollectionOptions {
  /** Numbers a vector, 1 to 4,096. Default: those of the first vector. */
  dimensions?: number;
  /** Default `"cosine"`. */
  metric?: Metric;
  /** The language of the texts. Words in another script are taken as they stand. Default `"english"`. */
  language?: Language;
  /** Metadata that is searched by words beside the text: paths (nested by `a.b`) to strings or arrays of strings, each
   * with its weight. The text has weight 1. Default: none. */
  fields?: { readonly [path: string]: number };
  /** What is kept in memory of each vector. `"f32"`: all of it. `"codes"`: a quarter, which ranks nearly as well; the
   * best are then ranked by what is stored. Default `"f32"`. */
  keep?: "f32" | "codes";
  /** Neighbours of each vector in the graph, 2 to 64. More: better found, slower, larger. Default 16. */
  M?: number;
  /** Candidates when a vector joins the graph, 8 to 2,000. More: a better graph, slower to build. Default 200. */
  efConstruction?: number;
}

/** A document to add: with a text, a vector, or both. */
export interface DocumentInput<M> {
  id: string;
  text?: string | null;
  /** Without one, the text is embedded by the `embed` given to `open`, if there is one. */
  vector?: Vector | null;
  metadata?: M | null;
  /** 0 to 1. Default 0.5. */
  importance?: number;
}

/** A stored document. */
export interface Document<M> {
  readonly id: string;
  readonly text: string | null;
  readonly vector: Float32Array | null;
  readonly metadata: M | null;
  readonly importance: number;
  readonly version: number;
  readonly created: Date;
  readonly updated: Date;
}

/** Options of {@link Collection.list}. */
export interface DocumentListOptions extends ListOptions {
  /** Only documents whose metadata match. */
  filter?: Filter;
}

/** Options of {@link Collection.load}. */
export interface LoadOptions extends ProgressOptions {
  /** How many documents are written at once, 1 to 10,000. Default 256. */
  batchSize?: number;
}

/** What {@link Collection.load} did. */
export interface LoadReport {
  /** Documents that were written. */
  readonly added: number;
  /** Documents that were stored just so before. */
  readonly unchanged: number;
  /** The version of the last batch that was written; 0 if there was none. */
  readonly version: number;
}

/** Documents that are found by their meaning, their words and their metadata: the semantic store. */
export interface Collection<M> {
  readonly name: string;
  /**
   * Adds documents, all or none; an id that exists is replaced. Texts without a vector are embedded first, if there is
   * an embedder, and are searched by their words in any case.
   */
  add(documents: DocumentInput<M> | readonly DocumentInput<M>[], options?: ProgressOptions): Promise<WriteResult>;
  /**
   * Adds many documents in batches, each of them all or none, and gives way to the host in between. What was broken off
   * goes on when the same documents are loaded again: those that are stored just so are passed over, and are not
   * embedded again.
   *
   * @example
   * const memory = await open("memory:");
   * const notes = memory.collection("notes");
   * async function* lines() {
   *   for (let n = 0; n < 1_000; n++) yield { id: `line-${n}`, text: `what happened on day ${n}` };
   * }
   * const { added } = await notes.load(lines(), { onProgress: ({ done }) => done });
   * if (added !== 1_000) throw new Error(`${added} were added`);
   * await memory.close();
   */
  load(source: Iterable<DocumentInput<M>> | AsyncIterable<DocumentInput<M>>, options?: LoadOptions): Promise<LoadReport>;
  /** The document, or `null` if there is none. The caller's own copy. */
  get(id: string, options?: CallOptions): Promise<Document<M> | null>;
  /** Deletes the document. Resolves to whether there was one. */
  delete(id: string, options?: CallOptions): Promise<boolean>;
  /** How many documents there are. */
  count(options?: CallOptions): Promise<number>;
  /** Every document, in order of id. */
  list(options?: DocumentListOptions): AsyncIterable<Document<M>>;
  /**
   * The documents that answer a query best, the best one first: by words without an embedder, by words and meaning with
   * one.
   *
   * @example
   * const memory = await open("memory:");
   * const notes = memory.collection<{ section: string; year: number }>("notes");
   * await notes.add([
   *   { id: "a", text: "Pricing of the new plans", metadata: { section: "web", year: 2025 } },
   *   { id: "b", text: "How teams are billed, and the price of a seat", metadata: { section: "web", year: 2023 } },
   * ]);
   * const hits = await notes.search("pricing plans", { filter: { year: { $gte: 2024 } }, highlight: true, explain: true });
   * for (const { id, score, text, highlights } of hits) {
   *   console.log(id, score, highlights?.map(([start, end]) => text?.slice(start, end)));
   * }
   * console.log(hits.explain.mode);                                  // "text": there is no embedder
   * await memory.close();
   */
  search(query: Query, options: SearchOptions & { explain: true }): Promise<ExplainedHits<M>>;
  search(query: Query, options?: SearchOptions): Promise<Hit<M>[]>;
  /**
   * Makes the vectors of all texts anew, with the embedder given to `open`: the way to another model. Until it is
   * through, documents whose turn is still to come are found by their words only. Documents that have a vector and no
   * text lose it. Broken off, by a signal or a crash, it goes on when it is called again.
   *
   * @example
   * const embed = async (texts: readonly string[]) => texts.map((text) => Float32Array.of(text.length, 1));
   * const memory = await open("memory:", { embed: { model: "length-2", embed } });
   * const notes = memory.collection("notes");
   * await notes.add({ id: "a", text: "some text", vector: [1, 2, 3] });   // from another model
   * const { embedded } = await notes.reembed();
   * console.log(embedded, (await notes.get("a"))?.vector);
   * await memory.close();
   */
  reembed(options?: ProgressOptions): Promise<{ embedded: number }>;
  /** Brings the index into its best shape after many changes, in short pieces between which the host is given way to.
   * It is never needed for right answers, and may be broken off at any time. */
  optimize(options?: ProgressOptions): Promise<void>;
  /** Tells of every change from now on. Deliveries carry no value: read it by `get`. */
  watch(handler: (change: Change<never>) => void): Watch<never>;
  watch(options: WatchOptions, handler?: (change: Change<never>) => void): Watch<never>;
  watch(): Watch<never>;
}
