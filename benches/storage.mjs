/**
 * Saves, gets and scans in Chromium: mnemora beside bare IndexedDB, bare group commit, idb and Dexie.
 *
 * Everything runs in one page of a fresh profile, in many short rounds, each contender in each round and
 * in an order that changes, so that what else the machine does falls on all alike. "ops/s" is taken from
 * the median time of a repetition (an operation; a burst of 100), "mean" is all operations by all time.
 * A ratio, and a target, is judged by the medians; "by round" is the median of the ratios within each
 * round, which is steadier where the load drifts, and "of means" has the slowest repetitions in it too.
 */
import { loadavg } from "node:os";
import { join } from "node:path";
import { writeFileSync } from "node:fs";
import { build } from "esbuild";

const LEAST_ROUNDS = 7;
const MOST_ROUNDS = 41;
/** How long the rounds of each of the three parts may go on, once there are enough of them. */
const BUDGET_MS = { relaxed: 55_000, strict: 55_000, reads: 20_000 };

/** What mnemora is held against: workload, contender, the least ratio. */
const TARGETS = {
  writes: [
    ["100 concurrent saves", "raw group commit", 0.85],
    ["100 concurrent saves", "Dexie", 5],
    ["100 concurrent saves", "idb", 5],
    ["sequential saves", "raw", 0.9],
  ],
  reads: [
    ["one-by-one gets", "raw", 0.85],
    ["scans of 100", "raw", 0.85],
  ],
};
/** The absolute figure that is printed beside the ratios. */
const BRIEF_OPS = 10_000;

const OURS = "mnemora";

/** Bundles the page with the built package and writes it into `folder`. */
export async function bundle(root, folder) {
  await build({
    absWorkingDir: root,
    entryPoints: ["benches/storage/page.ts"],
    outfile: join(folder, "page.js"),
    alias: { mnemora: join(root, "pkg/dist/entry/inline.js") },
    bundle: true,
    format: "esm",
    target: "es2022",
    minify: true,
    logLevel: "warning",
  });
  writeFileSync(join(folder, "index.html"), '<!doctype html><meta charset="utf-8"><title>bench</title><script type="module" src="page.js"></script>');
}

/** A page that runs `bench`, isolated from other origins, so that its clock has a resolution of 5 microseconds. */
export async function openPage({ root, scratch, launch, serve }) {
  await bundle(root, scratch);
  const server = await serve(scratch, { from: 4300 });
  const browser = await launch(join(scratch, "profile"));
  const page = await browser.newPage();
  const isolated = { "cross-origin-opener-policy": "same-origin", "cross-origin-embedder-policy": "require-corp" };
  await page.route("**/*", async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, headers: { ...response.headers(), ...isolated } });
  });
  await page.goto(server.url);
  await page.waitForFunction(() => "bench" in globalThis);
  if (!await page.evaluate(() => globalThis.crossOriginIsolated)) throw new Error("the page is not isolated: its clock would be coarse");
  const close = async () => {
    await browser.close();
    await server.close();
  };
  return { page, close };
}

const sorted = (numbers) => [...numbers].sort((a, b) => a - b);
const quantile = (numbers, q) => sorted(numbers)[Math.min(numbers.length - 1, Math.floor(numbers.length * q))];

/** Runs rounds of one part and gives the slices by workload and contender. */
async function measure(page, level, kind, budgetMs, say) {
  await page.evaluate(([level, filled]) => globalThis.bench.open(level, filled), [level, kind === "reads"]);
  await page.evaluate((kind) => globalThis.bench.round(kind, 0), kind); // to warm up
  const slices = new Map();
  const start = performance.now();
  let rounds = 0;
  while (rounds < LEAST_ROUNDS || (rounds < MOST_ROUNDS && performance.now() - start < budgetMs)) {
    rounds++;
    for (const measured of await page.evaluate(([kind, round]) => globalThis.bench.round(kind, round), [kind, rounds])) {
      const { workload, contender } = measured;
      if (!slices.has(workload)) slices.set(workload, new Map());
      const ofContender = slices.get(workload);
      if (!ofContender.has(contender)) ofContender.set(contender, []);
      ofContender.get(contender).push(measured);
    }
  }
  await page.evaluate(() => globalThis.bench.close());
  say(`${kind}, ${level}: ${rounds} rounds in ${((performance.now() - start) / 1_000).toFixed(0)} s, load ${loadavg()[0].toFixed(1)}`);
  return { slices, rounds };
}

/** One row a contender: operations a second, latencies, and mnemora's ratio to it. */
function rowsOf(ofContender, median) {
  const sum = (slices, field) => slices.reduce((total, slice) => total + slice[field], 0);
  /** Operations a second by the median repetition of these slices. */
  const rate = (slices) => {
    const repetitions = slices.flatMap((slice) => slice.repetitions);
    return sum(slices, "ops") / repetitions.length / median(repetitions) * 1_000;
  };
  const mean = (slices) => sum(slices, "ops") / sum(slices, "ms") * 1_000;
  const ours = ofContender.get(OURS);
  return [...ofContender].map(([contender, slices]) => {
    const latencies = slices.flatMap((slice) => slice.latencies);
    return {
      contender,
      "ops/s": Math.round(rate(slices)),
      "mean": Math.round(mean(slices)),
      "p50 ms": round(quantile(latencies, 0.5)),
      "p99 ms": round(quantile(latencies, 0.99)),
      "mnemora / it": round(rate(ours) / rate(slices)),
      "by round": round(median(ours.map((slice, at) => rate([slice]) / rate([slices[at]])))),
      "of means": round(mean(ours) / mean(slices)),
    };
  });
}

const round = (number) => Number(number.toPrecision(3));

export async function run(context) {
  const { say, table, median } = context;
  const { page, close } = await openPage(context);
  const names = await page.evaluate(() => globalThis.bench.names);
  const tables = [];
  const targets = [];
  try {
    for (const [level, kind, name] of [["relaxed", "writes", "relaxed"], ["strict", "writes", "strict"], ["relaxed", "reads", "reads"]]) {
      const { slices, rounds } = await measure(page, level, kind, BUDGET_MS[name], say);
      const byWorkload = new Map();
      for (const [workload, ofContender] of slices) {
        // Reads know no durability, and the group commits read as raw does.
        const shown = new Map(names.filter((name) => kind === "writes" || !/^raw ./.test(name)).map((name) => [name, ofContender.get(name)]));
        const rows = rowsOf(shown, median);
        byWorkload.set(workload, rows);
        const title = kind === "writes" ? `${workload}, ${level}` : workload;
        tables.push({ title, rounds, rows });
        say(`\n${title}`);
        table(rows);
      }
      say("");
      for (const [workload, contender, target] of TARGETS[kind]) {
        const row = byWorkload.get(workload).find((row) => row.contender === contender);
        const ours = byWorkload.get(workload).find((row) => row.contender === OURS);
        const what = `${workload}${kind === "writes" ? `, ${level}` : ""}: mnemora / ${contender}`;
        targets.push({ what, value: row["mnemora / it"], byRound: row["by round"], target, met: row["mnemora / it"] >= target });
        if (workload === "100 concurrent saves" && contender === "raw group commit") {
          targets.push({ what: `${workload}, ${level}: ops/s (the brief's figure; depends on the machine)`, value: ours["ops/s"], target: BRIEF_OPS, met: ours["ops/s"] >= BRIEF_OPS });
        }
      }
    }
  } finally {
    await close();
  }
  return { targets, tables };
}
