/**
 * Searching a collection in the way that its vectors allow.
 *
 * Invariant: the result says which way was taken; a query is never compared with vectors of another origin.
 */
import type { Filter, Memory } from "mnemora";
import type { Known } from "../state/registry.js";
import { text } from "../text.js";
import { toFilter, type Test } from "./filter.js";
import { embed } from "./hashing.js";
import { chipsOf, sourceOf, type Row } from "./source.js";

/** How many results are shown. */
export const RESULTS = 30;

export interface Found {
  how: "hashing" | "contains" | "similar";
  /** For `"similar"`: the memory whose vector was searched with. */
  like: string | null;
  hits: readonly (Pick<Row, "id" | "summary" | "chips"> & { score: number | null })[];
}

/** Searches by a text. */
export async function searchText(memory: Memory, known: Known, query: string, tests: readonly Test[], signal: AbortSignal): Promise<Found> {
  if (known.kind === "collection" && known.embedder !== null) {
    const vector = embed(query);
    if (!vector) throw new Error(text.search.noWords);
    return { how: "hashing", like: null, hits: await nearest(memory, known, vector, tests, signal, RESULTS) };
  }
  const hits: Row[] = [];
  for await (const row of sourceOf(memory, known).rows({ prefix: "", contains: query.trim(), tests }, { signal, onProblem: () => undefined })) {
    if (hits.push(row) === RESULTS) break;
  }
  return { how: "contains", like: null, hits: hits.map(({ id, summary, chips }) => ({ id, summary, chips, score: null })) };
}

/** Searches by the stored vector of a memory, which is left out of the result. */
export async function searchSimilar(memory: Memory, known: Known, id: string, tests: readonly Test[], signal: AbortSignal): Promise<Found> {
  const document = await memory.collection(known.name).get(id, { signal });
  if (!document) throw new Error(text.panel.gone);
  if (!document.vector) throw new Error(text.search.noVector);
  const hits = await nearest(memory, known, document.vector, tests, signal, RESULTS + 1);
  return { how: "similar", like: id, hits: hits.filter((hit) => hit.id !== id).slice(0, RESULTS) };
}

async function nearest(memory: Memory, known: Known, vector: Float32Array, tests: readonly Test[], signal: AbortSignal, limit: number) {
  const filter: Filter | undefined = toFilter(tests);
  const hits = await memory.collection(known.name).search(vector, { limit, signal, ...(filter ? { filter } : {}) });
  return hits.map(({ id, score, text: body, metadata }) => ({ id, score, summary: body ?? text.list.noText, chips: chipsOf(metadata) }));
}
