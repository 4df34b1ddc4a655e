/**
 * Who is compared, and how each is started.
 *
 * `slow` ones are measured with fewer values of `ef`, on fewer queries, in fewer rounds, and only on the
 * smallest set. `loads`: what it has saved it can load again.
 */
import { fileURLToPath } from "node:url";
import { npmPeers, pythonPeer } from "./peers.mjs";
import { start } from "./process.mjs";

export const OURS = "mnemora";
export const CODES = "mnemora, codes only";
export const HNSWLIB_WASM = "hnswlib-wasm";
export const NATIVE = "hnswlib, native";

const worker = fileURLToPath(new URL("worker.mjs", import.meta.url));

/** Starts `engine` in a process of Node. Its memory must be seen to shrink before it is measured. */
const inNode = (name, engine, options) => () => start(name, process.execPath, ["--expose-gc", worker, engine, JSON.stringify(options)]);

/** The contenders that are at hand, and why the others are not: `{ entrants, absent }`. */
export async function contenders({ root, scratch, wasm }) {
  const { modules, missing } = await npmPeers(root);
  const { python, why } = await pythonPeer(root);
  const absent = [];
  const has = (name, ...packages) => {
    const lost = missing.filter((item) => packages.some((needed) => item.startsWith(`${needed}@`)));
    if (lost.length > 0) absent.push({ name, why: `${lost.join(", ")} could not be installed` });
    return lost.length === 0;
  };
  const entrants = [
    { name: OURS, begin: inNode(OURS, "product", { wasm, codes: false }), loads: true },
    { name: CODES, begin: inNode(CODES, "product", { wasm, codes: true }), loads: true },
  ];
  if (python === undefined) absent.push({ name: NATIVE, why });
  else entrants.push({ name: NATIVE, begin: () => start(NATIVE, python, [fileURLToPath(new URL("native.py", import.meta.url))], { env: oneThread() }), loads: true });
  if (has("usearch, native", "usearch")) entrants.push({ name: "usearch, native", begin: inNode("usearch, native", "usearch", { modules, scratch }), extra: true, loads: true });
  if (has(HNSWLIB_WASM, "hnswlib-wasm", "fake-indexeddb")) entrants.push({ name: HNSWLIB_WASM, begin: inNode(HNSWLIB_WASM, "hnswlib-wasm", { modules }) });
  entrants.push({ name: "instant-distance, wasm", begin: inNode("instant-distance, wasm", "instant-distance", { wasm }), slow: true });
  if (has("mememo", "mememo")) entrants.push({ name: "mememo", begin: inNode("mememo", "mememo", { modules }), slow: true });
  return { entrants, absent };
}

/** Libraries of numbers that start threads of their own are held to one. */
function oneThread() {
  const names = ["OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"];
  return { ...process.env, ...Object.fromEntries(names.map((name) => [name, "1"])) };
}

