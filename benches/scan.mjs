// The exact scan of the product against a bare simd128 loop over the same rows, in Node.
//
// Build first, from the repository root:
//   RUSTFLAGS="-C target-feature=+simd128" cargo build --release --target wasm32-unknown-unknown \
//     --manifest-path benches/scan/Cargo.toml
// Then: node benches/scan.mjs [path of the .wasm file]

import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { argv, stdout } from "node:process";

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
 * Measures both, interleaved, and prints one table row.
 *
 * @param {{ wasmPath: string }} options the wasm file of `benches/scan`
 * @returns {Promise<{ name: string, rows: number, dimensions: number, k: number, searchMs: number,
 *   bareMs: number, ratio: number, target: number, met: boolean }>} medians in milliseconds a query.
 *   `ratio` is the throughput of the search over that of the bare loop, the median of each round's own
 *   ratio: on a busy machine that is steadier than the ratio of the two medians, and need not equal it
 */
export async function run({ wasmPath }) {
  const wasm = await load(wasmPath);
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
  const result = {
    name: `exact scan, ${ROWS} x ${DIMENSIONS} f32, top ${K}, wasm, Node`,
    rows: ROWS, dimensions: DIMENSIONS, k: K, searchMs, bareMs, ratio, target: TARGET, met: ratio >= TARGET,
  };
  stdout.write(
    "| measurement | search, ms | bare simd128 loop, ms | throughput ratio | target | met |\n" +
      "|---|---|---|---|---|---|\n" +
      `| ${result.name} | ${searchMs.toFixed(3)} | ${bareMs.toFixed(3)} | ${ratio.toFixed(2)} | >= ${TARGET} | ${result.met ? "yes" : "no"} |\n`,
  );
  return result;
}

if (argv[1] === fileURLToPath(import.meta.url)) {
  const built = new URL("./scan/target/wasm32-unknown-unknown/release/mnemora_bench_scan.wasm", import.meta.url);
  await run({ wasmPath: argv[2] ?? fileURLToPath(built) });
}
