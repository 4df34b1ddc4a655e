/**
 * `npm run bench -- [name ...]`: runs the benchmarks in `benches/*.mjs` and prints their tables.
 *
 * A benchmark is a module with `run(context)`. It gives back what is to be kept, as plain JSON, or
 * nothing. Results are written below `benches/results`, one file a benchmark, and nowhere else.
 */
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { cpus, tmpdir, totalmem } from "node:os";
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

function chosen(names) {
  const all = readdirSync(join(root, "benches")).filter((name) => name.endsWith(".mjs")).map((name) => name.slice(0, -4)).sort();
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

await entry(async () => {
  const names = chosen(process.argv.slice(2));
  await build();
  const { browser } = await chromium();
  say(`${capture(browser, ["--version"])}; Node ${process.version}; ${cpus().length} x ${cpus()[0]?.model.trim()}, ${Math.round(totalmem() / 2 ** 30)} GB`);
  for (const name of names) {
    say(`\n== ${name} ==`);
    const scratch = mkdtempSync(join(tmpdir(), "mnemora-bench-"));
    try {
      const bench = await import(pathToFileURL(join(root, "benches", `${name}.mjs`)).href);
      if (typeof bench.run !== "function") throw new Problem(`benches/${name}.mjs exports no function \`run\`.`);
      const result = await bench.run({ root, scratch, say, table, median, launch, serve, compileBench });
      if (result !== undefined) {
        const folder = join(root, "benches/results");
        mkdirSync(folder, { recursive: true });
        writeFileSync(join(folder, `${name}.json`), `${JSON.stringify(result, null, 2)}\n`);
      }
    } finally {
      rmSync(scratch, { recursive: true, force: true });
    }
  }
});
