/**
 * A real browser for the tests of this folder, and the site that its pages come from.
 *
 * Invariants
 * - Every profile is new and is removed at the end, with every process that was started on it.
 * - A site keeps its origin for as long as it is open: a browser that is started again finds its data.
 * - An error that no test has asked for fails the test: see {@link Browser.problems}.
 */
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { afterAll, afterEach, beforeAll, expect } from "vitest";
import type { BrowserContext, CDPSession, Page, Worker } from "playwright-core";
import { idbEngine, launch } from "../../scripts/browser.mjs";
import type { Acknowledged } from "./page.js";

export const root = fileURLToPath(new URL("../../", import.meta.url));

/** Which of Chromium's IndexedDB engines the tests run on. */
export const engine = idbEngine();

/** Why SQLite is not in this build, if it is not. */
export const without = process.env["MNEMORA_WITHOUT_SQLITE"];

/** The number that everything random in these tests follows from. Print it. */
export const seed = Number(process.env["MNEMORA_SEED"] ?? Math.floor(Math.random() * 2 ** 31));

/** Answers a request with bytes, or with nothing. */
export type Route = (body: Buffer, request: IncomingMessage) => Uint8Array | undefined | Promise<Uint8Array | undefined>;

/** Serves the pages of the tests on the loopback interface. */
export interface Site {
  /** A page with the package and the kit on its `window`. */
  readonly url: string;
  /** A page of the same origin without either. */
  readonly bare: string;
  readonly origin: string;
  /** Answers requests to `path` from now on. */
  route(path: string, answer: Route): void;
  close(): Promise<void>;
}

/** The package and the kit as one script, bundled as an application would be. */
async function script(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [join(root, "tests/e2e/page.ts")],
    bundle: true, format: "esm", target: "es2022", platform: "browser", write: false, logLevel: "error",
  });
  return outputFiles[0]!.text;
}

export async function site(): Promise<Site> {
  const page = (head: string): string => `<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,"><title>test</title>${head}`;
  const files = new Map<string, [type: string, text: string]>([
    ["/", ["text/html", page('<script type="module" src="/page.js"></script>')]],
    ["/bare", ["text/html", page("")]],
    ["/page.js", ["text/javascript", await script()]],
  ]);
  const routes = new Map<string, Route>();
  const server = createServer((request, response) => {
    const path = new URL(request.url ?? "/", "http://localhost").pathname;
    const file = files.get(path);
    if (file !== undefined) {
      response.writeHead(200, { "content-type": file[0] }).end(file[1]);
      return;
    }
    const parts: Buffer[] = [];
    request.on("data", (part: Buffer) => parts.push(part));
    // A browser that is killed breaks off in the middle: such a request has said nothing.
    request.on("error", () => response.destroy());
    request.on("end", () => {
      const route = routes.get(path);
      if (route === undefined) {
        response.writeHead(404).end();
        return;
      }
      Promise.resolve(route(Buffer.concat(parts), request)).then((bytes) => {
        response.writeHead(bytes === undefined ? 204 : 200, { "content-type": "application/octet-stream" }).end(bytes);
      }, (error: unknown) => {
        response.writeHead(500).end(String(error));
      });
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    origin, url: `${origin}/`, bare: `${origin}/bare`,
    route: (path, answer) => { routes.set(path, answer); },
    close: () => new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    }),
  };
}

/** What the writers in the pages and workers of a site, which have a `teller`, say was acknowledged. */
export class Acknowledgements {
  /** For each record or batch, the highest round that was acknowledged. */
  rounds = new Map<string, number>();
  /** How many were heard of. */
  heard = 0;

  constructor(pages: Site) {
    pages.route("/acknowledged", (body) => {
      for (const { what, round } of JSON.parse(body.toString()) as Acknowledged[]) {
        this.rounds.set(what, Math.max(round, this.rounds.get(what) ?? 0));
        this.heard += 1;
      }
      return undefined;
    });
  }
}

/** One profile and the browser that runs on it. */
export class Browser {
  /** Errors that no page has caught. */
  readonly problems: string[] = [];
  private readonly profile = mkdtempSync(join(tmpdir(), "mnemora-e2e-"));
  private context: BrowserContext | undefined;

  private constructor(private readonly pages: Site) {}

  static async start(pages: Site): Promise<Browser> {
    const browser = new Browser(pages);
    await browser.launch();
    return browser;
  }

  private get running(): BrowserContext {
    if (this.context === undefined) throw new Error("the browser is not running");
    return this.context;
  }

  private async launch(): Promise<void> {
    this.context = await launch(this.profile, { engine });
    this.context.setDefaultTimeout(60_000);
  }

  /** Opens a page of the site: with the package, if not said otherwise. */
  async tab(url = this.pages.url): Promise<Page> {
    const tab = await this.running.newPage();
    tab.on("pageerror", (error) => this.problems.push(String(error)));
    await tab.goto(url);
    if (url === this.pages.url) await ready(tab);
    return tab;
  }

  /** Closes every tab but the first, which belongs to the browser. */
  async closeTabs(): Promise<void> {
    await Promise.all(this.running.pages().slice(1).map((tab) => tab.close()));
  }

  devtools(tab: Page): Promise<CDPSession> {
    return this.running.newCDPSession(tab);
  }

  /** Closes the browser as a user does, and starts it again on the same profile. */
  async restart(): Promise<void> {
    await this.running.close();
    await this.launch();
  }

  /**
   * Ends every process of the browser at once, in the middle of what it is doing, and starts it again. Tells
   * whether the profile has a log of LevelDB that ends in half a record: see {@link endsInHalfARecord}.
   */
  async crash(): Promise<{ halfARecord: boolean }> {
    await this.kill();
    const halfARecord = logsOfLevelDb(this.profile).some(endsInHalfARecord);
    for (const name of readdirSync(this.profile)) {
      // The mark of a running browser, which it had no time to remove.
      if (name.startsWith("Singleton")) rmSync(join(this.profile, name), { force: true });
    }
    await this.launch();
    return { halfARecord };
  }

  private async kill(): Promise<void> {
    const { context } = this;
    if (context === undefined) return;
    const gone = new Promise<void>((resolve) => { context.once("close", () => resolve()); });
    for (let left = processesOf(this.profile); left.length > 0; left = processesOf(this.profile)) {
      for (const id of left) end(id);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    await gone;
    this.context = undefined;
  }

  async close(): Promise<void> {
    await this.context?.close();
    for (const id of processesOf(this.profile)) end(id);
    rmSync(this.profile, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 });
  }
}

/** The files of a profile's IndexedDB that have the form of LevelDB's log. */
function logsOfLevelDb(profile: string): string[] {
  const folder = join(profile, "Default/IndexedDB");
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => /\.leveldb\/(\d+\.log|MANIFEST-\d+)$/.test(name)).map((name) => join(folder, name));
}

/**
 * Whether a log ends in half a record. Chromium writes the 7 bytes of a record's header and the record itself by two
 * calls, and a kill may fall in between. Its next start skips that half and appends behind it; the start after that
 * takes what was appended for the rest of the record, finds a wrong checksum, and deletes everything of the site.
 * Nothing that a page does can prevent this, so a profile that is in this state is of no use for a third start.
 */
function endsInHalfARecord(path: string): boolean {
  const log = readFileSync(path);
  const [block, header] = [32_768, 7];
  // Of a record that goes over several blocks the pieces are marked as the first, a middle and the last one.
  const [first, middle] = [2, 3];
  let type = 0;
  for (let at = 0; at < log.length;) {
    const left = block - at % block;
    if (left < header) {
      at += left; // too little for a header: filled up
      continue;
    }
    if (at + header > log.length) return true;
    type = log.readUInt8(at + 6);
    at += header + log.readUInt16LE(at + 4);
    if (at > log.length) return true;
  }
  return type === first || type === middle;
}

/** Waits until the script of a page has run. */
export async function ready(tab: Page): Promise<void> {
  await tab.waitForFunction(() => "kit" in window);
}

/** Starts a dedicated worker in a page, with the same script on its `self`; it is also `held.worker` of the page. */
export async function startWorker(tab: Page): Promise<Worker> {
  const [worker] = await Promise.all([
    tab.waitForEvent("worker"),
    tab.evaluate(() => { window.held["worker"] = new Worker("/page.js", { type: "module" }); }),
  ]);
  await expect.poll(() => worker.evaluate(() => "kit" in self), { timeout: 30_000 }).toBe(true);
  return worker;
}

/** Numbers from 0 to 1 (a linear congruential generator): the same seed, the same numbers. */
export function pseudoRandom(from: number): () => number {
  let state = from >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

function end(id: number): void {
  try {
    process.kill(id, "SIGKILL");
  } catch (error) {
    // It may have ended together with one that was killed before it.
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

/** The processes that were started on a profile, and theirs; those that have ended do not count. */
function processesOf(profile: string): number[] {
  const listed = execFileSync("ps", ["-axww", "-o", "pid=,ppid=,stat=,command="], { encoding: "utf8", maxBuffer: 1 << 26 });
  const running = listed.split("\n")
    .map((line) => /^\s*(\d+)\s+(\d+)\s+(\S+)\s+(.*)$/.exec(line))
    .filter((match) => match !== null && !match[3]!.startsWith("Z"))
    .map((match) => ({ id: Number(match![1]), parent: Number(match![2]), command: match![4]! }));
  const found = new Set(running.filter(({ command }) => command.includes(`--user-data-dir=${profile}`)).map(({ id }) => id));
  for (let before = -1; before !== found.size;) {
    before = found.size;
    for (const { id, parent } of running) if (found.has(parent)) found.add(id);
  }
  return [...found];
}

/**
 * Starts one site and one browser for all tests of a file and gives them to `started`. After each test its tabs
 * are closed, and an error that none of its pages caught fails it.
 */
export function withBrowser(name: string, started: (browser: Browser, pages: Site) => void): void {
  let pages: Site | undefined;
  let browser: Browser | undefined;
  beforeAll(async () => {
    console.log(`${name}: seed ${seed}`);
    pages = await site();
    browser = await Browser.start(pages);
    started(browser, pages);
  });
  afterAll(async () => {
    await browser?.close();
    await pages?.close();
  });
  afterEach(async () => {
    await browser?.closeTabs();
    expect(browser?.problems).toEqual([]);
  });
}
