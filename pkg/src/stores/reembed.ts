/**
 * New vectors for all texts: see {@link Collection.reembed}.
 *
 * Invariants
 * - How far it is, is stored with each page; nothing here has to survive for it to go on.
 * - A document that was written meanwhile is read again, and never overwritten.
 */
import { checkCall, checkFunction } from "../core/check.js";
import { pause } from "../core/pause.js";
import { tell } from "../core/tell.js";
import { InvalidError } from "../errors.js";
import type { ProgressOptions } from "../types.js";
import { Writer, type Reader } from "../value/wire.js";
import type { CollectionParts } from "./collection-parts.js";
import { bytesOf } from "./documents.js";
import { embedTexts } from "./embedding.js";
import { sequence } from "./pack.js";

/** Most documents a page; less if the embedder takes less. */
const PAGE = 256;
/** A text to learn the length of the vectors from. */
const SAMPLE = "a text";

/** A document whose vector is to be made anew. */
interface Item {
  readonly id: string;
  readonly version: number;
  readonly text: string;
}

/** Embeds what is left to embed, from wherever it stands. */
export async function reembedAll(collection: CollectionParts, options: ProgressOptions): Promise<{ embedded: number }> {
  checkCall(options, ["onProgress"]);
  checkFunction(options.onProgress, "onProgress");
  const { signal, onProgress } = options;
  const { memory, core } = collection;
  memory.begin(signal);
  const { embedding } = memory;
  const model = embedding?.model;
  if (embedding === undefined || model === undefined) {
    throw new InvalidError("reembed needs an embedder with a name for its model; give embed: { model, embed } to open");
  }
  const dimensions = embedding.dimensions ?? await lengthOf(collection, signal);
  await memory.read(signal, () => core.reembedBegin(model, dimensions) as Promise<void>);
  const limit = Math.min(embedding.maxBatch, PAGE);
  let embedded = 0;
  for (;;) {
    const page = await memory.readPacked(signal, () => core.reembedPage(limit) as unknown, readItems);
    if (onProgress !== undefined && page !== null) tell(onProgress, { done: page.done, total: page.total });
    if (page === null || page.items.length === 0) break;
    const { items } = page;
    const named = items.map(({ id, text }) => ({ text, place: `the text of ${JSON.stringify(id)}` }));
    const packed = packItems(items, await embedTexts(collection, named, { signal }));
    const left = await memory.read(signal, () => core.reembedStore(packed) as Promise<number>);
    embedded += items.length - left;
    memory.written(memory.head());
    await pause(0, signal);
  }
  await memory.read(signal, () => core.reembedEnd() as Promise<void>);
  return { embedded };
}

/** How long the embedder's vectors are. */
async function lengthOf(collection: CollectionParts, signal: AbortSignal | undefined): Promise<number> {
  const [vector] = await embedTexts(collection, [{ text: SAMPLE, place: "a sample" }], { signal });
  return (vector as Float32Array).length;
}

function readItems(reader: Reader): { items: Item[]; total: number; done: number } {
  const items = sequence(reader, (from): Item => ({ id: from.string(), version: from.varint(), text: from.string() }));
  return { items, total: reader.varint(), done: reader.varint() };
}

function packItems(items: readonly Item[], vectors: readonly Float32Array[]): Uint8Array {
  const writer = new Writer();
  writer.varint(items.length);
  items.forEach(({ id, version }, index) => {
    writer.string(id);
    writer.varint(version);
    writer.blob(bytesOf(vectors[index]));
  });
  return writer.finish();
}
