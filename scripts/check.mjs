/**
 * `npm run check`: formatting, lints, documentation, types. Runs all of them and then fails if one did.
 */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { build } from "./build.mjs";
import { capture, entry, Problem, root, run, say } from "./process.mjs";
import { withoutFlags } from "./setup.mjs";

const wasm = ["--target", "wasm32-unknown-unknown"];

/** What must never be part of the wasm build: they belong to servers, or bring C code. */
const foreign = ["tokio", "arrow", "rusqlite", "libsqlite3-sys", "rayon", "openssl-sys", "ring"];

/** The wasm build has none of the crates that are foreign to it. */
async function checkTree() {
  const names = capture("cargo", ["tree", "--locked", ...wasm, "--edges", "normal", "--prefix", "none", "--format", "{p}"])
    .split("\n").map((line) => line.split(" ")[0]);
  const found = foreign.filter((name) => names.some((crate) => crate === name || crate.startsWith(`${name}-`)));
  if (found.length > 0) say(`The wasm build pulls in ${found.join(", ")}. See \`cargo tree ${wasm.join(" ")} -i ${found[0]}\`.`);
  return found.length === 0;
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

const checks = [
  ["rustfmt", cargo(["fmt", "--check"])],
  ["clippy, native", cargo(["clippy", "--locked", "--all-targets", "--all-features", "--", "-D", "warnings"])],
  ["clippy, wasm", cargo(["clippy", "--locked", ...wasm, "--all-targets", "--all-features", "--", "-D", "warnings"])],
  ["clippy, wasm, no features", cargo(["clippy", "--locked", ...wasm, "--", "-D", "warnings"])],
  ["rustdoc", cargo(["doc", "--locked", "--no-deps", "--all-features"], { RUSTDOCFLAGS: "-D warnings" })],
  ["rustdoc, wasm", cargo(["doc", "--locked", "--no-deps", "--all-features", ...wasm], { RUSTDOCFLAGS: "-D warnings" })],
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
