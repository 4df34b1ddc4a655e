/** Objects that are alike, or nearly: what the decoder knows of one must never show in another. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isMemoryError } from "../../pkg/src/errors.js";
import { decodeValue } from "../../pkg/src/value/decode.js";
import { encodeValue } from "../../pkg/src/value/encode.js";
import { Reader, Writer } from "../../pkg/src/value/wire.js";
import { refusal } from "./harness.js";

function encode(value: unknown): Uint8Array {
  const writer = new Writer();
  encodeValue(value, writer);
  return writer.finish();
}

function decode(bytes: Uint8Array): unknown {
  const reader = new Reader(bytes);
  const value = decodeValue(reader);
  reader.end();
  return value;
}

const there = (value: unknown): unknown => decode(encode(value));

/** Decodes as many objects of a shape as it takes for it to be known, whatever was known before. */
function teach(value: object): void {
  for (let times = 0; times < 20; times++) expect(there(value)).toEqual(value);
}

/** The bytes of an object whose keys need not differ: `[key, number]`. */
function object(fields: readonly (readonly [string, number])[]): Uint8Array {
  const writer = new Writer();
  writer.varint(encode({})[0] as number);
  writer.varint(fields.length);
  for (const [key, number] of fields) {
    writer.string(key);
    for (const byte of encode(number)) writer.u8(byte);
  }
  return writer.finish();
}

describe("an object like those before it", () => {
  test("is one of its own", () => {
    teach({ a: 1, b: { c: 2 } });
    const [one, other] = [there({ a: 1, b: { c: 2 } }), there({ a: 1, b: { c: 2 } })] as [{ b: { c: number } }, { b: { c: number } }];
    one.b.c = 3;
    (one as Record<string, unknown>)["d"] = 4;
    expect([other, there({ a: 1, b: { c: 2 } })]).toEqual([{ a: 1, b: { c: 2 } }, { a: 1, b: { c: 2 } }]);
    expect(Object.getPrototypeOf(other)).toBe(Object.prototype);
  });

  test.each([
    ["the last key", { kind: 1, name: 2, size: 3 }, { kind: 4, name: 5, site: 6 }],
    ["the second key", { kind: 1, name: 2, size: 3 }, { kind: 4, mane: 5, size: 6 }],
    ["the order", { kind: 1, name: 2, size: 3 }, { kind: 4, size: 5, name: 6 }],
    ["a key that is longer", { kind: 1, name: 2 }, { kind: 3, names: 4 }],
    ["a key beyond ASCII", { kind: 1, name: 2 }, { kind: 3, "n\u00e4me": 4 }],
    ["a key that is empty", { kind: 1, name: 2 }, { kind: 3, "": 4 }],
    ["a key of 200 characters", { kind: 1, name: 2 }, { kind: 3, ["n".repeat(200)]: 4 }],
  ])("but for %s is read as it is", (_, known, other) => {
    for (let round = 0; round < 20; round++) {
      teach(known);
      const back = there(other) as object;
      expect(back).toEqual(other);
      expect(Object.keys(back)).toEqual(Object.keys(other));
    }
  });

  test("whose key is twice is refused, first, last and in between", () => {
    teach({ kind: 1, name: 2, size: 3 });
    for (const keys of [["kind", "kind", "size"], ["kind", "name", "name"], ["kind", "name", "kind"]]) {
      expect(() => decode(object(keys.map((key, index) => [key, index])))).toThrow(/twice/);
    }
    expect(decode(object([["kind", 7], ["name", 8], ["size", 9]]))).toEqual({ kind: 7, name: 8, size: 9 });
  });

  test("that has __proto__ keeps it as a key, and leaves the prototype alone", () => {
    teach({ kind: 1, name: 2 });
    for (let round = 0; round < 20; round++) {
      for (const keys of [["__proto__", "name"], ["kind", "__proto__"]] as const) {
        const back = decode(object([[keys[0], 1], [keys[1], 2]])) as object;
        expect(Object.getPrototypeOf(back)).toBe(Object.prototype);
        expect(Object.keys(back)).toEqual(keys);
      }
    }
  });

  test("whose keys are names of the prototype's holds them itself", () => {
    const value = { constructor: 1, toString: 2, hasOwnProperty: 3 };
    teach(value);
    expect(Object.keys(there(value) as object)).toEqual(Object.keys(value));
  });

  test("whose keys are numbers is read whatever their order", () => {
    for (let round = 0; round < 20; round++) {
      expect(decode(object([["1", 1], ["2", 2]]))).toEqual({ 1: 1, 2: 2 });
      expect(decode(object([["2", 2], ["1", 1]]))).toEqual({ 1: 1, 2: 2 });
      expect(decode(object([["a", 2], ["1", 1]]))).toEqual({ 1: 1, a: 2 });
    }
    expect(() => decode(object([["1", 1], ["1", 2]]))).toThrow(/twice/);
  });

  test("that ends in the middle is refused wherever it ends, and so is one whose field is undefined", async () => {
    teach({ kind: 1, name: "two" });
    const bytes = encode({ kind: 1, name: "two" });
    for (let length = 0; length < bytes.length; length++) {
      expect(isMemoryError(await refusal(() => decode(bytes.slice(0, length))), "ERR_CORRUPT")).toBe(true);
    }
    const hole = encode([undefined]);
    const broken = new Uint8Array([...bytes.slice(0, bytes.length - 5), hole[hole.length - 1] as number]);
    expect(isMemoryError(await refusal(() => decode(broken)), "ERR_CORRUPT")).toBe(true);
  });
});

test("any sequence of objects over few keys reads as it was written", () => {
  const keys = fc.constantFrom("a", "b", "c", "aa", "ab", "__proto__", "toString", "1", "2", "\u00fc");
  const objects = fc.array(fc.uniqueArray(keys, { maxLength: 5 }), { minLength: 1, maxLength: 60 });
  const seed = Number(process.env["MNEMORA_TEST_SEED"] ?? 20_251_120);
  console.info(`value-shapes.test.ts: seed ${seed}`);
  fc.assert(fc.property(objects, (lists) => {
    for (const list of lists) {
      const back = decode(object(list.map((key, index) => [key, index]))) as Record<string, unknown>;
      expect(Object.keys(back).sort()).toEqual([...list].sort());
      for (const [index, key] of list.entries()) expect(Object.getOwnPropertyDescriptor(back, key)?.value).toBe(index);
      expect(Object.getPrototypeOf(back)).toBe(Object.prototype);
    }
  }), { seed });
});

describe("a window into more bytes", () => {
  const value = { text: "within", list: [1, 2.5, 300], blob: new Uint8Array([1, 2, 3]), big: 10n, when: new Date(5) };

  test("is read alone, and nothing in the value is shared with them", () => {
    const bytes = encode(value);
    const all = new Uint8Array(bytes.length + 100).fill(1);
    all.set(bytes, 37);
    const reader = new Reader(all);
    for (let times = 0; times < 3; times++) {
      reader.moveTo(37, bytes.length);
      expect(reader.position).toBe(0);
      const back = decodeValue(reader);
      reader.end();
      expect(back).toEqual(value);
    }
    reader.moveTo(37, bytes.length);
    const back = decodeValue(reader) as typeof value;
    all.fill(0);
    expect(back).toEqual(value);
    expect(back.blob.buffer.byteLength).toBe(3);
  });

  test("ends where it ends, whatever follows", async () => {
    const bytes = encode(value);
    const all = new Uint8Array([9, ...bytes, ...bytes]);
    const reader = new Reader(all);
    for (let length = 0; length < bytes.length; length++) {
      reader.moveTo(1, length);
      expect(isMemoryError(await refusal(() => decodeValue(reader)), "ERR_CORRUPT")).toBe(true);
      expect(reader.position).toBeLessThanOrEqual(length);
    }
    expect(() => reader.moveTo(1, all.length)).toThrow(RangeError);
  });
});
