/**
 * `npm test`: everything, stage by stage. `npm test -- <stage> ...` runs some of them.
 *
 * Invariants
 * - The last line is `N passed, N failed`, whatever happened, and the exit code is 0 only if all passed.
 * - A stage that ends badly without a failed test counts as one failure; so does a stage without tests.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { idbEngines, webdriverJson } from "./browser.mjs";
import { build } from "./build.mjs";
import { root, run, say } from "./process.mjs";
import { chromium, exclusively, setup, withoutFlags } from "./setup.mjs";

const minute = 60_000;
const wasm = ["test", "--target", "wasm32-unknown-unknown", "--features", "testing", "--no-fail-fast"];

/** In the order in which they run: what fails fast comes first. */
const stages = [
  { name: "house", needs: ["setup"], run: () => vitest("tests/house", { testTimeout: minute }) },
  { name: "rust", needs: ["setup"], run: () => cargo(["test", "--all-features", "--no-fail-fast"]) },
  { name: "wasm-node", needs: ["setup"], run: () => cargo([...wasm, "--lib", "--test", "wasm_node"], { WASM_BINDGEN_TEST_TIMEOUT: "600" }) },
  { name: "js", needs: ["package"], run: () => vitest("tests/js", { testTimeout: minute }) },
  { name: "packaging", needs: ["page", "chromium"], run: () => vitest("tests/packaging", { testTimeout: 5 * minute, serial: true }) },
  ...idbEngines.map((engine) => ({ name: `wasm-browser:${engine}`, needs: ["setup", "chromium"], run: () => wasmInBrowser(engine) })),
  ...idbEngines.map((engine) => ({
    name: `e2e:${engine}`,
    needs: ["page", "chromium"],
    run: () => vitest("tests/e2e", { testTimeout: 10 * minute, serial: true, env: { MNEMORA_IDB_ENGINE: engine } }),
  })),
];

/** Counts the tests in what `cargo test` prints: one result line a test program. */
function countLibtest(output) {
  let passed = 0;
  let failed = 0;
  for (const [, ok, bad] of output.matchAll(/test result: (?:ok|FAILED)\. (\d+) passed; (\d+) failed/g)) {
    passed += Number(ok);
    failed += Number(bad);
  }
  return { passed, failed };
}

async function cargo(args, env = {}) {
  const { code, output, late } = await run("cargo", args, {
    env: { ...withoutFlags(), CARGO_TERM_COLOR: "never", ...env }, keep: true, timeoutMs: 20 * minute,
  });
  return verdict(countLibtest(output), code, late);
}

async function wasmInBrowser(engine) {
  const { driver } = await chromium();
  return cargo([...wasm, "--test", "wasm_browser"], {
    CHROMEDRIVER: driver,
    WASM_BINDGEN_TEST_ONLY_WEB: "1",
    WASM_BINDGEN_TEST_TIMEOUT: "600",
    WASM_BINDGEN_TEST_WEBDRIVER_JSON: await webdriverJson(engine),
  });
}

async function vitest(folder, { testTimeout, serial = false, env = {} }) {
  const scratch = mkdtempSync(join(tmpdir(), "mnemora-test-"));
  const report = join(scratch, "report.json");
  try {
    const { code, late } = await run(process.execPath, [
      join(root, "node_modules/vitest/vitest.mjs"), "run", "--dir", folder,
      "--reporter=default", "--reporter=json", `--outputFile.json=${report}`,
      `--testTimeout=${testTimeout}`, `--hookTimeout=${testTimeout}`,
      ...(serial ? ["--no-file-parallelism"] : []),
    ], { env: { ...process.env, ...env }, timeoutMs: 20 * minute });
    return verdict(countVitest(report), code, late);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** Counts the tests in Vitest's report. A file that can not be loaded has no tests but has failed. */
function countVitest(report) {
  let results;
  try {
    results = JSON.parse(readFileSync(report, "utf8")).testResults;
  } catch (error) {
    if (error.code === "ENOENT") return { passed: 0, failed: 0 };
    throw error;
  }
  let passed = 0;
  let failed = 0;
  for (const { status, assertionResults } of results) {
    const bad = assertionResults.filter((test) => test.status === "failed").length;
    passed += assertionResults.filter((test) => test.status === "passed").length;
    failed += status === "failed" && bad === 0 ? 1 : bad;
  }
  return { passed, failed };
}

function verdict({ passed, failed }, code, late) {
  if (late) return { passed, failed: failed + 1, note: "stopped: it took too long" };
  if (code !== 0 && failed === 0) return { passed, failed: 1, note: `ended with code ${code}, see above` };
  if (passed + failed === 0) return { passed, failed: 1, note: "no test was run" };
  return { passed, failed };
}

/** Makes ready what a stage needs; each thing once. */
const ready = new Map();
function prepare(need) {
  const work = {
    setup: () => exclusively(setup),
    package: () => build({ page: false }),
    page: () => build(),
    chromium,
  };
  if (!ready.has(need)) ready.set(need, work[need]());
  return ready.get(need);
}

function chosen(names) {
  const fits = (stage, name) => stage.name === name || stage.name.startsWith(`${name}:`);
  for (const name of names) {
    if (!stages.some((stage) => fits(stage, name))) {
      throw new Error(`There is no stage "${name}". The stages: ${stages.map((stage) => stage.name).join(", ")}.`);
    }
  }
  return names.length === 0 ? stages : stages.filter((stage) => names.some((name) => fits(stage, name)));
}

async function runStage(stage) {
  const started = Date.now();
  let result;
  try {
    for (const need of stage.needs) await prepare(need);
    say(`\n== ${stage.name} ==`);
    result = await stage.run();
  } catch (error) {
    result = { passed: 0, failed: 1, note: error.message };
  }
  const seconds = Math.round((Date.now() - started) / 1000);
  const line = `${stage.name}: ${result.passed} passed, ${result.failed} failed (${seconds} s)${result.note ? `: ${result.note}` : ""}`;
  say(`-- ${line}`);
  return { ...result, line };
}

let passed = 0;
let failed = 0;
let stopped = false;
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => { stopped = true; });
try {
  const results = [];
  for (const stage of chosen(process.argv.slice(2))) {
    if (stopped) throw new Error("Stopped before all stages had run.");
    results.push(await runStage(stage));
  }
  say("");
  for (const result of results) {
    say(result.line);
    passed += result.passed;
    failed += result.failed;
  }
} catch (error) {
  failed += 1;
  process.stderr.write(`${error.message}\n`);
}
process.exitCode = failed === 0 && passed > 0 ? 0 : 1;
say(`${passed} passed, ${failed} failed`);
