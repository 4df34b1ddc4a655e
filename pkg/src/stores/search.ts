/**
 * Searches of collections: requests as the core takes them, and its answers.
 *
 * What is checked here is what the bytes can not express: kinds of values, whole numbers, known options. Their ranges
 * are the core's to check, by the same names.
 */
import { checkCall, checkCount, checkFlag, checkOptions, checkText, describe } from "../core/check.js";
import { InvalidError } from "../errors.js";
import type { Hit, Query, SearchExplain, SearchMode, SearchOptions, VectorExplain, WordsExplain } from "../types.js";
import { Writer, type Reader } from "../value/wire.js";
import { bytesOf, toVector } from "./documents.js";
import { encoded, option, putOption, readValue, sequence } from "./pack.js";

/** In the order of their numbers; 0 is what the query allows. */
const MODES: readonly (SearchMode | undefined)[] = [undefined, "vector", "text", "hybrid"];
/** In the order of their numbers. */
const PATHS = ["empty", "scan", "graph"] as const;
const PARTS = ["vector", "text", "fused", "recency", "importance"] as const;
const OPTIONS = [
  "limit", "offset", "filter", "mode", "exact", "ef", "minScore", "groupBy", "recency", "importance", "diversity", "highlight", "explain",
];
const MOST = 2 ** 32 - 1;

const scratch = new Writer();

/** What is searched for. */
export interface Sought {
  readonly text: string | undefined;
  readonly vector: Float32Array | undefined;
}

/** What was given as a query. */
export function readQuery(query: Query): Sought {
  if (typeof query === "string") return { text: checkText(query, "query"), vector: undefined };
  if (Array.isArray(query) || ArrayBuffer.isView(query)) return { text: undefined, vector: toVector(query, "query") };
  if (typeof query !== "object" || query === null) {
    throw new InvalidError(`query is ${describe(query)}; give a text, a vector, or { text, vector }`);
  }
  checkOptions(query, "query", ["text", "vector"]);
  const { text, vector } = query as Exclude<typeof query, Float32Array | readonly number[]>;
  if (text == null && vector == null) throw new InvalidError("query has neither text nor vector; give one of them");
  return {
    text: text == null ? undefined : checkText(text, "query.text"),
    vector: vector == null ? undefined : toVector(vector, "query.vector"),
  };
}

/** The options of a search, packed. */
export function packOptions(options: SearchOptions): Uint8Array {
  checkCall(options, OPTIONS);
  const { mode, recency, groupBy, minScore, importance = 0, diversity } = options;
  const number = (given: unknown, name: string): number => {
    if (typeof given !== "number") throw new InvalidError(`${name} is ${describe(given)}; give a number`);
    return given;
  };
  // Before the writer that all searches share is touched: it asks the user's object for its fields.
  const filter = options.filter === undefined ? undefined : encoded(options.filter, "filter");
  if (!MODES.includes(mode)) throw new InvalidError(`mode is ${describe(mode)}; give one of ${MODES.slice(1).join(", ")}`);
  if (recency !== undefined) checkOptions(recency, "recency", ["halfLifeMs", "weight"]);
  scratch.reset();
  scratch.u8(MODES.indexOf(mode));
  scratch.varint(checkCount(options.limit ?? 10, "limit", 1, 10_000));
  scratch.varint(checkCount(options.offset ?? 0, "offset", 0, MOST));
  scratch.varint(options.ef === undefined ? 0 : checkCount(options.ef, "ef", 1, MOST));
  flag(options.exact, "exact");
  putOption(scratch, filter, (bytes) => scratch.blob(bytes));
  putOption(scratch, minScore, (given) => scratch.f64(number(given, "minScore")));
  putOption(scratch, groupBy, (given) => scratch.string(checkText(given, "groupBy")));
  putOption(scratch, recency, ({ halfLifeMs, weight = 1 }) => {
    scratch.f64(number(halfLifeMs, "recency.halfLifeMs"));
    scratch.f64(number(weight, "recency.weight"));
  });
  scratch.f64(number(importance, "importance"));
  putOption(scratch, diversity, (given) => scratch.f64(number(given, "diversity")));
  flag(options.highlight, "highlight");
  flag(options.explain, "explain");
  return scratch.finish();
}

function flag(given: boolean | undefined, name: string): void {
  scratch.u8(checkFlag(given ?? false, name) ? 1 : 0);
}

/** A whole request, good until the next one. The core copies it at once. */
export function packSearch({ text, vector }: Sought, options: Uint8Array): Uint8Array {
  scratch.reset();
  putOption(scratch, vector, (given) => scratch.blob(bytesOf(given)));
  putOption(scratch, text, (given) => scratch.string(given));
  scratch.raw(options);
  return scratch.peek();
}

/** An answer. `highlight`: the hits have highlights. */
export function readResult<M>(reader: Reader, highlight: boolean): Hit<M>[] {
  const hits = sequence(reader, (from) => readHit<M>(from, highlight));
  const explain = option(reader, readExplain);
  reader.end();
  return explain === null ? hits : Object.assign(hits, { explain });
}

function readHit<M>(reader: Reader, highlight: boolean): Hit<M> {
  const id = reader.string();
  const score = reader.f64();
  const text = option(reader, (from) => from.string());
  const metadata = option(reader, readValue<M>);
  const parts: { -readonly [name in keyof Hit<M>["parts"]]: number } = {};
  for (const name of PARTS) {
    if (reader.bool()) parts[name] = reader.f64();
  }
  const highlights = sequence(reader, (from): [number, number] => [from.varint32(), from.varint32()]);
  return { id, score, text, metadata, parts, ...highlight && { highlights } };
}

function readExplain(reader: Reader): SearchExplain {
  const mode = MODES[reader.u8()] ?? reader.fail("a search has an unknown mode");
  const reason = option(reader, (from) => from.string());
  const vectors = option(reader, readVectors);
  const words = option(reader, readWords);
  const pending = reader.varint();
  return {
    mode, ...reason !== null && { reason }, ...vectors !== null && { vectors }, ...words !== null && { words },
    ...pending > 0 && { pending },
  };
}

function readVectors(reader: Reader): VectorExplain {
  const path = PATHS[reader.u8()] ?? reader.fail("a search took an unknown path");
  const [distances, candidates, ef, rounds] = [reader.varint(), reader.varint(), reader.varint(), reader.varint()];
  const selectivity = option(reader, (from) => from.f64());
  return { path, distances, candidates, ef, rounds, ...selectivity !== null && { selectivity } };
}

function readWords(reader: Reader): WordsExplain {
  return { terms: sequence(reader, (from) => from.string()), postings: reader.varint(), candidates: reader.varint() };
}
