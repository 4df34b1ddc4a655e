/**
 * The installed package in Chromium: README's example, as it stands, from each kind of page that people
 * build, without a plugin or a setting anywhere.
 */
import { execFileSync } from "node:child_process";
import { createServer as createHttpServer } from "node:http";
import { readdirSync, readFileSync } from "node:fs";
import { extname, join } from "node:path";
import type { AddressInfo } from "node:net";
import type { BrowserContext } from "playwright-core";
import { build, createServer, type InlineConfig } from "vite";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { launch } from "../../scripts/browser.mjs";
import { serve } from "../../scripts/serve.mjs";
import { app, emptyFolder, example, exampleScript, node, root, timeless } from "./pack.js";

/** Keeps what the example prints, and runs it. */
const harness = {
  "record.js": 'globalThis.printed = [];\nconsole.log = (...values) => globalThis.printed.push(values.map((value) => typeof value === "string" ? value : JSON.stringify(value)).join(" "));\n',
};
const main = (file: string) => `import "./record.js";\nimport("./${file}").then(() => { document.title = "ended"; }, (error) => { globalThis.failure = String(error?.stack ?? error); document.title = "failed"; });\n`;
const page = (script: string, head = "") => `<!doctype html><html lang="en"><head><meta charset="utf-8"><link rel="icon" href="data:,">${head}<title>example</title></head><body><script type="module" src="${script}"></script></body></html>\n`;

let browser: BrowserContext;
let expected: string[];

beforeAll(async () => {
  browser = await launch(emptyFolder());
  const folder = app({ ...harness, "example.mjs": exampleScript(), "run.mjs": 'import "./record.js";\nawait import("./example.mjs");\nprocess.stdout.write(JSON.stringify(globalThis.printed));\n' });
  expected = JSON.parse(node(folder, "run.mjs").stdout) as string[];
  expect(expected).not.toEqual([]);
});
afterAll(() => browser.close());

/** Opens `url`, waits for the example to end, and gives what it printed and everything that went wrong. */
async function visit(url: string): Promise<{ printed: string[]; problems: string[]; requests: string[] }> {
  const tab = await browser.newPage();
  const problems: string[] = [];
  const requests: string[] = [];
  tab.on("pageerror", (error) => problems.push(String(error)));
  tab.on("console", (message) => { if (["error", "warning"].includes(message.type())) problems.push(message.text()); });
  tab.on("request", (request) => requests.push(new URL(request.url()).pathname));
  await tab.goto(url);
  await tab.waitForFunction(() => ["ended", "failed"].includes(document.title), undefined, { timeout: 60_000 });
  const state = await tab.evaluate(() => {
    const { printed, failure } = globalThis as unknown as { printed: string[]; failure?: string };
    return { printed, failure };
  });
  const { failure } = state;
  const printed = state.printed.map(timeless);
  await tab.close();
  return { printed, problems: failure === undefined ? problems : [...problems, failure], requests };
}

/** A server without any policy or header of its own: just files. */
async function plainServer(folder: string): Promise<{ url: string; close(): Promise<void> }> {
  const types: Record<string, string> = { ".html": "text/html", ".js": "text/javascript" };
  const server = createHttpServer((request, response) => {
    const path = new URL(request.url ?? "/", "http://localhost").pathname.replace(/\/$/, "/index.html");
    try {
      const bytes = readFileSync(join(folder, path));
      response.writeHead(200, { "content-type": types[extname(path)] ?? "application/octet-stream" }).end(bytes);
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    close: () => new Promise((resolve) => { server.close(() => resolve()); server.closeAllConnections(); }),
  };
}

/** The command line that esbuild's own pages give, and no other setting. */
const esbuild = (folder: string, file: string) => execFileSync(join(root, "node_modules/.bin/esbuild"), [
  file, "--bundle", "--format=esm", "--splitting", "--outdir=out", "--log-level=error",
], { cwd: folder });
const wasmFiles = (folder: string) => readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".wasm"));
const quiet = (folder: string): InlineConfig => ({ root: folder, configFile: false, logLevel: "error" });
const ok = () => ({ printed: expected, problems: [] });

describe("README's example in Chromium", () => {
  test("by a plain module script, with an import map and nothing else", async () => {
    const folder = app({
      ...harness, "example.js": exampleScript(), "main.js": main("example.js"),
      "index.html": page("/main.js", '<script type="importmap">{"imports":{"mnemora":"/node_modules/mnemora/pkg/dist/entry/inline.js"}}</script>'),
    });
    const server = await plainServer(folder);
    try {
      const { requests, ...seen } = await visit(server.url);
      expect(seen).toEqual(ok());
      expect(requests.filter((path) => path.endsWith(".wasm"))).toEqual([]);
    } finally {
      await server.close();
    }
  });

  test("bundled by esbuild, under a strict policy with Trusted Types", async () => {
    const folder = app({ ...harness, "example.ts": example(), "main.js": main("example.ts"), "out/index.html": page("/main.js") });
    esbuild(folder, "main.js");
    expect(wasmFiles(join(folder, "out"))).toEqual([]);
    const server = await serve(join(folder, "out"), { from: 4300 });
    try {
      expect(await visit(server.url)).toMatchObject(ok());
    } finally {
      await server.close();
    }
  });

  test("built by Vite, under a strict policy with Trusted Types", async () => {
    const folder = app({ ...harness, "example.ts": example(), "main.js": main("example.ts"), "index.html": page("/main.js") });
    await build(quiet(folder));
    expect(wasmFiles(join(folder, "dist"))).toEqual([]);
    const server = await serve(join(folder, "dist"), { from: 4300 });
    try {
      expect(await visit(server.url)).toMatchObject(ok());
    } finally {
      await server.close();
    }
  });

  test("from Vite's development server", async () => {
    const folder = app({ ...harness, "example.ts": example(), "main.js": main("example.ts"), "index.html": page("/main.js") });
    const server = await createServer({ ...quiet(folder), server: { host: "127.0.0.1", port: 4400 } });
    try {
      await server.listen();
      expect(await visit(server.resolvedUrls?.local[0] ?? "")).toMatchObject(ok());
    } finally {
      await server.close();
    }
  });

  test("by mnemora/slim with the wasm file that Vite has placed, exactly one", async () => {
    const folder = app({
      ...harness,
      "example.ts": `import { init } from "mnemora/slim";\nimport place from "mnemora/core.wasm?url";\nawait init(place);\n${example().replaceAll(/(["'])mnemora\1/g, '"mnemora/slim"')}`,
      "main.js": main("example.ts"), "index.html": page("/main.js"),
    });
    await build(quiet(folder));
    expect(wasmFiles(join(folder, "dist"))).toHaveLength(1);
    expect(readdirSync(join(folder, "dist"), { recursive: true, encoding: "utf8" }).filter((name) => name.includes("wasm-inline"))).toEqual([]);
    const server = await serve(join(folder, "dist"), { from: 4300 });
    try {
      const { requests, ...seen } = await visit(server.url);
      expect(seen).toEqual(ok());
      expect(requests.filter((path) => path.endsWith(".wasm"))).toHaveLength(1);
    } finally {
      await server.close();
    }
  });
});

test("a bundle drops what it does not use: the error class alone brings no loader and no core", () => {
  const folder = app({ "only.js": 'import { MemoryError } from "mnemora";\nconsole.log(typeof MemoryError);\n' });
  execFileSync(join(root, "node_modules/.bin/esbuild"), ["only.js", "--bundle", "--format=esm", "--outdir=out", "--log-level=error"], { cwd: folder });
  const code = readFileSync(join(folder, "out/only.js"), "utf8");
  expect(node(folder, "out/only.js")).toEqual({ status: 0, stderr: "", stdout: "function\n" });
  expect(code).not.toMatch(/DecompressionStream|gzipBase64/);
});
