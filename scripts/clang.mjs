/**
 * The C compiler for SQLite's source: a clang that knows WebAssembly.
 *
 * Invariants
 * - Without one everything but the SQLite file is built, and the reason is said; where
 *   MNEMORA_REQUIRE_SQLITE is set, that is a failure.
 * - The answer is looked for once a run.
 */
import { spawnSync } from "node:child_process";
import { Problem, run, say, which } from "./process.mjs";

const versions = [22, 21, 20, 19, 18, 17, 16, 15, 14];
const names = ["clang", ...versions.map((version) => `clang-${version}`)];
const target = "wasm32-unknown-unknown";

/** The first compiler on the PATH that makes WebAssembly. Apple's clang, for one, does not. */
function find() {
  const wanted = process.env.CC_wasm32_unknown_unknown;
  return [...(wanted ? [wanted] : []), ...names].find((name) => {
    const path = wanted === name ? name : which(name);
    if (path === null) return false;
    const { status } = spawnSync(path, [`--target=${target}`, "-c", "-x", "c", "-o", "/dev/null", "-"], { input: "int f(void) { return 1; }" });
    return status === 0;
  }) ?? null;
}

async function look() {
  let command = find();
  const mend = "apt-get install -y clang";
  if (command === null && process.getuid?.() === 0 && which("apt-get") !== null) {
    say("Installing clang ...");
    const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
    const install = () => run("apt-get", mend.split(" ").slice(1), { env });
    if ((await install()).code !== 0) {
      await run("apt-get", ["update"], { env });
      await install();
    }
    command = find();
  }
  if (command !== null) return { command, missing: null };
  const missing = `there is no clang with the target wasm32 (on Debian: \`sudo ${mend}\`)`;
  if (process.env.MNEMORA_REQUIRE_SQLITE) throw new Problem(`SQLite can not be compiled for WebAssembly: ${missing}.`);
  say(`SQLite is left out of the build: ${missing}.`);
  return { command: null, missing };
}

let found;

/** `{ command, missing }`: the compiler, or why there is none. */
export function clang() {
  found ??= look();
  return found;
}

/**
 * What Cargo needs for a wasm build of the default features: `{ env, args, missing }`, where `args` leave
 * SQLite out if it can not be compiled. A plain `clang` is what Cargo takes by itself.
 */
export async function wasmFeatures() {
  const { command, missing } = await clang();
  if (missing !== null) return { env: {}, args: ["--no-default-features", "--features", "json"], missing };
  return { env: command === "clang" ? {} : { CC_wasm32_unknown_unknown: command }, args: [], missing };
}
