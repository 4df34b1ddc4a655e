/**
 * Running test programs and counting what they ran: Cargo's, natively and in wasm, and Vitest's.
 *
 * Invariants
 * - A program that ends badly without a failed test counts as one failure; so does one without tests.
 * - What was passed over is counted and said.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { wasmFeatures } from "./clang.mjs";
import { countLibtest, testsOf } from "./matrix.mjs";
import { capture, root, run } from "./process.mjs";
import { withoutFlags } from "./setup.mjs";

const minute = 60_000;
const none = { passed: 0, failed: 0, skipped: 0 };

function verdict(counts, { code = 0, late = false, mayBeEmpty = false } = {}) {
  const { passed, failed } = counts;
  if (late) return { ...counts, failed: failed + 1, note: "stopped: it took too long" };
  if (code !== 0 && failed === 0) return { ...counts, failed: 1, note: `ended with code ${code}, see above` };
  if (passed + failed === 0 && !mayBeEmpty) return { ...counts, failed: 1, note: "no test was run" };
  return counts;
}

/** One result out of several. */
export function together(results) {
  const sum = (field) => results.reduce((total, result) => total + result[field], 0);
  return {
    passed: sum("passed"), failed: sum("failed"), skipped: sum("skipped"), tests: results.flatMap(({ tests }) => tests ?? []),
    note: results.map(({ note }) => note).filter(Boolean).join("; "),
  };
}

/** The names of the crate's test programs. */
export function testPrograms() {
  const { packages: [{ targets }] } = JSON.parse(capture("cargo", ["metadata", "--format-version=1", "--no-deps"]));
  return targets.filter(({ kind }) => kind.includes("test")).map(({ name }) => name);
}

/** Runs `cargo test` with `args`: the counts, and the `tests` one by one. */
export async function cargoTest(args, { env = {}, mayBeEmpty } = {}) {
  const { code, output, late } = await run("cargo", ["test", "--no-fail-fast", ...args], {
    env: { ...withoutFlags(), CARGO_TERM_COLOR: "never", ...env }, keep: true, timeoutMs: 20 * minute,
  });
  return { ...verdict(countLibtest(output), { code, late, mayBeEmpty }), tests: testsOf(output).tests };
}

/** Runs `cargo test` in wasm, with SQLite where it can be compiled. */
export async function wasmTest(args, env = {}) {
  const features = await wasmFeatures();
  const result = await cargoTest(["--target", "wasm32-unknown-unknown", "--features", "testing,instant-distance", ...features.args, ...args], {
    env: { WASM_BINDGEN_TEST_TIMEOUT: "600", ...features.env, ...env },
  });
  return features.missing === null ? result : together([result, { ...none, skipped: 1, note: `nothing of SQLite: ${features.missing}` }]);
}

/** A stage that can not run here, and why. */
export const passedOver = (why) => ({ ...none, skipped: 1, note: why });

/** Builds the examples of the crate and runs the tests that start them. */
export async function examples() {
  const { code } = await run("cargo", ["build", "--all-features", "--examples"], { env: withoutFlags(), timeoutMs: 10 * minute });
  return code === 0 ? cargoTest(["--all-features", "--test", "examples_run"]) : { ...none, failed: 1, note: "the examples do not compile" };
}

/** Runs the tests in a folder with Vitest. Where there is no SQLite in wasm, the tests are told why. */
export async function vitest(folder, { testTimeout, serial = false, env = {} }) {
  const scratch = mkdtempSync(join(tmpdir(), "mnemora-test-"));
  const report = join(scratch, "report.json");
  const { missing } = await wasmFeatures();
  try {
    const { code, late } = await run(process.execPath, [
      join(root, "node_modules/vitest/vitest.mjs"), "run", "--dir", folder,
      "--reporter=default", "--reporter=json", `--outputFile.json=${report}`,
      `--testTimeout=${testTimeout}`, `--hookTimeout=${testTimeout}`,
      ...(serial ? ["--no-file-parallelism"] : []),
    ], { env: { ...process.env, ...env, ...(missing === null ? {} : { MNEMORA_WITHOUT_SQLITE: missing }) }, timeoutMs: 20 * minute });
    const counts = countVitest(report);
    const note = counts.skipped > 0 && missing !== null ? { note: missing } : {};
    return { ...note, ...verdict(counts, { code, late }) };
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
    if (error.code === "ENOENT") return none;
    throw error;
  }
  const counts = { ...none };
  for (const { status, assertionResults } of results) {
    const of = (...states) => assertionResults.filter((test) => states.includes(test.status)).length;
    const bad = of("failed");
    counts.passed += of("passed");
    counts.failed += status === "failed" && bad === 0 ? 1 : bad;
    counts.skipped += of("skipped", "pending", "todo");
  }
  return counts;
}
