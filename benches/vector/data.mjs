/**
 * The data sets: sentence embeddings where they are at hand, and seeded clusters, with their true neighbours.
 *
 * Made data and what was computed of it lie in `.tools/bench-data`, which is not under version control.
 * A set is `{ name, title, count, asked, dimensions, base, queries, truth, depth }`; the files are
 * little-endian, row after row, each row of length one. Embeddings are read where they are, never copied.
 */
import { existsSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";

/** How many true neighbours are kept. */
const DEPTH = 10;
/** Changes whenever the same seed would give other numbers. */
const GENERATION = 1;

/** A seeded generator of numbers in [0, 1): xorshift128, the same everywhere. */
export function generator(seed) {
  const state = Uint32Array.from([seed, seed ^ 0x9e3779b9, ~seed, 0x6c078965]);
  const next = () => {
    const t = state[3] ^ (state[3] << 11);
    state.copyWithin(1, 0, 3);
    state[0] ^= (state[0] >>> 19) ^ t ^ (t >>> 8);
    return state[0] / 2 ** 32;
  };
  for (let warm = 0; warm < 64; warm++) next();
  return next;
}

/** Numbers of the standard normal distribution (Box and Muller). */
function normals(seed) {
  const next = generator(seed);
  let kept;
  return () => {
    if (kept !== undefined) {
      const value = kept;
      kept = undefined;
      return value;
    }
    const [radius, angle] = [Math.sqrt(-2 * Math.log(1 - next())), 2 * Math.PI * next()];
    kept = radius * Math.sin(angle);
    return radius * Math.cos(angle);
  };
}

/** Rows around Gaussian centres, normalised; the last `asked` of them are the queries. */
function clustered({ seed, count, asked, dimensions, clusters, sigma }) {
  const normal = normals(seed);
  const pick = generator(~seed);
  const centres = Float64Array.from({ length: clusters * dimensions }, normal);
  const rows = new Float32Array((count + asked) * dimensions);
  const row = new Float64Array(dimensions);
  for (let at = 0; at < count + asked; at++) {
    const centre = Math.floor(pick() * clusters) * dimensions;
    let square = 0;
    for (let i = 0; i < dimensions; i++) {
      row[i] = centres[centre + i] + sigma * normal();
      square += row[i] * row[i];
    }
    const norm = Math.sqrt(square);
    for (let i = 0; i < dimensions; i++) rows[at * dimensions + i] = row[i] / norm;
  }
  return [rows.subarray(0, count * dimensions), rows.subarray(count * dimensions)];
}

/** The cosine of a query with each row of unit length, in double precision. */
export function similarities(base, query, out) {
  const dimensions = query.length;
  for (let row = 0, at = 0; row < out.length; row++, at += dimensions) {
    let [a, b, c, d] = [0, 0, 0, 0];
    let i = 0;
    for (; i + 3 < dimensions; i += 4) {
      a += query[i] * base[at + i];
      b += query[i + 1] * base[at + i + 1];
      c += query[i + 2] * base[at + i + 2];
      d += query[i + 3] * base[at + i + 3];
    }
    for (; i < dimensions; i++) a += query[i] * base[at + i];
    out[row] = a + b + c + d;
  }
  return out;
}

/** The `k` best of the scores that `accepted` lets through, best first, equal ones by the smaller number. */
export function best(scores, k, accepted) {
  const top = [];
  for (let row = 0; row < scores.length; row++) {
    if (accepted !== undefined && accepted[row] === 0) continue;
    if (top.length === k && scores[row] <= scores[top[k - 1]]) continue;
    let at = top.length;
    while (at > 0 && scores[top[at - 1]] < scores[row]) at--;
    top.splice(at, 0, row);
    if (top.length > k) top.pop();
  }
  return top;
}

/** The numbers of a file. */
export function floats(file) {
  const bytes = readFileSync(file);
  return new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
}

/** The true neighbours of each query, best first. */
export function truthOf({ truth, depth, asked }) {
  const bytes = readFileSync(truth);
  const all = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
  return Array.from({ length: asked }, (_, query) => [...all.subarray(query * depth, query * depth + DEPTH)]);
}

/** A file appears with all that belongs in it, or not at all. */
function write(file, numbers) {
  writeFileSync(`${file}.new`, new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength));
  renameSync(`${file}.new`, file);
}

/** Makes a clustered set, once. */
export function clusteredSet(root, { name, title, say, ...shape }) {
  const { count, asked, dimensions } = shape;
  const of = Object.entries(shape).map(([key, value]) => `${key}-${value}`).join("_");
  const folder = join(root, ".tools/bench-data", `clustered-${GENERATION}_${of}`);
  const [base, queries, truth] = ["base.f32", "query.f32", "truth.u32"].map((file) => join(folder, file));
  const whole = (file, bytes) => existsSync(file) && statSync(file).size === bytes;
  if (!whole(base, count * dimensions * 4) || !whole(queries, asked * dimensions * 4)) {
    say(`Making ${title} ...`);
    mkdirSync(folder, { recursive: true });
    const [rows, asking] = clustered(shape);
    write(base, rows);
    write(queries, asking);
  }
  if (!whole(truth, asked * DEPTH * 4)) {
    say(`Looking for the true neighbours of its ${asked} queries ...`);
    const [rows, asking] = [floats(base), floats(queries)];
    const scores = new Float64Array(count);
    const found = Array.from({ length: asked }, (_, query) => (
      best(similarities(rows, asking.subarray(query * dimensions, (query + 1) * dimensions), scores), DEPTH)
    ));
    write(truth, Uint32Array.from(found.flat()));
  }
  return { name, title, count, asked, dimensions, base, queries, truth, depth: DEPTH };
}

/** 10,000 sentence embeddings, or `null` where they are not: `MNEMORA_MINILM`, or beside the repository. */
export function minilm(root) {
  const folder = process.env.MNEMORA_MINILM ?? resolve(root, "../shared/data/minilm-10k");
  const [base, queries, truth] = ["base.f32", "query.f32", "gt.u32"].map((file) => join(folder, file));
  if (![base, queries, truth].every((file) => existsSync(file))) return null;
  return { name: "minilm-10k", title: "MiniLM, 10,000 x 384", count: 10_000, asked: 200, dimensions: 384, base, queries, truth, depth: 100 };
}
