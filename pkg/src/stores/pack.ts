/**
 * The buffers that cross to and from the core: postcard, in the order of `src/js/wire.rs`.
 */
import type { Problem } from "../errors.js";
import type { Entry } from "../types.js";
import { decodeValue } from "../value/decode.js";
import { encodeValue } from "../value/encode.js";
import { Reader, Writer } from "../value/wire.js";

const scratch = new Writer();

/** The bytes of one value, good until the next call. The core copies them at once. */
export function packValue(value: unknown): Uint8Array {
  scratch.reset();
  encodeValue(value, scratch);
  return scratch.peek();
}

/** A value of its own from its bytes. */
export function unpackValue<T>(bytes: Uint8Array): T {
  const reader = new Reader(bytes);
  const value = decodeValue(reader);
  reader.end();
  return value as T;
}

/** Ids, in their order. */
export function packIds(ids: readonly string[]): Uint8Array {
  scratch.reset();
  scratch.varint(ids.length);
  for (const id of ids) scratch.string(id);
  return scratch.finish();
}

/** Whether something follows. */
export function option<T>(reader: Reader, read: (reader: Reader) => T): T | null {
  return reader.bool() ? read(reader) : null;
}

/** As many as the count says. */
export function sequence<T>(reader: Reader, read: (reader: Reader) => T): T[] {
  const count = reader.count();
  const items: T[] = [];
  for (let index = 0; index < count; index++) items.push(read(reader));
  return items;
}

/** A record whose value is still bytes. */
export interface RawEntry {
  readonly id: string;
  readonly version: number;
  readonly created: number;
  readonly updated: number;
  readonly expires: number;
  readonly payload: Uint8Array;
}

/** A record as the core packs it. */
export function readEntry(reader: Reader): RawEntry {
  return {
    id: reader.string(),
    version: reader.varint(),
    created: reader.varint(),
    updated: reader.varint(),
    expires: reader.varint(),
    payload: reader.blob(),
  };
}

/** The record with its value. */
export function toEntry<T>(raw: RawEntry): Entry<T> {
  return {
    id: raw.id,
    value: unpackValue<T>(raw.payload),
    version: raw.version,
    created: new Date(raw.created),
    updated: new Date(raw.updated),
    expires: raw.expires === 0 ? null : new Date(raw.expires),
  };
}

/** A record that can not be read, as the core packs it. */
export function readProblem(reader: Reader): Problem {
  return {
    kind: reader.string() === "ERR_VERSION" ? "version" : "corrupt",
    key: reader.string(),
    message: reader.string(),
  };
}
