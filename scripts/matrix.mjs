/**
 * What `cargo test` has run, read from what it printed, and the matrix of backends and hosts made of it.
 *
 * Invariants
 * - Every figure comes from tests that ran in this run.
 * - A cell that must have tests and has none, or has one that failed, is a failure.
 */

/** A suite by the module it stands in; the model test is one of the conformance suite by its place. */
const suites = {
  conformance: /(?:^|::)conformance::(?!ten_thousand_operations_match_a_map)/,
  model: /(?:^|::)conformance::ten_thousand_operations_match_a_map$/,
  anomalies: /(?:^|::)anomalies::/,
};

/** The rows. */
const backends = [
  { name: "memory", module: "memory" },
  { name: "SQLite", module: "sqlite", needs: "sqlite" },
  { name: "JSON", module: "json" },
  { name: "host", module: "host" },
  { name: "IndexedDB", module: "indexed_db" },
  { name: "OPFS-SQLite", module: "opfs", needs: "sqlite" },
];

/** The columns, and which cells of them must be filled. */
const hosts = [
  { name: "native", expected: ["memory", "SQLite", "JSON"] },
  { name: "Node", expected: ["memory", "SQLite", "JSON", "host"] },
  { name: "Chromium", expected: ["memory", "IndexedDB", "OPFS-SQLite"] },
];

/** The tests in what `cargo test` printed: `{ name, ok }`, and how many were passed over. */
export function testsOf(output) {
  const tests = [];
  let skipped = 0;
  for (const [, name, verdict] of output.matchAll(/^test (\S+)(?: - should panic)? \.\.\. (ok|FAILED|FAIL|ignored)\b/gm)) {
    if (verdict === "ignored") skipped += 1;
    else tests.push({ name, ok: verdict === "ok" });
  }
  return { tests, skipped };
}

/** Counts the tests by the result line that every test program ends with. */
export function countLibtest(output) {
  let passed = 0;
  let failed = 0;
  for (const [, ok, bad] of output.matchAll(/test result: (?:ok|FAILED)\. (\d+) passed; (\d+) failed/g)) {
    passed += Number(ok);
    failed += Number(bad);
  }
  return { passed, failed, skipped: testsOf(output).skipped };
}

/** The backend that a suite was run on: the first module of the path that begins with a backend's name. */
function backendOf(name) {
  const [above, ...within] = name.split(/::(?:conformance|anomalies)::/);
  if (within.length === 0) return undefined;
  return above.split("::").map((part) => backends.find(({ module }) => part.startsWith(module))).find(Boolean);
}

/** What one cell of one run holds: `{ conformance: { passed, failed }, ... }`. */
function cell(tests, backend) {
  const own = tests.filter(({ name }) => backendOf(name) === backend);
  return Object.fromEntries(Object.entries(suites).map(([suite, pattern]) => {
    const found = own.filter(({ name }) => pattern.test(name));
    const passed = found.filter(({ ok }) => ok).length;
    return [suite, { passed, failed: found.length - passed }];
  }));
}

const total = (cell, field) => Object.values(cell).reduce((sum, counts) => sum + counts[field], 0);

/**
 * The matrix of the runs `{ host, backends, tests }`, where `backends` names the rows that a run
 * is for: the lines to print, and how many cells failed for want of tests. Tests that failed are counted
 * by their stage already. `without`: why there is no SQLite in wasm, if there is none.
 */
export function matrix(runs, without = null) {
  const columns = hosts.filter(({ name }) => runs.some(({ host }) => host === name));
  let missing = 0;
  const rows = backends.map((backend) => [backend.name, ...columns.map(({ name, expected }) => {
    const must = expected.includes(backend.name);
    if (must && without !== null && backend.needs === "sqlite" && name !== "native") return "skipped";
    const cells = runs.filter((run) => run.host === name && run.backends.includes(backend.name))
      .map((run) => cell(run.tests, backend));
    if (!must) return "–";
    if (cells.length === 0) return "not run";
    const bad = cells.some((cell) => total(cell, "failed") > 0 || Object.values(cell).some(({ passed }) => passed === 0));
    if (cells.some((cell) => Object.values(cell).some(({ passed, failed }) => passed + failed === 0))) missing += 1;
    const text = cells.map((cell) => Object.values(cell).map(({ passed, failed }) => failed > 0 ? `${passed}/${passed + failed}` : passed).join(" + "));
    return `${bad ? "FAILED " : ""}${new Set(text).size === 1 && text.length > 1 ? `${text[0]}, ×${text.length}` : text.join(", ")}`;
  })]);
  const table = [["", ...columns.map(({ name }) => name)], ...rows];
  const widths = table[0].map((_, column) => Math.max(...table.map((row) => row[column].length)));
  const lines = table.map((row) => row.map((text, column) => text.padEnd(widths[column])).join("  ").trimEnd());
  return {
    missing,
    lines: ["conformance + model + anomalies, passed in this run", ...lines, ...(without === null ? [] : [`skipped: ${without}`])],
  };
}
