/**
 * `npm run build`: set-up, then the wasm file, the package and the dashboard, as far as they are out of date.
 *
 * Invariants
 * - A second run without changes builds nothing.
 * - One build at a time: others wait.
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { clang } from "./clang.mjs";
import { capture, entry, must, Problem, root, say } from "./process.mjs";
import { exclusively, setup } from "./setup.mjs";
import { step } from "./stamp.mjs";

/** Brings everything up to date. `page`: also the dashboard. */
export function build({ page = true } = {}) {
  return exclusively(async () => {
    await setup();
    const { buildWasm } = await import("./wasm.mjs");
    await step("wasm", {
      inputs: ["Cargo.toml", "Cargo.lock", ".cargo/config.toml", "src", "scripts/wasm.mjs", "scripts/clang.mjs"],
      extra: [capture("rustc", ["--version"]), packageVersion("binaryen"), await compilerOfC()],
      outputs: ["core.js", "core.d.ts", "core.wasm", "inline.js", "sqlite.js", "sqlite.d.ts", "sqlite.wasm", "sqlite-inline.js"].map((name) => `pkg/wasm/${name}`),
    }, buildWasm);
    const { buildPackage } = await import("./package.mjs");
    await step("package", {
      inputs: ["pkg/src", "pkg/wasm", "tsconfig.json", "tsconfig.base.json", "tsconfig.build.json", "scripts/package.mjs"],
      extra: [packageVersion("esbuild"), packageVersion("typescript")],
      outputs: ["pkg/dist/entry/inline.js", "pkg/dist/entry/inline.d.ts", "pkg/dist/core.wasm"],
    }, buildPackage);
    if (page) {
      await step("page", {
        inputs: ["www", "pkg/dist", "package.json", "tsconfig.base.json"],
        skip: ["www/dist", "www/node_modules"],
        extra: packageVersion("vite"),
        outputs: ["www/dist/index.html"],
      }, buildPage);
    }
  });
}

/** The version of the compiler of SQLite's source; "" where there is none. */
async function compilerOfC() {
  const { command } = await clang();
  return command === null ? "" : capture(command, ["--version"]).split("\n")[0];
}

/** The installed version of an npm package: a new compiler makes old output stale. */
function packageVersion(name) {
  return JSON.parse(readFileSync(join(root, "node_modules", name, "package.json"), "utf8")).version;
}

async function buildPage() {
  say("Building the dashboard ...");
  if (!existsSync(join(root, "www/index.html"))) throw new Problem("www/index.html is missing: there is no dashboard to build.");
  await must(process.execPath, [
    join(root, "node_modules/vite/bin/vite.js"), "build", join(root, "www"),
    "--outDir", join(root, "www/dist"), "--emptyOutDir", "--logLevel", "warn",
  ]);
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  await entry(async () => {
    await build();
    say("Built.");
  });
}
