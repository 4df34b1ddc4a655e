/** Types of what turns texts into vectors. It is the user's own: the package comes without a model. */

/**
 * Turns texts into vectors, one `Float32Array` a text, all of the same length. A function can carry the name
 * of its model: see {@link Embedder}.
 *
 * @example
 * import { open, type Embed } from "mnemora";
 *
 * // A toy in place of a model: how often each of some words occurs.
 * const words = ["price", "plan", "team", "bug"];
 * const embed: Embed = Object.assign(
 *   async (texts: readonly string[]) => texts.map((text) => Float32Array.from(words, (word) => text.split(word).length)),
 *   { model: "toy-4" },
 * );
 * const memory = await open("memory:", { embed });
 * await memory.collection("notes").add([{ id: "a", text: "the price of a plan" }, { id: "b", text: "a bug of the team" }]);
 * await memory.close();
 */
export interface Embed {
  (texts: readonly string[], options: { signal?: AbortSignal }): Promise<readonly Float32Array[]>;
  /** The name of the model. */
  readonly model?: string;
}

/**
 * What turns texts into vectors, and what there is to know of it.
 *
 * Texts are embedded in batches before anything is written. A batch that fails is tried twice more, after
 * growing pauses, unless the failure is an `AbortError` or a `MemoryError` that is not `retryable`.
 */
export interface Embedder {
  /** The name of the model, in any form that changes when its vectors do. It is kept with the collection; another
   * one is then refused with `ERR_INVALID` until {@link Collection.reembed} has made all vectors anew. */
  readonly model: string;
  /** The vectors of `texts`, in their order. */
  embed(texts: readonly string[], options: { signal?: AbortSignal }): Promise<readonly Float32Array[]>;
  /** Numbers a vector, 1 to 4,096. Default: what comes. */
  readonly dimensions?: number;
  /** How many texts it is given at once, at the most. Default 64. */
  readonly maxBatch?: number;
}
