/**
 * Bytes to values: the inverse of `encodeValue`, on bytes that may be damaged or hostile.
 *
 * Invariants:
 * - Only a `CorruptError` is thrown, with the position; or an `UnsupportedError` for a value that
 *   this engine can not hold.
 * - What is returned is the caller's own: nothing in it is shared with the bytes or with another
 *   result, and no setter or prototype is ever touched by a stored key.
 * - The rules are those of the core's decoder: one value has one encoding.
 */
import { UnsupportedError } from "../errors.js";
import {
  KIND_ARRAY_BUFFER, KIND_DATA_VIEW, KINDS, MAX_DEPTH, MAX_VALUE_BYTES, TAG_ARRAY, TAG_BIGINT, TAG_BOOL, TAG_BYTES,
  TAG_DATE, TAG_FLOAT, TAG_INT, TAG_MAP, TAG_NULL, TAG_OBJECT, TAG_SET, TAG_STRING, TAG_UNDEFINED, TAG_UTF16,
} from "./kinds.js";
import { findShape, rememberShape } from "./shapes.js";
import { isWellFormed, type Reader } from "./wire.js";

/**
 * Reads one value. The reader is left behind it, so that more may follow.
 *
 * @throws CorruptError naming the position, if no encoder makes these bytes.
 */
export function decodeValue(reader: Reader): unknown {
  const start = reader.position;
  const value = read(reader, 0);
  if (value === undefined) reader.fail("a value is undefined", start);
  if (reader.position - start > MAX_VALUE_BYTES) reader.fail("a value is longer than 64 MiB", start);
  return value;
}

function read(reader: Reader, depth: number): unknown {
  const start = reader.position;
  switch (reader.varint32()) {
    case TAG_NULL:
      return null;
    case TAG_BOOL:
      return reader.bool();
    case TAG_INT:
      return reader.zigzag();
    case TAG_FLOAT: {
      const number = reader.f64();
      if (Number.isSafeInteger(number) && !Object.is(number, -0)) reader.fail("an integer is stored as a fraction", start);
      return number;
    }
    case TAG_STRING:
      return reader.string();
    case TAG_BIGINT:
      return readBigInt(reader);
    case TAG_DATE:
      return readDate(reader);
    case TAG_BYTES:
      return readBytes(reader);
    case TAG_ARRAY:
      return readArray(reader, inside(reader, depth));
    case TAG_OBJECT:
      return readObject(reader, inside(reader, depth));
    case TAG_MAP:
      return readMap(reader, inside(reader, depth));
    case TAG_SET:
      return readSet(reader, inside(reader, depth));
    case TAG_UNDEFINED:
      return undefined;
    case TAG_UTF16:
      return readUtf16(reader);
    default:
      return reader.fail("a tag is unknown", start);
  }
}

function inside(reader: Reader, depth: number): number {
  if (depth === MAX_DEPTH) reader.fail(`a value is nested deeper than ${MAX_DEPTH} levels`);
  return depth + 1;
}

function readArray(reader: Reader, depth: number): unknown[] {
  const count = reader.count();
  // Grown, not made with its length: that would leave an array with holes, which is slower to use.
  const array: unknown[] = [];
  for (let index = 0; index < count; index++) array.push(read(reader, depth));
  return array;
}

type Fields = Record<string, unknown>;

function readObject(reader: Reader, depth: number): object {
  const count = reader.count(2);
  if (count === 0) return {};
  const start = reader.position;
  const first = reader.key();
  const shape = findShape(count, first);
  if (shape === undefined) {
    const object: Fields = {};
    setField(reader, object, first, readField(reader, depth, start), start);
    return readFields(reader, depth, object, 1, count);
  }
  const { keys } = shape;
  // The engine takes the layout over at once, and keys that were not there twice are not now.
  const object: Fields = { ...shape.empty };
  object[first] = readField(reader, depth, start);
  for (let index = 1; index < count; index++) {
    const at = reader.position;
    const key = keys[index] as string;
    if (!reader.skip(key)) {
      const other: Fields = {};
      for (const before of keys.slice(0, index)) other[before] = object[before];
      return readFields(reader, depth, other, index, count);
    }
    object[key] = readField(reader, depth, at);
  }
  return object;
}

/** Reads the fields from number `from` on into `object`. */
function readFields(reader: Reader, depth: number, object: Fields, from: number, count: number): object {
  for (let index = from; index < count; index++) {
    const start = reader.position;
    const key = reader.key();
    setField(reader, object, key, readField(reader, depth, start), start);
  }
  rememberShape(object, count);
  return object;
}

function readField(reader: Reader, depth: number, start: number): unknown {
  const value = read(reader, depth);
  if (value === undefined) reader.fail("a field of an object is undefined", start);
  return value;
}

function setField(reader: Reader, object: Fields, key: string, value: unknown, start: number): void {
  // The prototype has few names; the exact test is needed only when one of them comes up.
  if (object[key] !== undefined && Object.hasOwn(object, key)) {
    reader.fail(`the key ${JSON.stringify(key.slice(0, 64))} is twice in its object`, start);
  }
  if (key === "__proto__") {
    Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true });
  } else {
    object[key] = value;
  }
}

function readMap(reader: Reader, depth: number): Map<unknown, unknown> {
  const count = reader.count(2);
  const map = new Map<unknown, unknown>();
  for (let index = 0; index < count; index++) {
    const start = reader.position;
    const key = read(reader, depth);
    if (Object.is(key, -0) || map.has(key)) reader.fail("a key of a map is there twice or is -0", start);
    map.set(key, read(reader, depth));
  }
  return map;
}

function readSet(reader: Reader, depth: number): Set<unknown> {
  const count = reader.count();
  const set = new Set<unknown>();
  for (let index = 0; index < count; index++) {
    const start = reader.position;
    const element = read(reader, depth);
    if (Object.is(element, -0) || set.has(element)) reader.fail("an element of a set is there twice or is -0", start);
    set.add(element);
  }
  return set;
}

function readUtf16(reader: Reader): string {
  const start = reader.position;
  const count = reader.count();
  let text = "";
  for (let index = 0; index < count; index++) {
    const unit = reader.varint32();
    if (unit > 0xffff) reader.fail("a code unit takes more than 16 bits");
    text += String.fromCharCode(unit);
  }
  if (isWellFormed(text)) reader.fail("a well-formed string is stored in the form for malformed ones", start);
  return text;
}

function readDate(reader: Reader): Date {
  const start = reader.position;
  const time = reader.f64();
  const date = new Date(time);
  // The constructor cuts and bounds what is not a time, and turns -0 into 0.
  if (!Object.is(date.getTime(), time)) reader.fail("a date is not whole milliseconds in +-8.64e15", start);
  return date;
}

function readBigInt(reader: Reader): bigint {
  const start = reader.position;
  const negative = reader.bool();
  const magnitude = reader.blob();
  const length = magnitude.length;
  if (length === 0 ? negative : magnitude[length - 1] === 0) reader.fail("a big integer is not in its shortest form", start);
  if (length === 0) return 0n;
  let hex = "0x";
  for (let index = length - 1; index >= 0; index--) hex += ((magnitude[index] as number) + 256).toString(16).slice(1);
  let absolute: bigint;
  try {
    absolute = BigInt(hex);
  } catch (cause) {
    throw new UnsupportedError(`a stored big integer of ${length} bytes is more than this engine can hold`, { cause });
  }
  return negative ? -absolute : absolute;
}

/** The types of binary data by wire number; the others are made from their buffer alone. */
const CONSTRUCTORS = [
  Uint8Array, ArrayBuffer, Int8Array, Uint8ClampedArray, Int16Array, Uint16Array, Int32Array, Uint32Array, Float32Array,
  Float64Array, BigInt64Array, BigUint64Array, DataView,
] as const;

function readBytes(reader: Reader): ArrayBuffer | ArrayBufferView {
  const start = reader.position;
  const kind = reader.varint32();
  if (kind >= KINDS.length) reader.fail("binary data is of an unknown kind", start);
  const data = reader.blob();
  if (kind === 0) return data;
  if (kind === KIND_ARRAY_BUFFER) return data.buffer;
  if (kind === KIND_DATA_VIEW) return new DataView(data.buffer);
  const View = CONSTRUCTORS[kind] as Uint16ArrayConstructor;
  if (data.length % View.BYTES_PER_ELEMENT !== 0) reader.fail("binary data is not a whole number of elements", start);
  return new View(data.buffer);
}
