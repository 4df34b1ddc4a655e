/**
 * Postcard primitives: what crosses the boundary to the core is written by a {@link Writer} and read
 * by a {@link Reader}. The format is that of https://postcard.jamesmunns.com/wire-format.
 *
 * Invariants:
 * - Integers are varints of the shortest form; a longer form is refused, as the core does. So one
 *   value has one encoding.
 * - A `Reader` never reads outside its window and never reserves memory for bytes that are not there.
 * - What a `Reader` returns is a copy; it never refers to the memory it reads, which may be the
 *   core's and move.
 */
import { CorruptError, UnavailableError } from "../errors.js";

/** Up to this many characters, a loop beats a call into the engine's text codec. Must stay below
 * 128, so that the count is a single byte. */
const SHORT_TEXT = 40;
const INITIAL_BYTES = 1024;
/** A buffer above this size is given back by {@link Writer.reset}. */
const KEPT_BYTES = 1 << 20;

/** How many keys are remembered; a power of two. */
const RECENT_KEYS = 256;

/** Keys that were read lately, by a hash of their bytes. Records of a store have the same keys over
 * and over; a string that exists already costs a comparison, and is fast to use as a key. */
const recentKeys: (string | undefined)[] = /* @__PURE__ */ new Array<string | undefined>(RECENT_KEYS).fill(undefined);

const utf8Encoder = /* @__PURE__ */ new TextEncoder();
// A byte order mark is a character like any other here, and malformed bytes are an error.
const utf8Decoder = /* @__PURE__ */ new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

type WellFormed = string & { isWellFormed?: () => boolean };

/** Whether every surrogate of `text` is one of a pair. */
export function isWellFormed(text: string): boolean {
  const native = (text as WellFormed).isWellFormed;
  // Under the u flag a surrogate matches by itself only if it has no partner.
  return native === undefined ? !/\p{Surrogate}/u.test(text) : native.call(text);
}

/** Bytes that the varint of `n` takes; `n` is a non-negative safe integer. */
function varintSize(n: number): number {
  let size = 1;
  for (; n >= 128; n = Math.floor(n / 128)) size++;
  return size;
}

/**
 * A buffer that grows as postcard primitives are appended to it.
 *
 * @example
 * const writer = new Writer();
 * writer.varint(2);
 * writer.string("id");
 * const bytes = writer.finish();
 */
export class Writer {
  private bytes: Uint8Array<ArrayBuffer>;
  private view: DataView;
  private used = 0;

  /** @param capacity Bytes to reserve at first. */
  constructor(capacity: number = INITIAL_BYTES) {
    this.bytes = new Uint8Array(capacity);
    this.view = new DataView(this.bytes.buffer);
  }

  /** Bytes written so far. */
  get length(): number {
    return this.used;
  }

  /** Takes back what was written after the first `length` bytes. */
  truncate(length: number): void {
    if (length < this.used) this.used = length;
  }

  /** Forgets what was written, and keeps the buffer for the next use unless it has become large. */
  reset(): void {
    this.used = 0;
    if (this.bytes.length > KEPT_BYTES) this.replace(new Uint8Array(INITIAL_BYTES));
  }

  /** A copy of what was written. */
  finish(): Uint8Array<ArrayBuffer> {
    return this.bytes.slice(0, this.used);
  }

  /** What was written, without a copy: good until the next call of any method. */
  peek(): Uint8Array<ArrayBuffer> {
    return this.bytes.subarray(0, this.used);
  }

  /** One byte; also a boolean as 0 or 1. */
  u8(byte: number): void {
    if (this.used === this.bytes.length) this.reserve(1);
    this.bytes[this.used++] = byte;
  }

  /** An unsigned integer as a varint: `u16`, `u32`, `usize` or `u64` on the other side, up to
   * 2^53 - 1. The caller vouches for a non-negative safe integer. */
  varint(n: number): void {
    this.reserve(8);
    this.used = this.putVarint(this.used, n);
  }

  /** A signed integer as a zigzag varint: `i64` on the other side, in +-(2^53 - 1). The caller
   * vouches for a safe integer. */
  zigzag(n: number): void {
    if (n >= -64 && n < 64) {
      this.u8(n < 0 ? -2 * n - 1 : 2 * n);
      return;
    }
    this.reserve(9);
    // The zigzag form of a large integer is no longer a safe one, so its lowest seven bits are
    // written apart: six of the magnitude, one for the sign.
    const magnitude = n < 0 ? -(n + 1) : n;
    const high = Math.floor(magnitude / 64);
    this.bytes[this.used] = (magnitude - high * 64) * 2 + (n < 0 ? 1 : 0) + 128;
    this.used = this.putVarint(this.used + 1, high);
  }

  /** A double. Every NaN is written as the canonical one. */
  f64(n: number): void {
    this.reserve(8);
    if (!Number.isNaN(n)) {
      this.view.setFloat64(this.used, n, true);
    } else {
      this.view.setUint32(this.used, 0, true);
      this.view.setUint32(this.used + 4, 0x7ff80000, true);
    }
    this.used += 8;
  }

  /** A string: the count of its UTF-8 bytes, then these. If the string is not well-formed Unicode,
   * nothing is written and the result is `false`. */
  string(text: string): boolean {
    const count = text.length;
    if (count <= SHORT_TEXT) {
      this.reserve(count + 1);
      const bytes = this.bytes;
      const at = this.used + 1;
      let index = 0;
      for (; index < count; index++) {
        const unit = text.charCodeAt(index);
        if (unit >= 128) break;
        bytes[at + index] = unit;
      }
      if (index === count) {
        bytes[this.used] = count;
        this.used = at + count;
        return true;
      }
    }
    return this.longString(text);
  }

  /** A byte buffer: its length, then its bytes. */
  blob(bytes: Uint8Array): void {
    this.varint(bytes.length);
    this.raw(bytes);
  }

  /** Bytes without their length. */
  raw(bytes: Uint8Array): void {
    this.reserve(bytes.length);
    this.bytes.set(bytes, this.used);
    this.used += bytes.length;
  }

  /** Leaves room for a count that is known only later, at most `most`. Returns the place to give to
   * {@link endCount}. */
  beginCount(most: number): number {
    const at = this.used;
    this.varint(most);
    return at;
  }

  /** Fills in the count at the place that {@link beginCount} returned for the same `most`. */
  endCount(at: number, most: number, count: number): void {
    if (count === most) return;
    const room = varintSize(most);
    const size = varintSize(count);
    if (size < room) {
      this.bytes.copyWithin(at + size, at + room, this.used);
      this.used -= room - size;
    }
    this.putVarint(at, count);
  }

  private longString(text: string): boolean {
    const count = text.length;
    // In ASCII, the usual case, the count of bytes is that of characters. Otherwise the text turns
    // out to be longer and is moved when its length is known.
    const room = varintSize(count);
    const start = this.used + room;
    let written = 0;
    let read = 0;
    let missing = count;
    for (;;) {
      // Five bytes more than asked for, so that the move has room.
      this.reserve(room + written + missing + 5);
      const rest = read === 0 ? text : text.slice(read);
      const step = utf8Encoder.encodeInto(rest, this.bytes.subarray(start + written, this.bytes.length - 5));
      read += step.read;
      written += step.written;
      if (read === count) break;
      missing = (count - read) * 3;
    }
    if (written !== count && !isWellFormed(text)) return false;
    const size = varintSize(written);
    if (size !== room) this.bytes.copyWithin(this.used + size, start, start + written);
    this.putVarint(this.used, written);
    this.used += size + written;
    return true;
  }

  /** Writes into memory that is already reserved; returns where it ends. */
  private putVarint(at: number, n: number): number {
    const bytes = this.bytes;
    for (; n >= 0x8000_0000; n = Math.floor(n / 128)) bytes[at++] = (n % 128) + 128;
    for (; n >= 128; n >>>= 7) bytes[at++] = (n & 127) | 128;
    bytes[at++] = n;
    return at;
  }

  private reserve(count: number): void {
    const needed = this.used + count;
    if (needed <= this.bytes.length) return;
    let grown: Uint8Array<ArrayBuffer>;
    try {
      grown = new Uint8Array(Math.max(needed, this.bytes.length * 2));
    } catch (cause) {
      throw new UnavailableError(`there is no memory for ${needed} bytes; free some, or store less at a time`, { cause });
    }
    // More than what is used is copied: a string may be half written behind it.
    grown.set(this.bytes);
    this.replace(grown);
  }

  private replace(bytes: Uint8Array<ArrayBuffer>): void {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer);
  }
}

/** Reads postcard primitives from a window of bytes. Every method throws a {@link CorruptError} that
 * names the position if the bytes end too early or are not what it expects. */
export class Reader {
  private readonly bytes: Uint8Array;
  private readonly view: DataView;
  private start = 0;
  private at = 0;
  private limit: number;

  constructor(bytes: Uint8Array) {
    // Not the caller's object: of a Node Buffer, `slice` would not copy.
    this.bytes = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.limit = bytes.byteLength;
  }

  /** Whether the bytes are still there: memory that has grown leaves its old views empty. */
  get attached(): boolean {
    return this.bytes.length > 0;
  }

  /** Moves the window to the `length` bytes from `start` on, to be read from their beginning. */
  moveTo(start: number, length: number): void {
    if (start + length > this.bytes.length) throw new RangeError("the window lies beyond the bytes");
    this.start = this.at = start;
    this.limit = start + length;
  }

  /** Where the next byte is read, counted from the start of the window. */
  get position(): number {
    return this.at - this.start;
  }

  /** Bytes that are left. */
  get remaining(): number {
    return this.limit - this.at;
  }

  /** Throws unless everything was read. */
  end(): void {
    if (this.remaining > 0) this.fail(`the data ends here, but ${this.remaining} more bytes follow`);
  }

  /** Throws a {@link CorruptError} about the byte at `position`. */
  fail(what: string, position: number = this.position): never {
    throw new CorruptError(`the stored bytes make no sense: ${what}, at byte ${position}`);
  }

  /** One byte. */
  u8(): number {
    if (this.at >= this.limit) return this.fail("they end too early");
    return this.bytes[this.at++] as number;
  }

  /** A boolean. */
  bool(): boolean {
    const byte = this.u8();
    if (byte > 1) this.fail("a boolean is neither 0 nor 1", this.position - 1);
    return byte === 1;
  }

  /** An unsigned integer of up to 32 bits (`u32`). */
  varint32(): number {
    const first = this.bytes[this.at] as number;
    if (first < 128 && this.at < this.limit) {
      this.at++;
      return first;
    }
    const start = this.position;
    const n = this.varint();
    if (n > 0xffff_ffff) this.fail("an integer takes more than 32 bits", start);
    return n;
  }

  /** An unsigned integer of up to 53 bits (a `u64` or `usize` that fits a double). */
  varint(): number {
    const start = this.position;
    let n = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = this.u8();
      if (byte === 0 && scale > 1) this.fail("an integer is not in its shortest form", start);
      n += (byte & 127) * scale;
      if (n > Number.MAX_SAFE_INTEGER) this.fail("an integer takes more than 53 bits", start);
      if (byte < 128) return n;
    }
  }

  /** A signed integer in +-(2^53 - 1) (an `i64`). */
  zigzag(): number {
    const start = this.position;
    const first = this.u8();
    let magnitude = (first & 127) >> 1;
    if (first >= 128) {
      const high = this.varint();
      if (high === 0) this.fail("an integer is not in its shortest form", start);
      magnitude += high * 64;
    }
    const n = (first & 1) === 0 ? magnitude : -magnitude - 1;
    if (!Number.isSafeInteger(n)) this.fail("an integer lies outside +-(2^53 - 1)", start);
    return n;
  }

  /** A double. */
  f64(): number {
    const at = this.at;
    if (this.remaining < 8) this.fail("they end too early");
    this.at = at + 8;
    const n = this.view.getFloat64(at, true);
    if (Number.isNaN(n) && (this.view.getUint32(at, true) !== 0 || this.view.getUint32(at + 4, true) !== 0x7ff80000)) {
      this.fail("a NaN is not the canonical one", at - this.start);
    }
    return n;
  }

  /** A count of things that take `size` bytes each or more. */
  count(size: number = 1): number {
    const start = this.position;
    const count = this.varint();
    if (count * size > this.remaining) this.fail("a count goes beyond the bytes that follow", start);
    return count;
  }

  /** A string. */
  string(): string {
    const count = this.count();
    const bytes = this.bytes;
    const start = this.at;
    const end = start + count;
    this.at = end;
    if (count <= SHORT_TEXT) {
      let text = "";
      let at = start;
      for (; at < end; at++) {
        const byte = bytes[at] as number;
        if (byte >= 128) break;
        text += String.fromCharCode(byte);
      }
      if (at === end) return text;
    }
    try {
      return utf8Decoder.decode(bytes.subarray(start, end));
    } catch {
      return this.fail("a string is not UTF-8", start - this.start);
    }
  }

  /** A string that is likely to come again, such as the key of a field. The same as {@link string},
   * but faster for keys that were read lately. */
  key(): string {
    const bytes = this.bytes;
    const count = bytes[this.at];
    if (count === undefined || count === 0 || count > SHORT_TEXT || count >= this.remaining) return this.string();
    const start = this.at + 1;
    const last = start + count - 1;
    const slot = ((bytes[start] as number) * 7 + (bytes[last] as number) * 31 + count * 131) & (RECENT_KEYS - 1);
    const known = recentKeys[slot];
    if (known !== undefined && known.length === count) {
      let index = 0;
      while (index < count && known.charCodeAt(index) === bytes[start + index]) index++;
      if (index === count) {
        this.at = last + 1;
        return known;
      }
    }
    const key = this.string();
    // Only ASCII is remembered: there, characters and bytes are the same.
    if (key.length === count) recentKeys[slot] = key;
    return key;
  }

  /** Goes past the string `expected` if it is the next one, and says so; else stays where it is. Strings of
   * more than 127 bytes or with others than ASCII are not told. */
  skip(expected: string): boolean {
    const bytes = this.bytes;
    const count = expected.length;
    if (count > 127 || bytes[this.at] !== count || count >= this.remaining) return false;
    const start = this.at + 1;
    for (let index = 0; index < count; index++) {
      const unit = expected.charCodeAt(index);
      if (unit !== bytes[start + index] || unit > 127) return false;
    }
    this.at = start + count;
    return true;
  }

  /** A byte buffer: a copy with a buffer of its own. */
  blob(): Uint8Array<ArrayBuffer> {
    return this.raw(this.count());
  }

  /** `count` bytes: a copy with a buffer of its own. */
  raw(count: number): Uint8Array<ArrayBuffer> {
    if (count > this.remaining) this.fail("they end too early");
    const start = this.at;
    this.at = start + count;
    return this.bytes.slice(start, this.at);
  }
}
