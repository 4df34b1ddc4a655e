/**
 * Reading Rust source as far as the house rules need it: without a parser, but never fooled by comments
 * and strings.
 *
 * **Invariants**
 * - `blank` keeps every offset and line: what it removes becomes spaces.
 * - Paths come out in full, starting at the crate: `super`, `self`, groups and renames are resolved.
 */

/** A Rust file: its path below `src`, with slashes, and its text. */
export interface RustFile {
  readonly path: string;
  readonly text: string;
}

/** A path that a file mentions: `["model", "Key"]` for `crate::model::Key`. */
export interface Mention {
  readonly segments: readonly string[];
  readonly line: number;
  /** Whether it stands in code that is compiled for tests only. */
  readonly test: boolean;
  /** Whether it is a `pub use`. */
  readonly reexport: boolean;
}

/** Replaces comments, and what strings and characters hold, by spaces. */
export function blank(text: string): string {
  const out = [...text];
  const wipe = (from: number, to: number) => {
    for (let i = from; i < to; i++) if (out[i] !== "\n") out[i] = " ";
  };
  // One alternative for each thing that may hide a quote or a slash from the others.
  const token = /\/\/[^\n]*|\/\*|(?:\b(?:b|c|br|cr|r))?(#*)"|'(?:\\(?:u\{[^}]*\}|x..|.)|[^\\'\n])'/gy;
  let at = 0;
  // `[...text]` splits by code point; work on code units to keep offsets.
  if (out.length !== text.length) return blank(text.replace(/[\u{10000}-\u{10ffff}]/gu, "__"));
  while (at < text.length) {
    token.lastIndex = at;
    const found = token.exec(text);
    if (found === null) {
      at = skipWord(text, at);
      continue;
    }
    let end = token.lastIndex;
    if (found[0] === "/*") end = endOfComment(text, at);
    else if (found[0].endsWith('"')) end = endOfString(text, end, found[0].includes("r") ? found[1] ?? "" : null);
    wipe(at, end);
    at = end;
  }
  return out.join("");
}

/** Where to look next: behind the word, if one begins here, so that `br` in `abr"` is no prefix. */
function skipWord(text: string, at: number): number {
  const word = /[A-Za-z0-9_]+/y;
  word.lastIndex = at;
  const found = word.exec(text);
  return found === null ? at + 1 : at + found[0].length;
}

function endOfComment(text: string, at: number): number {
  let depth = 0;
  for (let i = at; i < text.length; i++) {
    if (text.startsWith("/*", i)) { depth++; i++; }
    else if (text.startsWith("*/", i)) { i++; if (--depth === 0) return i + 1; }
  }
  return text.length;
}

function endOfString(text: string, at: number, hashes: string | null): number {
  if (hashes !== null) {
    const end = text.indexOf(`"${hashes}`, at);
    return end < 0 ? text.length : end + 1 + hashes.length;
  }
  for (let i = at; i < text.length; i++) {
    if (text[i] === "\\") i++;
    else if (text[i] === '"') return i + 1;
  }
  return text.length;
}

/** The module that a file is: `src/vector/flat.rs` is `["vector", "flat"]`. */
export function moduleOf(path: string): string[] {
  const parts = path.replace(/\.rs$/, "").split("/");
  if (parts.at(-1) === "mod") parts.pop();
  return parts.length === 1 && (parts[0] === "lib" || parts[0] === "main") ? [] : parts;
}

/** A stretch of a file that is a module of its own: `mod name { ... }`. */
interface Inline { readonly name: string; readonly from: number; readonly to: number; readonly test: boolean }

function inlineModules(code: string): Inline[] {
  const found: Inline[] = [];
  for (const match of code.matchAll(/((?:#\[[^\]]*\]\s*)*)(?:pub(?:\([^)]*\))?\s+)?\bmod\s+(\w+)\s*\{/g)) {
    const from = match.index + match[0].length;
    found.push({ name: match[2] ?? "", from, to: endOfBlock(code, from), test: isTest(match[1] ?? "") });
  }
  return found;
}

/** Whether attributes say "for tests only". */
export function isTest(attributes: string): boolean {
  return /#\[cfg\([^\]]*\btest\b/.test(attributes) && !/not\(\s*test\b/.test(attributes) && !/\bfeature\b/.test(attributes);
}

function endOfBlock(code: string, from: number): number {
  let depth = 1;
  for (let i = from; i < code.length; i++) {
    if (code[i] === "{") depth++;
    else if (code[i] === "}" && --depth === 0) return i;
  }
  return code.length;
}

/** The files that are compiled for tests only: `#[cfg(test)] mod tests;`, and what lies below them. */
export function testFiles(files: readonly RustFile[]): Set<string> {
  const found = new Set<string>();
  for (const file of files) {
    const code = blank(file.text);
    for (const [, attributes, name] of code.matchAll(/((?:#\[[^\]]*\]\s*)+)(?:pub(?:\([^)]*\))?\s+)?mod\s+(\w+)\s*;/g)) {
      if (!isTest(attributes ?? "")) continue;
      const module = [...moduleOf(file.path), name].join("/");
      for (const { path } of files) {
        if (path === `${module}.rs` || path.startsWith(`${module}/`)) found.add(path);
      }
    }
  }
  return found;
}

/** Splits `a::{b, c::{d as e, self}}` into whole paths. */
export function expand(tree: string): string[][] {
  const text = tree.replace(/\s+/g, " ").trim();
  const open = text.indexOf("{");
  if (open < 0) {
    const segments = text.replace(/ as .*$/, "").split("::").map((part) => part.trim()).filter((part) => part !== "");
    return segments.length === 0 ? [] : [segments.at(-1) === "self" && segments.length > 1 ? segments.slice(0, -1) : segments];
  }
  const head = text.slice(0, open).split("::").map((part) => part.trim()).filter((part) => part !== "");
  const body = text.slice(open + 1, text.lastIndexOf("}"));
  const parts: string[] = [];
  let depth = 0;
  let from = 0;
  for (let i = 0; i <= body.length; i++) {
    if (body[i] === "{") depth++;
    else if (body[i] === "}") depth--;
    else if (i === body.length || (body[i] === "," && depth === 0)) {
      parts.push(body.slice(from, i));
      from = i + 1;
    }
  }
  return parts.flatMap((part) => part.trim() === "self" ? [head] : expand(part).map((rest) => [...head, ...rest]));
}

/** Every path into this crate that a file mentions, in `use` items and elsewhere. */
export function mentions(file: RustFile, inTests = false): Mention[] {
  const code = blank(file.text);
  const modules = inlineModules(code);
  const declared = new Set([...code.matchAll(/\bmod\s+(\w+)\s*[;{]/g)].map((match) => match[1]));
  const found: Mention[] = [];
  const add = (segments: readonly string[], offset: number, isUse: boolean, reexport: boolean) => {
    const around = modules.filter(({ from, to }) => offset >= from && offset < to);
    const here = [...moduleOf(file.path), ...around.map(({ name }) => name)];
    const full = resolve(segments, here, isUse ? declared : new Set());
    if (full === null) return;
    found.push({
      segments: full,
      line: code.slice(0, offset).split("\n").length,
      test: inTests || around.some(({ test }) => test),
      reexport,
    });
  };
  const uses: { from: number; to: number }[] = [];
  for (const match of code.matchAll(/(\bpub(?:\([^)]*\))?\s+)?\buse\s+([^;]+);/g)) {
    uses.push({ from: match.index, to: match.index + match[0].length });
    for (const segments of expand(match[2] ?? "")) add(segments, match.index, true, match[1] !== undefined);
  }
  for (const match of code.matchAll(/(?<![\w:])(?:crate|super)(?:\s*::\s*\w+)+/g)) {
    if (uses.some(({ from, to }) => match.index >= from && match.index < to)) continue;
    add(match[0].split("::").map((part) => part.trim()), match.index, false, false);
  }
  return found;
}

/** The path from the crate's root, or `null` if it leads into another crate. */
function resolve(segments: readonly string[], here: readonly string[], declared: ReadonlySet<string | undefined>): string[] | null {
  const [first] = segments;
  if (first === "crate" || first === "$crate") return segments.slice(1);
  if (first === "self") return [...here, ...segments.slice(1)];
  if (first === "super") {
    const ups = segments.findIndex((part) => part !== "super");
    const count = ups < 0 ? segments.length : ups;
    return [...here.slice(0, Math.max(0, here.length - count)), ...segments.slice(count)];
  }
  return declared.has(first) ? [...here, ...segments] : null;
}
