/**
 * A text embedder without a model: feature hashing (Weinberger, Dasgupta, Langford, Smola and Attenberg,
 * "Feature Hashing for Large Scale Multitask Learning", ICML 2009).
 *
 * A text becomes a bag of features: its words, its pairs of neighbouring words, and the three-letter pieces of
 * its words. Each feature is hashed to one of {@link DIMENSIONS} places and to a sign; its weight,
 * `family weight x (1 + ln count)`, is added there with that sign, so that the expected inner product of two
 * vectors is that of the unhashed bags. The vector is then scaled to length 1.
 *
 * It knows no meaning: two texts are near when they share words or pieces of words ("editing", "edited"). It is
 * here so that the page can search what it generates and what it loads without vectors, with no download.
 *
 * Invariants: the same text gives the same vector everywhere; every vector that is returned has length 1. A
 * change of anything in this file changes {@link EMBEDDER}, which is stored beside the collections it filled.
 */
import { mix32 } from "./random.js";

/** Numbers a vector. */
export const DIMENSIONS = 256;
/** The name of this embedder and its settings, as it is stored with a collection. */
export const EMBEDDER = "feature-hashing-256-v1";

const WORD = 1;
const PAIR = 0.6;
const PIECE = 0.35;

/** English function words: they say little about a subject, and there is no corpus here to weigh them by. */
const FUNCTION_WORDS = new Set(
  ("a an the and or but if then than that this these those is are was were be been being am do does did has have "
    + "had of to in on at by for from with as it its we our us they their them he she his her you your i my me "
    + "not no so too very can could should would will what which who whom when where why how").split(" "),
);

/** The vector of `text`, or `null` if there is nothing in it to hash. */
export function embed(text: string): Float32Array | null {
  const features = bag(text);
  if (features.size === 0) return null;
  const sums = new Float64Array(DIMENSIONS);
  for (const [feature, { count, weight }] of features) {
    const hash = hashOf(feature);
    // The place comes from the low bits and the sign from the highest: they are independent after mixing.
    const place = hash & (DIMENSIONS - 1);
    const value = (hash >>> 31 ? -1 : 1) * weight * (1 + Math.log(count));
    sums[place] = (sums[place] ?? 0) + value;
  }
  const length = Math.hypot(...sums);
  // Features of opposite sign in the same place can cancel out; only a text of very few features can lose all.
  if (length === 0) return null;
  return Float32Array.from(sums, (sum) => sum / length);
}

interface Weighted { count: number; weight: number }

function bag(text: string): Map<string, Weighted> {
  const normal = text.normalize("NFKC").toLowerCase();
  const words = normal.match(/[\p{L}\p{N}]+/gu) ?? [];
  const features = new Map<string, Weighted>();
  const add = (feature: string, weight: number) => {
    const known = features.get(feature);
    if (known) known.count += 1;
    else features.set(feature, { count: 1, weight });
  };
  const telling = words.filter((word) => !FUNCTION_WORDS.has(word));
  // A text of function words or of signs only still needs a vector: then everything in it counts.
  const used = telling.length > 0 ? telling : words;
  used.forEach((word, at) => {
    add(`w ${word}`, WORD);
    if (at > 0) add(`b ${used[at - 1]} ${word}`, PAIR);
    pieces(`^${word}$`).forEach((piece) => add(`t ${piece}`, PIECE));
  });
  if (used.length === 0) pieces(normal.replace(/\s+/gu, " ").trim()).forEach((piece) => add(`t ${piece}`, PIECE));
  return features;
}

/** The runs of three code points of `word`; a shorter word is one piece. */
function pieces(word: string): string[] {
  const points = [...word];
  if (points.length === 0) return [];
  if (points.length <= 3) return [points.join("")];
  return points.slice(2).map((_, at) => points.slice(at, at + 3).join(""));
}

/** FNV-1a over the UTF-16 code units, then mixed: FNV alone leaves its low bits too regular. */
function hashOf(feature: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < feature.length; at += 1) {
    hash = Math.imul(hash ^ feature.charCodeAt(at), 0x01000193);
  }
  return mix32(hash);
}
