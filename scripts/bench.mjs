/**
 * `npm run bench -- [name ...]`: runs the benchmarks in `benches/*.mjs` and prints their tables.
 *
 * A benchmark is a module with `run(context)` that prints its figures and gives back what is to be kept:
 * `targets`, each `{ what, value, target, met }` with `atMost` where less is better and `byRound` where
 * the ratio was also taken round by round; `tables`, each `{ title, rows, rounds }`; and, where there are
 * any, `plots`, each `{ title, file, svg }`. A missed target is a result, not a failure.
 *
 * Results are written below `benches/results` and nowhere else: one JSON file a benchmark, its plots, and
 * `latest.md`, which shows the last result of each.
 */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { cpus, loadavg, tmpdir, totalmem } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { launch } from "./browser.mjs";
import { build } from "./build.mjs";
import { capture, entry, Problem, root, say } from "./process.mjs";
import { serve } from "./serve.mjs";
import { chromium } from "./setup.mjs";

/** Prints rows as an aligned table. `columns`: the keys, in order; numbers go to the right. */
export function table(rows, columns = Object.keys(rows[0] ?? {})) {
  const text = (value) => typeof value === "number" ? (Number.isInteger(value) ? String(value) : value.toPrecision(4)) : String(value ?? "");
  const cells = [columns, ...rows.map((row) => columns.map((column) => text(row[column])))];
  const widths = columns.map((_, i) => Math.max(...cells.map((row) => row[i].length)));
  const right = columns.map((column) => rows.every((row) => typeof row[column] === "number"));
  const line = (row) => row.map((cell, i) => right[i] ? cell.padStart(widths[i]) : cell.padEnd(widths[i])).join("  ").trimEnd();
  say([line(cells[0]), widths.map((width) => "-".repeat(width)).join("  "), ...cells.slice(1).map(line)].join("\n"));
}

/** The middle value. */
export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}

const results = join(root, "benches/results");

/** Every benchmark there is. */
function available() {
  return readdirSync(join(root, "benches")).filter((name) => name.endsWith(".mjs")).map((name) => name.slice(0, -4)).sort();
}

function chosen(names) {
  const all = available();
  if (all.length === 0) throw new Problem("There are no benchmarks in benches/.");
  for (const name of names) {
    if (!all.includes(name)) throw new Problem(`There is no benchmark "${name}". There are: ${all.join(", ")}.`);
  }
  return names.length === 0 ? all : names;
}

/** Compiles a Rust package below `benches` for wasm, as the release is, and gives the path of the wasm file. */
async function compileBench(name) {
  const { compile, optimise } = await import("./wasm.mjs");
  const folder = join(root, ".tools/benches");
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `${name}.wasm`);
  await optimise(compile({ manifest: `benches/${name}/Cargo.toml` }), file);
  return file;
}

/** A target in words: "0.91 (0.88 by round), at least 0.85: met". */
function verdict({ value, byRound, target, atMost = false, met }) {
  const rounds = byRound === undefined ? "" : ` (${byRound} by round)`;
  return `${value}${rounds}, ${atMost ? "at most" : "at least"} ${target}: ${met ? "met" : "MISSED"}`;
}

function markdownTable(rows) {
  const columns = Object.keys(rows[0] ?? {});
  const line = (cells) => `| ${cells.join(" | ")} |`;
  const rule = columns.map((column) => typeof rows[0][column] === "number" ? "---:" : "---");
  return [line(columns), line(rule), ...rows.map((row) => line(columns.map((column) => row[column])))].join("\n");
}

/** `latest.md`: the last result of every benchmark. */
function summary() {
  const all = available().map((name) => [name, join(results, `${name}.json`)]).filter(([, file]) => existsSync(file))
    .map(([name, file]) => ({ name, ...JSON.parse(readFileSync(file, "utf8")) }));
  const targets = all.flatMap(({ targets }) => targets);
  const sections = all.map(({ name, at, machine, load, tables, plots = [] }) => [
    `## ${name}`,
    `${at}; ${machine}; load average ${load.join(" to ")}`,
    ...plots.map(({ title, file }) => `![${title}](${file})`),
    ...tables.map(({ title, rounds, rows }) => `### ${title}\n\n${rounds === undefined ? "" : `Medians of ${rounds} rounds.\n\n`}${markdownTable(rows)}`),
  ].join("\n\n"));
  const met = targets.map(({ what, value, byRound, target, atMost, met }) => ({
    measured: what, value, "by round": byRound ?? "", target: `${atMost ? "<=" : ">="} ${target}`, met: met ? "yes" : "**no**",
  }));
  return ["# Benchmarks", "Written by `npm run bench`. Ratios compare contenders of one run; absolute figures depend on the machine and on what else it does.", "## Targets", markdownTable(met), ...sections].join("\n\n") + "\n";
}

await entry(async () => {
  const names = chosen(process.argv.slice(2));
  await build({ page: false });
  const { browser } = await chromium();
  const machine = `${capture(browser, ["--version"])}; Node ${process.version}; ${cpus().length} x ${cpus()[0]?.model.trim()}, ${Math.round(totalmem() / 2 ** 30)} GB`;
  say(machine);
  mkdirSync(results, { recursive: true });
  const verdicts = [];
  for (const name of names) {
    say(`\n== ${name} ==`);
    const scratch = mkdtempSync(join(tmpdir(), "mnemora-bench-"));
    try {
      const bench = await import(pathToFileURL(join(root, "benches", `${name}.mjs`)).href);
      if (typeof bench.run !== "function") throw new Problem(`benches/${name}.mjs exports no function \`run\`.`);
      const before = loadavg()[0];
      const { targets, tables, plots = [] } = await bench.run({ root, scratch, say, table, median, launch, serve, compileBench });
      const load = [before, loadavg()[0]].map((number) => Number(number.toFixed(1)));
      const drawn = plots.map(({ title, file }) => ({ title, file }));
      const kept = { at: new Date().toISOString().slice(0, 16), machine, load, targets, tables, ...drawn.length === 0 ? {} : { plots: drawn } };
      for (const { file, svg } of plots) writeFileSync(join(results, file), svg);
      writeFileSync(join(results, `${name}.json`), `${JSON.stringify(kept, null, 2)}\n`);
      verdicts.push(...targets.map((target) => `${target.what}: ${verdict(target)}`));
    } finally {
      rmSync(scratch, { recursive: true, force: true });
    }
  }
  writeFileSync(join(results, "latest.md"), summary());
  say(`\n== targets, load average ${loadavg()[0].toFixed(1)} ==\n${verdicts.join("\n")}`);
});
