/**
 * What an object is, whatever it says of itself: tests by internal slots, with the accessors of the
 * language captured before anyone could replace them.
 *
 * Invariants:
 * - No test runs code of the object that is tested, unless that is a proxy that the host can not
 *   tell from an object.
 * - Every test holds for objects of another realm.
 */

function getter(prototype: object, property: PropertyKey): (this: unknown) => unknown {
  return Object.getOwnPropertyDescriptor(prototype, property)?.get as (this: unknown) => unknown;
}

const typedArrayPrototype = Object.getPrototypeOf(Uint8Array.prototype) as Uint8Array;
const getTypedArrayTag = getter(typedArrayPrototype, Symbol.toStringTag);
const getTypedArrayBuffer = getter(typedArrayPrototype, "buffer");
const getTypedArrayOffset = getter(typedArrayPrototype, "byteOffset");
const getTypedArrayLength = getter(typedArrayPrototype, "byteLength");
const getDataViewBuffer = getter(DataView.prototype, "buffer");
const getDataViewOffset = getter(DataView.prototype, "byteOffset");
const getDataViewLength = getter(DataView.prototype, "byteLength");
const getArrayBufferLength = getter(ArrayBuffer.prototype, "byteLength");
const getMapSize = getter(Map.prototype, "size");
const getSetSize = getter(Set.prototype, "size");
const getTime = Date.prototype.getTime;
const entriesOfMap = Map.prototype.entries;
const valuesOfSet = Set.prototype.values;
const keysOfTypedArray = typedArrayPrototype.keys;

/** `read` of the object, or `undefined` if it lacks the slot that `read` needs. */
function slot(read: (this: unknown) => unknown, object: unknown): unknown {
  try {
    return read.call(object);
  } catch {
    return undefined;
  }
}

/** The time of a date; `undefined` of anything else. */
export function dateTime(object: unknown): number | undefined {
  return slot(getTime, object) as number | undefined;
}

/** The size of a map; `undefined` of anything else. */
export function mapSize(object: unknown): number | undefined {
  return slot(getMapSize, object) as number | undefined;
}

/** The size of a set; `undefined` of anything else. */
export function setSize(object: unknown): number | undefined {
  return slot(getSetSize, object) as number | undefined;
}

/** The entries of a map, past any method of its own. */
export function mapEntries(map: object): Iterable<[unknown, unknown]> {
  return entriesOfMap.call(map as Map<unknown, unknown>);
}

/** The elements of a set, past any method of its own. */
export function setValues(set: object): Iterable<unknown> {
  return valuesOfSet.call(set as Set<unknown>);
}

/** The type of a view of a buffer; `undefined` of anything else. */
export function viewName(object: object): string | undefined {
  if (!ArrayBuffer.isView(object)) return undefined;
  return (getTypedArrayTag.call(object) as string | undefined) ?? "DataView";
}

/** Whether an object is an `ArrayBuffer`, and not a shared one. */
export function isArrayBuffer(object: unknown): boolean {
  return slot(getArrayBufferLength, object) !== undefined;
}

/** The bytes that a view or an `ArrayBuffer` shows, without a copy. */
export function byteWindow(object: object, isBuffer: boolean): Uint8Array | "shared" | "detached" {
  const isDataView = !isBuffer && getTypedArrayTag.call(object) === undefined;
  const buffer = (isBuffer ? object : isDataView ? getDataViewBuffer.call(object) : getTypedArrayBuffer.call(object)) as ArrayBuffer;
  if (!isArrayBuffer(buffer)) return "shared";
  try {
    if (isBuffer) return new Uint8Array(buffer);
    if (isDataView) {
      return new Uint8Array(buffer, getDataViewOffset.call(object) as number, getDataViewLength.call(object) as number);
    }
    // Unlike `byteLength`, which is then 0, this throws if the buffer is gone.
    keysOfTypedArray.call(object as Uint8Array);
    return new Uint8Array(buffer, getTypedArrayOffset.call(object) as number, getTypedArrayLength.call(object) as number);
  } catch {
    return "detached";
  }
}

/** The name of the constructor that a prototype belongs to, if that is how it says so. */
function constructorName(prototype: object): string | undefined {
  const constructor: unknown = Object.getOwnPropertyDescriptor(prototype, "constructor")?.value;
  if (typeof constructor !== "function") return undefined;
  const name: unknown = Object.getOwnPropertyDescriptor(constructor, "name")?.value;
  return typeof name === "string" && name !== "" ? name : undefined;
}

/**
 * The name of the built-in class that `prototype` belongs to, in whichever realm; `undefined` if the
 * chain of prototypes from it on does not have `levels` members, as that of a subclass has not.
 */
export function builtinName(prototype: unknown, levels: number): string | undefined {
  let above: unknown = prototype;
  for (let level = 0; level < levels; level++) {
    if (typeof above !== "object" || above === null) return undefined;
    above = Object.getPrototypeOf(above);
  }
  if (above !== null) return undefined;
  const name = constructorName(prototype as object);
  // A class that was derived from null, or an object made to stand as a prototype, has no chain
  // above it either. Only Object's own prototype has these methods.
  if (levels === 1 && !Object.hasOwn(prototype as object, "isPrototypeOf")) return undefined;
  return name;
}

/** The name of the class of an object, for a message. */
export function className(object: object): string | undefined {
  const prototype: unknown = Object.getPrototypeOf(object);
  for (let above = prototype; typeof above === "object" && above !== null; above = Object.getPrototypeOf(above)) {
    const name = constructorName(above);
    if (name !== undefined) return name === "Object" ? undefined : name;
  }
  return undefined;
}

type ProxyTest = (object: unknown) => boolean;
let proxyTest: ProxyTest | null | undefined;

/** Node's own test for proxies, where there is one. Found without an import, so that the module
 * loads in a browser. */
function findProxyTest(): ProxyTest | null {
  const host = (globalThis as { process?: { getBuiltinModule?: (name: string) => unknown } }).process;
  const util = host?.getBuiltinModule?.("util") as { types?: { isProxy?: ProxyTest } } | undefined;
  return util?.types?.isProxy ?? null;
}

/** Whether an object is a proxy; `undefined` where the host can not tell. */
export function isProxy(object: object): boolean | undefined {
  if (proxyTest === undefined) proxyTest = findProxyTest();
  return proxyTest === null ? undefined : proxyTest(object);
}

let cloneTest: ((value: unknown) => unknown) | undefined;

/**
 * The cheapest call that runs the structured clone algorithm.
 *
 * A message port whose other end is closed has to serialise a message, which is where the algorithm
 * refuses, and then drops it; `structuredClone` reads the result back as well. Measured in Chromium
 * on an agent state of 514 bytes of JSON: 2.8 microseconds against 5.3. An engine whose closed ports
 * do not even serialise is found out by a proxy.
 */
function findCloneTest(): (value: unknown) => unknown {
  try {
    const { port1, port2 } = new MessageChannel();
    port2.close();
    const post = (value: unknown): void => port1.postMessage(value);
    if (failure(post, new Proxy({}, {})) !== undefined) return post;
  } catch {
    // No such channel here: the plain function does the same.
  }
  return structuredClone;
}

function failure(test: (value: unknown) => unknown, value: unknown): unknown {
  try {
    test(value);
    return undefined;
  } catch (error) {
    return error ?? new Error("nothing was thrown");
  }
}

/** Why the structured clone algorithm can not take a value; `undefined` if it can. */
export function cloneFailure(value: unknown): unknown {
  cloneTest ??= findCloneTest();
  return failure(cloneTest, value);
}
