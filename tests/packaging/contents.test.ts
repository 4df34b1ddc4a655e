/** What is in the package: the files, their sizes, what the package checkers say, and what must not be in it. */
import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { dirname, join, posix } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { foldersNamed, machineFolders } from "../../scripts/wasm.mjs";
import { app, emptyFolder, pack, root } from "./pack.js";

const kb = 1024;
/** Why the package has no SQLite, where it could not be compiled. */
const without = process.env.MNEMORA_WITHOUT_SQLITE;
const dist = join(root, "pkg/dist");
const gzipped = (bytes: Uint8Array): number => gzipSync(bytes, { level: 9 }).length;
const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as Record<string, unknown>;

/** A file of the build and all that it imports before any of its code runs. */
function closure(entry: string): string[] {
  const found = [entry];
  for (const file of found) {
    const text = readFileSync(join(dist, file), "utf8");
    for (const [, name] of text.matchAll(/\b(?:import|export)\s*(?:[\w*${},\s]+?\s*from\s*)?"(\.[^"]+)"/g)) {
      const path = posix.join(posix.dirname(file), name ?? "");
      if (!found.includes(path)) found.push(path);
    }
  }
  return found;
}

describe("files", () => {
  test("are those that are meant to be published", () => {
    const files = pack().files.map(({ path }) => path.replace(/chunk-[A-Z0-9]+/, "chunk-*")).filter((path) => !path.endsWith(".d.ts"));
    expect([...new Set(files)].sort()).toEqual([
      "CHANGELOG.md", "LICENSE-APACHE", "LICENSE-MIT", "README.md", "package.json",
      "pkg/dist/chunk-*.js", "pkg/dist/core.wasm",
      "pkg/dist/entry/inline.js", "pkg/dist/entry/node.js", "pkg/dist/entry/slim.js", "pkg/dist/entry/workerd.js",
      "pkg/dist/loader/node.js", "pkg/dist/sqlite-inline.js", ...(without === undefined ? ["pkg/dist/sqlite.wasm"] : []), "pkg/dist/wasm-inline.js",
    ]);
  });

  test("each entry has declarations", () => {
    const files = pack().files.map(({ path }) => path);
    for (const name of ["inline", "node", "slim", "workerd"]) expect(files).toContain(`pkg/dist/entry/${name}.d.ts`);
    expect(files.filter((path) => path.endsWith(".d.ts") && !path.startsWith("pkg/dist/"))).toEqual([]);
  });

  test("every path that package.json names is there", () => {
    const files = new Set(pack().files.map(({ path }) => `./${path}`));
    const named = (value: unknown): string[] => typeof value === "string" ? [value] : Object.values(value as object).flatMap(named);
    if (without !== undefined) files.add("./pkg/dist/sqlite.wasm");
    for (const path of [...named(manifest.exports), manifest.types as string]) expect(files).toContain(path);
  });
});

describe("package.json", () => {
  test("has no dependencies and runs nothing at installation", () => {
    for (const key of ["dependencies", "peerDependencies", "optionalDependencies", "bundledDependencies", "bundleDependencies"]) {
      expect(manifest[key]).toBeUndefined();
    }
    expect(Object.keys(manifest.scripts as object).filter((name) => /^(pre|post)?(install|prepare|pack|publish)/.test(name))).toEqual([]);
    expect(manifest).toMatchObject({ type: "module", sideEffects: false, engines: { node: ">=20" } });
  });

  test("has the version and the licence of Cargo.toml", () => {
    const cargo = readFileSync(join(root, "Cargo.toml"), "utf8");
    expect(manifest.version).toBe(/^version = "(.+)"$/m.exec(cargo)?.[1]);
    expect(manifest.license).toBe(/^license = "(.+)"$/m.exec(cargo)?.[1]);
  });

  test("one package is installed, and only one", () => {
    const folder = app();
    const lock = JSON.parse(readFileSync(join(folder, "node_modules/.package-lock.json"), "utf8")) as { packages: object };
    expect(Object.keys(lock.packages)).toEqual(["node_modules/mnemora"]);
  });
});

describe("size", () => {
  const sizeOf = (name: string): number => {
    const size = gzipped(readFileSync(join(dist, name)));
    console.log(`${name}: ${(size / kb).toFixed(1)} KB in gzip`);
    return size;
  };

  // The aim is 350, which `npm run bench -- size` holds it against; here it must not grow.
  test("the core is at most 430 KB in gzip", () => expect(sizeOf("core.wasm")).toBeLessThanOrEqual(430 * kb));

  test.skipIf(without !== undefined)("the whole file with SQLite is at most 850 KB in gzip", () => {
    expect(sizeOf("sqlite.wasm")).toBeLessThanOrEqual(850 * kb);
  });

  test("the core has nothing of SQLite in it", () => {
    const text = (name: string) => readFileSync(join(dist, name)).toString("latin1");
    expect(text("core.wasm")).not.toMatch(/sqlite_schema|SQLITE_/);
    if (without === undefined) expect(text("sqlite.wasm")).toContain("sqlite_schema");
  });

  test.each(["inline", "node", "slim"])("entry/%s.js and what it loads at once are at most 15 KB in gzip", (name) => {
    const files = closure(`entry/${name}.js`);
    const size = gzipped(Buffer.concat(files.map((file) => readFileSync(join(dist, file)))));
    console.log(`entry/${name}.js: ${(size / kb).toFixed(1)} KB in gzip, ${files.length} files`);
    expect(files.filter((file) => /inline\.js$/.test(file) && !file.startsWith("entry/"))).toEqual([]);
    expect(size).toBeLessThanOrEqual(15 * kb);
  });

  test.each([["wasm-inline.js", "core.wasm"], ["sqlite-inline.js", "sqlite.wasm"]])("%s costs hardly more than %s", (chunk, file) => {
    if (file === "sqlite.wasm" && without !== undefined) return;
    expect(gzipped(readFileSync(join(dist, chunk)))).toBeLessThan(1.05 * gzipped(readFileSync(join(dist, file))));
  });
});

describe("nothing of the machine that built it", () => {
  const folders = machineFolders().map(([folder]) => folder);

  test("the search finds what it is for", () => {
    expect(foldersNamed(Buffer.from("x/home/some/one/src/lib.rs"), ["/home/some/one"])).toEqual(["/home/some/one"]);
    expect(foldersNamed(Buffer.from("\0/src/lib.rs"), ["/src"])).toEqual(["/src"]);
    expect(foldersNamed(Buffer.from("mnemora/src/lib.rs"), ["/src"])).toEqual([]);
    expect(folders).toContain(root);
  });

  test("is named in any file", () => {
    const folder = emptyFolder();
    execFileSync("tar", ["-xzf", pack().tarball, "-C", folder]);
    for (const { path } of pack().files.filter(({ path }) => path.startsWith("pkg/"))) {
      expect({ path, found: foldersNamed(readFileSync(join(folder, "package", path)), folders) }).toEqual({ path, found: [] });
    }
  });

  test.each(["core.wasm", ...(without === undefined ? ["sqlite.wasm"] : [])])("%s has no sections that are of use to a debugger only", (file) => {
    const module = new WebAssembly.Module(readFileSync(join(dist, file)));
    for (const name of ["name", "producers", ".debug_info", "sourceMappingURL"]) expect(WebAssembly.Module.customSections(module, name)).toHaveLength(0);
  });
});

describe("package checkers", () => {
  const tool = (path: string, ...args: string[]) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [join(root, "node_modules", path), ...args], { encoding: "utf8", cwd: dirname(pack().tarball) });
    return { status, output: `${stdout}${stderr}` };
  };

  test("publint has nothing to say", () => {
    const { status, output } = tool("publint/src/cli.js", "run", pack().tarball, "--strict");
    expect(output).toContain("All good!");
    expect(status).toBe(0);
  });

  test("attw has nothing to say", () => {
    const { status, output } = tool("@arethetypeswrong/cli/dist/index.js", pack().tarball, "--profile", "esm-only", "--no-color");
    expect({ status, output }).toMatchObject({ status: 0 });
    for (const name of ["mnemora", "mnemora/slim", "mnemora/core.wasm", "mnemora/sqlite.wasm", "mnemora/package.json"]) expect(output).toContain(`"${name}"`);
  });
});
