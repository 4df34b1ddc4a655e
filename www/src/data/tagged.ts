/**
 * Stored values as editable JSON and back. What JSON has no form for is written as an object with one tag:
 *
 * | value | form |
 * |---|---|
 * | Date | `{"$date": "2026-01-05T08:00:00.000Z"}` |
 * | bigint | `{"$bigint": "123"}` |
 * | NaN, infinities, -0 | `{"$number": "NaN"}` |
 * | Map | `{"$map": [[key, value], ...]}` |
 * | Set | `{"$set": [value, ...]}` |
 * | typed array, DataView, ArrayBuffer | `{"$bytes": "Uint8Array", "base64": "..."}` |
 * | an object that has keys starting with `$` | `{"$object": {...}}` |
 *
 * Invariants: `decode(encode(v))` equals `v` for every storable value; `decode` throws {@link TaggedError}, with
 * the path, on every form it does not know, and makes nothing but plain values (a key `__proto__` stays a key).
 */
import type { Value } from "mnemora";

/** What is wrong with an edited text, and where. */
export class TaggedError extends Error {
  override readonly name = "TaggedError";
  constructor(readonly path: string, problem: string) {
    super(`${path || "value"}: ${problem}`);
  }
}

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

const DEPTH = 256;
type ViewMaker = { new (buffer: ArrayBuffer): ArrayBufferView; readonly BYTES_PER_ELEMENT?: number };
const VIEWS: Readonly<Record<string, ViewMaker>> = {
  Int8Array, Uint8Array, Uint8ClampedArray, Int16Array, Uint16Array, Int32Array, Uint32Array, Float32Array, Float64Array,
  BigInt64Array, BigUint64Array, DataView,
  // Newer browsers have it; a stored one can only have come from one that does.
  ...("Float16Array" in globalThis ? { Float16Array: (globalThis as unknown as { Float16Array: ViewMaker }).Float16Array } : {}),
};

/** The editable text of a value. */
export function stringify(value: Value | undefined): string {
  return JSON.stringify(encode(value ?? null), null, 2);
}

/** The value of an edited text. Throws {@link TaggedError}. */
export function parse(text: string): Value {
  let json: Json;
  try {
    json = JSON.parse(text, unsafeNumber) as Json;
  } catch (error) {
    if (error instanceof TaggedError) throw error;
    throw new TaggedError("", (error as SyntaxError).message);
  }
  return decode(json, "", 0);
}

/** Refuses whole numbers that a JavaScript number cannot hold exactly, where the browser gives their digits. */
function unsafeNumber(key: string, value: Json, context?: { source?: string }): Json {
  if (typeof value === "number" && context?.source && /^-?\d+$/.test(context.source) && !Number.isSafeInteger(value)) {
    throw new TaggedError(key, `${context.source} is too large to be exact; write {"$bigint": "${context.source}"}`);
  }
  return value;
}

function encode(value: Value | undefined): Json {
  if (value === null || value === undefined) return null;
  if (typeof value === "string" || typeof value === "boolean") return value;
  if (typeof value === "bigint") return { $bigint: String(value) };
  if (typeof value === "number") {
    if (Object.is(value, -0)) return { $number: "-0" };
    return Number.isFinite(value) ? value : { $number: String(value) };
  }
  if (value instanceof Date) return { $date: value.toISOString() };
  if (value instanceof Map) return { $map: [...(value as ReadonlyMap<Value, Value>)].map(([key, item]) => [encode(key), encode(item)]) };
  if (value instanceof Set) return { $set: [...(value as ReadonlySet<Value>)].map((item) => encode(item)) };
  if (value instanceof ArrayBuffer) return { $bytes: "ArrayBuffer", base64: toBase64(new Uint8Array(value)) };
  if (ArrayBuffer.isView(value)) {
    const bytes = new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
    return { $bytes: Object.prototype.toString.call(value).slice(8, -1), base64: toBase64(bytes) };
  }
  if (Array.isArray(value)) return (value as readonly Value[]).map((item) => encode(item));
  const entries = Object.entries(value as Record<string, Value>).filter(([, item]) => item !== undefined);
  const object = plain(entries.map(([key, item]) => [key, encode(item)]));
  return entries.some(([key]) => key.startsWith("$")) ? { $object: object } : object;
}

function decode(json: Json, path: string, depth: number): Value {
  if (depth > DEPTH) throw new TaggedError(path, `nested deeper than ${DEPTH}`);
  if (typeof json !== "object" || json === null) return json;
  const child = (item: Json, step: string) => decode(item, `${path}${step}`, depth + 1);
  if (Array.isArray(json)) return json.map((item, at) => child(item, `[${at}]`));
  const keys = Object.keys(json);
  const tag = keys.find((key) => key.startsWith("$"));
  const fields = (object: { [key: string]: Json }) =>
    plain(Object.entries(object).map(([key, item]) => [key, child(item, path || depth ? `.${key}` : key)]));
  if (tag === undefined) return fields(json);
  const content = json[tag] ?? null;
  if (keys.length !== (tag === "$bytes" ? 2 : 1)) {
    throw new TaggedError(path, `"${tag}" must stand alone; an object that has such a key is written {"$object": {...}}`);
  }
  const wrong = (expected: string) => new TaggedError(path, `"${tag}" takes ${expected}`);
  switch (tag) {
    case "$date": {
      const date = new Date(typeof content === "string" ? content : Number.NaN);
      if (Number.isNaN(date.getTime())) throw wrong('a date such as "2026-01-05T08:00:00.000Z"');
      return date;
    }
    case "$bigint":
      if (typeof content !== "string" || !/^-?\d+$/.test(content)) throw wrong("digits in quotes");
      return BigInt(content);
    case "$number":
      if (typeof content !== "string" || !["NaN", "Infinity", "-Infinity", "-0"].includes(content)) {
        throw wrong('"NaN", "Infinity", "-Infinity" or "-0"');
      }
      return Number(content);
    case "$map":
      if (!Array.isArray(content) || !content.every((pair) => Array.isArray(pair) && pair.length === 2)) {
        throw wrong("a list of [key, value] pairs");
      }
      return new Map(content.map((pair, at) => child(pair, `.$map[${at}]`) as [Value, Value]));
    case "$set":
      if (!Array.isArray(content)) throw wrong("a list");
      return new Set(content.map((item, at) => child(item, `.$set[${at}]`)));
    case "$object":
      if (typeof content !== "object" || content === null || Array.isArray(content)) throw wrong("an object");
      return fields(content);
    case "$bytes":
      return bytes(content, json["base64"], path);
  }
  throw new TaggedError(path, `"${tag}" is not a known tag; an object that has such a key is written {"$object": {...}}`);
}

function bytes(type: Json, base64: Json | undefined, path: string): Value {
  if (typeof base64 !== "string") throw new TaggedError(path, '"$bytes" needs "base64" beside it');
  const buffer = fromBase64(base64, path).buffer;
  if (type === "ArrayBuffer") return buffer;
  const View = typeof type === "string" && Object.hasOwn(VIEWS, type) ? VIEWS[type] : undefined;
  if (!View) {
    throw new TaggedError(path, `"$bytes" takes one of ArrayBuffer, ${Object.keys(VIEWS).join(", ")}`);
  }
  const size = View.BYTES_PER_ELEMENT ?? 1;
  if (buffer.byteLength % size !== 0) throw new TaggedError(path, `${buffer.byteLength} bytes are no whole number of elements of this type`);
  return new View(buffer);
}

/** An object of these fields; `__proto__` becomes a field like any other. */
function plain<T>(entries: [string, T][]): { [key: string]: T } {
  return Object.fromEntries(entries);
}

function toBase64(source: Uint8Array): string {
  let binary = "";
  for (const byte of source) binary += String.fromCharCode(byte);
  return btoa(binary);
}

function fromBase64(text: string, path: string): Uint8Array<ArrayBuffer> {
  let binary: string;
  try {
    binary = atob(text);
  } catch {
    throw new TaggedError(path, '"base64" is not valid base64');
  }
  return Uint8Array.from(binary, (char) => char.charCodeAt(0));
}
