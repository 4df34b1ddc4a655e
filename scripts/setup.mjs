/**
 * Set-up from a bare clone: the Rust target, the pinned wasm-bindgen tools, the npm packages, Chromium.
 *
 * Invariants
 * - Every step looks first and does nothing where nothing is missing.
 * - What can not be fetched is named, with the command that would put it there.
 * - No dependencies: this runs before `node_modules` exists.
 */
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { capture, Problem, root, run, say, which } from "./process.mjs";

const target = "wasm32-unknown-unknown";

/** Everything that a build needs. */
export async function setup() {
  checkNode();
  checkRust();
  await addTarget();
  await installBindgen();
  await installPackages();
}

/** Compares dotted version numbers. */
function atLeast(found, wanted) {
  const [a, b] = [found, wanted].map((text) => text.split(".").map(Number));
  for (let i = 0; i < 3; i++) {
    if ((a[i] ?? 0) !== (b[i] ?? 0)) return (a[i] ?? 0) > (b[i] ?? 0);
  }
  return true;
}

function checkNode() {
  const wanted = "20.19.0"; // Vite's floor; the package itself runs on every Node 20
  if (!atLeast(process.versions.node, wanted)) {
    throw new Problem(`Node ${wanted} or newer is needed to build; this is ${process.versions.node}. Install it from https://nodejs.org.`);
  }
}

function cargoToml() {
  return readFileSync(join(root, "Cargo.toml"), "utf8");
}

function checkRust() {
  if (which("cargo") === null || which("rustc") === null) {
    throw new Problem("Rust is missing: neither `cargo` nor `rustc` is on the PATH. Install it from https://rustup.rs.");
  }
  const wanted = /^rust-version\s*=\s*"([^"]+)"/m.exec(cargoToml())?.[1] ?? "1.95";
  const found = /^rustc (\d+\.\d+\.\d+)/.exec(capture("rustc", ["--version"]))?.[1] ?? "0";
  if (!atLeast(found, wanted)) {
    throw new Problem(`Rust ${wanted} or newer is needed; this is ${found}. Run \`rustup update stable\`.`);
  }
}

async function addTarget() {
  const library = join(capture("rustc", ["--print", "sysroot"]), "lib", "rustlib", target, "lib");
  if (existsSync(library)) return;
  if (which("rustup") === null) {
    throw new Problem(`The Rust target ${target} is missing and there is no rustup to add it. Install the target with the package manager that Rust came from.`);
  }
  say(`Adding the Rust target ${target} ...`);
  const { code } = await run("rustup", ["target", "add", target]);
  if (code !== 0) {
    throw new Problem(`The Rust target ${target} could not be fetched. With a network: \`rustup target add ${target}\`.`);
  }
}

/** The version of wasm-bindgen that Cargo.toml pins. The tools must have exactly the same. */
export function bindgenVersion() {
  const version = /^wasm-bindgen\s*=\s*"=([^"]+)"/m.exec(cargoToml())?.[1];
  if (version === undefined) throw new Problem('Cargo.toml no longer pins wasm-bindgen with `wasm-bindgen = "=x.y.z"`.');
  return version;
}

/** The folder with the wasm-bindgen programs. */
export function bindgenFolder() {
  return join(root, ".tools", `wasm-bindgen-${bindgenVersion()}`, "bin");
}

async function installBindgen() {
  const version = bindgenVersion();
  const folder = `.tools/wasm-bindgen-${version}`;
  if (!readFileSync(join(root, ".cargo/config.toml"), "utf8").includes(`"${folder}/bin/wasm-bindgen-test-runner"`)) {
    throw new Problem(`.cargo/config.toml names another wasm-bindgen than Cargo.toml (${version}). Make its runner "${folder}/bin/wasm-bindgen-test-runner".`);
  }
  const programs = ["wasm-bindgen", "wasm-bindgen-test-runner"].map((name) => join(bindgenFolder(), name));
  if (programs.every((path) => existsSync(path))) return;
  say(`Installing wasm-bindgen ${version} into ${folder} (once, some minutes) ...`);
  const { code } = await run("cargo", [
    "install", "--locked", "wasm-bindgen-cli", "--version", version, "--root", join(root, folder),
  ], { env: withoutFlags() });
  if (code !== 0) {
    throw new Problem(`wasm-bindgen ${version} could not be installed. With a network: \`cargo install --locked wasm-bindgen-cli --version ${version} --root ${folder}\`.`);
  }
}

/** The environment without compiler flags of the caller's own, which would replace those of this project. */
export function withoutFlags() {
  const env = { ...process.env };
  delete env.RUSTFLAGS;
  delete env.CARGO_ENCODED_RUSTFLAGS;
  delete env.CARGO_BUILD_RUSTFLAGS;
  delete env.CARGO_BUILD_TARGET;
  return env;
}

async function installPackages() {
  // npm writes this file at the end of every install, so its age is the age of node_modules.
  const mark = join(root, "node_modules/.package-lock.json");
  const newest = Math.max(...["package.json", "package-lock.json"].map((name) => statSync(join(root, name)).mtimeMs));
  if (existsSync(mark) && statSync(mark).mtimeMs >= newest) return;
  if (existsSync(mark) && installed(mark)) return;
  if (which("npm") === null) throw new Problem("npm is missing. It comes with Node: https://nodejs.org.");
  say("Installing the npm packages ...");
  const { code } = await run("npm", ["ci", "--no-audit", "--no-fund"]);
  if (code !== 0) throw new Problem("The npm packages could not be fetched. With a network: `npm ci`.");
}

/** Whether what is installed is what the lock file asks for, though the lock file is younger. */
function installed(mark) {
  const entries = (path) => Object.entries(JSON.parse(readFileSync(path, "utf8")).packages ?? {})
    .filter(([name]) => name !== "");
  const have = new Map(entries(mark).map(([name, { version }]) => [name, version]));
  const wanted = entries(join(root, "package-lock.json"));
  if (wanted.some(([name, { version, optional }]) => have.get(name) !== version && !(optional && !have.has(name)))) return false;
  return have.size <= wanted.length;
}

const browsers = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/** Chromium and its driver: `{ browser, driver }`, full paths. Installs the Debian packages where it may. */
export async function chromium() {
  let found = findChromium();
  if (found.browser && found.driver) return found;
  const command = "apt-get install -y chromium chromium-driver";
  if (process.getuid?.() === 0 && which("apt-get") !== null) {
    say("Installing Chromium and its driver ...");
    const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
    let { code } = await run("apt-get", ["install", "-y", "chromium", "chromium-driver"], { env });
    if (code !== 0) {
      await run("apt-get", ["update"], { env });
      ({ code } = await run("apt-get", ["install", "-y", "chromium", "chromium-driver"], { env }));
    }
    found = findChromium();
    if (code === 0 && found.browser && found.driver) return found;
  }
  const missing = [found.browser ? "" : "Chromium", found.driver ? "" : "ChromeDriver"].filter(Boolean).join(" and ");
  throw new Problem(`${missing} not found: the tests in the browser can not run. On Debian: \`sudo ${command}\`. Elsewhere, put \`chromium\` (or \`google-chrome\`) and a \`chromedriver\` of the same version on the PATH.`);
}

function findChromium() {
  const browser = process.env.CHROMIUM ?? browsers.map(which).find((path) => path !== null) ?? null;
  return { browser, driver: process.env.CHROMEDRIVER ?? which("chromedriver") };
}

/** Runs `work` while no other process of this repository builds. */
export async function exclusively(work) {
  const lock = join(root, ".tools/build.lock");
  mkdirSync(join(root, ".tools"), { recursive: true });
  for (let waited = false; ;) {
    try {
      writeFileSync(lock, String(process.pid), { flag: "wx" });
      break;
    } catch (error) {
      if (error.code !== "EEXIST") throw error;
    }
    const holder = lockHolder(lock);
    if (holder !== 0 && !alive(holder)) {
      rmSync(lock, { force: true });
      continue;
    }
    if (!waited) say("Waiting for another build to end ...");
    waited = true;
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
  const release = () => rmSync(lock, { force: true });
  process.once("exit", release);
  try {
    return await work();
  } finally {
    process.off("exit", release);
    release();
  }
}

/** Who holds the lock; 0 where that is not known: just released, or just being written. */
function lockHolder(lock) {
  try {
    return Number(readFileSync(lock, "utf8"));
  } catch (error) {
    if (error.code === "ENOENT") return 0;
    throw error;
  }
}

function alive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === "EPERM";
  }
}
