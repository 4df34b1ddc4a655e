/** The browser that all other tests rely on: that asking for an IndexedDB engine gives that engine. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { chromiumFlags, idbEngines, launch, webdriverJson } from "../../scripts/browser.mjs";
import { serve } from "../../scripts/serve.mjs";
import { emptyFolder, write } from "./pack.js";

test.each(idbEngines)("%s is the engine that writes the data", async (engine) => {
  const site = emptyFolder();
  write(site, { "index.html": "<!doctype html><title>engine</title>" });
  const server = await serve(site, { from: 4700 });
  const profile = emptyFolder();
  const browser = await launch(profile, { engine });
  try {
    const page = await browser.newPage();
    await page.goto(server.url);
    await page.evaluate(() => new Promise<void>((resolve, reject) => {
      const opening = indexedDB.open("engine", 1);
      opening.onupgradeneeded = () => opening.result.createObjectStore("things");
      opening.onerror = () => reject(new Error("no database"));
      opening.onsuccess = () => {
        const write = opening.result.transaction("things", "readwrite", { durability: "strict" });
        write.objectStore("things").put("value", "key");
        write.oncomplete = () => resolve();
        write.onabort = () => reject(new Error("not written"));
      };
    }));
  } finally {
    await browser.close();
    await server.close();
  }
  const folder = join(profile, "Default/IndexedDB");
  const names = readdirSync(folder, { recursive: true, encoding: "utf8", withFileTypes: true });
  const ofLevelDb = names.some(({ name }) => name.endsWith(".indexeddb.leveldb"));
  const ofSqlite = names.filter((entry) => entry.isFile())
    .some(({ parentPath, name }) => readFileSync(join(parentPath, name)).subarray(0, 15).toString("latin1") === "SQLite format 3");
  expect({ ofLevelDb, ofSqlite }).toEqual({ ofLevelDb: engine === "leveldb", ofSqlite: engine === "sqlite" });
});

test("tests in Rust get the same flags", async () => {
  for (const engine of idbEngines) {
    const { "goog:chromeOptions": { args, binary } } = JSON.parse(readFileSync(await webdriverJson(engine), "utf8")) as { "goog:chromeOptions": { args: string[]; binary: string } };
    expect(args).toEqual(chromiumFlags(engine));
    expect(binary).not.toBe("");
  }
});
