/**
 * Rust to WebAssembly, twice: the core (`pkg/wasm/core.js`, which is the glue, `core.d.ts`, `core.wasm`,
 * `inline.js`), and the whole crate with SQLite and JSON files (`sqlite.js`, `sqlite.wasm`, `sqlite-inline.js`).
 *
 * Invariants
 * - The release wasm names no folder of the machine that built it.
 * - `pkg/wasm` is replaced only by a complete build.
 * - Both builds export the same, and every file is there: where SQLite can not be compiled, the second
 *   has JSON files only, and says so when it is asked for SQLite.
 */
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { spawnSync } from "node:child_process";
import { constants, gzipSync } from "node:zlib";
import { wasmFeatures } from "./clang.mjs";
import { capture, must, Problem, root, say } from "./process.mjs";
import { bindgenFolder, withoutFlags } from "./setup.mjs";

const target = "wasm32-unknown-unknown";

/** What the compiler may assume of the engine: the defaults of the target, and simd128. */
const engine = [
  "simd", "bulk-memory", "bulk-memory-opt", "nontrapping-float-to-int", "sign-ext", "mutable-globals",
  "multivalue", "reference-types",
];

/**
 * The folders of this machine and what to write in their place, the most general one first: of several
 * that fit, the compiler takes the last.
 */
export function machineFolders() {
  const sysroot = capture("rustc", ["--print", "sysroot"]);
  const cargoHome = process.env.CARGO_HOME ?? join(homedir(), ".cargo");
  const targetFolder = JSON.parse(capture("cargo", ["metadata", "--format-version=1", "--no-deps"])).target_directory;
  return [
    [homedir(), "home"],
    [cargoHome, "cargo"],
    [sysroot, "rust"],
    [root, "mnemora"],
    [targetFolder, "target"],
  ].filter(([folder]) => folder !== "/");
}

/**
 * Compiles a package for the browser and gives the path of the wasm file that rustc wrote, which the
 * next call replaces.
 */
export function compile({ manifest = "Cargo.toml", features = [], env = {} } = {}) {
  const folders = machineFolders();
  const flags = folders.map(([from, to]) => `--remap-path-prefix=${from}=${to}`);
  // Of several that fit, clang too takes the last.
  const cflags = folders.map(([from, to]) => `-ffile-prefix-map=${from}=${to}`);
  const args = [
    "rustc", "--release", "--lib", "--target", target, "--crate-type", "cdylib",
    "--manifest-path", join(root, manifest), ...features, "--message-format", "json-render-diagnostics",
    // Joined to the flags in .cargo/config.toml, where an environment variable would replace them.
    "--config", `target.${target}.rustflags=${JSON.stringify(flags)}`,
  ];
  const result = spawnSync("cargo", args, {
    cwd: root, env: { ...withoutFlags(), [`CFLAGS_${target.replaceAll("-", "_")}`]: cflags.join(" "), ...env }, encoding: "utf8", stdio: ["ignore", "pipe", "inherit"], maxBuffer: 1 << 28,
  });
  if (result.error) throw new Problem(`Could not run cargo: ${result.error.message}`);
  if (result.status !== 0) throw new Problem("The Rust core does not compile for WebAssembly: see above.");
  const files = result.stdout.split("\n").filter((line) => line.startsWith("{")).map((line) => JSON.parse(line))
    .filter(({ reason }) => reason === "compiler-artifact").flatMap(({ filenames }) => filenames)
    .filter((name) => name.endsWith(".wasm"));
  const file = files.at(-1);
  if (file === undefined) throw new Problem("Cargo built no .wasm file. Is the crate still a library?");
  return file;
}

/**
 * Optimises a wasm file for speed. With its functions in the order of their names, instances of the same generic
 * code lie side by side, which gzip makes 3 % smaller.
 */
export async function optimise(from, to) {
  const tool = join(root, "node_modules/binaryen/bin/wasm-opt");
  await must(process.execPath, [
    "--no-warnings", tool, from, "-o", to, "-O3", "--reorder-functions-by-name", "--strip-debug", "--strip-producers", "--strip-target-features",
    ...engine.map((name) => `--enable-${name}`),
  ]);
}

/** Builds everything in `pkg/wasm`. */
export async function buildWasm() {
  const fresh = join(root, "pkg/wasm.new");
  rmSync(fresh, { recursive: true, force: true });
  mkdirSync(fresh, { recursive: true });
  say("Compiling the Rust core to WebAssembly ...");
  await buildOne(fresh, "core", compile({ features: ["--no-default-features"] }));
  const { env, args, missing } = await wasmFeatures();
  say(`Compiling it again, with JSON files${missing === null ? " and SQLite" : ""} ...`);
  await buildOne(fresh, "sqlite", compile({ features: args, env }));
  refuseDifference(fresh);
  writeFileSync(join(fresh, "sqlite.d.ts"), sqliteTypes);
  const old = join(root, "pkg/wasm");
  rmSync(old, { recursive: true, force: true });
  renameSync(fresh, old);
}

/** The types of the second glue are those of the first. */
const sqliteTypes = `export * from "./core.js";
export { default } from "./core.js";
`;

/** From what rustc wrote to the glue and the wasm file `name`, and to the latter in a module. */
async function buildOne(folder, name, compiled) {
  const scratch = join(folder, `${name}.bindgen`);
  await must(join(bindgenFolder(), "wasm-bindgen"), [
    compiled, "--target", "web", "--omit-default-module-path", "--out-dir", scratch, "--out-name", name,
  ]);
  // With its snippets inside, so that loading it is one request.
  const { build } = await import("esbuild");
  await build({ entryPoints: [join(scratch, `${name}.js`)], outfile: join(folder, `${name}.js`), bundle: true, format: "esm", target: "es2022", logLevel: "warning" });
  say("Optimising it ...");
  const file = join(folder, `${name}.wasm`);
  await optimise(join(scratch, `${name}_bg.wasm`), file);
  renameSync(join(scratch, `${name}.d.ts`), join(folder, `${name}.d.ts`));
  rmSync(scratch, { recursive: true });
  const wasm = readFileSync(file);
  refuseFolders(wasm);
  const packed = gzipSync(wasm, { level: constants.Z_BEST_COMPRESSION });
  writeInline(folder, name, packed);
  say(`${name}.wasm: ${kb(wasm.length)}, ${kb(packed.length)} in gzip`);
}

function writeInline(folder, name, packed) {
  const file = join(folder, name === "core" ? "inline" : `${name}-inline`);
  writeFileSync(`${file}.js`, `export const gzipBase64 = "${packed.toString("base64")}";\n`);
  writeFileSync(`${file}.d.ts`, "/** The wasm file: base64 of gzip. */\nexport declare const gzipBase64: string;\n");
}

/** What the glue of a build declares, without the raw exports of the wasm file. */
function surface(folder, name) {
  return readFileSync(join(folder, `${name}.d.ts`), "utf8").replace(/export interface InitOutput \{[^}]*\}/, "");
}

function refuseDifference(folder) {
  if (surface(folder, "core") !== surface(folder, "sqlite")) {
    throw new Problem("The core and the core with SQLite export different things. An export of src/js must not depend on a feature.");
  }
}

/** Which of `folders` the bytes name. */
export function foldersNamed(bytes, folders) {
  const text = Buffer.from(bytes).toString("latin1");
  return folders.filter((folder) => {
    const found = `${folder}/`;
    // A folder such as /src also ends many innocent paths: it counts only where a path begins.
    if (folder.lastIndexOf("/") > 0) return text.includes(found);
    for (let at = text.indexOf(found); at >= 0; at = text.indexOf(found, at + 1)) {
      if (at === 0 || !/[\w.-]/.test(text[at - 1])) return true;
    }
    return false;
  });
}

function refuseFolders(wasm) {
  for (const folder of foldersNamed(wasm, machineFolders().map(([from]) => from))) {
    throw new Problem(`The release wasm names a folder of this machine: ${folder}. A new --remap-path-prefix is needed in scripts/wasm.mjs.`);
  }
}

/** A size for people. */
export function kb(bytes) {
  return `${(bytes / 1024).toFixed(1)} KB`;
}
