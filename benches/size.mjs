/**
 * How much has to be loaded: the core, the JavaScript without its lazy chunks, and what else is installed.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { constants, gzipSync } from "node:zlib";
import { build } from "esbuild";

const KB = 1024;
const ENTRY = "entry/inline.js";

/** The files that are loaded with the entry, and those that it imports only when they are needed. */
async function filesOf(dist) {
  const { metafile: { inputs } } = await build({
    absWorkingDir: dist, entryPoints: [ENTRY], bundle: true, write: false, metafile: true, format: "esm", logLevel: "warning",
  });
  const eager = new Set();
  const visit = (file) => {
    if (eager.has(file)) return;
    eager.add(file);
    for (const { path, kind } of inputs[file].imports) if (kind === "import-statement") visit(path);
  };
  visit(ENTRY);
  return { eager: [...eager], lazy: Object.keys(inputs).filter((file) => !eager.has(file)) };
}

export async function run({ root, table, say }) {
  const dist = join(root, "pkg/dist");
  const { eager, lazy } = await filesOf(dist);
  const size = (files) => {
    const bytes = files.map((file) => gzipSync(readFileSync(join(dist, file)), { level: constants.Z_BEST_COMPRESSION }).length);
    return Number((bytes.reduce((sum, count) => sum + count, 0) / KB).toFixed(1));
  };
  const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const dependencies = ["dependencies", "peerDependencies", "optionalDependencies"].flatMap((field) => Object.keys(manifest[field] ?? {}));
  const rows = [
    { loaded: "core.wasm", "KB gzip": size(["core.wasm"]), files: 1 },
    { loaded: "JavaScript at import", "KB gzip": size(eager), files: eager.length },
    { loaded: "JavaScript at open, with the core as base64 of gzip", "KB gzip": size(lazy), files: lazy.length },
  ];
  table(rows);
  say("");
  const target = (what, value, most) => ({ what, value, target: most, atMost: true, met: value <= most });
  return {
    targets: [
      target("core.wasm, KB gzip", rows[0]["KB gzip"], 350),
      target("JavaScript entry without lazy chunks, KB gzip", rows[1]["KB gzip"], 15),
      target("runtime dependencies", dependencies.length, 0),
    ],
    tables: [{ title: "sizes", rows }],
  };
}
