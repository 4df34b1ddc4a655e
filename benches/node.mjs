/**
 * Saves, gets and lists in Node: mnemora over SQLite, JSON files and memory, beside better-sqlite3 and a
 * careful writer of one file a key; and one million states in one SQLite file.
 *
 * Everything runs in one process, in many short rounds, each contender in each round and in an order that
 * changes, so that what else the machine does falls on all alike. "ops/s" is the median of the rounds,
 * "mean" is all operations by all time: the checkpoints of a write-ahead log that a short round may miss
 * are in it. A ratio, and a target, is judged by the medians; "by round" is the median of the ratios
 * within each round. better-sqlite3 is synchronous and is called so; mnemora's calls are awaited.
 *
 * The files lie on a disk: in a file system in memory a sync costs nothing. What a sync costs here is
 * printed, since the strict figures hang on it.
 */
import { fork } from "node:child_process";
import { existsSync, fsyncSync, closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, statfsSync, writeSync } from "node:fs";
import { loadavg } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { betterSqlite3 } from "./node/peers.mjs";

const LEAST_ROUNDS = 9;
const MOST_ROUNDS = 61;
/** How long the rounds of each part may go on, once there are enough of them. */
const BUDGET_MS = 30_000;
const MILLION = { records: 1_000_000, reads: 100_000 };

const PARTS = [["writes", "relaxed"], ["writes", "strict"], ["reads", "relaxed"]];

const SQLITE = "mnemora sqlite";
const JSON_FILES = "mnemora json";
const PEER = "better-sqlite3";
const RAW = "a file a key";

/** What is held against what, by the title of a table: ours, it, the least ratio. */
const RATIOS = {
  "sequential saves, relaxed": [[SQLITE, PEER, 0.9]],
  "sequential saves, strict": [[SQLITE, PEER, 0.9]],
  "100 concurrent saves, strict": [[SQLITE, PEER, 5], [JSON_FILES, RAW, 5]],
  "sequential gets": [[SQLITE, PEER, 1]],
};
/** The most microseconds of a median operation. */
const TIMES = {
  "gets of a hot record": [["mnemora memory, cached", 20], ["mnemora sqlite, cached", 20]],
};
/** Of the million: the most milliseconds of opening, of 99 in 100 gets; the most growth while reading and
 * listing, which for RSS includes what V8 keeps for its own collections. */
const MOST = { openMs: 1_000, getMs: 10, wasmMiB: 1, rssMiB: 32 };
const SQLITE_KB = 750;

const round = (number) => Number(number.toPrecision(3));
const sorted = (numbers) => [...numbers].sort((a, b) => a - b);
const quantile = (numbers, q) => sorted(numbers)[Math.min(numbers.length - 1, Math.floor(numbers.length * q))];

const FILE_SYSTEMS = new Map([[0xef53, "ext4"], [0x01021994, "tmpfs"], [0x58465342, "xfs"], [0x9123683e, "btrfs"], [0x794c7630, "overlayfs"], [0x2fc12fc1, "zfs"]]);

/** The name of the file system at `path`, as far as it is known by number. */
function fileSystem(path) {
  const { type } = statfsSync(path);
  return FILE_SYSTEMS.get(type) ?? `type 0x${type.toString(16)}`;
}

/** A folder on a disk: `scratch`, or one in the repository if that is in memory. Gives how to remove it. */
function diskFolder(root, scratch) {
  if (fileSystem(scratch) !== "tmpfs") return { folder: scratch, remove: () => undefined };
  mkdirSync(join(root, ".tools"), { recursive: true });
  const folder = mkdtempSync(join(root, ".tools/bench-"));
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

/** What an append of 500 bytes and its sync cost. */
function syncCost(folder) {
  const file = openSync(join(folder, "sync"), "w");
  const bytes = Buffer.alloc(500, 1);
  const times = Array.from({ length: 200 }, () => {
    const before = performance.now();
    writeSync(file, bytes);
    fsyncSync(file);
    return (performance.now() - before) * 1_000;
  });
  closeSync(file);
  return [{ "file system": fileSystem(folder), "append and fsync, p50 us": round(quantile(times, 0.5)), "p99 us": round(quantile(times, 0.99)) }];
}

/** Bundles what the benchmark is made of into `folder`. */
async function bundle(root, folder) {
  await build({
    absWorkingDir: root,
    entryPoints: ["benches/node/main.ts", "benches/node/million.ts"],
    outdir: folder,
    outExtension: { ".js": ".mjs" },
    bundle: true,
    format: "esm",
    platform: "node",
    target: "node20",
    logLevel: "warning",
  });
}

/** Runs rounds of one part and gives the slices by workload and contender. */
async function measure(field, budgetMs, title, say) {
  await field.round(0); // to warm up
  const slices = new Map();
  const start = performance.now();
  let rounds = 0;
  while (rounds < LEAST_ROUNDS || (rounds < MOST_ROUNDS && performance.now() - start < budgetMs)) {
    rounds++;
    for (const measured of await field.round(rounds)) {
      const { workload, contender } = measured;
      if (!slices.has(workload)) slices.set(workload, new Map());
      const ofContender = slices.get(workload);
      if (!ofContender.has(contender)) ofContender.set(contender, []);
      ofContender.get(contender).push(measured);
    }
  }
  say(`${title}: ${rounds} rounds in ${((performance.now() - start) / 1_000).toFixed(0)} s, load ${loadavg()[0].toFixed(1)}`);
  return { slices, rounds };
}

const rateOf = ({ ops, ms }) => ops / ms * 1_000;

/** The ratio of two contenders' rates: of the medians, and round by round. */
function ratio(ours, theirs, median) {
  return {
    value: round(median(ours.map(rateOf)) / median(theirs.map(rateOf))),
    byRound: round(median(ours.map((slice, at) => rateOf(slice) / rateOf(theirs[at])))),
  };
}

/** One row a contender. */
function rowsOf(ofContender, median) {
  const sum = (slices, field) => slices.reduce((total, slice) => total + slice[field], 0);
  return [...ofContender].map(([contender, slices]) => {
    const latencies = slices.flatMap((slice) => slice.latencies);
    const against = (ours) => ofContender.has(ours) ? ratio(ofContender.get(ours), slices, median).value : "";
    return {
      contender,
      "ops/s": Math.round(median(slices.map(rateOf))),
      "mean": Math.round(sum(slices, "ops") / sum(slices, "ms") * 1_000),
      "p50 us": round(quantile(latencies, 0.5) * 1_000),
      "p99 us": round(quantile(latencies, 0.99) * 1_000),
      "sqlite / it": against(SQLITE),
      "json / it": against(JSON_FILES),
    };
  });
}

/** The targets of one table. What was not there is not measured, and so not met. */
function targetsOf(title, ofContender, median) {
  const missing = (what, target, more) => ({ what, value: "not measured", target, ...more, met: false });
  const ratios = (RATIOS[title] ?? []).map(([ours, theirs, target]) => {
    const what = `${title}: ${ours} / ${theirs}`;
    if (!ofContender.has(ours) || !ofContender.has(theirs)) return missing(what, target);
    const measured = ratio(ofContender.get(ours), ofContender.get(theirs), median);
    return { what, ...measured, target, met: measured.value >= target };
  });
  const times = (TIMES[title] ?? []).map(([ours, target]) => {
    const what = `${title}, p50 us: ${ours}`;
    if (!ofContender.has(ours)) return missing(what, target, { atMost: true });
    const value = round(quantile(ofContender.get(ours).flatMap(({ latencies }) => latencies), 0.5) * 1_000);
    return { what, value, target, atMost: true, met: value <= target };
  });
  return [...ratios, ...times];
}

/** The million, in a process of its own. */
function million(bundled, entry, folder, { records, reads }) {
  return new Promise((resolve, reject) => {
    const child = fork(join(bundled, "million.mjs"), [entry, join(folder, "million.sqlite"), String(records), String(reads)], { execArgv: ["--expose-gc"] });
    let result;
    child.on("message", (message) => { result = message; });
    child.on("error", reject);
    child.on("close", (code) => {
      if (code === 0 && result !== undefined) resolve(result);
      else reject(new Error(`the process of the million states ended with code ${code}`));
    });
  });
}

/** How far memory went up beyond what it was after the first tenth of the reads, in MiB. */
function growthOf(marks, field) {
  const [, first, ...later] = marks.map((mark) => mark[field]);
  return round(Math.max(0, ...later.map((value) => value - first)));
}

function millionTargets(result, records, median) {
  const title = `${records.toLocaleString("en")} states in SQLite`;
  const at = (what, value, target) => ({ what: `${title}: ${what}`, value, target, atMost: true, met: value <= target });
  return [
    at("open, ms", round(median(result.openMs)), MOST.openMs),
    at("p99 of a random get, ms", round(result.getMs.p99), MOST.getMs),
    at("growth of wasm memory while reading and listing, MiB", growthOf(result.marks, "wasm MiB"), MOST.wasmMiB),
    at("growth of RSS while reading and listing, MiB", growthOf(result.marks, "RSS MiB"), MOST.rssMiB),
  ];
}

function sizes(dist) {
  return ["core.wasm", "sqlite.wasm"].filter((name) => existsSync(join(dist, name))).map((name) => {
    const bytes = readFileSync(join(dist, name));
    return { file: name, "bytes": bytes.length, "KB gzip": round(gzipSync(bytes, { level: 9 }).length / 1024) };
  });
}

/** `budgetMs` and `states` make a run shorter than that of the record. */
export async function run({ root, scratch, say, table, median }, { budgetMs = BUDGET_MS, states = MILLION } = {}) {
  const dist = join(root, "pkg/dist");
  const entry = join(dist, "entry/node.js");
  const { Database } = await betterSqlite3(root);
  await bundle(root, scratch);
  const bench = await import(pathToFileURL(join(scratch, "main.mjs")).href);
  const libraries = { open: (await import(pathToFileURL(entry).href)).open, Database };
  const { folder, remove } = diskFolder(root, scratch);
  const tables = [];
  const targets = [];
  const show = (kept) => {
    tables.push(kept);
    say(`\n${kept.title}`);
    table(kept.rows);
  };
  try {
    show({ title: `disk: ${folder === scratch ? "the folder for temporary files" : "a folder in the repository"}`, rows: syncCost(folder) });
    for (const [kind, level] of PARTS) {
      const own = join(folder, `${kind}-${level}`);
      const field = await bench.open(libraries, kind, level, own);
      for (const { contender, why } of field.absent) say(`not measured: ${contender}: ${why}`);
      const { slices, rounds } = await measure(field, budgetMs, kind === "reads" ? kind : `${kind}, ${level}`, say);
      await field.close();
      rmSync(own, { recursive: true, force: true });
      for (const [workload, ofContender] of slices) {
        const title = kind === "writes" ? `${workload}, ${level}` : workload;
        show({ title, rounds, rows: rowsOf(ofContender, median) });
        targets.push(...targetsOf(title, ofContender, median));
      }
    }
    const files = sizes(dist);
    show({ title: "sizes of the wasm files", rows: files });
    const sqlite = files.find(({ file }) => file === "sqlite.wasm");
    targets.push({ what: "sqlite.wasm, KB gzip", value: sqlite?.["KB gzip"] ?? "not measured", target: SQLITE_KB, atMost: true, met: sqlite !== undefined && sqlite["KB gzip"] <= SQLITE_KB });
    if (sqlite === undefined) {
      say("not measured: the million states: the package was built without SQLite");
    } else {
      const result = await million(scratch, entry, folder, states);
      show({
        title: `${states.records.toLocaleString("en")} states of 491 bytes in SQLite`,
        rows: [{
          "fill s": result.fillSeconds, "file MiB": result.fileMiB, "open ms": round(median(result.openMs)),
          "get p50 us": round(result.getMs.p50 * 1_000), "get p99 us": round(result.getMs.p99 * 1_000), "get max us": round(result.getMs.max * 1_000),
          "listed /s": result.listedPerSecond,
        }],
      });
      show({ title: "memory of that process", rows: result.marks });
      targets.push(...millionTargets(result, states.records, median));
    }
    say("");
  } finally {
    remove();
  }
  return { targets, tables };
}
