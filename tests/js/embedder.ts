/** An embedder without a model: texts that share words get vectors that are near. Same text, same vector. */
import type { Embedder } from "mnemora";

/** One that remembers what it was asked for. */
export interface WordEmbedder extends Embedder {
  /** The texts of each call. */
  readonly asked: (readonly string[])[];
  /** What the next calls throw in place of an answer, the first one first. */
  readonly failures: unknown[];
}

/** An embedder whose model has this name, and whose vectors these dimensions. */
export function wordEmbedder(dimensions: number, { model = `words-${dimensions}`, maxBatch }: { model?: string; maxBatch?: number } = {}): WordEmbedder {
  const asked: (readonly string[])[] = [];
  const failures: unknown[] = [];
  return {
    model, asked, failures, ...maxBatch !== undefined && { maxBatch },
    async embed(texts, { signal } = {}) {
      signal?.throwIfAborted();
      asked.push(texts);
      if (failures.length > 0) throw failures.shift();
      return texts.map((text) => vectorOf(text, dimensions));
    },
  };
}

/** The vector of a text: each word counts in some of the dimensions. */
export function vectorOf(text: string, dimensions: number): Float32Array {
  const vector = new Float32Array(dimensions);
  for (const word of text.toLowerCase().split(/[^\p{L}\p{N}]+/u)) {
    let hash = 2_166_136_261;
    for (const unit of word) hash = Math.imul(hash ^ unit.codePointAt(0)!, 16_777_619);
    for (let turn = 0; turn < 3; turn++) {
      hash = Math.imul(hash ^ (hash >>> 13), 0x5bd1e995);
      vector[(hash >>> 0) % dimensions]! += (hash & 1) === 0 ? 1 : -1;
    }
  }
  if (vector.every((number) => number === 0)) vector[0] = 1;
  return vector;
}
