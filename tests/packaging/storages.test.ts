/**
 * The storages of the installed package: files in Node, OPFS in a worker, and that SQLite is loaded for
 * those that need it and for no other.
 */
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { BrowserContext } from "playwright-core";
import { build as bundle } from "esbuild";
import { build } from "vite";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { launch } from "../../scripts/browser.mjs";
import { serve } from "../../scripts/serve.mjs";
import { app, emptyFolder, node, root } from "./pack.js";

const without = process.env.MNEMORA_WITHOUT_SQLITE;
const sqlite = test.skipIf(without !== undefined);

/** Writes at the first run, reads at the second; prints where and what. */
const visit = (url: string) => `
  const memory = await open(${JSON.stringify(url)}, { durability: "strict" });
  const store = memory.store("visits");
  const before = await store.get("count");
  await store.save("count", (before ?? 0) + 1);
  console.log(memory.info.backend, memory.info.durability, before);
  await memory.close();`;
const byImport = (url: string) => `import { open } from "mnemora";\n${visit(url)}\n`;
const byRequire = (url: string) => `const { open } = require("mnemora");\n(async () => {${visit(url)}\n})().catch((error) => { console.error(error); process.exitCode = 1; });\n`;

describe("files in Node", () => {
  const cases = [["sqlite", "sqlite://data/agents.db", sqlite], ["json", "json://data/json", test]] as const;
  for (const [name, url, run] of cases) {
    run(`${name}: keeps what is written by import for a process that comes by require`, () => {
      const folder = app({ "first.mjs": byImport(url), "second.cjs": byRequire(url), "data/.keep": "" });
      expect(node(folder, "first.mjs")).toEqual({ status: 0, stderr: "", stdout: `${name} strict null\n` });
      expect(node(folder, "second.cjs")).toEqual({ status: 0, stderr: "", stdout: `${name} strict 1\n` });
      expect(existsSync(join(folder, url.replace(/^\w+:\/\//, "")))).toBe(true);
    });

    run(`${name}: also from a server that was bundled into another folder`, async () => {
      const folder = app({ "first.mjs": byImport(url) });
      const away = app({ "data/.keep": "" });
      await bundle({
        absWorkingDir: folder, entryPoints: ["first.mjs"], outdir: join(away, "out"), bundle: true, splitting: true,
        platform: "node", format: "esm", outExtension: { ".js": ".mjs" }, logLevel: "silent",
      });
      expect(node(away, "out/first.mjs")).toEqual({ status: 0, stderr: "", stdout: `${name} strict null\n` });
    });
  }

  test("the file with SQLite and JSON files is read for these only", () => {
    const script = (url: string) => `
      import fs from "node:fs/promises";
      import { syncBuiltinESMExports } from "node:module";
      const read = [];
      const { readFile } = fs;
      fs.readFile = (path, ...rest) => { if (/\\.wasm$/.test(path)) read.push(String(path).split("/").at(-1)); return readFile(path, ...rest); };
      syncBuiltinESMExports();
      const { open } = await import("mnemora");
      await (await open(${JSON.stringify(url)})).close();
      console.log(read.join());`;
    const folder = app({ "data/.keep": "" });
    const read = (url: string) => node(folder, "--input-type=module", "-e", script(url)).stdout.trim();
    expect(read("memory:")).toBe("core.wasm");
    expect(read("json://data/json")).toBe("sqlite.wasm");
    if (without === undefined) expect(read("sqlite://data/a.db")).toBe("sqlite.wasm");
  });

  test("where there is no SQLite, it is said", () => {
    const refused = (from: string, begin = "") => `import { open${begin && ", init"} } from ${JSON.stringify(from)};\n${begin}
      await open("sqlite://a.db").then(() => console.log("opened"), (error) => console.log(error.code, error.name));\n`;
    const folder = app({
      "slim.mjs": refused("mnemora/slim", `import { readFileSync } from "node:fs";\nimport { createRequire } from "node:module";
        await init(readFileSync(createRequire(import.meta.url).resolve("mnemora/core.wasm")));`),
    });
    expect(node(folder, "slim.mjs")).toEqual({ status: 0, stderr: "", stdout: "ERR_UNSUPPORTED UnsupportedError\n" });
  });
});

describe("in Chromium", () => {
  let browser: BrowserContext;
  beforeAll(async () => { browser = await launch(emptyFolder()); });
  afterAll(() => browser.close());

  /** A page that does in itself or in a worker what `visit` does, and what it asked the server for. */
  const files = (url: string, worker: boolean) => {
    const work = `import { open } from "mnemora";\nexport const visit = async (console) => {${visit(url)}\n};\n`;
    const end = "(text) => { document.title = text; }, (error) => { document.title = `failed: ${error?.stack ?? error}`; }";
    return {
      "visit.js": work,
      "worker.js": 'import { visit } from "./visit.js";\nvisit({ log: (...values) => postMessage(values.join(" ")) }).catch((error) => postMessage(`failed: ${error?.stack ?? error}`));\n',
      "main.js": worker
        // The server asks for Trusted Types, and a worker is a script.
        ? 'trustedTypes.createPolicy("default", { createScriptURL: (url) => url });\nnew Worker(new URL("./worker.js", import.meta.url), { type: "module" }).onmessage = ({ data }) => { document.title = data; };\n'
        : `import { visit } from "./visit.js";\nnew Promise((resolve, reject) => { let text; visit({ log: (...values) => { text = values.join(" "); } }).then(() => resolve(text), reject); }).then(${end});\n`,
      "index.html": '<!doctype html><html lang="en"><head><meta charset="utf-8"><link rel="icon" href="data:,"><title></title></head><body><script type="module" src="/main.js"></script></body></html>\n',
    };
  };

  const bundlers: Record<string, (folder: string, worker: boolean) => Promise<string>> = {
    esbuild: async (folder, worker) => {
      execFileSync(join(root, "node_modules/.bin/esbuild"), [
        "main.js", ...(worker ? ["worker.js"] : []), "--bundle", "--format=esm", "--splitting", "--outdir=out", "--log-level=error",
      ], { cwd: folder });
      execFileSync("cp", ["index.html", "out/index.html"], { cwd: folder });
      return join(folder, "out");
    },
    Vite: async (folder) => {
      await build({ root: folder, configFile: false, logLevel: "error", worker: { format: "es" } });
      return join(folder, "dist");
    },
  };

  /** Visits twice; gives what was printed, and how large each answer of the first visit was. */
  async function visits(bundler: string, url: string, worker: boolean): Promise<{ printed: string[]; large: string[] }> {
    const place = await bundlers[bundler]?.(app(files(url, worker)), worker) ?? "";
    const server = await serve(place, { from: 4800 });
    const printed: string[] = [];
    const large: string[] = [];
    try {
      for (let round = 0; round < 2; round++) {
        const tab = await browser.newPage();
        const seen: string[] = [];
        const note = (request: { url(): string }): void => { seen.push(new URL(request.url()).pathname); };
        browser.on("request", note);
        await tab.goto(server.url);
        await tab.waitForFunction(() => document.title !== "", undefined, { timeout: 60_000 });
        printed.push(await tab.title());
        await tab.close();
        browser.off("request", note);
        if (round === 0) large.push(...seen.filter((path) => /inline/.test(path)));
      }
    } finally {
      await server.close();
    }
    return { printed, large };
  }

  describe.each(Object.keys(bundlers))("bundled by %s", (bundler) => {
    const origin = bundler.toLowerCase();

    sqlite("opfs: keeps what a worker writes, and loads SQLite and no other core", async () => {
      const { printed, large } = await visits(bundler, `opfs://${origin}`, true);
      expect(printed).toEqual(["sqlite strict", "sqlite strict 1"]);
      expect(large.filter((path) => path.includes("sqlite-inline"))).toHaveLength(1);
      expect(large.filter((path) => path.includes("wasm-inline"))).toHaveLength(0);
    });

    test("idb: and memory: never load SQLite, and the core once", async () => {
      for (const url of [`idb://${origin}`, "memory:"]) {
        const { large } = await visits(bundler, url, false);
        expect(large.filter((path) => path.includes("sqlite-inline"))).toEqual([]);
        expect(large.filter((path) => path.includes("wasm-inline"))).toHaveLength(1);
      }
    });

    test("the file with SQLite lies in a chunk of its own", async () => {
      const place = await bundlers[bundler]?.(app(files("memory:", false)), false) ?? "";
      const chunks = readdirSync(place, { recursive: true, encoding: "utf8" }).filter((name) => /inline/.test(name));
      expect(chunks.map((name) => /(wasm|sqlite)-inline/.exec(name)?.[1]).sort()).toEqual(["sqlite", "wasm"]);
    });
  });
});
