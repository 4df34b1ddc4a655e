/**
 * Checks of what callers give, before it crosses to the core.
 *
 * The core checks what the types of its arguments can express. Here stands what they can not: that
 * a string is one, that a number is whole, that an option is known.
 */
import { InvalidError, UnsupportedError } from "../errors.js";
import { isWellFormed } from "../value/wire.js";

/** A string without lone surrogates: two different ids must not become one on their way. */
export function checkText(value: unknown, name: string): string {
  if (typeof value !== "string") {
    throw new InvalidError(`${name} is ${describe(value)}; give a string`);
  }
  if (!isWellFormed(value)) {
    throw new InvalidError(`${name} has half a surrogate pair; give well-formed Unicode (see String.prototype.toWellFormed)`);
  }
  return value;
}

/** A whole number from `least` to `most`. */
export function checkCount(value: unknown, name: string, least: number, most: number = Number.MAX_SAFE_INTEGER): number {
  if (typeof value !== "number" || !Number.isInteger(value) || value < least || value > most) {
    const upTo = most === Number.MAX_SAFE_INTEGER ? "2^53 - 1" : String(most);
    throw new InvalidError(`${name} is ${describe(value)}; give a whole number from ${least} to ${upTo}`);
  }
  return value;
}

/** A function, if one was given, or must be. */
export function checkFunction(value: unknown, name: string, needed: boolean = false): void {
  if ((value !== undefined || needed) && typeof value !== "function") {
    throw new InvalidError(`${name} is ${describe(value)}; give a function`);
  }
}

/** Options that were not given. */
export const NONE: Readonly<Record<string, never>> = Object.freeze({});

/** The options of a call: an object with no field but `signal` and the known ones. */
export function checkCall(
  options: object, known: readonly string[] = [], later: readonly string[] = [], name: string = "options",
): void {
  if (options === NONE) return;
  checkOptions(options, name, ["signal", ...known], later);
  const { signal } = options as { signal?: unknown };
  if (signal !== undefined && !(signal instanceof AbortSignal)) {
    throw new InvalidError(`${name}.signal is ${describe(signal)}; give the signal of an AbortController`);
  }
}

/** True or false. */
export function checkFlag(value: unknown, name: string): boolean {
  if (typeof value !== "boolean") throw new InvalidError(`${name} is ${describe(value)}; give true or false`);
  return value;
}

/** An object of options that has no field but the known ones. `later` are known to the design, but not
 * in this release: they are never ignored. */
export function checkOptions(
  options: unknown, name: string, known: readonly string[], later: readonly string[] = [],
): void {
  if (typeof options !== "object" || options === null) {
    throw new InvalidError(`${name} is ${describe(options)}; give an object of options`);
  }
  for (const [field, value] of Object.entries(options)) {
    if (value === undefined || known.includes(field)) continue;
    if (later.includes(field)) throw new UnsupportedError(`${name}.${field} is not in this release; leave it out`);
    throw new InvalidError(`${name}.${field} is unknown; there are ${known.join(", ")}`);
  }
}

/** An array of things, each checked, also where it has holes. */
export function checkEach<T>(list: unknown, name: string, check: (item: T, place: string) => void): readonly T[] {
  if (!Array.isArray(list)) throw new InvalidError(`${name} is ${describe(list)}; give an array`);
  for (let index = 0; index < list.length; index++) check(list[index] as T, `${name}[${index}]`);
  return list as readonly T[];
}

/** A value in a few words, for messages. */
export function describe(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}...` : value);
  if (typeof value === "number" || typeof value === "boolean" || value == null) return String(value);
  return `of type ${Array.isArray(value) ? "array" : typeof value}`;
}
