/**
 * One million states in one SQLite file, in a process of its own: how long opening takes, how long a get
 * of a random record takes, and whether memory stays as it is while they are read and listed.
 *
 * Given `[entry of the package, path of the file, records, reads]`; sends one {@link Result} and ends.
 */
import { statSync } from "node:fs";
import { pathToFileURL } from "node:url";
import type { open as openMemory } from "mnemora";
import { agentState, type AgentState } from "../storage/state.js";

/** Memory at one point of the run, in MiB. */
interface Mark {
  after: string;
  "RSS MiB": number;
  "wasm MiB": number;
  "JS heap MiB": number;
}

export interface Result {
  fillSeconds: number;
  fileMiB: number;
  openMs: number[];
  getMs: { p50: number; p99: number; max: number };
  listedPerSecond: number;
  marks: Mark[];
}

const BATCH = 1_000;
const OPENINGS = 5;
const MIB = 2 ** 20;

/** Every wasm memory of this process: the package keeps its own to itself. */
const memories = new Set<WebAssembly.Memory>();
const instantiate = WebAssembly.instantiate;
WebAssembly.instantiate = (async (source: BufferSource & WebAssembly.Module, imports?: WebAssembly.Imports) => {
  const result = await instantiate(source, imports) as WebAssembly.Instance | WebAssembly.WebAssemblyInstantiatedSource;
  const { exports } = "instance" in result ? result.instance : result;
  for (const exported of Object.values(exports)) if (exported instanceof WebAssembly.Memory) memories.add(exported);
  return result;
}) as typeof WebAssembly.instantiate;

const tenths = (number: number): number => Math.round(number * 10) / 10;

function mark(after: string): Mark {
  globalThis.gc!();
  const { rss, heapUsed } = process.memoryUsage();
  const wasm = [...memories].reduce((sum, { buffer }) => sum + buffer.byteLength, 0);
  return { after, "RSS MiB": tenths(rss / MIB), "wasm MiB": tenths(wasm / MIB), "JS heap MiB": tenths(heapUsed / MIB) };
}

const idOf = (index: number): string => `a${String(Math.floor(index / 100)).padStart(6, "0")}:s${String(index % 100).padStart(4, "0")}`;

async function main(entry: string, file: string, records: number, reads: number): Promise<Result> {
  const { open } = await import(pathToFileURL(entry).href) as { open: typeof openMemory };
  const url = `sqlite://${file}`;
  let memory = await open(url);
  const filling = performance.now();
  for (let at = 0; at < records; at += BATCH) {
    await memory.store<AgentState>("states").saveMany(
      Array.from({ length: BATCH }, (_, index) => ({ id: idOf(at + index), value: agentState(at + index) })),
    );
  }
  const fillSeconds = tenths((performance.now() - filling) / 1_000);
  await memory.close();

  const openMs: number[] = [];
  for (let turn = 0; turn < OPENINGS; turn++) {
    if (turn > 0) await memory.close();
    const before = performance.now();
    memory = await open(url);
    openMs.push(performance.now() - before);
  }
  const store = memory.store<AgentState>("states");
  const marks = [mark("opening")];

  // A linear congruential generator: the same records in each run, in no order.
  let random = 20_251_120;
  const next = (): number => {
    random = (Math.imul(random, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor(random / 2 ** 32 * records);
  };
  const latencies: number[] = [];
  for (let read = 1; read <= reads; read++) {
    const at = next();
    const before = performance.now();
    const state = await store.get(idOf(at));
    latencies.push(performance.now() - before);
    if (state?.id !== `agent-${at}`) throw new Error(`record ${at} was read as ${state?.id ?? "nothing"}`);
    if (read === reads / 10 || read === reads / 2 || read === reads) marks.push(mark(`${read} gets`));
  }
  let listed = 0;
  const listing = performance.now();
  for await (const { value } of store.list()) {
    if (value.id !== `agent-${listed}`) throw new Error(`record ${listed} was listed as ${value.id}`);
    listed++;
    if (listed === records / 10 || listed === records / 2 || listed === records) marks.push(mark(`${listed} listed`));
  }
  const listedPerSecond = Math.round(listed / (performance.now() - listing) * 1_000);
  if (listed !== records) throw new Error(`${listed} of ${records} records were listed`);
  const fileMiB = tenths(statSync(file).size / MIB);
  await memory.close();
  latencies.sort((a, b) => a - b);
  const quantile = (q: number): number => latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * q))]!;
  return { fillSeconds, fileMiB, openMs, getMs: { p50: quantile(0.5), p99: quantile(0.99), max: quantile(1) }, listedPerSecond, marks };
}

const [entry, file, records, reads] = process.argv.slice(2);
process.send!(await main(entry!, file!, Number(records), Number(reads)));
