/**
 * The rules of the house for `src`: who may import whom, and where the host may be asked for.
 *
 * **Invariants**
 * - Imports run downwards. Within one row they may go sideways, but never in a circle.
 * - Code for tests may import anything: it proves the rooms, it is not part of them.
 */
import { circles } from "./circles.js";
import { blank, isTest, mentions, type RustFile, testFiles } from "./rust-source.js";

/** The rows, the upper ones first. A room may import rooms of the rows below its own. */
export const rows: readonly (readonly string[])[] = [
  ["js", "testing"],
  ["stores", "patterns"],
  ["config", "observe"],
  ["vector", "text"],
  ["layers", "log", "paged"],
  ["backends"],
  ["crypto", "schema", "observe::metrics"],
  ["model"],
  ["platform", "error"],
];

/** The backends: only `backends/url.rs` knows that they exist. */
const implementations = ["memory", "indexeddb", "sqlite", "json", "host"];

/** The room that a path into the crate leads to, or `null` for the root itself. */
export function roomOf(segments: readonly string[]): string | null {
  const [first, second] = segments;
  if (first === undefined) return null;
  return first === "observe" && second === "metrics" ? "observe::metrics" : first;
}

function roomOfFile(path: string): string | null {
  const room = roomOf(path.replace(/(\/mod)?\.rs$/, "").split("/"));
  return room === "lib" ? null : room;
}

const rowOf = (room: string): number => rows.findIndex((row) => row.includes(room));

/** What `pub use` makes of a short name: in `lib.rs` (`Error` -> `error`), and in `backends/mod.rs`. */
function shortcuts(files: readonly RustFile[], path: string): Map<string, readonly string[]> {
  const file = files.find((candidate) => candidate.path === path);
  const found = new Map<string, readonly string[]>();
  if (file === undefined) return found;
  for (const { segments, reexport } of mentions(file)) {
    const name = segments.at(-1);
    if (reexport && name !== undefined) found.set(name, segments);
  }
  return found;
}

/** Macros that are exported stand at the root of the crate, wherever they were written. */
function macros(files: readonly RustFile[]): Map<string, readonly string[]> {
  const found = new Map<string, readonly string[]>();
  for (const { path, text } of files) {
    for (const [, name] of blank(text).matchAll(/#\[macro_export[^\]]*\]\s*(?:#\[[^\]]*\]\s*)*macro_rules!\s*(\w+)/g)) {
      if (name !== undefined) found.set(name, [roomOfFile(path) ?? "lib", name]);
    }
  }
  return found;
}

/** The order of the rooms, circles among them, and who imports an implementation of a backend. */
export function importProblems(files: readonly RustFile[]): string[] {
  const tests = testFiles(files);
  const root = new Map([...macros(files), ...shortcuts(files, "lib.rs")]);
  const short = shortcuts(files, "backends/mod.rs");
  const graph = new Map<string, Set<string>>();
  const problems: string[] = [];
  for (const file of files) {
    const from = roomOfFile(file.path);
    if (from !== null && rowOf(from) < 0) {
      problems.push(`${file.path}: there is no room "${from}" in the drawing`);
      continue;
    }
    for (const mention of mentions(file, tests.has(file.path))) {
      if (mention.test) continue;
      const segments = follow(mention.segments, root, short);
      const where = `${file.path}:${mention.line}`;
      problems.push(...implementationProblems(file.path, segments, where));
      const to = roomOf(segments);
      if (from === null || to === null || to === from) continue;
      if (rowOf(to) < 0) {
        problems.push(`${where}: crate::${segments.join("::")} leads to no room in the drawing`);
      } else if (rowOf(to) < rowOf(from)) {
        problems.push(`${where}: ${from} may not import ${to}, which stands above it`);
      }
      graph.set(from, (graph.get(from) ?? new Set()).add(to));
    }
  }
  for (const circle of circles(graph)) problems.push(`rooms import one another in a circle: ${circle.join(" -> ")}`);
  return problems;
}

/** A path with its first name replaced by what that name stands for. */
function follow(segments: readonly string[], root: ReadonlyMap<string, readonly string[]>, backends: ReadonlyMap<string, readonly string[]>): readonly string[] {
  const at = root.get(segments[0] ?? "");
  const full = at === undefined ? segments : [...at, ...segments.slice(1)];
  if (full[0] !== "backends") return full;
  const inner = backends.get(full[1] ?? "");
  return inner === undefined ? full : [...inner, ...full.slice(2)];
}

function implementationProblems(path: string, segments: readonly string[], where: string): string[] {
  const [room, name] = segments;
  if (room !== "backends" || name === undefined || !implementations.includes(name)) return [];
  // `mod.rs` declares them and shows them to users of the crate; it may do no more than that.
  const own = path === `backends/${name}.rs` || path.startsWith(`backends/${name}/`);
  if (own || path === "backends/url.rs" || path === "backends/mod.rs" || path === "lib.rs") return [];
  return [`${where}: only backends/url.rs may import the backend ${name}`];
}

/** Where `cfg(target_...)` may stand: in the rooms that are the seam to the host, and around modules. */
export function targetProblems(files: readonly RustFile[]): string[] {
  const seams = [/^platform(\/|\.rs$)/, /^backends\/(indexeddb|sqlite)(\/|\.rs$)/, /^js(\/|\.rs$)/, /^vector\/distance(\/|\.rs$)/, /^backends\/url\.rs$/];
  const tests = testFiles(files);
  const problems: string[] = [];
  for (const { path, text } of files) {
    if (seams.some((seam) => seam.test(path)) || tests.has(path)) continue;
    const code = blank(text);
    for (const match of code.matchAll(/(#!?\[\s*)?\bcfg(_attr)?\s*!?\s*\(/g)) {
      const body = group(code, match.index + match[0].length - 1);
      if (!/\btarget_\w+/.test(body) || insideTests(code, match.index)) continue;
      const after = code.slice(match.index + match[0].length - 1 + body.length);
      if (match[2] !== undefined && /,\s*(async_trait(::async_trait)?)\s*(\(\s*\?Send\s*\))?\s*\)$/.test(body)) continue;
      if (match[1] !== undefined && match[2] === undefined && isTest(`#[cfg${body}]`)) continue;
      if ((path === "lib.rs" || path === "backends/mod.rs") && /^\s*\]\s*(#\[[^\]]*\]\s*)*(pub(\([^)]*\))?\s+)?(mod|use)\b/.test(after)) continue;
      problems.push(`${path}:${code.slice(0, match.index).split("\n").length}: cfg(target_...) belongs in platform, backends/indexeddb, backends/sqlite or js`);
    }
  }
  return problems;
}

/** The brackets that begin at `at`, and all that they hold. */
function group(code: string, at: number): string {
  let depth = 0;
  for (let i = at; i < code.length; i++) {
    if (code[i] === "(") depth++;
    else if (code[i] === ")" && --depth === 0) return code.slice(at, i + 1);
  }
  return code.slice(at);
}

function insideTests(code: string, offset: number): boolean {
  for (const match of code.matchAll(/((?:#\[[^\]]*\]\s*)+)mod\s+\w+\s*\{/g)) {
    if (!isTest(match[1] ?? "") || offset < match.index) continue;
    const open = match.index + match[0].length;
    let depth = 1;
    let end = open;
    while (end < code.length && depth > 0) {
      if (code[end] === "{") depth++;
      else if (code[end] === "}") depth--;
      end++;
    }
    if (offset < end) return true;
  }
  return false;
}

/**
 * `unsafe` stands in the distance kernels, and in one place elsewhere: SQLite takes its virtual file
 * system only by an unsafe call. That one is allowed once, on its statement, and says why it is sound.
 */
export function unsafeProblems(files: readonly RustFile[]): string[] {
  const found = files.filter(({ path }) => !/^vector\/distance(\/|\.rs$)/.test(path)).flatMap(({ path, text }) =>
    [...blank(text).matchAll(/\bunsafe\b|\b(?:allow|expect)\s*\(\s*unsafe_code/g)].map((match) => ({
      path, text, at: match.index, block: match[0] === "unsafe", line: text.slice(0, match.index).split("\n").length,
    })));
  const registration = found.filter(({ path }) => /^backends\/sqlite(\/|\.rs$)/.test(path));
  const allowed = registration.filter(({ block }) => !block);
  const blocks = registration.filter(({ block }) => block);
  const one = allowed.length <= 1 && blocks.length <= 1 && new Set(registration.map(({ path }) => path)).size <= 1;
  const problems = found.filter((place) => !one || !registration.includes(place))
    .map(({ path, line }) => `${path}:${line}: unsafe code belongs in vector/distance`);
  for (const { path, text, at, line } of one ? blocks : []) {
    // The reason stands right above the statement, which may have begun on an earlier line.
    const above = text.slice(0, at).split("\n").slice(0, -1).reverse();
    const begin = above.findIndex((code) => /^\s*\/\/|[;{}]\s*$/.test(code));
    const reason = above.slice(begin);
    const comment = reason.slice(0, reason.findIndex((code) => !/^\s*\/\//.test(code)));
    if (!comment.some((code) => /^\s*\/\/ SAFETY: \S/.test(code))) problems.push(`${path}:${line}: the unsafe block does not say why it is sound (// SAFETY: above it)`);
    if (!/^unsafe\s*\{/.test(text.slice(at))) problems.push(`${path}:${line}: only a block may be unsafe here`);
  }
  return problems;
}

/** Every file says what it is for; every room says what always holds in it. */
export function headProblems(files: readonly RustFile[]): string[] {
  return files.flatMap(({ path, text }) => {
    if (!text.startsWith("//!")) return [`${path}: does not open with what it is for (//!)`];
    const head = /^(?:\/\/![^\n]*\n)+/.exec(text)?.[0] ?? "";
    return path.endsWith("/mod.rs") && !/\*\*Invariants?\*\*/.test(head) ? [`${path}: does not state its **Invariants**`] : [];
  });
}
