/** Holds the order of the house (ARCHITECTURE.md) against the files as they are. */
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join, relative, sep } from "node:path";
import { describe, expect, test } from "vitest";
import { headProblems, importProblems, targetProblems, unsafeProblems } from "./rust-rules.js";
import { scriptProblems } from "./script-rules.js";
import { lengthProblems, medianProblems, nameProblems, type SourceFile } from "./size-rules.js";

const root = join(import.meta.dirname, "../..");
const generated = new Set(["node_modules", "dist", "wasm", "target", "results"]);

/** The files below `folder` that end in one of `endings`, with paths from `base`. */
function read(folder: string, endings: readonly string[], base = root): SourceFile[] {
  const found: SourceFile[] = [];
  const walk = (path: string, depth: number) => {
    if (statSync(path).isDirectory()) {
      for (const name of readdirSync(path)) if (depth > 0 || !generated.has(name)) walk(join(path, name), depth + 1);
    } else if (endings.some((ending) => path.endsWith(ending))) {
      found.push({ path: relative(base, path).split(sep).join("/"), text: readFileSync(path, "utf8") });
    }
  };
  if (existsSync(join(root, folder))) {
    const top = join(root, folder);
    for (const name of readdirSync(top)) {
      if (!generated.has(name) || folder === "tests") walk(join(top, name), 1);
    }
  }
  return found.sort((a, b) => a.path < b.path ? -1 : 1);
}

const rust = read("src", [".rs"], join(root, "src"));
const scripts = read("pkg/src", [".ts"], join(root, "pkg"));
const everything = ["src", "pkg/src", "www", "tests", "benches", "scripts"].flatMap((folder) => read(folder, [".rs", ".ts", ".tsx", ".mjs", ".css"]));

test("there is a house to look at", () => {
  expect(rust.map(({ path }) => path)).toContain("lib.rs");
  expect(scripts.map(({ path }) => path)).toContain("src/index.ts");
  expect(rust.length).toBeGreaterThan(10);
});

describe("Rust", () => {
  test("rooms import downwards, without circles, and backends only through the URL", () => expect(importProblems(rust)).toEqual([]));
  test("the host is asked for in its rooms only", () => expect(targetProblems(rust)).toEqual([]));
  test("unsafe code stands in the distance kernels only", () => expect(unsafeProblems(rust)).toEqual([]));
  test("files say what they are for, rooms what always holds", () => expect(headProblems(rust)).toEqual([]));
});

describe("TypeScript", () => {
  test("modules import downwards, without circles, and the glue through one door", () => expect(scriptProblems(scripts)).toEqual([]));
});

describe("files", () => {
  test("none is too long", () => expect(lengthProblems(everything)).toEqual([]));
  test.each(["src/", "pkg/src/", "www/", "tests/", "scripts/"])("the typical file in %s is short", (folder) =>
    expect(medianProblems(everything.filter(({ path }) => path.startsWith(folder)))).toEqual([]));
  test("none has a name that says nothing", () => expect(nameProblems(everything)).toEqual([]));
});
