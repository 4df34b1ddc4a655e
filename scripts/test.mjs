/**
 * `npm test`: everything, stage by stage. `npm test -- <stage> ...` runs some of them.
 *
 * Invariants
 * - The last line is `N passed, N failed`, whatever happened, and the exit code is 0 only if all passed.
 * - A stage that ends badly without a failed test counts as one failure; so does a stage without tests.
 * - What needs SQLite in wasm is passed over where no clang can compile it, and its stage says so.
 */
import { idbEngines, webdriverJson } from "./browser.mjs";
import { build } from "./build.mjs";
import { wasmFeatures } from "./clang.mjs";
import { matrix } from "./matrix.mjs";
import { say } from "./process.mjs";
import { chromium, exclusively, setup } from "./setup.mjs";
import { cargoTest, examples, passedOver, testPrograms, together, vitest, wasmTest } from "./suites.mjs";

const minute = 60_000;

/**
 * In the order in which they run: what fails fast comes first. `host` and `backends` say what of the
 * matrix a stage fills.
 */
const stages = [
  { name: "house", needs: ["setup"], run: () => vitest("tests/house", { testTimeout: minute }) },
  { name: "rust", needs: ["setup"], run: native, host: "native", backends: ["memory", "SQLite", "JSON"] },
  { name: "faults", needs: ["setup"], run: () => cargoTest(["--all-features", "--test", "faults"]) },
  { name: "examples", needs: ["setup"], run: examples },
  {
    name: "wasm-node", needs: ["setup"], run: () => wasmTest(["--lib", "--test", "wasm_node"]),
    host: "Node", backends: ["memory", "SQLite", "JSON", "host"],
  },
  { name: "js", needs: ["package"], run: () => vitest("tests/js", { testTimeout: minute }) },
  { name: "interop", needs: ["package"], run: () => vitest("tests/interop", { testTimeout: 5 * minute, serial: true }) },
  { name: "packaging", needs: ["page", "chromium"], run: () => vitest("tests/packaging", { testTimeout: 5 * minute, serial: true }) },
  ...idbEngines.map((engine) => ({
    name: `wasm-browser:${engine}`, needs: ["setup", "chromium"], run: () => wasmInBrowser("wasm_browser", engine),
    host: "Chromium", backends: ["memory", "IndexedDB"],
  })),
  { name: "opfs", needs: ["setup", "chromium"], run: opfs, host: "Chromium", backends: ["OPFS-SQLite"] },
  ...idbEngines.map((engine) => ({
    name: `e2e:${engine}`,
    needs: ["page", "chromium"],
    run: () => vitest("tests/e2e", { testTimeout: 10 * minute, serial: true, env: { MNEMORA_IDB_ENGINE: engine } }),
  })),
];

/** The unit tests, the test programs that have no stage of their own, and the examples in the documentation. */
async function native() {
  const apart = ["faults", "examples_run"];
  const programs = testPrograms().filter((name) => !apart.includes(name)).flatMap((name) => ["--test", name]);
  return together([
    await cargoTest(["--all-features", "--lib", ...programs]),
    await cargoTest(["--all-features", "--doc"], { mayBeEmpty: true }),
  ]);
}

async function wasmInBrowser(program, engine) {
  const { driver } = await chromium();
  return wasmTest(["--test", program], {
    CHROMEDRIVER: driver,
    WASM_BINDGEN_TEST_ONLY_WEB: "1",
    WASM_BINDGEN_TEST_WEBDRIVER_JSON: await webdriverJson(engine),
  });
}

/** The engine of IndexedDB makes no difference to OPFS. */
async function opfs() {
  const { missing } = await wasmFeatures();
  return missing === null ? wasmInBrowser("wasm_opfs", idbEngines[0]) : passedOver(missing);
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
  const skipped = result.skipped > 0 ? `, ${result.skipped} skipped` : "";
  const line = `${stage.name}: ${result.passed} passed, ${result.failed} failed${skipped} (${seconds} s)${result.note ? `: ${result.note}` : ""}`;
  say(`-- ${line}`);
  return { ...stage, ...result, line };
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
  const runs = results.filter(({ host }) => host !== undefined).map(({ tests = [], ...stage }) => ({ ...stage, tests }));
  if (runs.length > 0) {
    const { lines, missing } = matrix(runs, (await wasmFeatures()).missing);
    say(`\n${lines.join("\n")}\n`);
    if (missing > 0) say(`${missing} cells of the matrix have no tests: each counts as a failure.`);
    failed += missing;
  }
} catch (error) {
  failed += 1;
  process.stderr.write(`${error.message}\n`);
}
process.exitCode = failed === 0 && passed > 0 ? 0 : 1;
say(`${passed} passed, ${failed} failed`);
