/**
 * Chromium for the tests and the benchmarks, always started in the same way.
 *
 * Invariants
 * - The flags stand in webdriver.json and nowhere else, so that tests in Rust and in TypeScript run in
 *   the same browser.
 * - Chromium has two IndexedDB engines: `leveldb`, and `sqlite`, which it is moving to. A test that
 *   does not choose runs on the one that `npm test` is at (MNEMORA_IDB_ENGINE).
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./process.mjs";
import { chromium as find } from "./setup.mjs";

const engines = {
  leveldb: [],
  sqlite: ["--enable-features=IdbSqliteBackingStore,IdbSqliteOnDiskRollout"],
};

/** The names of the engines. */
export const idbEngines = Object.keys(engines);

/** The engine that this run of the tests is for. */
export function idbEngine() {
  const name = process.env.MNEMORA_IDB_ENGINE ?? "leveldb";
  if (!(name in engines)) throw new Error(`MNEMORA_IDB_ENGINE is "${name}"; it must be one of ${idbEngines.join(", ")}.`);
  return name;
}

function capabilities(engine, browser) {
  const parsed = JSON.parse(readFileSync(join(root, "webdriver.json"), "utf8"));
  const chrome = parsed["goog:chromeOptions"];
  return { ...parsed, "goog:chromeOptions": { ...chrome, binary: browser, args: [...chrome.args, ...engines[engine]] } };
}

/** The command line flags of Chromium. */
export function chromiumFlags(engine = idbEngine()) {
  return capabilities(engine)["goog:chromeOptions"].args;
}

/** Writes webdriver.json for one engine and gives its path, for the wasm-bindgen test runner. */
export async function webdriverJson(engine) {
  const { browser } = await find();
  const path = join(root, `.tools/webdriver.${engine}.json`);
  mkdirSync(join(root, ".tools"), { recursive: true });
  writeFileSync(path, JSON.stringify(capabilities(engine, browser), null, 2));
  return path;
}

/**
 * Starts Chromium by playwright-core with its profile in `folder`, which is kept, so that a second
 * launch finds what the first has stored. Gives a Playwright `BrowserContext`.
 */
export async function launch(folder, { engine = idbEngine(), flags = [], ...options } = {}) {
  const { chromium } = await import("playwright-core");
  const { browser } = await find();
  return chromium.launchPersistentContext(folder, {
    executablePath: browser,
    headless: true,
    chromiumSandbox: false,
    args: [...chromiumFlags(engine).filter((flag) => !flag.startsWith("--headless")), ...flags],
    ...options,
  });
}
