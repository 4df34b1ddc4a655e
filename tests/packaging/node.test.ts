/** The installed package in Node: by `import`, by `require`, without its wasm file, and under the type checker. */
import { cpSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";
import { beforeAll, describe, expect, test } from "vitest";
import { app, example, exampleCommonJs, exampleScript, node, root } from "./pack.js";

let folder: string;
let printed: string;
beforeAll(() => {
  folder = app({ "example.mjs": exampleScript(), "example.cjs": exampleCommonJs() });
  const { status, stdout, stderr } = node(folder, "example.mjs");
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  printed = stdout;
});

describe("README's example", () => {
  test("runs by import and prints something", () => expect(printed.trim()).not.toBe(""));

  test("runs by require and prints the same", () => {
    expect(node(folder, "example.cjs")).toEqual({ status: 0, stderr: "", stdout: printed });
  });

  test("runs where a bundler has left the wasm file behind", () => {
    const bare = app({ "example.mjs": exampleScript() });
    rmSync(join(bare, "node_modules/mnemora/pkg/dist/core.wasm"));
    expect(node(bare, "example.mjs")).toEqual({ status: 0, stderr: "", stdout: printed });
  });

  test("runs in a server that was bundled into another folder", async () => {
    const away = app();
    await build({
      absWorkingDir: folder, entryPoints: ["example.mjs"], outdir: join(away, "out"), bundle: true, splitting: true,
      platform: "node", format: "esm", outExtension: { ".js": ".mjs" }, logLevel: "silent",
    });
    rmSync(join(away, "node_modules"), { recursive: true });
    expect(readdirSync(join(away, "out")).filter((name) => name.endsWith(".wasm"))).toEqual([]);
    expect(node(away, "out/example.mjs")).toEqual({ status: 0, stderr: "", stdout: printed });
  });

  test("runs from the module that Cloudflare Workers import", async () => {
    const workers = app({ "example.mjs": exampleScript() });
    const result = await build({
      absWorkingDir: workers, entryPoints: ["example.mjs"], outfile: join(workers, "worker.mjs"), bundle: true, format: "esm",
      platform: "neutral", conditions: ["workerd", "worker"], external: ["node:*"], logLevel: "silent", metafile: true,
      // The host compiles a wasm file that is imported, and gives a WebAssembly.Module.
      plugins: [{
        name: "host",
        setup: ({ onLoad }) => {
          onLoad({ filter: /\.wasm$/ }, ({ path }) => ({
            contents: `import { readFileSync } from "node:fs"; export default new WebAssembly.Module(readFileSync(${JSON.stringify(path)}));`,
          }));
        },
      }],
    });
    const inputs = Object.keys(result.metafile.inputs);
    expect(inputs.filter((name) => name.endsWith("core.wasm"))).toHaveLength(1);
    expect(inputs.filter((name) => /wasm-inline|entry\/(inline|node)/.test(name))).toEqual([]);
    expect(node(workers, "worker.mjs")).toEqual({ status: 0, stderr: "", stdout: printed });
  });
});

describe("loading", () => {
  test("importing runs nothing: no wasm is compiled before open", () => {
    // Node itself may start a compiled module of its own, for `fetch`; ours comes as bytes.
    const script = 'let n = 0; const { instantiate } = WebAssembly; WebAssembly.instantiate = (from, ...a) => { if (!(from instanceof WebAssembly.Module)) n++; return instantiate(from, ...a); };'
      + ' const { open } = await import("mnemora"); console.log(n); for (const m of await Promise.all([open("memory:"), open("memory:")])) await m.close(); console.log(n);';
    expect(node(folder, "--input-type=module", "-e", script)).toEqual({ status: 0, stderr: "", stdout: "0\n1\n" });
  });

  test("slim takes bytes, a module, a response, and can be tried again after a failure", () => {
    const script = (source: string) => `
      import { readFileSync } from "node:fs";
      import { createRequire } from "node:module";
      import { init, open } from "mnemora/slim";
      const bytes = readFileSync(createRequire(import.meta.url).resolve("mnemora/core.wasm"));
      const early = await open("memory:").then(() => "opened", (error) => error instanceof Error && error.message.includes("init"));
      const bad = await init(new Uint8Array([1, 2, 3])).then(() => "started", (error) => error instanceof Error);
      await init(${source});
      const memory = await open("memory:");
      await memory.close();
      console.log(early, bad, "works");`;
    for (const source of ["bytes", "new WebAssembly.Module(bytes)", 'new Response(bytes, { headers: { "content-type": "application/wasm" } })', "Promise.resolve(bytes)"]) {
      expect({ source, ...node(folder, "--input-type=module", "-e", script(source)) }).toEqual({ source, status: 0, stderr: "", stdout: "true true works\n" });
    }
  });

  test("nothing else can be imported", () => {
    const { status, stderr } = node(folder, "--input-type=module", "-e", 'import "mnemora/pkg/dist/wasm-inline.js"');
    expect(status).not.toBe(0);
    expect(stderr).toContain("ERR_PACKAGE_PATH_NOT_EXPORTED");
  });
});

describe("types", () => {
  const base = { strict: true, exactOptionalPropertyTypes: true, noUncheckedIndexedAccess: true, skipLibCheck: false, noEmit: true, target: "es2022", types: [] };
  const settings = {
    "nodenext": { ...base, module: "nodenext" },
    "bundler": { ...base, module: "esnext", moduleResolution: "bundler" },
    "Node's types without the DOM": { ...base, module: "nodenext", lib: ["es2022"], types: ["node"] },
  };

  test.each(Object.entries(settings))("the example passes under %s, declarations included", (_, compilerOptions) => {
    const strict = app({ "example.ts": example(), "tsconfig.json": { compilerOptions, files: ["example.ts"] } });
    if (compilerOptions.types.length > 0) {
      for (const name of ["@types/node", "undici-types"]) cpSync(join(root, "node_modules", name), join(strict, "node_modules", name), { recursive: true });
    }
    expect(node(strict, join(root, "node_modules/typescript/bin/tsc"), "-p", ".")).toEqual({ status: 0, stderr: "", stdout: "" });
  });

  test("what does not exist is refused", () => {
    const wrong = app({
      "wrong.ts": 'import { open } from "mnemora";\nconst memory = await open("memory:");\nmemory.nothing();\nawait open(1);\n',
      "tsconfig.json": { compilerOptions: settings.nodenext, files: ["wrong.ts"] },
    });
    const { status, stdout } = node(wrong, join(root, "node_modules/typescript/bin/tsc"), "-p", ".");
    expect(status).not.toBe(0);
    expect(stdout).toMatch(/wrong\.ts\(3,.*nothing[\s\S]*wrong\.ts\(4,/);
  });
});
