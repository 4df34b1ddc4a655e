/**
 * The value codec in JavaScript against serde-wasm-bindgen, which would do the same across the wasm
 * boundary, and JSON as a measure of what the engine itself can do. In Node and in Chromium.
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";
import { must } from "../scripts/process.mjs";
import { bindgenFolder } from "../scripts/setup.mjs";
import { compile, optimise } from "../scripts/wasm.mjs";

const ROUNDS = 31;
const OURS = "own codec";

/** Compiles the crate, optimised as the product is, and bundles the page with its glue. */
async function prepare(root, folder) {
  const compiled = compile({ manifest: "benches/codec/Cargo.toml" });
  const glue = join(folder, "glue");
  await must(join(bindgenFolder(), "wasm-bindgen"), [
    compiled, "--target", "web", "--omit-default-module-path", "--out-dir", glue, "--out-name", "codec",
  ]);
  const www = join(folder, "www");
  mkdirSync(www);
  await optimise(join(glue, "codec_bg.wasm"), join(www, "codec.wasm"));
  await build({
    absWorkingDir: root,
    entryPoints: ["benches/codec/page.ts"],
    outfile: join(www, "page.js"),
    alias: { "codec-glue": join(glue, "codec.js") },
    bundle: true,
    format: "esm",
    target: "es2022",
    minify: true,
    logLevel: "warning",
  });
  writeFileSync(join(www, "index.html"), '<!doctype html><meta charset="utf-8"><title>bench</title><script type="module" src="page.js"></script>');
  return www;
}

async function inChromium(www, { scratch, launch, serve }) {
  const server = await serve(www, { from: 4300 });
  const browser = await launch(join(scratch, "profile"));
  try {
    const page = await browser.newPage();
    await page.goto(server.url);
    await page.waitForFunction(() => "measureCodecs" in globalThis);
    return await page.evaluate(async (rounds) => {
      const wasm = new Uint8Array(await (await fetch("codec.wasm")).arrayBuffer());
      return globalThis.measureCodecs(wasm, rounds);
    }, ROUNDS);
  } finally {
    await browser.close();
    await server.close();
  }
}

async function inNode(www) {
  await import(pathToFileURL(join(www, "page.js")).href);
  return globalThis.measureCodecs(new Uint8Array(readFileSync(join(www, "codec.wasm"))), ROUNDS);
}

const round = (number) => Number(number.toPrecision(3));

/** One row a codec; the ratio is how often the time of ours goes into that codec's. */
function rowsOf(timings, median) {
  const ours = timings.find(({ codec }) => codec === OURS);
  const sums = (timing) => timing.encode.map((encode, at) => encode + timing.decode[at]);
  return timings.map((timing) => ({
    codec: timing.codec,
    bytes: timing.bytes,
    "encode us": round(median(timing.encode)),
    "decode us": round(median(timing.decode)),
    "it / own": round(median(sums(timing)) / median(sums(ours))),
    "by round": round(median(sums(timing).map((sum, at) => sum / sums(ours)[at]))),
  }));
}

export async function run(context) {
  const { root, scratch, say, table, median } = context;
  const www = await prepare(root, scratch);
  const tables = [];
  const targets = [];
  for (const [host, timings] of [["Node", await inNode(www)], ["Chromium", await inChromium(www, context)]]) {
    const rows = rowsOf(timings, median);
    const title = `encode and decode of the 491-byte state, ${host}`;
    tables.push({ title, rounds: ROUNDS, rows });
    say(`\n${title}`);
    table(rows);
    const serde = rows.find(({ codec }) => codec === "serde-wasm-bindgen");
    targets.push({ what: `${title}: time of serde-wasm-bindgen / own codec`, value: serde["it / own"], byRound: serde["by round"], target: 1, met: serde["it / own"] >= 1 });
  }
  say("");
  return { targets, tables };
}
