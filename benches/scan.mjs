/**
 * The exact scan of the product against a bare simd128 loop over the same rows, in Node.
 */
import { readFile } from "node:fs/promises";

const ROWS = 10_000;
const DIMENSIONS = 384;
const K = 10;
const SEED = 384_010;
const TARGET = 0.8;
/** Queries timed together: long enough for the clock, short enough that noise falls on both sides alike. */
const BATCH = 10;
const ROUNDS = 61;

const median = (numbers) => [...numbers].sort((a, b) => a - b)[numbers.length >> 1];

async function load(wasmPath) {
  const module = await WebAssembly.compile(await readFile(wasmPath));
  // The crate's JavaScript imports are linked in but never called by a scan.
  const imports = {};
  for (const { module: from, name, kind } of WebAssembly.Module.imports(module)) {
    if (kind !== "function") throw new Error(`unexpected import of a ${kind}: ${from}.${name}`);
    (imports[from] ??= {})[name] = () => {
      throw new Error(`a scan called ${from}.${name}`);
    };
  }
  return (await WebAssembly.instantiate(module, imports)).exports;
}

/**
 * Measures both, interleaved. Times are medians in milliseconds a query; the ratio is the throughput of
 * the search over that of the bare loop, the median of each round's own ratio: on a busy machine that is
 * steadier than the ratio of the two medians, and need not equal it.
 */
export async function run({ compileBench, table, say }) {
  const wasm = await load(await compileBench("scan"));
  if (!wasm.prepare(SEED, ROWS, DIMENSIONS)) throw new Error("the index could not be filled");

  // What is timed must be right: the best score is the bare loop's best product (rows have length 1).
  const [found, expected] = [wasm.search(16, K), wasm.bare_best(16)];
  if (!(Math.abs(found - expected) < 1e-4)) throw new Error(`best scores sum to ${found}, expected ${expected}`);

  const timed = (work) => {
    const start = performance.now();
    if (Number.isNaN(work())) throw new Error("a scan failed");
    return (performance.now() - start) / BATCH;
  };
  const search = () => timed(() => wasm.search(BATCH, K));
  const bare = () => timed(() => wasm.bare(BATCH));
  for (let warm = 0; warm < 10; warm++) {
    search();
    bare();
  }
  const times = { search: [], bare: [], ratio: [] };
  for (let round = 0; round < ROUNDS; round++) {
    // Who goes first alternates, so that neither always finds the cache as the other left it.
    const [s, b] = round % 2 ? [search(), bare()] : [bare(), search()].reverse();
    times.search.push(s);
    times.bare.push(b);
    times.ratio.push(b / s);
  }
  const [searchMs, bareMs, ratio] = [median(times.search), median(times.bare), median(times.ratio)];
  const rows = [
    { loop: "exact search", "ms a query": Number(searchMs.toPrecision(3)), "throughput of bare": Number(ratio.toPrecision(3)) },
    { loop: "bare simd128 loop", "ms a query": Number(bareMs.toPrecision(3)), "throughput of bare": 1 },
  ];
  const title = `exact scan of ${ROWS} x ${DIMENSIONS} f32, top ${K}, wasm in Node`;
  table(rows);
  say("");
  return {
    targets: [{ what: `${title}: throughput / bare loop`, value: rows[0]["throughput of bare"], target: TARGET, met: ratio >= TARGET }],
    tables: [{ title, rounds: ROUNDS, rows }],
  };
}
