/**
 * Documents of collections: checked and packed on their way in, read on their way out.
 */
import { checkOptions, checkText, describe } from "../core/check.js";
import { InvalidError } from "../errors.js";
import type { Document, DocumentInput } from "../types.js";
import { Writer, type Reader } from "../value/wire.js";
import { encoded, option, putOption, readValue } from "./pack.js";

/** A document, checked, with its metadata encoded. */
export interface Prepared {
  /** How it is called in errors. */
  readonly place: string;
  readonly id: string;
  readonly text: string | undefined;
  readonly importance: number;
  readonly metadata: Uint8Array | undefined;
  readonly vector: Float32Array | undefined;
}

const NOTHING = new Uint8Array(0);
const FIELDS = ["id", "text", "vector", "metadata", "importance"];

/** What was given as a document. The numbers of its vector are the core's to check. */
export function prepare(document: DocumentInput<unknown>, place: string): Prepared {
  checkOptions(document, place, FIELDS);
  const { id, text, vector, metadata, importance = 0.5 } = document;
  if (vector == null && text == null) throw new InvalidError(`${place} has neither vector nor text; give one of them`);
  if (typeof importance !== "number" || !(importance >= 0 && importance <= 1)) {
    throw new InvalidError(`${place}.importance is ${describe(importance)}; give a number from 0 to 1`);
  }
  return {
    place,
    id: checkText(id, `${place}.id`),
    text: text == null ? undefined : checkText(text, `${place}.text`),
    importance,
    metadata: metadata == null ? undefined : encoded(metadata, `${place}.metadata`),
    vector: vector == null ? undefined : toVector(vector, `${place}.vector`),
  };
}

/** Whether there is something in the document to embed. */
export function wantsVector({ text, vector }: { readonly text: string | undefined; readonly vector: Float32Array | undefined }): boolean {
  return vector === undefined && text !== undefined && text.trim() !== "";
}

/** What was given as a vector; not a copy if it is one. */
export function toVector(given: unknown, name: string): Float32Array {
  const vector = given instanceof Float32Array ? given : fromNumbers(given, name);
  // On its way to the core, an empty one means that there is none.
  if (vector.length === 0) throw new InvalidError(`${name}: the vector has 0 numbers; give as many as the collection has dimensions`);
  return vector;
}

function fromNumbers(given: unknown, name: string): Float32Array {
  if (!Array.isArray(given) && !(given instanceof Float64Array)) {
    throw new InvalidError(`${name} is ${describe(given)}; give a Float32Array or an array of numbers`);
  }
  const bad = (given as ArrayLike<unknown> & { findIndex(test: (n: unknown) => boolean): number })
    .findIndex((number) => typeof number !== "number");
  if (bad >= 0) throw new InvalidError(`${name}[${bad}] is ${describe(given[bad])}; give a number`);
  return Float32Array.from(given as ArrayLike<number>);
}

/** The bytes of a vector. The platforms that run wasm are little-endian, as the format is. */
export function bytesOf(vector: Float32Array | undefined): Uint8Array {
  return vector === undefined ? NOTHING : new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength);
}

/** Documents as the core takes them. */
export function packDocuments(documents: readonly Prepared[]): Uint8Array {
  const writer = new Writer();
  writer.varint(documents.length);
  for (const { id, text, importance, metadata, vector } of documents) {
    writer.string(id);
    putOption(writer, text, (given) => writer.string(given));
    writer.f64(importance);
    writer.blob(bytesOf(vector));
    putOption(writer, metadata, (bytes) => writer.blob(bytes));
  }
  return writer.finish();
}

/** A document as the core packs it. */
export function readDocument<M>(reader: Reader): Document<M> {
  const id = reader.string();
  const text = option(reader, (from) => from.string());
  const importance = reader.f64();
  const { buffer } = reader.blob();
  const metadata = option(reader, (from) => readValue<M>(from));
  const version = reader.varint();
  const created = new Date(reader.varint());
  const updated = new Date(reader.varint());
  return {
    id, text, vector: buffer.byteLength === 0 ? null : new Float32Array(buffer), metadata, importance, version, created, updated,
  };
}
