/**
 * What can not be stored: refused by name, with its path and how to mend it, and nothing written.
 *
 * Every case runs twice: where the host can tell a proxy (Node), and where it can not (browsers).
 */
import { runInNewContext } from "node:vm";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { InvalidError, isMemoryError } from "../../pkg/src/errors.js";

class Agent {
  readonly name = "a";
}
class Notes extends Map<string, string> {}
class List extends Array<number> {}
class Samples extends Float32Array {}

const HIGH = "\ud800";

function nest(depth: number, wrap: (value: unknown) => unknown): unknown {
  let value: unknown = 1;
  for (let level = 0; level < depth; level++) value = wrap(value);
  return value;
}

function detached<T extends ArrayBuffer | ArrayBufferView>(value: T): T {
  structuredClone(null, { transfer: [(ArrayBuffer.isView(value) ? value.buffer : value) as ArrayBuffer] });
  return value;
}

/** A typed array that its buffer no longer reaches. */
function outOfBounds(): Uint8Array {
  const Resizable = ArrayBuffer as unknown as new (length: number, options: { maxByteLength: number }) => ArrayBuffer & { resize(length: number): void };
  const buffer = new Resizable(8, { maxByteLength: 16 });
  const view = new Uint8Array(buffer, 4, 4);
  buffer.resize(2);
  return view;
}

function cycle(): Record<string, unknown> {
  const parent: Record<string, unknown> = { name: "p" };
  parent["children"] = [{ parent }];
  return parent;
}

/** A cycle beside so much data that the size limit is reached before the depth limit. */
function largeCycle(): Record<string, unknown> {
  const value: Record<string, unknown> = { data: new Uint8Array(2 << 20) };
  value["self"] = value;
  return value;
}

function selfMap(): Map<unknown, unknown> {
  const map = new Map<unknown, unknown>([["a", 1]]);
  map.set("me", { map });
  return map;
}

const throwing = { get secret(): never { throw new RangeError("locked"); } };
const inherited = Object.create({ base: 1 }) as object;
const revoked = (): object => {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
};

/** What is given, the path that the error names, and what it says. */
const refused: [string, () => unknown, string, RegExp][] = [
  ["undefined at the top", () => undefined, "value", /is undefined; store null/],
  ["a function", () => () => 1, "value", /is a function/],
  ["a function in a field", () => ({ a: { run() {} } }), "value.a.run", /is a function; leave it out/],
  ["a class", () => [Agent], "value[0]", /is a function/],
  ["a symbol", () => ({ s: Symbol("x") }), "value.s", /is a symbol/],
  ["a symbol as a key", () => ({ a: [{ [Symbol("x")]: 1 }] }), "value.a[0]", /has a symbol as a key/],
  ["an instance of a class", () => ({ owner: new Agent() }), "value.owner", /instance of the class Agent; store a plain object/],
  ["an instance of a nameless class", () => [new (class {})()], "value[0]", /is an object with a prototype of its own/],
  ["an object with a made prototype", () => ({ a: inherited }), "value.a", /is an object with a prototype of its own/],
  ["an object above an object without prototype", () => Object.create(Object.create(null) as object), "value", /prototype of its own/],
  ["a derived map", () => ({ n: new Notes() }), "value.n", /instance of the class Notes/],
  ["a derived array", () => [List.of(1)], "value[0]", /instance of the class List/],
  ["a derived typed array", () => new Samples(2), "value", /instance of the class Samples/],
  ["a derived date", () => new (class Moment extends Date {})(), "value", /instance of the class Moment/],
  ["an object that only looks like a date", () => ({ d: Object.create(Date.prototype) as unknown }), "value.d", /is not a plain Date/],
  ["an object that only looks like a map", () => Object.create(Map.prototype), "value", /is not a plain Map/],
  ["an object that only looks like a buffer", () => Object.create(ArrayBuffer.prototype), "value", /is not a plain ArrayBuffer/],
  ["a boxed number", () => ({ n: Object(1) as unknown }), "value.n", /class Number; store the primitive/],
  ["a boxed string", () => Object("x"), "value", /class String; store the primitive/],
  ["a boxed boolean", () => [Object(true)], "value[0]", /class Boolean; store the primitive/],
  ["a boxed bigint", () => Object(1n), "value", /class BigInt; store the primitive/],
  ["a boxed symbol", () => Object(Symbol("x")), "value", /class Symbol/],
  ["a regular expression", () => ({ match: /x/g }), "value.match", /class RegExp; store its source and flags/],
  ["an error", () => ({ failure: new Error("x") }), "value.failure", /class Error; store its name, message and stack/],
  ["a derived error", () => ({ failure: new TypeError("x") }), "value.failure", /class TypeError; store its name/],
  ["a promise", () => ({ later: Promise.resolve(1) }), "value.later", /class Promise; await it first/],
  ["a weak map", () => [new WeakMap()], "value[0]", /class WeakMap/],
  ["a weak set", () => [new WeakSet()], "value[0]", /class WeakSet/],
  ["a weak reference", () => [new WeakRef({})], "value[0]", /class WeakRef/],
  ["a URL", () => ({ link: new URL("https://example.org") }), "value.link", /class URL; store its href/],
  ["a blob", () => ({ file: new Blob(["x"]) }), "value.file", /class Blob; store await blob.arrayBuffer/],
  ["a generator", () => (function* () { yield 1; })(), "value", /is an (object|instance)/],
  ["a shared buffer", () => new SharedArrayBuffer(2), "value", /class SharedArrayBuffer; store a copy/],
  ["a view of a shared buffer", () => ({ v: new Uint8Array(new SharedArrayBuffer(2)) }), "value.v", /SharedArrayBuffer/],
  ["a data view of a shared buffer", () => ({ v: new DataView(new SharedArrayBuffer(2)) }), "value.v", /SharedArrayBuffer/],
  ["a detached buffer", () => ({ b: detached(new ArrayBuffer(4)) }), "value.b", /has lost its buffer/],
  ["a detached typed array", () => ({ b: detached(new Float32Array(4)) }), "value.b", /has lost its buffer/],
  ["a detached data view", () => ({ b: detached(new DataView(new ArrayBuffer(4))) }), "value.b", /has lost its buffer/],
  ["a view out of bounds", () => ({ b: outOfBounds() }), "value.b", /has lost its buffer/],
  ["a lone surrogate in a key", () => ({ a: { [`k${HIGH}`]: 1 } }), 'value.a["k\\ud800"]', /lone surrogate in its key/],
  ["a cycle", cycle, "value.children[0].parent", /refers back to value; store an id/],
  ["a cycle further down", () => ({ root: [cycle()] }), "value.root[0].children[0].parent", /refers back to value.root\[0\];/],
  ["a cycle through a map", selfMap, "value.m<value 1>.map", /refers back to value;/],
  ["a cycle of an array", () => { const a: unknown[] = []; a.push(0, a); return a; }, "value[1]", /refers back to value;/],
  ["a large cycle", largeCycle, "value.self", /refers back to value;/],
  ["257 arrays", () => nest(257, (v) => [v]), `value${"[0]".repeat(256)}`, /nested deeper than 256/],
  ["257 objects", () => nest(257, (v) => ({ a: v })), `value${".a".repeat(256)}`, /nested deeper than 256/],
  ["257 maps", () => nest(257, (v) => new Map([[1, v]])), `value${".m<value 0>".repeat(256)}`, /nested deeper than 256/],
  ["257 maps as keys", () => nest(257, (v) => new Map([[v, 1]])), `value${".m<key 0>".repeat(256)}`, /nested deeper than 256/],
  ["257 sets", () => nest(257, (v) => new Set([v])), `value${".s<0>".repeat(256)}`, /nested deeper than 256/],
  ["100,000 arrays", () => nest(100_000, (v) => [v]), `value${"[0]".repeat(256)}`, /nested deeper than 256/],
  ["a function as a key of a map", () => new Map<unknown, unknown>([[1, 1], [() => 1, 1]]), "value.m<key 1>", /is a function/],
  ["a function in a map", () => ({ m: new Map<unknown, unknown>([[1, () => 1]]) }), "value.m.m<value 0>", /is a function/],
  ["a function in a set", () => new Set([1, 2, () => 1]), "value.s<2>", /is a function/],
  ["a function under an odd key", () => ({ "odd key": [() => 1] }), 'value["odd key"][0]', /is a function/],
  ["a function under an empty key", () => ({ "": () => 1 }), 'value[""]', /is a function/],
  ["a function under a key of a quote and control characters", () => ({ 'q"\\\n\u0001\u00e9': () => 1 }), 'value["q\\"\\\\\\n\\u0001\u00e9"]', /is a function/],
  ["a function under a long key", () => ({ ["x".repeat(65)]: () => 1 }), `value["${"x".repeat(64)}..."]`, /is a function/],
  ["64 MiB of bytes", () => ({ a: 1, b: new Uint8Array(64 << 20) }), "value", /takes more than 64 MiB/],
  ["64 MiB of text", () => ["x".repeat(64 << 20)], "value", /takes more than 64 MiB/],
  ["22 million characters of three bytes", () => "\u20ac".repeat(22.5 * 2 ** 20), "value", /takes more than 64 MiB/],
  ["a huge sparse array", () => ({ a: new Array(2 ** 32 - 1) }), "value", /takes more than 64 MiB/],
  ["a proxy", () => new Proxy({}, {}), "value", /is a proxy/],
  ["a proxy of an array", () => ({ list: [1, new Proxy([1], {})] }), "value.list[1]", /is a proxy/],
  ["a proxy of an object in a map", () => new Map([["k", { state: new Proxy({ a: 1 }, {}) }]]), "value.m<value 0>.state", /is a proxy/],
  ["a proxy as a key of a map", () => new Map([[new Proxy({}, {}), 1]]), "value.m<key 0>", /is a proxy/],
  ["a proxy in a set", () => [new Set([new Proxy({}, {})])], "value[0].s<0>", /is a proxy/],
  ["a proxy of a map", () => ({ m: new Proxy(new Map(), {}) }), "value.m", /is (a proxy|not a plain Map \(a proxy)/],
  ["a proxy of a date", () => ({ d: new Proxy(new Date(), {}) }), "value.d", /is (a proxy|not a plain Date \(a proxy)/],
  ["a proxy of a typed array", () => ({ b: new Proxy(new Uint8Array(2), {}) }), "value.b", /is (a proxy|not a plain Uint8Array \(a proxy)/],
  ["a proxy of a function", () => ({ f: new Proxy(() => 1, {}) }), "value.f", /is a function/],
  ["a revoked proxy", () => ({ p: revoked() }), "value.p", /is a proxy|threw while it was read/],
  ["a getter that throws", () => ({ a: [throwing] }), "value.a[0].secret", /threw while it was read \(locked\)/],
  ["an instance of a class of another realm", () => runInNewContext("class Far {}; ({ far: new Far() })") as unknown, "value.far", /instance of the class Far/],
];

type Codec = typeof import("../../pkg/src/value/encode.js") & typeof import("../../pkg/src/value/wire.js");

async function load(): Promise<Codec> {
  vi.resetModules();
  return { ...(await import("../../pkg/src/value/encode.js")), ...(await import("../../pkg/src/value/wire.js")) };
}

const hosts: [string, () => void][] = [
  ["where the host knows proxies", () => {}],
  ["where only the structured clone algorithm knows proxies", () => void vi.stubGlobal("process", { ...process, getBuiltinModule: undefined })],
  ["where there are no message channels either", () => {
    vi.stubGlobal("process", { ...process, getBuiltinModule: undefined });
    vi.stubGlobal("MessageChannel", undefined);
  }],
];

describe.each(hosts)("%s", (_name, prepare) => {
  let codec: Codec;
  beforeEach(async () => {
    prepare();
    codec = await load();
  });
  afterEach(() => void vi.unstubAllGlobals());

  function refusal(value: unknown, path?: string): Error {
    const writer = new codec.Writer();
    writer.u8(42);
    let caught: unknown;
    try {
      codec.encodeValue(value, writer, path);
    } catch (error) {
      caught = error;
    }
    expect(writer.finish(), "nothing is written").toEqual(Uint8Array.of(42));
    if (!isMemoryError(caught, "ERR_INVALID")) throw new Error("not refused as invalid", { cause: caught });
    // The same writer takes the next value.
    codec.encodeValue({ ok: true }, writer);
    return caught;
  }

  test.each(refused)("%s", (_what, make, path, says) => {
    const error = refusal(make());
    expect(error.message.slice(0, path.length + 1)).toBe(`${path} `);
    expect(error.message.slice(path.length + 1)).toMatch(says);
    expect(error.message).toMatch(/; \S/);
  });

  test("the error of a getter is kept as the cause", () => {
    const { cause } = refusal({ a: [throwing] });
    expect(cause).toBeInstanceOf(RangeError);
    expect((cause as Error).message).toBe("locked");
    const odd: unknown = refusal({ get a(): never { throw new InvalidError("of the getter"); } }).cause;
    expect(odd).toBeInstanceOf(InvalidError);
  });

  test("the path begins as the caller calls the value", () => {
    expect(refusal({ a: () => 1 }, "metadata").message).toMatch(/^metadata\.a is a function/);
    expect(refusal(undefined, "items[3].value").message).toMatch(/^items\[3\]\.value is undefined/);
  });

  test("the largest values are taken", () => {
    const writer = new codec.Writer();
    codec.encodeValue(new Uint8Array((64 << 20) - 6), writer);
    expect(writer.length).toBe(64 << 20);
    writer.reset();
    const wraps = [(v: unknown) => [v], (v: unknown) => ({ a: v }), (v: unknown) => new Map([[1, v]]), (v: unknown) => new Map([[v, 1]]), (v: unknown) => new Set([v])];
    for (const wrap of wraps) expect(() => codec.encodeValue(nest(256, wrap), writer)).not.toThrow();
  });

  test("plain values hold no proxy", () => {
    const writer = new codec.Writer();
    const buffer = new ArrayBuffer(8);
    const values = [{ a: [new Map([[{ b: 1 }, new Set([[]])]]), new Date(0), new DataView(buffer), buffer, Buffer.from("x")] }, [], Object.create(null)];
    for (const value of values) expect(() => codec.encodeValue(value, writer)).not.toThrow();
  });
});

test("a view of a type that is not known is refused by its name", async () => {
  const { encodeValue, Writer } = await load();
  const Float16 = (globalThis as { Float16Array?: new (length: number) => ArrayBufferView }).Float16Array;
  if (Float16 !== undefined) {
    expect(() => encodeValue({ h: new Float16(2) }, new Writer())).toThrow(/^value\.h is a Float16Array, which can not be stored; store a Float32Array/);
    return;
  }
  // An engine that has none: a type is known by the tag of its internal slot, which can not be forged.
  const forged = Object.defineProperty(new Uint16Array(2), Symbol.toStringTag, { value: "Float16Array" });
  const writer = new Writer();
  encodeValue(forged, writer);
  expect(writer.finish().slice(0, 3)).toEqual(Uint8Array.of(7, 5, 4));
});
