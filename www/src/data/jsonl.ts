/**
 * JSON lines, streamed: bytes in, one checked document a line out.
 *
 * Invariants: no more than one line ({@link MAX_LINE_BYTES} at the most) and one chunk of the stream are held;
 * every line that is not empty gives exactly one {@link Line} or one {@link BadLine}, with its number from 1.
 */
/** The longest line that is read, in bytes: more than a document of 4,096 dimensions needs. */
export const MAX_LINE_BYTES = 4 * 1024 * 1024;

const MAX_ID_BYTES = 1_024;
const MAX_DIMENSIONS = 4_096;
const FIELDS = ["id", "text", "vector", "metadata", "importance"];

/** A document as a line gives it. */
export interface LineDocument {
  id: string;
  text?: string;
  vector?: Float32Array;
  metadata?: Record<string, unknown>;
  importance?: number;
}

export interface Line { number: number; document: LineDocument; bytesRead: number }
export interface BadLine { number: number; reason: string; bytesRead: number }

/** Reads a stream line by line. `bytesRead` counts to the end of that line. */
export async function* readLines(stream: ReadableStream<Uint8Array>, signal: AbortSignal): AsyncGenerator<Line | BadLine> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let number = 0;
  let bytesRead = 0;
  for await (const { bytes, size } of splitLines(stream, signal)) {
    number += 1;
    bytesRead += size;
    if (bytes === null) {
      yield { number, reason: `longer than ${MAX_LINE_BYTES / 1024 / 1024} MiB`, bytesRead };
      continue;
    }
    let text: string;
    try {
      text = decoder.decode(bytes).trim();
    } catch {
      yield { number, reason: "is not UTF-8 text", bytesRead };
      continue;
    }
    if (text === "") continue;
    const read = readDocument(text);
    yield typeof read === "string" ? { number, reason: read, bytesRead } : { number, document: read, bytesRead };
  }
}

/** The lines of a stream as bytes without the line end; `null` for one that is too long. */
async function* splitLines(stream: ReadableStream<Uint8Array>, signal: AbortSignal): AsyncGenerator<{ bytes: Uint8Array | null; size: number }> {
  const reader = stream.getReader();
  let parts: Uint8Array[] = [];
  let size = 0;
  const keep = (part: Uint8Array) => {
    size += part.byteLength;
    if (size > MAX_LINE_BYTES) parts = [];
    else parts.push(part);
  };
  const line = (ending: number) => {
    const result = { bytes: size > MAX_LINE_BYTES ? null : join(parts), size: size + ending };
    parts = [];
    size = 0;
    return result;
  };
  try {
    for (;;) {
      signal.throwIfAborted();
      const { done, value } = await reader.read();
      if (done) break;
      let from = 0;
      for (let end = value.indexOf(10); end !== -1; end = value.indexOf(10, from)) {
        keep(value.subarray(from, end));
        from = end + 1;
        yield line(1);
      }
      if (from < value.byteLength) keep(value.slice(from));
    }
    if (size > 0) yield line(0);
  } finally {
    await reader.cancel();
  }
}

function join(parts: Uint8Array[]): Uint8Array {
  const [only] = parts;
  if (only && parts.length === 1) return only;
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.byteLength, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.byteLength;
  }
  return whole;
}

/** The document of one line, or what is wrong with it. */
export function readDocument(text: string): LineDocument | string {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    return `is not JSON: ${(error as SyntaxError).message}`;
  }
  if (!isObject(json)) return "must be an object such as {\"id\": \"a\", \"text\": \"...\"}";
  const unknown = Object.keys(json).find((key) => !FIELDS.includes(key));
  if (unknown !== undefined) return `has an unknown field "${clip(unknown)}"; put it under "metadata"`;
  const { id, text: body, vector, metadata, importance } = json;
  if (typeof id !== "string") return '"id" must be a string';
  const idBytes = new TextEncoder().encode(id).byteLength;
  if (idBytes < 1 || idBytes > MAX_ID_BYTES) return `"id" must have 1 to ${MAX_ID_BYTES} bytes; it has ${idBytes}`;
  if (!wellFormed(id)) return '"id" has half of a surrogate pair';
  if (id.includes("\0")) return '"id" has a NUL character';
  if (body !== undefined && body !== null && typeof body !== "string") return '"text" must be a string';
  if (metadata !== undefined && metadata !== null && !isObject(metadata)) return '"metadata" must be an object';
  if (importance !== undefined && !(typeof importance === "number" && importance >= 0 && importance <= 1)) {
    return '"importance" must be a number from 0 to 1';
  }
  const document: LineDocument = { id };
  if (typeof body === "string") document.text = body;
  if (isObject(metadata)) document.metadata = metadata;
  if (typeof importance === "number") document.importance = importance;
  if (vector === undefined || vector === null) {
    return document.text?.trim() ? document : 'needs a "text" that is not empty, or a "vector"';
  }
  const numbers = readVector(vector);
  if (typeof numbers === "string") return numbers;
  document.vector = numbers;
  return document;
}

function readVector(json: unknown): Float32Array | string {
  if (!Array.isArray(json)) return '"vector" must be a list of numbers';
  if (json.length < 1 || json.length > MAX_DIMENSIONS) return `"vector" must have 1 to ${MAX_DIMENSIONS} numbers; it has ${json.length}`;
  const vector = new Float32Array(json.length);
  let zero = true;
  for (let at = 0; at < json.length; at += 1) {
    const number: unknown = json[at];
    // Checked after rounding: a number beyond the range of 32-bit floats becomes an infinity there.
    vector[at] = typeof number === "number" ? number : Number.NaN;
    if (!Number.isFinite(vector[at])) return `"vector"[${at}] is no finite 32-bit number`;
    if (vector[at] !== 0) zero = false;
  }
  return zero ? '"vector" is all zeros: it has no direction, so it cannot be compared by angle' : vector;
}

function isObject(json: unknown): json is Record<string, unknown> {
  return typeof json === "object" && json !== null && !Array.isArray(json);
}

/** Whether a string has no lone surrogates. */
export function wellFormed(text: string): boolean {
  return !/\p{Surrogate}/u.test(text);
}

function clip(text: string): string {
  return text.length > 40 ? `${text.slice(0, 40)}...` : text;
}
