/** Types of searching a collection: queries, filters, hits, and how a result came about. */
import type { CallOptions } from "./call.js";

/** A condition on one metadata field. */
export type Condition =
  | null | boolean | number | string | bigint | Date
  | {
    $eq?: unknown; $ne?: unknown; $gt?: unknown; $gte?: unknown; $lt?: unknown; $lte?: unknown;
    $in?: readonly unknown[]; $nin?: readonly unknown[]; $exists?: boolean; $not?: Condition;
  };

/** A metadata filter: fields (nested by `a.b`) and conditions, all of which must hold. */
export type Filter = {
  [path: string]: Condition | readonly Filter[] | Filter | undefined;
  $and?: readonly Filter[];
  $or?: readonly Filter[];
  $not?: Filter;
};

/** Numbers that make a vector. */
export type Vector = Float32Array | readonly number[];

/**
 * What to search for: a text, a vector, or both.
 *
 * A text is words, `"phrases in quotes"` and beginnings of words with a star (`pric*`). If the memory was opened
 * with `embed`, the text is turned into a vector as well, unless a vector is given with it.
 */
export type Query = string | Vector | { readonly text?: string; readonly vector?: Vector };

/** How documents are compared with a query. `vector`: by the similarity of vectors. `text`: by words (BM25).
 * `hybrid`: by both, joined by reciprocal rank fusion. */
export type SearchMode = "vector" | "text" | "hybrid";

/** Prefers what was written lately. */
export interface Recency {
  /** The age, in milliseconds, at which a document counts half; more than 0. */
  halfLifeMs: number;
  /** How much of the score depends on it, 0 to 1. Default 1. */
  weight?: number;
}

/** Options of {@link Collection.search}. */
export interface SearchOptions extends CallOptions {
  /** How many hits at the most, 1 to 10,000. Default 10. */
  limit?: number;
  /** How many of the best to pass over first: the place where a page begins. With `limit` at most 100,000. Default 0. */
  offset?: number;
  /** Only documents whose metadata match. */
  filter?: Filter;
  /** Default: what the query allows. A `"hybrid"` search without a vector is one by text; `explain` says so. */
  mode?: SearchMode;
  /** Compare with every vector, and rank by their exact similarity. Default `false`. */
  exact?: boolean;
  /** How many candidates the walk through the graph keeps in view: more is slower and misses less. 1 to
   * 100,000. Default: by `limit`. */
  ef?: number;
  /** Only hits with this score or more. */
  minScore?: number;
  /** Only the best hit for each value of this metadata field (nested by `a.b`). A document without the field is a
   * group of its own. */
  groupBy?: string;
  /** Prefers what was written lately. */
  recency?: Recency;
  /** How much of the score depends on the importance of the documents, 0 to 1. Default 0. */
  importance?: number;
  /** Prefers hits that differ from those before them (maximal marginal relevance): 0 = relevance alone, 1 = difference
   * alone. `offset` and `limit` are at most 1,000 together then. Default: by relevance. */
  diversity?: number;
  /** Give each hit the ranges of its text that match the words of the query. Default `false`. */
  highlight?: boolean;
  /** Give the result a property `explain`: how it came about. Default `false`. */
  explain?: boolean;
}

/** What the score of a hit is made of. What had no part in it is not there. */
export interface HitParts {
  /** Similarity of the vectors: larger is better, for every metric. */
  readonly vector?: number;
  /** BM25 of the words. */
  readonly text?: number;
  /** Both, joined: the sum of 1 / (60 + rank) over the two rankings. */
  readonly fused?: number;
  /** The factor that its age makes. */
  readonly recency?: number;
  /** The factor that its importance makes. */
  readonly importance?: number;
}

/** A search result. */
export interface Hit<M> {
  readonly id: string;
  /** Larger is better, for every mode and metric. */
  readonly score: number;
  readonly text: string | null;
  readonly metadata: M | null;
  /** What the score is made of. */
  readonly parts: HitParts;
  /** With `highlight: true`: the ranges `[start, end)` of `text` that match, in UTF-16 units as `slice` takes them, in order. */
  readonly highlights?: readonly (readonly [start: number, end: number])[];
}

/** Hits with the way they were found. */
export interface ExplainedHits<M> extends Array<Hit<M>> {
  readonly explain: SearchExplain;
}

/** How the result of a search came about. */
export interface SearchExplain {
  /** The mode that was taken. */
  readonly mode: SearchMode;
  /** Why it is another than the one that was asked for. */
  readonly reason?: string;
  /** The search by vector, if there was one. */
  readonly vectors?: VectorExplain;
  /** The search by words, if there was one. */
  readonly words?: WordsExplain;
  /** Documents whose vectors are still to be made anew, and that can not be found by vector until then: see
   * {@link Collection.reembed}. Not there if there are none. */
  readonly pending?: number;
}

/** What a search by vector did. */
export interface VectorExplain {
  /** `empty`: there was nothing to compare with. `scan`: every vector was compared. `graph`: the graph was walked. */
  readonly path: "empty" | "scan" | "graph";
  /** How many vectors were compared with the query. */
  readonly distances: number;
  /** How many documents were looked at more closely. */
  readonly candidates: number;
  /** The candidates that were kept in view; 0 without a graph. */
  readonly ef: number;
  /** How often the graph was walked: more than once when the filter left too few. */
  readonly rounds: number;
  /** The share of documents that the filter lets pass, as far as it was estimated. */
  readonly selectivity?: number;
}

/** What a search by words did. */
export interface WordsExplain {
  /** The words as they were looked up. */
  readonly terms: readonly string[];
  /** How many entries of the index were read. */
  readonly postings: number;
  /** How many documents had a word of the query. */
  readonly candidates: number;
}
