/**
 * From texts to vectors, by the user's embedder.
 *
 * Invariants
 * - Nothing is written while texts are embedded, and no transaction waits for it.
 * - What comes back is checked before it is used: as many vectors as texts, all of one length, finite numbers. A
 *   problem names the text.
 * - A batch that fails is tried again, unless the failure says that this is of no use.
 */
import { describe } from "../core/check.js";
import { abortable } from "../core/handle.js";
import type { Embedding } from "../core/options.js";
import { pause } from "../core/pause.js";
import { tell } from "../core/tell.js";
import { InvalidError, isMemoryError } from "../errors.js";
import type { ProgressOptions } from "../types.js";
import type { CollectionParts } from "./collection-parts.js";
import { toVector, wantsVector, type Prepared } from "./documents.js";

/** How long to wait before each further try, in milliseconds. */
const PAUSES = [250, 1_000];

/** A text, and how it is called in errors. */
export interface NamedText {
  readonly text: string;
  readonly place: string;
}

type Telling = { readonly [name in keyof ProgressOptions]: ProgressOptions[name] | undefined };

/** The documents, each with its own vector or that of its text. */
export async function embedDocuments(parts: CollectionParts, documents: readonly Prepared[], options: Telling): Promise<Prepared[]> {
  const texts = documents.filter(wantsVector) as (Prepared & { text: string })[];
  const vectors = await embedTexts(parts, texts, options);
  const found = new Map<Prepared, Float32Array>(texts.map((document, index) => [document, vectors[index] as Float32Array]));
  return documents.map((document) => ({ ...document, vector: document.vector ?? found.get(document) }));
}

/** The vectors of texts, in their order. */
export async function embedTexts(
  { memory, dimensions }: CollectionParts, texts: readonly NamedText[], { signal, onProgress }: Telling,
): Promise<Float32Array[]> {
  memory.begin(signal);
  const { embedding } = memory;
  if (embedding === undefined) throw new InvalidError("the memory was opened without embed; give it to open");
  const vectors: Float32Array[] = [];
  let length = embedding.dimensions ?? dimensions;
  for (let at = 0; at < texts.length; at += embedding.maxBatch) {
    if (onProgress !== undefined) tell(onProgress, { phase: "embed", done: at, total: texts.length });
    const batch = texts.slice(at, at + embedding.maxBatch);
    const given = await persistently(embedding, batch.map(({ text }) => text), signal);
    for (const vector of checked(given, batch, length)) {
      length ??= vector.length;
      vectors.push(vector);
    }
  }
  if (onProgress !== undefined) tell(onProgress, { phase: "embed", done: texts.length, total: texts.length });
  return vectors;
}

/** What the embedder gives, at the latest at its last try. */
async function persistently({ embed }: Embedding, texts: readonly string[], signal: AbortSignal | undefined): Promise<unknown> {
  for (const wait of PAUSES) {
    signal?.throwIfAborted();
    try {
      return await abortable(call(embed, texts, signal), signal);
    } catch (error) {
      if (signal?.aborted === true || !worthATry(error)) throw error;
    }
    await pause(wait, signal);
  }
  return abortable(call(embed, texts, signal), signal);
}

/** One call; what it throws at once becomes a rejection. The texts are the embedder's own. */
async function call(embed: Embedding["embed"], texts: readonly string[], signal: AbortSignal | undefined): Promise<unknown> {
  return embed([...texts], signal === undefined ? {} : { signal });
}

function worthATry(error: unknown): boolean {
  if (isMemoryError(error)) return error.retryable;
  return (error as { name?: unknown } | null | undefined)?.name !== "AbortError";
}

function checked(given: unknown, texts: readonly NamedText[], length: number | undefined): Float32Array[] {
  if (!Array.isArray(given) || given.length !== texts.length) {
    const got = Array.isArray(given) ? `${given.length} vectors` : describe(given);
    throw new InvalidError(`embed gave ${got} for ${texts.length} texts (${texts[0]?.place} and on); give one Float32Array a text`);
  }
  let expected = length;
  return texts.map(({ place }, index) => {
    const name = `${place}: embed's vector ${index}`;
    // The embedder may use its arrays again.
    const vector = toVector(given[index], name).slice();
    expected ??= vector.length;
    if (vector.length !== expected) {
      throw new InvalidError(`${name} has ${vector.length} numbers, and ${expected} are expected; give vectors of one length`);
    }
    const bad = vector.findIndex((number) => !Number.isFinite(number));
    if (bad >= 0) throw new InvalidError(`${name}: [${bad}] is ${vector[bad]}; give finite numbers`);
    return vector;
  });
}
