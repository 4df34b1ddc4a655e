/**
 * Vectors in a collection of the package: over a SQLite file in Node, how long it takes to fill, to search
 * and to open again; in Chromium over IndexedDB, how long a search takes.
 */
import { constants, copyFileSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { point, quantile, recall } from "./curve.mjs";
import { truthOf } from "./data.mjs";
import { K } from "./measure.mjs";
import { start } from "./process.mjs";

const MIB = 2 ** 20;
const OPENINGS = 3;
const PASSES = 3;
/** The most milliseconds of opening 100,000 x 384 and of a search in Chromium. */
const MOST = { openMs: 1_000, openChromiumMs: 3_000, searchChromiumMs: 2 };

const store = fileURLToPath(new URL("store.mjs", import.meta.url));
const round = (number, digits = 3) => Number(number.toPrecision(digits));
const sizeOf = (folder) => readdirSync(folder).reduce((sum, file) => sum + statSync(join(folder, file)).size, 0);

/** Fills a SQLite file, searches, and opens it again, in fresh processes. */
async function overSqlite({ set, byDefault, keep, root, scratch, median }) {
  const folder = mkdtempSync(join(scratch, "store-"));
  const truth = truthOf(set);
  const begin = () => start("the package", process.execPath, [
    "--expose-gc", store, join(root, "pkg/dist/entry/node.js"), `sqlite://${join(folder, "bench.sqlite")}`, String(set.dimensions),
  ]);
  const running = begin();
  let filled;
  let closed;
  const passes = [];
  try {
    await running.ask({ action: "open", keep });
    filled = await running.ask({ action: "fill", base: set.base, count: set.count });
    for (let pass = 0; pass < PASSES; pass++) passes.push(await running.ask({ action: "pass", queries: set.queries, k: K, asked: set.asked }));
    closed = await running.ask({ action: "close" });
  } finally {
    await running.stop();
  }
  const bytes = sizeOf(folder);
  const opened = [];
  for (let opening = 0; opening < OPENINGS; opening++) {
    const again = begin();
    try {
      opened.push(await again.ask({ action: "open", queries: set.queries, k: K }));
      if (opening === 0) {
        const { found } = await again.ask({ action: "pass", queries: set.queries, k: K, asked: set.asked });
        const [before, after] = [recall(passes[0].found, truth, K), recall(found, truth, K)];
        if (Math.abs(before - after) > 0.02) throw new Error(`recall was ${before} before the store was closed and is ${after} after it was opened`);
      }
      await again.ask({ action: "close" });
    } finally {
      await again.stop();
    }
  }
  rmSync(folder, { recursive: true });
  const found = point(0, passes, truth, K);
  const searchedMs = median(opened.map(({ searchedMs }) => searchedMs));
  return {
    searchedMs,
    row: {
      set: set.title, keep: keep ?? "f32",
      "fill s": round(filled.seconds), "ms a document": round(filled.seconds * 1_000 / set.count), "of the last 500": round(filled.lastMs),
      "recall@10": round(found.recall, 4), "queries/s": Math.round(found.rate), "p50 us": round(found.p50 * 1_000), "p95 us": round(found.p95 * 1_000),
      "p50 us, index alone": byDefault === undefined || byDefault === null ? "" : round(byDefault.p50 * 1_000),
      "stored MiB": round(bytes / MIB), "vectors MiB": round(set.count * set.dimensions * 4 / MIB),
      "close ms": round(closed.closeMs),
      "open ms": round(median(opened.map(({ openMs }) => openMs))), "and first search ms": round(searchedMs),
      "wasm MiB then": round(opened[0].wasmMiB), "RSS MiB then": round(opened[0].rssMiB),
    },
  };
}

/** The files of a page that measures `set`. */
async function site(root, set, folder) {
  await build({
    absWorkingDir: root, entryPoints: ["benches/vector/page.ts"], outfile: join(folder, "page.js"), alias: { mnemora: join(root, "pkg/dist/entry/inline.js") },
    bundle: true, format: "esm", target: "es2022", minify: true, logLevel: "warning",
    logOverride: { "ignored-bare-import": "silent" }, // the package names its chunks so, and means it
  });
  writeFileSync(join(folder, "index.html"), '<!doctype html><meta charset="utf-8"><title>bench</title><script type="module" src="page.js"></script>');
  // The server gives nothing that lies outside of its folder. The copies go with it.
  for (const name of ["base", "queries"]) copyFileSync(set[name], join(folder, `${name}.f32`), constants.COPYFILE_FICLONE);
}

/** Fills IndexedDB in Chromium, and searches it after the browser was started again. */
async function inChromium({ set, root, scratch, launch, serve }) {
  const [folder, profile] = [mkdtempSync(join(scratch, "page-")), mkdtempSync(join(scratch, "profile-"))];
  await site(root, set, folder);
  const server = await serve(folder, { from: 4300 });
  const inPage = async (action) => {
    const browser = await launch(profile);
    try {
      const page = await browser.newPage();
      // Isolated from other origins, so that its clock has a resolution of 5 microseconds.
      await page.route(server.url, async (route) => {
        const response = await route.fetch();
        await route.fulfill({ response, headers: { ...response.headers(), "cross-origin-embedder-policy": "require-corp" } });
      });
      await page.goto(server.url);
      await page.waitForFunction(() => "bench" in globalThis);
      if (!await page.evaluate(() => globalThis.crossOriginIsolated)) throw new Error("the page is not isolated: its clock would be coarse");
      const shape = { dimensions: set.dimensions, count: set.count, asked: set.asked, k: K, passes: PASSES };
      return await page.evaluate(([action, shape]) => globalThis.bench[action](shape), [action, shape]);
    } finally {
      await browser.close();
    }
  };
  try {
    const filled = await inPage("fill");
    const { openMs, searchedMs, passes } = await inPage("again");
    const found = point(0, passes, truthOf(set), K);
    // Not the least of the passes: this is what a page waits, with all that comes in between.
    const ms = passes.flatMap((pass) => pass.ms);
    return {
      p95: quantile(ms, 0.95), searchedMs,
      row: {
        set: set.title, "fill s": round(filled.seconds), "recall@10": round(found.recall, 4),
        "p50 us": round(quantile(ms, 0.5) * 1_000), "p95 us": round(quantile(ms, 0.95) * 1_000), "p95 us, least of passes": round(found.p95 * 1_000),
        "open ms": round(openMs), "and first search ms": round(searchedMs),
      },
    };
  } finally {
    await server.close();
    for (const used of [folder, profile]) rmSync(used, { recursive: true, force: true });
  }
}

/** Tables and targets. `sqlite` and `chromium`: the sets, each `{ set, byDefault }`. */
export async function throughPackage({ sqlite, chromium, ...context }) {
  const [tables, targets] = [[], []];
  const most = (what, value, target) => targets.push({ what, value: round(value), target, atMost: true, met: value < target });
  const rows = [];
  for (const measured of sqlite) {
    context.say(`\n${measured.set.title}, through the package over SQLite ...`);
    const { row, searchedMs } = await overSqlite({ ...measured, ...context });
    rows.push(row);
    if (measured.opens) most(`${measured.set.title}: open and first search over SQLite, ms`, searchedMs, MOST.openMs);
  }
  if (rows.length > 0) tables.push({ title: "a collection of the package over SQLite, at default settings, vectors only", rows });
  const pages = [];
  for (const measured of chromium) {
    context.say(`\n${measured.set.title}, through the package in Chromium ...`);
    const { row, p95, searchedMs } = await inChromium({ ...measured, ...context });
    pages.push(row);
    if (measured.opens) most(`${measured.set.title}: open and first search in Chromium, ms`, searchedMs, MOST.openChromiumMs);
    else most(`${measured.set.title}: p95 of a search in Chromium, ms`, p95, MOST.searchChromiumMs);
  }
  if (pages.length > 0) tables.push({ title: "a collection of the package in Chromium over IndexedDB, at default settings, vectors only", rows: pages });
  return { tables, targets };
}
