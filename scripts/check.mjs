/**
 * `npm run check`: formatting, lints, documentation, types. Runs all of them and then fails if one did.
 */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { build } from "./build.mjs";
import { wasmFeatures } from "./clang.mjs";
import { capture, entry, Problem, root, run, say } from "./process.mjs";
import { withoutFlags } from "./setup.mjs";

const wasm = ["--target", "wasm32-unknown-unknown"];

/** What must never be part of a wasm build: they belong to servers, or bring C code for another host. */
const foreign = ["tokio", "arrow", "libsqlite3-sys", "rayon", "openssl-sys", "ring"];
/** What only the file with SQLite may have. */
const sqlite = ["rusqlite", "sqlite-wasm-rs", "sqlite-wasm-vfs", "rsqlite-vfs"];

/** Neither wasm build has crates that are foreign to it; SQLite's are in the one and not in the other. */
async function checkTree() {
  const problems = [[["--no-default-features"], [...foreign, ...sqlite], []], [[], foreign, ["rusqlite", "sqlite-wasm-rs"]]].flatMap(([features, refused, wanted]) => {
    const args = ["tree", "--locked", ...wasm, ...features, "--edges", "normal", "--prefix", "none", "--format", "{p}"];
    const names = capture("cargo", args).split("\n").map((line) => line.split(" ")[0]);
    const has = (name) => names.some((crate) => crate === name || crate.startsWith(`${name}-`));
    const command = `cargo tree ${[...wasm, ...features].join(" ")}`;
    return [
      ...refused.filter(has).map((name) => `The wasm build pulls in ${name}. See \`${command} -i ${name}\`.`),
      ...wanted.filter((name) => !has(name)).map((name) => `The wasm build lacks ${name}. See \`${command}\`.`),
    ];
  });
  for (const problem of problems) say(problem);
  return problems.length === 0;
}

/** The lock file has no addresses: npm takes them from the registry that each machine has set up. */
async function checkLock() {
  const { readFileSync } = await import("node:fs");
  const { packages } = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8"));
  const found = Object.keys(packages).filter((name) => "resolved" in packages[name]);
  if (found.length > 0) say(`package-lock.json has download addresses (${found[0]} and ${found.length - 1} more). Run \`npm install --omit-lockfile-registry-resolved\` anew.`);
  return found.length === 0;
}

const cargo = (args, env = {}) => async () => (await run("cargo", args, { env: { ...withoutFlags(), ...env } })).code === 0;
const node = (path, ...args) => async () => (await run(process.execPath, [join(root, "node_modules", path), ...args])).code === 0;
const tsc = (project) => node("typescript/bin/tsc", "--noEmit", "-p", project);

/** Rust packages of their own, such as those of the benchmarks. */
function otherManifests() {
  const folder = join(root, "benches");
  if (!existsSync(folder)) return [];
  return readdirSync(folder).map((name) => `benches/${name}/Cargo.toml`).filter((path) => existsSync(join(root, path)));
}

/** A check of the wasm build with SQLite, whose source is compiled on the way. */
const withSqlite = (args, env = {}) => async () => {
  const features = await wasmFeatures();
  if (features.missing === null) return cargo(args, { ...env, ...features.env })();
  say(`Passed over: ${features.missing}.`);
  return true;
};

const checks = [
  ["rustfmt", cargo(["fmt", "--check"])],
  ["clippy, native", cargo(["clippy", "--locked", "--all-targets", "--all-features", "--", "-D", "warnings"])],
  ["clippy, native, without SQLite", cargo(["clippy", "--locked", "--all-targets", "--no-default-features", "--features", "testing", "--", "-D", "warnings"])],
  ["clippy, wasm", withSqlite(["clippy", "--locked", ...wasm, "--all-targets", "--all-features", "--", "-D", "warnings"])],
  ["clippy, wasm, without SQLite", cargo(["clippy", "--locked", ...wasm, "--all-targets", "--no-default-features", "--features", "testing", "--", "-D", "warnings"])],
  ["clippy, wasm, as the core is built", cargo(["clippy", "--locked", ...wasm, "--no-default-features", "--", "-D", "warnings"])],
  ["rustdoc", cargo(["doc", "--locked", "--no-deps", "--all-features"], { RUSTDOCFLAGS: "-D warnings" })],
  ["rustdoc, wasm", withSqlite(["doc", "--locked", "--no-deps", "--all-features", ...wasm], { RUSTDOCFLAGS: "-D warnings" })],
  ["crates of the wasm build", checkTree],
  ["lock file", checkLock],
  ...otherManifests().flatMap((path) => [
    [`rustfmt, ${path}`, cargo(["fmt", "--check", "--manifest-path", path])],
    [`clippy, ${path}`, cargo(["clippy", "--manifest-path", path, ...wasm, "--", "-D", "warnings"])],
  ]),
  ["types, package", tsc("tsconfig.json")],
  ["types, page", tsc("www/tsconfig.json")],
  ["types, tests", tsc("tsconfig.tests.json")],
  ["lint", node("eslint/bin/eslint.js", "--max-warnings", "0", ".")],
];

await entry(async () => {
  await build(); // the types of the page and of the tests are those of the built package
  const failed = [];
  for (const [name, check] of checks) {
    say(`== ${name}`);
    if (!await check()) failed.push(name);
  }
  if (failed.length > 0) throw new Problem(`Failed: ${failed.join("; ")}.`);
  say("All checks passed.");
});
