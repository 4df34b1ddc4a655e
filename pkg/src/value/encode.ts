/**
 * Values to bytes: one pass, no intermediate objects, and every value that could not come back equal
 * is refused by name before anything is stored.
 *
 * The bytes are those of the core's codec (postcard of its `Value`); golden fixtures hold both sides.
 *
 * Invariants:
 * - On any error the writer is left as it was before the call.
 * - Every property is read once, in order, and what was read is what is written, whatever a getter
 *   changes meanwhile. (Where the host has no test for proxies, getters are called once more after
 *   that; what they then return is not stored.)
 * - What a value is, is decided by its internal slots, not by properties that it could forge; so
 *   values of another realm (a frame, a Node `vm`) are taken as well.
 * - No reference to a value outlives the call.
 */
import { InternalError, InvalidError, MemoryError } from "../errors.js";
import {
  KIND_ARRAY_BUFFER, KINDS, MAX_DEPTH, MAX_VALUE_BYTES, TAG_ARRAY, TAG_BIGINT, TAG_BOOL, TAG_BYTES, TAG_DATE,
  TAG_FLOAT, TAG_INT, TAG_MAP, TAG_NULL, TAG_OBJECT, TAG_SET, TAG_STRING, TAG_UNDEFINED, TAG_UTF16,
} from "./kinds.js";
import {
  builtinName, byteWindow, className, cloneFailure, dateTime, isArrayBuffer, isProxy, mapEntries, mapSize, setSize,
  setValues, viewName,
} from "./inspect.js";
import { type Writer } from "./wire.js";

/** What to do instead, by the name of a class or type that is refused. */
const ADVICE: ReadonlyMap<string, string> = new Map([
  ["Number", "store the primitive: x.valueOf()"],
  ["String", "store the primitive: x.valueOf()"],
  ["Boolean", "store the primitive: x.valueOf()"],
  ["BigInt", "store the primitive: x.valueOf()"],
  ["Symbol", "store its description"],
  ["RegExp", "store its source and flags"],
  ["Error", "store its name, message and stack"],
  ["DOMException", "store its name and message"],
  ["Promise", "await it first"],
  ["WeakMap", "store a Map"],
  ["WeakSet", "store a Set"],
  ["WeakRef", "store what it refers to"],
  ["SharedArrayBuffer", "store a copy: new Uint8Array(buffer).slice()"],
  ["Float16Array", "store a Float32Array"],
  ["URL", "store its href"],
  ["Blob", "store await blob.arrayBuffer()"],
  ["File", "store await file.arrayBuffer()"],
]);

/** The built-in classes that are stored, apart from binary data. */
const STORED_CLASSES: readonly string[] = ["Array", "Date", "Map", "Set"];

/** Writers that a value is being written to. A getter that saves must not write into its own value. */
const busy = new WeakSet<Writer>();

/**
 * Writes one value.
 *
 * Stored are null, booleans, numbers, strings, bigints, dates, `ArrayBuffer`s, typed arrays and
 * `DataView`s (only their window), arrays, plain objects, maps and sets. Own enumerable string keys
 * of objects are stored, `undefined` fields dropped; holes of arrays become `undefined`; a Node
 * `Buffer` becomes a `Uint8Array`. Properties of arrays, maps, sets, dates and binary data that are
 * not their elements are not stored.
 *
 * @param path How error messages call the value.
 * @throws InvalidError naming the path of what can not be stored and how to mend it.
 */
export function encodeValue(value: unknown, writer: Writer, path: string = "value"): void {
  if (busy.has(writer)) throw new InternalError("a value was encoded into a writer that is in use");
  const start = writer.length;
  const encoder = new Encoder(writer, path);
  busy.add(writer);
  try {
    encoder.root(value);
  } catch (error) {
    writer.truncate(start);
    throw error;
  } finally {
    busy.delete(writer);
  }
}

/** The way from a container to the value being written; `undefined` while it is the container itself
 * that is looked at. */
type Step = string | number | undefined;

class Encoder {
  private readonly writer: Writer;
  private readonly name: string;
  /** Where the largest value would end. */
  private readonly end: number;
  /** The containers around the value being written, outermost first. */
  private readonly containers: object[] = [];
  /** For each of them, where in it: a key, an index, or `-1 - index` for the key of a map entry. */
  private readonly steps: Step[] = [];
  private depth = 0;
  /** Whether a value was met that may be a proxy. */
  private opaque = false;
  private refusal: unknown;

  constructor(writer: Writer, name: string) {
    this.writer = writer;
    this.name = name;
    this.end = writer.length + MAX_VALUE_BYTES;
  }

  root(value: unknown): void {
    if (value === undefined) this.refuse("is undefined", "store null, or delete the record");
    try {
      this.value(value);
      this.checkSize();
      if (this.opaque) this.refuseProxyIn(value);
    } catch (error) {
      if (error === this.refusal || isMemoryShortage(error)) throw error;
      // Foreign code runs only in getters and the traps of proxies.
      const reason = error instanceof Error ? error.message : typeof error;
      throw new InvalidError(`${this.path()} threw while it was read (${reason}); store plain data`, { cause: error });
    }
  }

  private value(value: unknown): void {
    const writer = this.writer;
    switch (typeof value) {
      case "string":
        this.string(value);
        return;
      case "number":
        if (Number.isSafeInteger(value) && !Object.is(value, -0)) {
          writer.u8(TAG_INT);
          writer.zigzag(value);
        } else {
          writer.u8(TAG_FLOAT);
          writer.f64(value);
        }
        return;
      case "boolean":
        writer.u8(TAG_BOOL);
        writer.u8(value ? 1 : 0);
        return;
      case "object":
        if (value === null) writer.u8(TAG_NULL);
        else this.object(value);
        return;
      case "undefined":
        writer.u8(TAG_UNDEFINED);
        return;
      case "bigint":
        this.bigint(value);
        return;
      case "function":
        return this.refuse("is a function", "leave it out, or store its result");
      default:
        return this.refuse("is a symbol", "store its description");
    }
  }

  private string(text: string): void {
    // Every character takes a byte or more.
    if (text.length > MAX_VALUE_BYTES) this.tooLarge();
    const writer = this.writer;
    const start = writer.length;
    writer.u8(TAG_STRING);
    if (writer.string(text)) return;
    writer.truncate(start);
    writer.u8(TAG_UTF16);
    writer.varint(text.length);
    for (let index = 0; index < text.length; index++) writer.varint(text.charCodeAt(index));
  }

  private bigint(value: bigint): void {
    const writer = this.writer;
    const negative = value < 0n;
    writer.u8(TAG_BIGINT);
    writer.u8(negative ? 1 : 0);
    const digits = (negative ? -value : value).toString(16);
    // Two digits a byte, lowest byte first; zero has no bytes.
    const count = value === 0n ? 0 : Math.ceil(digits.length / 2);
    writer.varint(count);
    for (let index = 0, to = digits.length; index < count; index++, to -= 2) {
      writer.u8(parseInt(digits.slice(Math.max(0, to - 2), to), 16));
    }
  }

  private object(value: object): void {
    // Exact where the host can tell (Node); elsewhere see refuseProxyIn.
    const proxy = isProxy(value);
    if (proxy === true) this.refuseProxy();
    if (Array.isArray(value)) {
      const prototype: unknown = Object.getPrototypeOf(value);
      if (prototype !== Array.prototype && builtinName(prototype, 2) !== "Array") this.refuseInstance(value);
      if (proxy === undefined) this.opaque = true;
      this.array(value);
      return;
    }
    const prototype: unknown = Object.getPrototypeOf(value);
    if (prototype === Object.prototype || prototype === null || builtinName(prototype, 1) === "Object") {
      if (proxy === undefined) this.opaque = true;
      this.plain(value as Record<string, unknown>);
      return;
    }
    const view = viewName(value);
    if (view !== undefined) {
      // Two levels above the instance stand %TypedArray%.prototype and Object.prototype.
      const name = builtinName(prototype, view === "DataView" ? 2 : 3) ?? builtinName(prototype, 4);
      if (name !== view && name !== "Buffer") this.refuseInstance(value);
      this.bytes(value, view);
      return;
    }
    const name = builtinName(prototype, 2);
    const time = name === "Date" ? dateTime(value) : undefined;
    if (time !== undefined) {
      this.writer.u8(TAG_DATE);
      this.writer.f64(time);
      return;
    }
    const size = name === "Map" ? mapSize(value) : name === "Set" ? setSize(value) : undefined;
    if (size !== undefined) {
      if (name === "Map") this.map(value, size);
      else this.set(value, size);
      return;
    }
    if (name === "ArrayBuffer" && isArrayBuffer(value)) {
      this.bytes(value, name);
      return;
    }
    this.refuseInstance(value);
  }

  private array(array: readonly unknown[]): void {
    const count = array.length;
    // Every element takes a byte or more: a huge sparse array is refused at once.
    if (count > this.end - this.writer.length) this.tooLarge();
    const at = this.enter(array);
    this.writer.u8(TAG_ARRAY);
    this.writer.varint(count);
    for (let index = 0; index < count; index++) {
      this.steps[at] = index;
      this.value(array[index]);
      this.checkSize();
    }
    this.leave();
  }

  private plain(object: Record<string, unknown>): void {
    const writer = this.writer;
    const at = this.enter(object);
    if (hasSymbolKey(object)) this.refuse("has a symbol as a key", "use a string key");
    const keys = Object.keys(object);
    writer.u8(TAG_OBJECT);
    const place = writer.beginCount(keys.length);
    let count = 0;
    for (const key of keys) {
      this.steps[at] = key;
      const field = object[key];
      if (field === undefined) continue;
      if (!writer.string(key)) this.refuse("has a lone surrogate in its key", "use a key that is well-formed Unicode");
      this.value(field);
      this.checkSize();
      count++;
    }
    writer.endCount(place, keys.length, count);
    this.leave();
  }

  private map(map: object, size: number): void {
    const at = this.enter(map);
    this.writer.u8(TAG_MAP);
    const place = this.writer.beginCount(size);
    let count = 0;
    // Bounded by the size at the start: a getter may add entries as fast as they are written.
    for (const [key, value] of mapEntries(map)) {
      if (count === size) break;
      this.steps[at] = -1 - count;
      this.value(key);
      this.steps[at] = count;
      this.value(value);
      this.checkSize();
      count++;
    }
    this.writer.endCount(place, size, count);
    this.leave();
  }

  private set(set: object, size: number): void {
    const at = this.enter(set);
    this.writer.u8(TAG_SET);
    const place = this.writer.beginCount(size);
    let count = 0;
    for (const element of setValues(set)) {
      if (count === size) break;
      this.steps[at] = count;
      this.value(element);
      this.checkSize();
      count++;
    }
    this.writer.endCount(place, size, count);
    this.leave();
  }

  private bytes(value: object, name: string): void {
    const kind = KINDS.indexOf(name);
    if (kind < 0) this.refuse(`is a ${name}, which can not be stored`, ADVICE.get(name) ?? "store a Uint8Array");
    const window = byteWindow(value, kind === KIND_ARRAY_BUFFER);
    if (window === "shared") this.refuse("is backed by a SharedArrayBuffer, which others may change", "store a copy: x.slice()");
    if (window === "detached") this.refuse("has lost its buffer (it was transferred or resized)", "store it before, or store a copy");
    if (window.length > this.end - this.writer.length) this.tooLarge();
    this.writer.u8(TAG_BYTES);
    this.writer.u8(kind);
    this.writer.blob(window);
  }

  private enter(container: object): number {
    const at = this.depth;
    if (at === MAX_DEPTH) {
      this.refuseCycle(container);
      this.refuse(`is nested deeper than ${MAX_DEPTH} levels`, "flatten it, or store parts as records of their own");
    }
    this.containers[at] = container;
    this.steps[at] = undefined;
    this.depth = at + 1;
    return at;
  }

  private leave(): void {
    this.depth--;
  }

  private checkSize(): void {
    if (this.writer.length > this.end) this.tooLarge();
  }

  private tooLarge(): never {
    // A cycle is found only when it runs into a limit, so that no value pays for the search.
    this.refuseCycle();
    this.depth = 0;
    return this.refuse(`takes more than ${MAX_VALUE_BYTES >> 20} MiB when encoded`, "store it in several records");
  }

  private refuse(what: string, mend: string): never {
    const error = new InvalidError(`${this.path()} ${what}; ${mend}`);
    this.refusal = error;
    throw error;
  }

  /** Refuses if the way to here goes through one container twice. */
  private refuseCycle(next?: object): void {
    const around = this.containers.slice(0, this.depth);
    if (next !== undefined) around.push(next);
    const second = around.findIndex((container, index) => around.indexOf(container) < index);
    if (second < 0) return;
    const first = around.indexOf(around[second] as object);
    this.depth = second;
    this.refuse(`refers back to ${this.path(first)}`, "store an id in place of the reference");
  }

  private refuseInstance(value: object): never {
    const name = className(value);
    if (name !== undefined && (KINDS.includes(name) || STORED_CLASSES.includes(name))) {
      return this.refuse(`is not a plain ${name} (a proxy of one, or of a class derived from it)`, `store a plain ${name}`);
    }
    if (name === undefined) return this.refuse("is an object with a prototype of its own", "store a plain object: { ...x }");
    const advice = ADVICE.get(name) ?? (name.endsWith("Error") ? ADVICE.get("Error") : undefined);
    return this.refuse(`is an instance of the class ${name}`, advice ?? "store a plain object: { ...x }");
  }

  private refuseProxy(): never {
    return this.refuse("is a proxy", "store what it stands for, for example by toRaw(x) or structuredClone of its target");
  }

  /**
   * Refuses a value that holds a proxy, where the host has no direct test for one.
   *
   * A proxy of a plain object or array answers every question as an object would; of all that the
   * language offers, only the structured clone algorithm sees a difference, and it knows no way to
   * look at one object alone. So the value is cloned, once and only if something in it may be a
   * proxy; everything else that can not be cloned has been refused before.
   */
  private refuseProxyIn(value: unknown): void {
    this.depth = 0;
    let failure = cloneFailure(value);
    if (failure === undefined) return;
    // On the way to the error, time does not matter: find the innermost value that can not be cloned.
    let inner = value;
    while (failure !== undefined && this.depth < MAX_DEPTH) {
      const at = this.depth;
      let next: unknown;
      for (const [step, child] of children(inner)) {
        next = typeof child === "object" && child !== null ? cloneFailure(child) : undefined;
        if (next === undefined) continue;
        this.containers[at] = inner as object;
        this.steps[at] = step;
        this.depth = at + 1;
        inner = child;
        failure = next;
        break;
      }
      if (next === undefined) break;
    }
    // Not a verdict of the algorithm but an error of a getter, which it calls as well.
    if (!(failure instanceof DOMException)) throw failure;
    this.refuseProxy();
  }

  /** The path of the value being written, or of the container at `depth` around it. */
  private path(depth: number = this.depth): string {
    let path = this.name;
    for (let index = 0; index < depth; index++) {
      const step = this.steps[index];
      const container = this.containers[index];
      if (step === undefined) break;
      if (typeof step === "string") path += fieldStep(step);
      else if (setSize(container) !== undefined) path += `.s<${step}>`;
      else if (mapSize(container) !== undefined) path += step < 0 ? `.m<key ${-1 - step}>` : `.m<value ${step}>`;
      else path += `[${step}]`;
    }
    return path;
  }
}

/** The writer found no memory. */
function isMemoryShortage(error: unknown): boolean {
  return error instanceof MemoryError && error.code === "ERR_UNAVAILABLE";
}

function hasSymbolKey(object: object): boolean {
  const symbols = Object.getOwnPropertySymbols(object);
  return symbols.length > 0 && symbols.some((symbol) => Object.prototype.propertyIsEnumerable.call(object, symbol));
}

/** What lies directly in a container, with its step. */
function* children(container: unknown): Iterable<[Step, unknown]> {
  if (Array.isArray(container)) {
    for (let index = 0; index < container.length; index++) yield [index, container[index]];
  } else if (mapSize(container) !== undefined) {
    let index = 0;
    for (const [key, value] of mapEntries(container as object)) {
      yield [-1 - index, key];
      yield [index++, value];
    }
  } else if (setSize(container) !== undefined) {
    let index = 0;
    for (const element of setValues(container as object)) yield [index++, element];
  } else if (viewName(container as object) === undefined) {
    for (const key of Object.keys(container as object)) yield [key, (container as Record<string, unknown>)[key]];
  }
}

/** Longest key that a path shows in full, in code points. */
const SHOWN_KEY_CHARS = 64;

function fieldStep(key: string): string {
  if (/^[A-Za-z_$][A-Za-z0-9_$]{0,63}$/.test(key)) return `.${key}`;
  const shown = Array.from(key.slice(0, 2 * SHOWN_KEY_CHARS)).slice(0, SHOWN_KEY_CHARS).join("");
  const quoted = JSON.stringify(shown);
  return `[${shown.length < key.length ? `${quoted.slice(0, -1)}..."` : quoted}]`;
}
