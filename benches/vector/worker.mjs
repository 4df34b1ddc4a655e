/**
 * One contender of Node at work: `node worker.mjs <engine> <options as JSON>`, asked over standard input.
 *
 * An engine is a module with `create(options, { count, dimensions, m, efConstruction })`, which gives
 * - `begin()` where memory is taken in advance; `insert(label, vector)`; `finish()` where the index is built only when all are there;
 * - `search(vector, k, ef, filtered)`, the labels found, best first, or a promise of them;
 * - where it can: `filter(accepted)`, a byte a label, for the searches that are `filtered`; `save()`, the
 *   bytes that are stored; `load()`, which builds the index from them; `report()`, figures of the last
 *   search; `memory()`, the bytes of its wasm memory; `records(base)`, to rank by what it does not keep;
 *   `check()`, what is wrong with it.
 */
import { Console } from "node:console";
import { readFileSync } from "node:fs";
import { Writable } from "node:stream";
import { floats } from "./data.mjs";
import { answer } from "./process.mjs";

// What libraries print must not spoil the answers.
globalThis.console = new Console(new Writable({ write: (_chunk, _encoding, done) => done() }));

const MIB = 2 ** 20;
const [engineName, given] = process.argv.slice(2);
const { create } = await import(`./engines/${engineName}.mjs`);

let data;
let engine;

const rowOf = (rows, row) => rows.subarray(row * data.dimensions, (row + 1) * data.dimensions);
const settled = async (value) => (value instanceof Promise ? await value : value);

/** Bytes of the process, after what is not needed has been let go. */
function memory() {
  globalThis.gc();
  return { rss: process.memoryUsage().rss, wasm: engine?.memory?.() ?? 0 };
}

const actions = {
  async data({ base, queries, count, dimensions }) {
    data = { base: floats(base), queries: floats(queries), count, dimensions };
    return {};
  },

  /** Builds the index of the first `count` rows. */
  async build({ count = data.count, m, efConstruction }) {
    engine = await create(JSON.parse(given), { count, dimensions: data.dimensions, m, efConstruction });
    const before = memory();
    const cpu = process.cpuUsage();
    const start = performance.now();
    engine.begin?.();
    const last = Math.max(0, count - 1_000);
    let lastFrom = cpu;
    for (let label = 0; label < count; label++) {
      if (label === last) lastFrom = process.cpuUsage();
      const done = engine.insert(label, rowOf(data.base, label));
      if (done instanceof Promise) await done;
    }
    const late = process.cpuUsage(lastFrom);
    const lastMs = (late.user + late.system) / 1e3 / (count - last);
    await settled(engine.finish?.());
    const seconds = (performance.now() - start) / 1_000;
    const { user, system } = process.cpuUsage(cpu);
    const after = memory();
    const built = {
      seconds, cpuSeconds: (user + system) / 1e6, lastMs: engine.finish === undefined ? lastMs : null,
      rssMiB: (after.rss - before.rss) / MIB, wasmMiB: engine.memory === undefined ? null : (after.wasm - before.wasm) / MIB,
      problems: engine.check?.() ?? 0,
    };
    engine.records?.(data.base.subarray(0, count * data.dimensions));
    return built;
  },

  /** Searches for each of the first `asked` queries once. */
  async pass({ k, ef, asked }) {
    await settled(engine.prepare?.(ef));
    return timed(asked, k, ef, () => false);
  },

  /** The same with a filter for each query: `file` has a byte a label, query after query. */
  async filtered({ k, ef, asked, file, exact = false }) {
    const answers = readFileSync(file);
    await settled(engine.prepare?.(ef));
    return timed(asked, k, ef, (query) => {
      engine.filter(answers.subarray(query * data.count, (query + 1) * data.count));
      return true;
    }, exact);
  },

  async save() {
    const start = performance.now();
    const bytes = await settled(engine.save?.());
    return { bytes: bytes ?? null, ms: performance.now() - start };
  },

  /** Times how long the index takes to be built from what was stored. */
  async load({ rounds }) {
    const ms = [];
    for (let round = 0; round < rounds; round++) {
      const start = performance.now();
      if (await settled(engine.load()) === false) throw new Error("what was stored could not be read");
      ms.push(performance.now() - start);
    }
    return { ms };
  },
};

async function timed(asked, k, ef, prepare, exact) {
  const [ms, found, reports] = [[], [], []];
  for (let query = 0; query < asked; query++) {
    const vector = rowOf(data.queries, query);
    const filtered = prepare(query);
    const start = performance.now();
    let labels = engine.search(vector, k, ef, filtered, exact);
    if (labels instanceof Promise) labels = await labels;
    ms.push(performance.now() - start);
    found.push([...labels]);
    if (engine.report !== undefined) reports.push(engine.report());
  }
  return { ms, found, reports };
}

await answer(actions);
process.exit(0); // some libraries leave timers behind
