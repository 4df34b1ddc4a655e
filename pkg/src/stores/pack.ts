/**
 * The buffers that cross to and from the core: postcard, in the order of `src/js/wire.rs`.
 */
import type { Problem } from "../errors.js";
import type { Entry } from "../types.js";
import type { Found } from "./scan.js";
import { decodeValue } from "../value/decode.js";
import { encodeValue } from "../value/encode.js";
import { Writer, type Reader } from "../value/wire.js";

const scratch = new Writer();

/** The bytes of one value, good until the next call. The core copies them at once. */
export function packValue(value: unknown): Uint8Array {
  scratch.reset();
  encodeValue(value, scratch);
  return scratch.peek();
}

/** A value and nothing behind it. */
export function unpackValue<T>(reader: Reader): T {
  const value = decodeValue(reader);
  reader.end();
  return value as T;
}

/** The bytes of a value, a copy; `place` names it in errors. */
export function encoded(value: unknown, place: string): Uint8Array {
  const writer = new Writer();
  encodeValue(value, writer, place);
  return writer.finish();
}

/** Writes a value that may be missing. */
export function putOption<T>(writer: Writer, value: T | undefined, put: (value: T) => void): void {
  writer.u8(value === undefined ? 0 : 1);
  if (value !== undefined) put(value);
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

/** A value behind its length. It is read where it stands: no copy of its bytes is made first. */
export function readValue<T>(reader: Reader): T {
  const end = reader.count() + reader.position;
  const value = decodeValue(reader);
  if (reader.position !== end) reader.fail("a value is not as long as it says", end);
  return value as T;
}

/** A page as the core packs it. */
export function readPage<T>(reader: Reader, item: (reader: Reader) => T): Found<T> {
  const items = sequence(reader, item);
  return { items, cursor: option(reader, (from) => from.string()), problems: sequence(reader, readProblem) };
}

/** A record as the core packs it. */
export function readEntry<T>(reader: Reader): Entry<T> {
  const id = reader.string();
  const version = reader.varint();
  const created = new Date(reader.varint());
  const updated = new Date(reader.varint());
  const expires = reader.varint();
  return { id, value: readValue<T>(reader), version, created, updated, expires: expires === 0 ? null : new Date(expires) };
}

/** A record that can not be read, as the core packs it. */
export function readProblem(reader: Reader): Problem {
  return {
    kind: reader.string() === "ERR_VERSION" ? "version" : "corrupt",
    key: reader.string(),
    message: reader.string(),
  };
}
