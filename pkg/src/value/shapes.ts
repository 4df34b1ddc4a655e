/**
 * The shapes of objects that were decoded lately: their keys, in order. Records of a store are alike, and
 * an object whose keys are known beforehand is made and filled in about half the time.
 *
 * Invariants
 * - A shape is a guess: the decoder compares every key with the bytes, and goes its slow way at the first
 *   that differs.
 * - No value is kept, and of keys no more than `SHAPES` times `FIELDS` short ones.
 * - `__proto__` is in no shape.
 */

/** An object's keys. */
interface Shape {
  readonly keys: readonly string[];
  /** An object with these keys and nothing in them. */
  readonly empty: Readonly<Record<string, unknown>>;
  /** How many objects may still miss it. */
  patience: number;
}

/** How many shapes are known at a time, a power of two. */
const SHAPES = 64;
/** Most keys of a shape. */
const FIELDS = 64;
/** Keys that a shape may have: what the decoder can compare in place. */
const TELLABLE = /^[ -~]{0,64}$/;
/** How many objects miss a shape before another takes its place: so dictionaries, of which no two are alike,
 * cost little. */
const PATIENCE = 8;

const shapes: (Shape | undefined)[] = /* @__PURE__ */ new Array<Shape | undefined>(SHAPES).fill(undefined);

const slotOf = (count: number, first: string): number =>
  (count * 131 + first.length * 31 + first.charCodeAt(0) * 7) & (SHAPES - 1);

/** The shape of `count` keys that is likely to be that of an object which begins with the key `first`. */
export function findShape(count: number, first: string): Shape | undefined {
  const shape = shapes[slotOf(count, first)];
  return shape?.keys[0] === first && shape.keys.length === count ? shape : undefined;
}

/** Remembers the shape of an object that was in none, in time. */
export function rememberShape(object: Record<string, unknown>, count: number): void {
  if (count > FIELDS || Object.hasOwn(object, "__proto__")) return;
  const keys = Object.keys(object);
  const slot = slotOf(count, keys[0] as string);
  const known = shapes[slot];
  if (known !== undefined && known.patience-- > 0) return;
  if (!keys.every((key) => TELLABLE.test(key))) return;
  const empty: Record<string, unknown> = {};
  for (const key of keys) empty[key] = null;
  shapes[slot] = { keys, empty, patience: PATIENCE };
}
