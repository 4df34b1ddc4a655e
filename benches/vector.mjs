/**
 * The approximate index beside other libraries: how fast it is built, how many of the true neighbours it
 * finds how fast, what it weighs in memory and stored; filtered searches; and the same through the package.
 *
 * Every contender is a process of its own with one thread, and only one is at work at a time. All that can
 * be told take M 16 and ef_construction 200; all search for the nearest 10 of vectors of length one.
 * Rates are compared at equal recall, read off the curves between two measured values of `ef`; "by round"
 * is the median of the ratios within each round. Native hnswlib is asked from Python, a query a call, as
 * its users do; what it does without Python in between ("in one call") stands beside it. The index that
 * keeps codes only ranks by rows that lie beside it, as it would by the stored records; their memory is
 * not counted, and reading records is measured through the package.
 */
import { OURS, CODES, HNSWLIB_WASM, NATIVE, contenders } from "./vector/contenders.mjs";
import { at, ratio } from "./vector/curve.mjs";
import { clusteredSet, minilm } from "./vector/data.mjs";
import { filteredSearches } from "./vector/filtered.mjs";
import { measure, saveAndLoad } from "./vector/measure.mjs";
import { throughPackage } from "./vector/package.mjs";
import { plot } from "./vector/plot.mjs";

const MIB = 2 ** 20;
const EFS = [10, 14, 20, 28, 40, 56, 80, 112, 160, 224, 320];
const CLUSTERS = { seed: 42, clusters: 500, sigma: 0.5 };

/** What is measured on what: the recall at which rates are compared, and who is not measured. */
const PLAN = {
  rounds: 5,
  sets: [
    { name: "minilm-10k", recall: 0.98, without: () => false, filtered: true },
    { name: "clustered-100k-128", count: 100_000, dimensions: 128, asked: 500, recall: 0.99, without: ({ slow }) => slow, filtered: true },
    { name: "clustered-30k-384", count: 30_000, dimensions: 384, asked: 200, recall: 0.99, without: ({ slow, extra, name }) => slow || extra || name === HNSWLIB_WASM },
  ],
  // Through the package. `opens`: the figure of opening is judged.
  sqlite: [{ name: "minilm-10k" }, { name: "minilm-10k", keep: "codes" }, { name: "clustered-100k-128" }, { name: "clustered-100k-384", count: 100_000, dimensions: 384, asked: 200, opens: true }],
  chromium: [{ name: "minilm-10k" }],
};

/** The figures to reach: set, what, of whom, the least or most. */
const RATES = [
  ["minilm-10k", HNSWLIB_WASM, 6],
  ["minilm-10k", NATIVE, 1],
  ["clustered-100k-128", HNSWLIB_WASM, 3],
  ["clustered-100k-128", NATIVE, 1],
];
const BUILD = { set: "minilm-10k", peer: HNSWLIB_WASM, least: 6, insertMs: 0.25 };
const MEMORY = [[OURS, 1.4], [CODES, 0.5]];

const round = (number, digits = 3) => (number === null || number === undefined ? "" : Number(number.toPrecision(digits)));

/** A row a contender: how it is built, what it weighs, and how it searches at the recall of the set. */
function rowsOf(set, { curves, built }, recall) {
  const raw = set.count * set.dimensions * 4 / MIB;
  return [...curves].map(([name, points]) => {
    const { seconds, cpuSeconds, lastMs, rssMiB, wasmMiB, bytes, loadMs } = built.get(name);
    const read = (value) => at(points, recall, value);
    const rate = read(({ rate }) => rate);
    const held = wasmMiB ?? rssMiB;
    return {
      contender: name,
      "build s": round(seconds),
      "CPU s": round(cpuSeconds),
      "last 1,000, CPU ms each": round(lastMs),
      [`queries/s at ${recall}`]: rate === null ? `not reached (${round(Math.max(...points.map(({ recall }) => recall)))})` : `${rate.atLeast ? ">= " : ""}${Math.round(rate.value)}`,
      "in one call": points[0].together === undefined ? "" : Math.round(read(({ together }) => together)?.value ?? 0),
      "p50 us": round((read(({ p50 }) => p50)?.value ?? NaN) * 1_000) || "",
      "p95 us": round((read(({ p95 }) => p95)?.value ?? NaN) * 1_000) || "",
      "wasm MiB": round(wasmMiB),
      "RSS MiB": round(rssMiB),
      "of raw f32": round(held / raw),
      "stored MiB": round(bytes === null ? null : bytes / MIB),
      "load ms": round(loadMs),
    };
  });
}

/** A row a point of a curve. */
function curveRows(curves) {
  return [...curves].flatMap(([contender, points]) => points.map(({ ef, recall, rate, p50, p95, distances }) => ({
    contender, ef, "recall@10": round(recall, 4), "queries/s": Math.round(rate), "p50 us": round(p50 * 1_000), "p95 us": round(p95 * 1_000),
    distances: distances === undefined || Number.isNaN(distances) ? "" : Math.round(distances),
  })));
}

/** The targets that speak of one set. What is not there is not measured, and so not met. */
function targetsOf(set, recall, { curves, built }, median) {
  const not = (what, target, more) => ({ what, value: "not measured", target, ...more, met: false });
  const targets = [];
  for (const [, peer, target] of RATES.filter(([name]) => name === set.name)) {
    const what = `${set.title}, queries/s at recall ${recall}: mnemora / ${peer}`;
    const measured = curves.has(peer) ? ratio(curves.get(OURS), curves.get(peer), recall, median) : null;
    targets.push(measured === null ? not(what, target) : { what, value: round(measured.value), byRound: round(measured.byRound), target, met: measured.value >= target });
  }
  if (set.name === BUILD.set) {
    const what = `${set.title}, build: time of ${BUILD.peer} / mnemora`;
    const [ours, theirs] = [built.get(OURS), built.get(BUILD.peer)];
    if (theirs === undefined) targets.push(not(what, BUILD.least));
    else targets.push({ what, value: round(theirs.cpuSeconds / ours.cpuSeconds), target: BUILD.least, met: theirs.cpuSeconds / ours.cpuSeconds >= BUILD.least });
    targets.push({ what: `${set.title}, CPU ms an insert (of the last 1,000)`, value: round(ours.lastMs), target: BUILD.insertMs, atMost: true, met: ours.lastMs < BUILD.insertMs });
    const raw = set.count * set.dimensions * 4 / MIB;
    for (const [name, target] of MEMORY) {
      const value = built.get(name).wasmMiB / raw;
      targets.push({ what: `${set.title}, wasm memory / raw f32 bytes: ${name}`, value: round(value), target, atMost: true, met: value <= target });
    }
  }
  return targets;
}

/** How the ratio to native hnswlib goes with size. */
function growthRows(measured, median) {
  return measured.filter(({ curves }) => curves.has(NATIVE)).flatMap(({ set, recall, curves }) => {
    const found = ratio(curves.get(OURS), curves.get(NATIVE), recall, median);
    return found === null ? [] : [{ set: set.title, "recall@10": recall, "mnemora / native hnswlib": round(found.value), "by round": round(found.byRound) }];
  });
}

/** The sets of the plan that can be had. `made`: those that a plan names without saying their size again. */
function setsOf(root, plan, say, made = []) {
  return plan.flatMap(({ name, count, dimensions, asked, ...how }) => {
    const known = made.find(({ set }) => set.name === name);
    if (known !== undefined) return [{ ...how, ...known }];
    if (name === "minilm-10k") {
      const set = minilm(root);
      if (set === null) say("not measured: minilm-10k: set MNEMORA_MINILM to the folder with base.f32, query.f32 and gt.u32");
      return set === null ? [] : [{ set, ...how }];
    }
    const title = `clusters, ${count.toLocaleString("en")} x ${dimensions}`;
    return [{ set: clusteredSet(root, { name, title, say, count, dimensions, asked, ...CLUSTERS }), ...how }];
  });
}

/** `plan` makes a run smaller than that of the record. */
export async function run({ root, scratch, say, table, median, compileBench, launch, serve }, plan = PLAN) {
  const wasm = await compileBench("vector");
  const { entrants, absent } = await contenders({ root, scratch, wasm });
  for (const { name, why } of absent) say(`not measured: ${name}: ${why}`);
  const [tables, targets, plots, all] = [[], [], [], []];
  const show = (kept) => {
    tables.push(kept);
    say(`\n${kept.title}`);
    table(kept.rows);
  };
  for (const { set, recall, without, filtered } of setsOf(root, plan.sets, say)) {
    say(`\n${set.title}`);
    const measured = await measure({ set, entrants: entrants.filter((entrant) => !without(entrant)), efs: EFS, rounds: plan.rounds, say });
    try {
      const searches = filtered ? await filteredSearches({ set, running: measured.running, scratch }) : undefined;
      await saveAndLoad(measured, scratch);
      show({ title: `${set.title}: build, memory, search at recall@10 of ${recall}`, rounds: plan.rounds, rows: rowsOf(set, measured, recall) });
      tables.push({ title: `${set.title}: recall and rate`, rounds: plan.rounds, rows: curveRows(measured.curves) });
      targets.push(...targetsOf(set, recall, measured, median));
      plots.push({
        title: `${set.title}: recall and queries a second`, file: `vector-${set.name}.svg`,
        svg: plot(`${set.title}: the nearest 10, one thread`, [...measured.curves].map(([name, points]) => ({ name, points }))),
      });
      if (searches !== undefined) {
        show(searches.table);
        targets.push(...searches.targets);
      }
      all.push({ set, recall, curves: measured.curves, byDefault: measured.byDefault });
    } finally {
      await measured.stop();
    }
  }
  const growth = growthRows(all, median);
  if (growth.length > 0) show({ title: "mnemora beside native hnswlib, by size", rounds: plan.rounds, rows: growth });
  const [sqlite, chromium] = [plan.sqlite, plan.chromium].map((sets) => setsOf(root, sets, say, all));
  const stored = await throughPackage({ root, scratch, say, median, launch, serve, sqlite, chromium });
  stored.tables.forEach(show);
  targets.push(...stored.targets);
  say("");
  return { targets, tables, plots };
}
