/** Proves that the rules of the house catch what they are for: each is shown a house that breaks it. */
import { describe, expect, test } from "vitest";
import { headProblems, importProblems, targetProblems, unsafeProblems } from "./rust-rules.js";
import { blank, expand, mentions } from "./rust-source.js";
import { scriptProblems } from "./script-rules.js";
import { lengthProblems, medianProblems, nameProblems } from "./size-rules.js";

/** A house of Rust files: `{ "lib.rs": "..." }`. */
const house = (files: Record<string, string>) => Object.entries(files).map(([path, text]) => ({ path, text }));
const lib = "mod error;\npub mod model;\npub use error::{Error, Result};\npub use self::stores::Store;\npub mod stores;\n";

describe("reading Rust", () => {
  test("comments and strings are no code", () => {
    const code = blank('use a; // use b;\n/* use c; /* use d; */ use e; */ let s = "use f; \\" use g;"; let r = r#"use "h";"#; let q = \'"\'; use i;');
    expect([...code.matchAll(/use (\w)/g)].map((match) => match[1])).toEqual(["a", "i"]);
    expect(blank("fn f<'a>(x: &'a str) { use b; }")).toContain("use b;");
    expect(blank('let b = b"use x"; let c = \'\\u{1F600}\'; "\u{1F600}"; use y;')).not.toContain("use x");
    expect(blank("\"a\nb\"\nuse c;").split("\n")).toHaveLength(3);
  });

  test("groups, renames and self are taken apart", () => {
    expect(expand("crate::{model::{Key, Range as R, self}, Error}")).toEqual([
      ["crate", "model", "Key"], ["crate", "model", "Range"], ["crate", "model"], ["crate", "Error"],
    ]);
    expect(expand("crate::a::*")).toEqual([["crate", "a", "*"]]);
  });

  test("super and inline modules are resolved", () => {
    const text = "use super::super::model::Key;\nmod inner { use super::x; use super::super::super::error::E; }\n#[cfg(test)]\nmod tests { use super::*; use crate::js::J; }\n";
    const found = mentions({ path: "stores/agents/list.rs", text });
    expect(found.map(({ segments, test: inTest }) => [segments.join("::"), inTest])).toEqual([
      ["stores::model::Key", false],
      ["stores::agents::list::x", false],
      ["stores::error::E", false],
      ["stores::agents::list::*", true],
      ["js::J", true],
    ]);
  });
});

describe("import order in Rust", () => {
  const upward = (text: string, path = "model/key.rs") => importProblems(house({ "lib.rs": lib, [path]: text }));

  test("a plain import upwards is caught", () => expect(upward("use crate::stores::Store;")).toEqual(["model/key.rs:1: model may not import stores, which stands above it"]));
  test("so is one in a group", () => expect(upward("use crate::{\n  Error,\n  stores::{Store, list},\n};")).toHaveLength(2));
  test("so is one by super", () => expect(upward("use super::super::stores::Store;")).toHaveLength(1));
  test("so is one by a name that lib.rs re-exports", () => expect(upward("use crate::Store;")).toHaveLength(1));
  test("so is one in the middle of the code", () => expect(upward("fn f() -> crate::stores::Store { loop {} }")).toHaveLength(1));
  test("so is one from a child module's mod.rs", () => expect(upward("use super::js::x;", "model/mod.rs")).toHaveLength(1));
  test("observe::metrics stands lower than observe", () => {
    expect(importProblems(house({ "backends/mod.rs": "use crate::observe::metrics::Count;" }))).toEqual([]);
    expect(importProblems(house({ "backends/mod.rs": "use crate::observe::health::Health;" }))).toHaveLength(1);
    expect(importProblems(house({ "observe/metrics.rs": "use crate::backends::Backend;" }))).toHaveLength(1);
  });
  test("a room that is not in the drawing is caught", () => {
    expect(importProblems(house({ "helpers/mod.rs": "" }))).toHaveLength(1);
    expect(upward("use crate::helpers::x;")).toHaveLength(1);
  });
  test("imports downwards are fine, in tests upwards too", () => {
    expect(upward("use crate::Error;\nuse crate::platform::Clock;\n#[cfg(test)]\nmod tests { use crate::stores::Store; }")).toEqual([]);
    expect(importProblems(house({ "model/mod.rs": "#[cfg(test)]\nmod tests;", "model/tests.rs": "use crate::stores::Store;" }))).toEqual([]);
  });
  test("a circle within one row is caught", () => {
    const problems = importProblems(house({ "stores/mod.rs": "use crate::patterns::x;", "patterns/mod.rs": "use crate::stores::y;" }));
    expect(problems).toEqual(["rooms import one another in a circle: stores -> patterns -> stores"]);
    expect(importProblems(house({ "stores/mod.rs": "use crate::patterns::x;", "patterns/mod.rs": "use crate::model::y;" }))).toEqual([]);
  });
  test("an implementation of a backend is imported by url.rs only", () => {
    const mod = "pub mod memory;\nmod url;\npub use memory::MemoryBackend;\n";
    const use = (path: string, text: string) => importProblems(house({ "backends/mod.rs": mod, [path]: text }));
    expect(use("backends/url.rs", "use super::memory::MemoryBackend;")).toEqual([]);
    expect(use("backends/memory.rs", "use super::{Backend, memory::Inner};")).toEqual([]);
    expect(use("layers/mod.rs", "use crate::backends::memory::MemoryBackend;")).toEqual(["layers/mod.rs:1: only backends/url.rs may import the backend memory"]);
    expect(use("layers/mod.rs", "use crate::backends::MemoryBackend;")).toHaveLength(1);
    expect(use("backends/indexeddb/mod.rs", "use super::MemoryBackend;")).toHaveLength(1);
    expect(use("backends/judge.rs", "use super::memory::Inner;")).toHaveLength(1);
  });
});

describe("the host", () => {
  const gated = (path: string, text: string) => targetProblems(house({ [path]: text }));

  test("cfg(target_...) outside its rooms is caught, in every form", () => {
    expect(gated("stores/mod.rs", '#[cfg(target_family = "wasm")]\nfn f() {}')).toHaveLength(1);
    expect(gated("stores/mod.rs", '#[cfg(all(unix, not(target_arch = "x86_64")))]\nmod x;')).toHaveLength(1);
    expect(gated("stores/mod.rs", 'let x = cfg!(target_os = "linux");')).toHaveLength(1);
    expect(gated("stores/mod.rs", '#[cfg_attr(target_family = "wasm", derive(Debug))]\nstruct S;')).toHaveLength(1);
    expect(gated("lib.rs", '#[cfg(target_family = "wasm")]\nfn f() {}')).toHaveLength(1);
    expect(gated("vector/flat.rs", '#[cfg(target_feature = "simd128")]\nfn f() {}')).toHaveLength(1);
  });
  test("its rooms, the gates around modules, async_trait and tests are fine", () => {
    expect(gated("platform/time.rs", '#[cfg(target_family = "wasm")]\nfn f() {}')).toEqual([]);
    expect(gated("backends/indexeddb/mod.rs", '#[cfg(target_family = "wasm")]\nfn f() {}')).toEqual([]);
    expect(gated("vector/distance/simd.rs", '#[cfg(target_feature = "simd128")]\nfn f() {}')).toEqual([]);
    expect(gated("lib.rs", '#[cfg(target_family = "wasm")]\npub mod js;')).toEqual([]);
    expect(gated("layers/mod.rs", '#[cfg_attr(not(target_family = "wasm"), async_trait)]\n#[cfg_attr(target_family = "wasm", async_trait(?Send))]\nimpl X {}')).toEqual([]);
    expect(gated("model/mod.rs", '#[cfg(test)]\nmod tests { #[cfg(target_family = "wasm")] fn f() {} }')).toEqual([]);
    expect(gated("model/mod.rs", '#[cfg(all(test, not(target_family = "wasm")))]\nmod tests {}')).toEqual([]);
    expect(gated("model/mod.rs", '// #[cfg(target_family = "wasm")]\n')).toEqual([]);
  });
  test("unsafe outside the kernels is caught", () => {
    expect(unsafeProblems(house({ "js/mod.rs": "fn f() { unsafe { g() } }" }))).toEqual(["js/mod.rs:1: unsafe code belongs in vector/distance"]);
    expect(unsafeProblems(house({ "js/mod.rs": "#![allow(unsafe_code)]" }))).toHaveLength(1);
    expect(unsafeProblems(house({ "vector/distance/simd.rs": "unsafe {}", "vector/distance.rs": "unsafe {}", "lib.rs": "#![deny(unsafe_code)] // unsafe" }))).toEqual([]);
  });
  test("one unsafe block registers SQLite's file system, with its reason, and no second", () => {
    const sound = "fn f() {\n    // SAFETY: the name is static, and\n    // the table lives for ever.\n    #[allow(unsafe_code)]\n    let ok = unsafe { register() };\n}\n";
    expect(unsafeProblems(house({ "backends/sqlite/vfs.rs": sound }))).toEqual([]);
    expect(unsafeProblems(house({ "backends/sqlite/vfs.rs": sound.replace("SAFETY", "Note") }))).toEqual([
      "backends/sqlite/vfs.rs:5: the unsafe block does not say why it is sound (// SAFETY: above it)",
    ]);
    expect(unsafeProblems(house({ "backends/sqlite/vfs.rs": sound.replace("unsafe {", "h(); unsafe fn x() {") }))).toEqual([
      "backends/sqlite/vfs.rs:5: only a block may be unsafe here",
    ]);
    expect(unsafeProblems(house({ "backends/sqlite/vfs.rs": sound + sound }))).toHaveLength(4);
    expect(unsafeProblems(house({ "backends/sqlite/vfs.rs": sound, "backends/sqlite/mod.rs": "unsafe { g() }" }))).toHaveLength(3);
    expect(unsafeProblems(house({ "backends/sqlite_x.rs": sound }))).toHaveLength(2);
    expect(unsafeProblems(house({ "backends/json/mod.rs": sound }))).toHaveLength(2);
  });
  test("a file without a head is caught, and a room without invariants", () => {
    expect(headProblems(house({ "model/key.rs": "use x;", "model/mod.rs": "//! Keys.\n", "log/mod.rs": "//! Logs.\n//!\n//! **Invariants**\n" }))).toEqual([
      "model/key.rs: does not open with what it is for (//!)", "model/mod.rs: does not state its **Invariants**",
    ]);
  });
});

describe("import order in TypeScript", () => {
  test("an import upwards is caught, in every form", () => {
    expect(scriptProblems(house({ "src/store.ts": 'import { open } from "./index.js";' }))).toEqual([
      "src/store.ts:1: stores may not import index (src/index.ts), which stands above it",
    ]);
    expect(scriptProblems(house({ "src/errors.ts": 'import type { Store } from "./store.js";' }))).toHaveLength(1);
    expect(scriptProblems(house({ "src/value/encode.ts": 'import { core } from "../core.js";' }))).toHaveLength(1);
    expect(scriptProblems(house({ "src/loader/load.ts": 'const x = await import("../core.js");' }))).toHaveLength(1);
    expect(scriptProblems(house({ "src/index.ts": 'export * from "./entry/node.js";' }))).toHaveLength(1);
    expect(scriptProblems(house({ "src/files/node.ts": 'import "../loader/load.js";' }))).toHaveLength(1);
  });
  test("a circle is caught", () => {
    expect(scriptProblems(house({ "src/store.ts": 'import "./memory.js";', "src/memory.ts": 'import "./list.js";', "src/list.ts": 'import "./store.js";' }))).toEqual([
      "modules import one another in a circle: src/store.ts -> src/memory.ts -> src/list.ts -> src/store.ts",
    ]);
  });
  test("a second door to the glue is caught, and so is a dependency", () => {
    const glue = 'import init from "../../wasm/core.js";';
    expect(scriptProblems(house({ "src/loader/load.ts": glue }))).toEqual([]);
    expect(scriptProblems(house({ "src/loader/load.ts": glue, "src/loader/other.ts": glue }))).toHaveLength(1);
    expect(scriptProblems(house({ "src/loader/load.ts": glue, "src/loader/other.ts": glue.replace("core", "sqlite") }))).toHaveLength(1);
    expect(scriptProblems(house({ "src/store.ts": 'import x from "left-pad";' }))).toHaveLength(1);
  });
  test("the drawing itself is fine", () => {
    expect(scriptProblems(house({
      "src/entry/node.ts": 'import { open } from "../index.js"; import { l } from "../loader/node.js"; import "node:fs";',
      "src/index.ts": 'import { Store } from "./store.js"; export * from "./errors.js";',
      "src/store.ts": 'import { core } from "./core.js"; import type { T } from "./types.js";',
      "src/core.ts": 'import { ensure } from "./loader/load.js";',
    }))).toEqual([]);
  });
});

describe("sizes and names", () => {
  const file = (path: string, lines: number) => ({ path, text: "x\n".repeat(lines) });

  test("a file that is too long is caught", () => {
    expect(lengthProblems([file("a.rs", 700)])).toEqual([]);
    expect(lengthProblems([file("a.rs", 701)])).toHaveLength(1);
  });
  test("a house of long files is caught", () => {
    expect(medianProblems([file("a", 10), file("b", 250), file("c", 600)])).toEqual([]);
    expect(medianProblems([file("a", 10), file("b", 251), file("c", 251)])).toHaveLength(1);
  });
  test("empty names are caught", () => {
    expect(nameProblems(["src/utils.rs", "pkg/src/common/a.ts", "www/util.ts", "src/utility.rs"].map((path) => file(path, 1)))).toHaveLength(3);
  });
});
