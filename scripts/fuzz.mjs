/**
 * `npm run fuzz -- <target> [seconds]`: a target of `tests/fuzz` under libFuzzer, for a minute if nothing
 * else is said. What it finds interesting is kept in `.tools/fuzz/<target>`, and gone on from the next time.
 *
 * Stable Rust instruments for coverage by LLVM's own pass; only the sanitizers would need a nightly. The
 * crate has no unsafe code on these paths, so panics, failed assertions and overflows are what is looked for.
 */
import { mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { capture, entry, Problem, root, run } from "./process.mjs";

const crate = join(root, "tests/fuzz/libfuzzer");

/** What makes code tell libFuzzer where it has been. */
const coverage = [
  "-Cpasses=sancov-module",
  "-Cllvm-args=-sanitizer-coverage-level=4",
  "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
  "-Cllvm-args=-sanitizer-coverage-pc-table",
  "-Cllvm-args=-sanitizer-coverage-trace-compares",
  "--cfg=fuzzing",
];

await entry(async () => {
  const [target, seconds = "60"] = process.argv.slice(2);
  const targets = readdirSync(join(crate, "fuzz_targets")).map((name) => name.replace(/\.rs$/, ""));
  if (!targets.includes(target)) throw new Problem(`Give one of the targets: ${targets.join(", ")}.`);
  if (!/^[1-9]\d*$/.test(seconds)) throw new Problem(`"${seconds}" is no number of seconds.`);
  // Build scripts are not instrumented where a target is named.
  const host = /^host: (.+)$/m.exec(capture("rustc", ["-vV"]))?.[1] ?? "x86_64-unknown-linux-gnu";
  const { code } = await run("cargo", ["build", "--release", "--target", host, "--bin", target], {
    cwd: crate, env: { ...process.env, RUSTFLAGS: coverage.join(" ") },
  });
  if (code !== 0) throw new Problem("The target does not compile; what the compiler says stands above.");
  const corpus = join(root, ".tools/fuzz", target);
  mkdirSync(corpus, { recursive: true });
  const program = join(process.env.CARGO_TARGET_DIR ?? join(crate, "target"), host, "release", target);
  const found = await run(program, [corpus, `-max_total_time=${seconds}`, `-artifact_prefix=${corpus}-`]);
  if (found.code !== 0) throw new Problem(`A defect was found; the bytes lie beside ${corpus}.`);
});
