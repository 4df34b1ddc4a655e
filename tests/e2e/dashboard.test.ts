/**
 * The dashboard in Chromium, built and served as `npm start` does: what it generates, loads, finds, edits and
 * deletes; that stored text is never run; that two tabs work together.
 *
 * Every test opens databases of its own. At its end there must be no message on any console, no violation of the
 * content security policy, no dialog of the browser, and no request to another server.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import type { BrowserContext, Locator, Page } from "playwright-core";
import type { Value } from "mnemora";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { launch } from "../../scripts/browser.mjs";
import { serve } from "../../scripts/serve.mjs";
import { parse, stringify, TaggedError } from "../../www/src/data/tagged.js";

const root = fileURLToPath(new URL("../../", import.meta.url));
const seed = Number(process.env["MNEMORA_SEED"] ?? 20261120);
const WAIT = Number(process.env["MNEMORA_WAIT"] ?? 60_000);

let folder: string;
let browser: BrowserContext;
let server: { url: string; close(): Promise<void> };
let databases = 0;
let problems: string[] = [];

beforeAll(async () => {
  console.log(`dashboard: seed ${seed}`);
  const dist = join(root, "www/dist");
  if (!existsSync(join(dist, "index.html"))) throw new Error("www/dist/index.html is missing: run `npm run build` first.");
  folder = mkdtempSync(join(tmpdir(), "mnemora-dashboard-"));
  server = await serve(dist);
  browser = await launch(join(folder, "profile"), { viewport: { width: 1280, height: 800 } });
  browser.setDefaultTimeout(WAIT);
  await browser.addInitScript(() => {
    addEventListener("securitypolicyviolation", (event) => {
      console.error(`policy violation: ${event.violatedDirective} ${event.blockedURI} ${event.sample}`);
    });
  });
}, WAIT);

afterAll(async () => {
  await browser?.close();
  await server?.close();
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
});

beforeEach(() => {
  problems = [];
});

afterEach(async () => {
  for (const tab of browser.pages().slice(1)) await tab.close();
  expect(problems).toEqual([]);
});

/** A name that no test has used. */
function fresh(): string {
  databases += 1;
  return `test-${databases}`;
}

/** Opens the page and waits until the memory is open. */
async function open(db: string, hash = "", state = "ready", base = server.url): Promise<Page> {
  const tab = await browser.newPage();
  tab.on("console", (message) => problems.push(`${message.type()}: ${message.text()}`));
  tab.on("pageerror", (error) => problems.push(`uncaught: ${String(error)}`));
  tab.on("dialog", (dialog) => {
    problems.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  tab.on("request", (request) => {
    if (!request.url().startsWith(base) && !request.url().startsWith("data:")) problems.push(`request: ${request.url()}`);
  });
  await tab.goto(`${base}?db=${db}${hash}`);
  await tab.waitForSelector(`[data-testid=status][data-state=${state}]`);
  return tab;
}

/** Runs `script` in a page of the same origin, as an application that uses the package; `memory` is that of `db`. */
async function application(db: string, script: string): Promise<void> {
  const tab = await browser.newPage();
  await tab.route(`${server.url}application/**`, (route) => {
    const path = new URL(route.request().url()).pathname.slice("/application/".length);
    return path === "" ? route.fulfill({ contentType: "text/html", body: "<!doctype html><title>application</title>" }) : route.fulfill({ path: join(root, "pkg/dist", path) });
  });
  await tab.goto(`${server.url}application/`);
  // As text: what the test runner makes of an import in a function does not run in a page.
  await tab.evaluate(`(async () => {
    const { open } = await import("/application/entry/inline.js");
    const memory = await open("idb://" + ${JSON.stringify(db)});
    ${script}
    await memory.close();
  })()`);
  await tab.close();
}

const at = (tab: Page | Locator, id: string, rest = ""): Locator => tab.locator(`[data-testid="${id}"]${rest}`);

/** Waits until `read` gives `expected`. */
async function eventually<T>(read: () => Promise<T>, expected: T): Promise<void> {
  await expect.poll(read, { timeout: WAIT, interval: 50 }).toEqual(expected);
}

const counted = (tab: Page, source: string) => () => at(tab, "count", `[data-source="${source}"]`).getAttribute("data-count");

/** Goes to a source and waits until its list shows. */
async function show(tab: Page, source: string): Promise<void> {
  await tab.evaluate((name) => {
    location.hash = `#/memories?${new URLSearchParams({ source: name })}`;
  }, source);
  await eventually(() => at(tab, "source").inputValue(), source);
  await at(tab, "list").waitFor();
}

async function openRecord(tab: Page, source: string, id: string): Promise<Locator> {
  await tab.evaluate(([name, record]) => {
    location.hash = `#/memories?${new URLSearchParams({ source: name!, id: record! })}`;
  }, [source, id]);
  const panel = tab.locator(`[data-testid=panel][data-row-id=${JSON.stringify(id)}]`);
  await at(panel, "tree").first().waitFor();
  return panel;
}

/** Gives a file to the Load data view and waits for the end. */
async function load(tab: Page, path: string, options: { collection?: string; onBad?: "stop" | "skip" } = {}): Promise<Locator> {
  await at(tab, "nav-load").click();
  await at(tab, "load-input").setInputFiles(path);
  await at(tab, "load-collection").fill(options.collection ?? "documents");
  await at(tab, `on-bad-${options.onBad ?? "stop"}`).check();
  await at(tab, "load-start").click();
  await at(tab, "load-result").waitFor({ timeout: 5 * WAIT });
  return at(tab, "progress");
}

function file(name: string, lines: readonly (string | object)[]): string {
  const path = join(folder, name);
  writeFileSync(path, lines.map((line) => `${typeof line === "string" ? line : JSON.stringify(line)}\n`).join(""));
  return path;
}

/** A vector that depends on the seed and `n` alone. */
function vector(n: number, dimensions: number): number[] {
  let state = (Math.imul(n + 1, 0x9e3779b1) ^ seed) >>> 0;
  return Array.from({ length: dimensions }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.fround(state / 2 ** 31 - 1);
  });
}

const documents = (count: number, dimensions = 16) => Array.from({ length: count }, (_, n) => ({
  id: `doc-${String(n).padStart(5, "0")}`, text: `document number ${n}`, vector: vector(n, dimensions), metadata: { n, even: n % 2 === 0 },
}));

test("the generated memory is shown, survives a reload and verifies", async () => {
  const tab = await open(fresh(), "#/live");
  const counts = async () => Promise.all(["collection/memories", "agents/agents", "store/episodes", "store/decisions"].map((source) => counted(tab, source)()));
  await eventually(counts, ["400", "8", "12", "60"]);
  await show(tab, "collection/memories");
  const rows = () => at(tab, "row-open").allInnerTexts();
  await eventually(async () => (await rows()).length > 5, true);
  const before = await rows();
  const version = await at(tab, "row").first().innerText();
  await tab.reload();
  await eventually(rows, before);
  // The version in the row says that nothing was generated a second time.
  expect(await at(tab, "row").first().innerText()).toBe(version);
  expect(await at(tab, "backend").innerText()).toBe("indexeddb");
  expect(await at(tab, "durability").innerText()).toBe("relaxed");
  await eventually(() => at(tab, "status").getAttribute("data-count-records"), "480");
  await at(tab, "verify").click();
  expect(await at(tab, "verify-report").locator("[data-ok]").getAttribute("data-ok")).toBe("true");
});

test("1,000 lines with vectors are loaded, found again after a reload, and searched", async () => {
  const tab = await open(fresh());
  const progress = await load(tab, file("thousand.jsonl", documents(1_000)));
  expect(await progress.getAttribute("data-state")).toBe("done");
  expect(await progress.getAttribute("data-count-stored")).toBe("1000");
  expect(await at(tab, "collection-count").getAttribute("data-count")).toBe("1000");
  await tab.reload();
  await at(tab, "nav-live").click();
  await eventually(counted(tab, "collection/documents"), "1000");
  await show(tab, "collection/documents");
  await at(tab, "search").fill("NUMBER 77");
  await at(tab, "search").press("Enter");
  await eventually(() => at(tab, "results").getAttribute("data-how"), "contains");
  expect(await at(tab, "result").first().getAttribute("data-row-id")).toBe("doc-00077");
  await at(tab, "similar").first().click();
  await eventually(() => at(tab, "results").getAttribute("data-how"), "similar");
  // The nearest by angle, worked out here.
  const dot = (a: number[], b: number[]) => a.reduce((sum, x, n) => sum + x * b[n]!, 0);
  const score = (a: number[], b: number[]) => dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
  const all = documents(1_000);
  const like = all[77]!;
  const expected = all.filter((other) => other !== like).map(({ id, vector: v }) => ({ id, score: score(v, like.vector) })).sort((a, b) => b.score - a.score);
  expect(await at(tab, "result").evaluateAll((items) => items.map((item) => item.getAttribute("data-row-id")))).toEqual(expected.slice(0, 30).map(({ id }) => id));
});

test("bad lines are named, skipped or stopped at, and the count is exact", async () => {
  const tab = await open(fresh());
  const bad: Record<number, [line: string, reason: string]> = {
    3: ["{nonsense", "is not JSON"],
    5: ['{"id": 7, "text": "x"}', '"id" must be a string'],
    8: [JSON.stringify({ id: "nan", vector: [1, null, ...vector(1, 14)] }), '"vector"[1]'],
    11: [JSON.stringify({ id: "short", vector: [1, 2] }), "2 numbers"],
    13: [JSON.stringify({ id: "zero", vector: vector(1, 16).map(() => 0) }), "all zeros"],
    1_100: [JSON.stringify({ id: "x", vector: vector(1, 16), txt: "typo" }), 'unknown field "txt"'],
  };
  const lines: (string | object)[] = documents(1_200);
  for (const [line, [content]] of Object.entries(bad)) lines[Number(line) - 1] = content;
  const path = file("bad.jsonl", lines);

  const skipped = await load(tab, path, { collection: "skipped", onBad: "skip" });
  expect(await skipped.getAttribute("data-count-stored")).toBe(String(1_200 - 6));
  expect(await skipped.getAttribute("data-count-bad")).toBe("6");
  const listed = await at(tab, "bad-lines").locator("li").evaluateAll((items) => items.map((item) => [item.getAttribute("data-line"), item.textContent ?? ""]));
  expect(listed.map(([line]) => Number(line))).toEqual(Object.keys(bad).map(Number));
  listed.forEach(([line, text]) => expect(text).toContain(bad[Number(line)]![1]));
  expect(await at(tab, "collection-count").getAttribute("data-count")).toBe(String(1_200 - 6));

  lines.splice(0, 20, ...documents(20));
  const stopped = await load(tab, file("bad-late.jsonl", lines), { collection: "stopped" });
  expect(await stopped.getAttribute("data-state")).toBe("stopped");
  expect(await stopped.getAttribute("data-count-stored")).toBe("1099");
  expect(await at(tab, "bad-lines").locator("li").getAttribute("data-line")).toBe("1100");
  expect(await at(tab, "collection-count").getAttribute("data-count")).toBe("1099");

  const mixed = await load(tab, file("mixed.jsonl", [...documents(2), { id: "c", text: "no vector here" }]), { collection: "mixed", onBad: "skip" });
  expect(await mixed.getAttribute("data-state")).toBe("stopped");
  expect(await at(mixed, "trouble").innerText()).toContain("Line 3");

  const foreign = await load(tab, file("foreign.jsonl", documents(2)), { collection: "memories" });
  expect(await foreign.getAttribute("data-count-stored")).toBe("0");
  expect(await at(foreign, "trouble").innerText()).toContain("Line 1");
});

test("a cancelled load has stored what it says it has", async () => {
  const tab = await open(fresh());
  const path = file("long.jsonl", documents(40_000, 24));
  await at(tab, "nav-load").click();
  await at(tab, "load-input").setInputFiles(path);
  await at(tab, "load-start").click();
  await eventually(async () => Number(await at(tab, "progress").getAttribute("data-count-stored")) > 0, true);
  await at(tab, "load-cancel").click();
  await eventually(() => at(tab, "progress").getAttribute("data-state"), "cancelled");
  const stored = Number(await at(tab, "progress").getAttribute("data-count-stored"));
  expect(stored).toBeGreaterThan(0);
  expect(stored).toBeLessThan(40_000);
  expect(stored % 500).toBe(0);
  await eventually(() => at(tab, "collection-count").getAttribute("data-count"), String(stored));
  await tab.reload();
  await at(tab, "nav-live").click();
  await eventually(counted(tab, "collection/documents"), String(stored));
});

test("a full disk is said in plain words; what is counted is stored, and the page goes on", async () => {
  // Chromium remembers for a while how much room an origin has, so this needs one that no test has used.
  const base = server.url.replace("127.0.0.1", "localhost");
  const { origin } = new URL(base);
  const control = await browser.newCDPSession(await browser.newPage());
  await control.send("Storage.overrideQuotaForOrigin", { origin, quotaSize: 4_000_000 });
  const db = fresh();
  let tab = await open(db, "", "ready", base);
  const progress = await load(tab, file("large.jsonl", documents(20_000, 64)));
  expect(await progress.getAttribute("data-state")).toBe("stopped");
  expect(await at(progress, "trouble").getAttribute("data-code")).toBe("ERR_QUOTA");
  const stored = Number(await progress.getAttribute("data-count-stored"));
  expect(stored).toBeGreaterThan(0);
  expect(stored).toBeLessThan(20_000);
  // What is there can still be read.
  await show(tab, "collection/documents");
  await at(await openRecord(tab, "collection/documents", "doc-00000"), "tree").first().waitFor();
  await tab.close();
  await control.send("Storage.overrideQuotaForOrigin", { origin });
  tab = await open(db, "#/live", "ready", base);
  await eventually(counted(tab, "collection/memories"), "400");
  await eventually(counted(tab, "collection/documents"), String(stored));
});

test("a search finds by words, and lines without vectors are embedded as they are loaded", async () => {
  const tab = await open(fresh());
  await load(tab, file("texts.jsonl", [
    { id: "otter", text: "The otter slept on the warm harbour wall", metadata: { place: "harbour" } },
    { id: "comet", text: "A comet crossed the winter sky", metadata: { place: "sky" } },
    { id: "bread", text: "Fresh bread and salted butter", metadata: { place: "kitchen" } },
  ]), { collection: "notes" });
  await show(tab, "collection/notes");
  await at(tab, "search").fill("sleeping otters by the harbour");
  await at(tab, "search").press("Enter");
  await eventually(() => at(tab, "results").getAttribute("data-how"), "hashing");
  expect(await at(tab, "result").first().getAttribute("data-row-id")).toBe("otter");
  // The fields filter holds for the search too.
  await at(tab, "filter-fields").fill("place != harbour");
  await eventually(() => at(tab, "result").count(), 2);
  expect(await at(tab, "result", '[data-row-id="otter"]').count()).toBe(0);
});

test("filters: prefix, contained text, fields, dates; what cannot be read is said", async () => {
  const tab = await open(fresh());
  await show(tab, "collection/memories");
  const shown = async () => Number(await at(tab, "list").getAttribute("data-count-rows"));
  const ids = () => at(tab, "row").evaluateAll((rows) => rows.map((row) => row.getAttribute("data-row-id")));
  await at(tab, "filter-prefix").fill("memory-040");
  await eventually(ids, ["memory-0400"]);
  await at(tab, "filter-clear").click();
  await at(tab, "filter-fields").fill("kind = sound and importance >= 0.9");
  await eventually(async () => (await at(tab, "row").count()) > 0 && (await at(tab, "row-open").allInnerTexts()).every((text) => /kind\s*sound/.test(text) && /importance\s*(0\.9\d*|1)\b/.test(text)), true);
  await at(tab, "filter-fields").fill("date < 2026-01-06 and agent in (editor, writer)");
  await eventually(async () => (await at(tab, "row-open").allInnerTexts()).every((text) => /5 Jan 2026/.test(text) && /agent\s*(editor|writer)/.test(text)), true);
  const dated = await shown();
  expect(dated).toBeLessThan(20);
  await at(tab, "filter-fields").fill("kind kind");
  await eventually(() => at(tab, "filter-hint").innerText().then((text) => text.includes('"kind" is no operator')), true);
  await at(tab, "filter-clear").click();
  await at(tab, "filter-contains").fill("no such words anywhere");
  await at(tab, "no-match").waitFor();
  await show(tab, "store/episodes");
  await at(tab, "filter-fields").fill("phase = published");
  await eventually(shown, 3);
});

test("an edit keeps dates and maps, is validated, and is there after a reload", async () => {
  const tab = await open(fresh());
  let panel = await openRecord(tab, "agents/agents", "editor");
  expect(await at(panel, "tree").innerText()).toMatch(/Map 3 entries[^]*lastUpdated:\s*Date 2026-/);
  await at(panel, "edit").click();
  const draft = await at(panel, "edit-input").inputValue();
  expect(draft).toContain('"$date"');
  await at(panel, "edit-input").fill(draft.replace('"role": "Editor"', '"role": Editor'));
  await at(panel, "edit-save").click();
  await at(panel, "trouble").waitFor();
  await at(panel, "edit-input").fill(draft.replace('"role": "Editor"', '"role": "Chief editor", "since": {"$date": "2020-02-30T25:00:00Z"}'));
  await at(panel, "edit-save").click();
  expect(await at(panel, "trouble").innerText()).toContain("since");
  await at(panel, "edit-input").fill(draft.replace('"role": "Editor"', '"role": "Chief editor", "big": {"$bigint": "12345678901234567890"}'));
  await at(panel, "edit-save").click();
  await at(panel, "edit").waitFor();
  await tab.reload();
  panel = tab.locator("[data-testid=panel][data-row-id=editor]");
  await at(panel, "tree").waitFor();
  const tree = await at(panel, "tree").innerText();
  expect(tree).toMatch(/role:\s*Chief editor/);
  expect(tree).toMatch(/big:\s*12345678901234567890n/);
  expect(tree).toMatch(/workload:\s*Map 3 entries/);
  expect(tree).toMatch(/lastUpdated:\s*Date 2026-/);

  panel = await openRecord(tab, "collection/memories", "memory-0007");
  await at(panel, "edit").click();
  const memory = JSON.parse(await at(panel, "edit-input").inputValue()) as { text: string };
  await at(panel, "edit-input").fill(JSON.stringify({ ...memory, text: "A pelican borrowed the microphone" }));
  await at(panel, "edit-save").click();
  await at(panel, "edit").waitFor();
  await at(tab, "search").fill("pelican with a microphone");
  await at(tab, "search").press("Enter");
  await eventually(() => at(tab, "result").first().getAttribute("data-row-id"), "memory-0007");
});

test("the editor's form of a value gives the same value back, and refuses what it does not know", () => {
  const nested = (depth: number): Value => (depth === 0 ? 1 : [nested(depth - 1)]);
  const values: Value[] = [
    null, true, 0, -0, 1.5e300, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, "", "a\u2028\ud83d\ude00", 12345678901234567890n, -1n,
    new Date(0), new Date("2026-02-28T12:00:00.123Z"), [], [1, [2, [null]]], {}, { a: { b: [{ c: new Date(1) }] } },
    new Map<Value, Value>([["a", 1], [new Date(2), new Map([[1n, new Set([1, "b"])]])]]), new Set<Value>([null, Number.NaN, [1]]),
    { $date: "not a tag" }, { $a: { $b: 1 }, c: 2 }, JSON.parse('{"__proto__": {"x": 1}, "constructor": 2}') as Value,
    new Uint8Array([0, 255]), new Float32Array([1.5, -0]), new BigInt64Array([-1n]), new Float64Array([Number.NaN]), new Uint8Array([1, 2]).buffer,
    new Uint8Array([1, 2, 3, 4]).subarray(1, 3), nested(200),
  ];
  for (const value of values) expect(parse(stringify(value))).toStrictEqual(value);
  const refused = ['{"$date": "tomorrow"}', '{"$date": 1}', '{"$what": 1}', '{"$map": [[1]]}', '{"$set": {}}', '{"$bigint": "1.5"}', '{"$number": "1"}',
    '{"$bytes": "Float32Array", "base64": "AAA="}', '{"$bytes": "Function", "base64": ""}', '{"$bytes": "Uint8Array", "base64": "?"}', '{"$date": "2026-01-01", "x": 1}',
    "{", "", `${"[".repeat(300)}${"]".repeat(300)}`];
  for (const text of refused) expect(() => parse(text), text).toThrow(TaggedError);
  expect(() => parse('{"a": [{"b": {"$date": 1}}]}')).toThrow(/^a\[0\]\.b: /);
});

test("two writers of one record: the second is told, and decides", async () => {
  const db = fresh();
  const [a, b] = [await open(db), await open(db)];
  const edit = async (tab: Page, role: string) => {
    await tab.bringToFront();
    const panel = tab.locator("[data-testid=panel]");
    const draft = await at(panel, "edit-input").inputValue();
    await at(panel, "edit-input").fill(draft.replace(/"role": "[^"]*"/, `"role": "${role}"`));
    await at(panel, "edit-save").click();
    return panel;
  };
  for (const tab of [a, b]) await at(await openRecord(tab, "agents/agents", "writer"), "edit").click();
  await at(await edit(a, "First"), "edit").waitFor();
  const panel = await edit(b, "Second");
  await at(panel, "edit-conflict").waitFor();
  await at(panel, "edit-conflict").locator("button").first().click();
  await at(panel, "edit").waitFor();
  expect(await at(panel, "tree").innerText()).toMatch(/role:\s*Second/);
  await at(a, "panel-changed").waitFor();
});

test("deletes: one with undo, several after a question", async () => {
  const tab = await open(fresh());
  await show(tab, "store/decisions");
  const status = () => at(tab, "list-status").innerText();
  await eventually(status, "60 records");
  const first = await at(tab, "row").first().innerText();
  await at(tab, "row-delete").first().click();
  await eventually(status, "59 records");
  await at(tab, "notice-action").click();
  await eventually(status, "60 records");
  expect((await at(tab, "row").first().innerText()).split("\n")[0]).toBe(first.split("\n")[0]);
  for (const n of [0, 1, 2]) await at(tab, "row-select").nth(n).check();
  await at(tab, "delete-selected").click();
  await at(tab, "delete-dialog").waitFor();
  await at(tab, "dialog-close").click();
  await eventually(status, "60 records");
  await at(tab, "delete-selected").click();
  await at(tab, "confirm").click();
  await eventually(status, "57 records");
  await tab.reload();
  await eventually(status, "57 records");

  await show(tab, "collection/memories");
  await at(tab, "filter-prefix").fill("memory-00");
  await eventually(status, "99 matching, 99 read");
  await at(tab, "select-all").click();
  await at(tab, "delete-selected").click();
  await at(tab, "confirm").click();
  await at(tab, "no-match").waitFor();
  await at(tab, "notice-action").last().click();
  await eventually(() => at(tab, "list").getAttribute("data-count-rows"), "99");

  await at(tab, "reset").click();
  await at(tab, "reset-dialog").waitFor();
  await at(tab, "confirm").click();
  await at(tab, "reset-dialog").waitFor({ state: "detached" });
  await at(tab, "nav-live").click();
  await eventually(counted(tab, "store/decisions"), "60");
  await eventually(counted(tab, "collection/memories"), "400");
});

test("the keyboard reaches the list, opens, selects and deletes", async () => {
  const tab = await open(fresh());
  await show(tab, "store/episodes");
  await at(tab, "row").first().waitFor();
  await at(tab, "row").first().focus();
  await tab.keyboard.press("ArrowDown");
  await tab.keyboard.press("End");
  await tab.keyboard.press("ArrowUp");
  const focused = () => tab.evaluate(() => document.activeElement?.getAttribute("data-row-id") ?? null);
  const ids = await at(tab, "row").evaluateAll((rows) => rows.map((row) => row.getAttribute("data-row-id")).sort());
  await eventually(focused, ids.at(-2) ?? "");
  await tab.keyboard.press("Space");
  await at(tab, "delete-selected").waitFor();
  await tab.keyboard.press("Enter");
  await at(tab, "panel", `[data-row-id="${ids.at(-2)}"]`).waitFor();
  await tab.keyboard.press("Escape");
  await at(tab, "panel").waitFor({ state: "detached" });
  await eventually(focused, ids.at(-2) ?? "");
  await tab.keyboard.press("Delete");
  await eventually(() => at(tab, "list").getAttribute("data-count-rows"), "11");
});

test("two tabs: what one writes shows in the other, in commit order", async () => {
  const db = fresh();
  const [a, b] = [await open(db), await open(db, "#/live")];
  await eventually(counted(b, "store/decisions"), "60");
  // A tab in the background draws nothing: only what it says is read there.
  await a.bringToFront();
  await show(a, "store/decisions");
  await at(a, "row-delete").first().click();
  await at(b, "change", '[data-id="decision-001"][data-kind="delete"]').waitFor();
  await eventually(counted(b, "store/decisions"), "59");
  await at(a, "nav-live").click();
  await at(a, "simulate").check({ force: true });
  await eventually(async () => Number(await counted(b, "store/decisions")()) >= 63, true);
  await at(a, "simulate").uncheck({ force: true });
  const versions = await at(b, "change").evaluateAll((rows) => rows.map((row) => Number(row.getAttribute("data-version"))));
  expect(versions).toEqual([...versions].sort((x, y) => y - x));
  const written = Number(await at(a, "simulated").getAttribute("data-count"));
  await eventually(counted(b, "store/decisions"), String(59 + written));
  await eventually(counted(a, "store/decisions"), String(59 + written));

  // A list that is open follows: a row that another tab deletes goes, one that it loads comes.
  await show(b, "store/episodes");
  await eventually(() => at(b, "list").getAttribute("data-count-rows"), "12");
  await show(a, "store/episodes");
  await at(a, "row-delete").first().click();
  await eventually(() => at(b, "list").getAttribute("data-count-rows"), "11");
  await at(b, "nav-live").click();
  await load(a, file("other-tab.jsonl", documents(700)), { collection: "from the other tab" });
  await eventually(counted(b, "collection/from the other tab"), "700");
});

test("a memory that an application made is shown as it is, and nothing is put into it", async () => {
  const db = fresh();
  await application(db, `
    await memory.store("orders").saveMany([{ id: "o-1", value: { total: 12.5, placed: new Date(0) } }, { id: "o-2", value: new Map([["k", new Uint8Array(3)]]) }]);
    await memory.collection("faq", { dimensions: 3, metric: "l2" }).add([{ id: "q-1", text: "How to return?", vector: [0, 0, 1] }, { id: "q-2", text: "How to pay?", vector: [0, 1, 1] }]);
    await memory.agents.save("seller", { status: "idle" });
  `);
  const tab = await open(db, "#/live");
  await eventually(counted(tab, "agents/agents"), "1");
  await eventually(counted(tab, "collection/memories"), "0");
  await at(tab, "nav-memories").click();
  await at(tab, "empty").waitFor();
  const add = async (name: string, kind: string) => {
    await at(tab, "source").selectOption("other");
    await at(tab, `add-source-${kind}`).check();
    await at(tab, "add-source-name").fill(name);
    await at(tab, "add-source-confirm").click();
    await at(tab, "add-source").waitFor({ state: "detached" });
    await eventually(() => at(tab, "list").getAttribute("data-count-rows"), "2");
  };
  await add("orders", "store");
  expect(await at(await openRecord(tab, "store/orders", "o-2"), "tree").innerText()).toMatch(/Map 1 entry[^]*Uint8Array 3 items/);
  await add("faq", "collection");
  await at(tab, "row-similar").first().click();
  await eventually(() => at(tab, "result").first().getAttribute("data-row-id"), "q-2");
  // A file of other vectors is refused, for this collection as for one that the page has not met.
  const refused = await load(tab, file("wide.jsonl", documents(2)), { collection: "faq" });
  expect(await at(refused, "bad-lines").innerText()).toContain("16 numbers where the collection has 3");
});

test("a name that is none is refused in plain words, and the page still works", async () => {
  const tab = await open(encodeURIComponent("../<b>x"), "", "failed");
  expect(await at(tab, "trouble").innerText()).toContain("letters, digits");
  await tab.locator(".trouble a").click();
  await tab.waitForSelector("[data-testid=status][data-state=ready]");
  await at(tab, "row").first().waitFor();
});

/** Ways to make a page run stored text, with a mark that shows that it did. */
const attacks = (() => {
  const run = "window.__ran=1";
  const tags = [
    `<script>${run}</script>`, `<img src=x onerror="${run}">`, `<svg onload="${run}">`, `<svg><script>${run}</script></svg>`,
    `<iframe srcdoc="<script>parent.__ran=1</script>"></iframe>`, `<iframe src="javascript:parent.__ran=1"></iframe>`,
    `<body onload="${run}">`, `<details open ontoggle="${run}"><summary>x</summary></details>`, `<video><source onerror="${run}"></video>`,
    `<audio src=x onerror="${run}">`, `<input autofocus onfocus="${run}">`, `<select autofocus onfocus="${run}"></select>`,
    `<textarea autofocus onfocus="${run}"></textarea>`, `<marquee onstart="${run}">x</marquee>`, `<object data="javascript:${run}"></object>`,
    `<embed src="javascript:${run}">`, `<a href="javascript:${run}">x</a>`, `<form action="javascript:${run}"><button>x</button></form>`,
    `<button formaction="javascript:${run}">x</button>`, `<math href="javascript:${run}">x</math>`, `<link rel="stylesheet" href="javascript:${run}">`,
    `<meta http-equiv="refresh" content="0;url=javascript:${run}">`, `<base href="javascript:${run}//">`, `<style>@import "javascript:${run}";</style>`,
    `<div style="background:url(javascript:${run})">x</div>`, `<template><script>${run}</script></template>`, `<noscript><img src=x onerror="${run}"></noscript>`,
    `<svg><animate onbegin="${run}" attributeName=x dur=1s></svg>`, `<svg><use href="data:image/svg+xml,<svg id='x' onload='${run}'/>#x"></svg>`,
    `<svg><foreignObject><img src=x onerror="${run}"></foreignObject></svg>`, `<xmp><img src=x onerror="${run}"></xmp>`, `<plaintext><img src=x onerror="${run}">`,
  ];
  const breakouts = ['"', "'", "`", "-->", "]]>", "</script>", "</style>", "</textarea>", "</title>", "</option></select>", "\\\"", "&quot;&gt;", "*/", "\u2028"].map((end) => `${end}><img src=x onerror="${run}">`);
  const schemes = [`javascript:${run}`, `JaVaScRiPt:${run}`, `java\tscript:${run}`, `\u0001javascript:${run}`, `data:text/html,<script>${run}</script>`, `vbscript:${run}`, `blob:${run}`];
  const templates = [`{{constructor.constructor('${run}')()}}`, `\${${run}}`, `<%= ${run} %>`, `#{${run}}`, `');${run};//`, `";${run};//`, `__proto__`, `constructor`, `{"__html":"<img src=x onerror=${run}>"}`, `%3Cscript%3E${run}%3C/script%3E`, `&lt;script&gt;${run}&lt;/script&gt;`, `\u202e<script>${run}</script>`];
  return [...tags, ...breakouts, ...schemes, ...templates];
})();

test("stored text is never run: ids, texts, metadata, agents, names of collections", async () => {
  expect(new Set(attacks).size).toBeGreaterThanOrEqual(60);
  const db = fresh();
  const tab = await open(db);
  const watcher = await open(db, "#/live");
  await application(db, `await memory.agents.saveMany(${JSON.stringify(attacks)}.map((id) => ({ id, value: { name: id, role: id, [id]: id } })));`);
  await tab.bringToFront();
  const name = '<img src=x onerror="window.__ran=1">';
  const source = `collection/${name}`;
  const progress = await load(tab, file("attacks.jsonl", [
    ...attacks.map((attack) => ({ id: attack, text: attack, metadata: Object.fromEntries([["field", attack], [attack, "value"], ["list", [attack]]]) })),
    ...attacks.slice(0, 20).map((attack) => Object.fromEntries([["id", "x"], [attack, attack]])),
  ]), { collection: name, onBad: "skip" });
  expect(await progress.getAttribute("data-count-stored")).toBe(String(attacks.length));
  expect(await progress.getAttribute("data-count-bad")).toBe("20");

  const agent = await openRecord(tab, "agents/agents", "producer");
  await at(agent, "edit").click();
  await at(agent, "edit-input").fill(JSON.stringify({ name: attacks[1], role: attacks[2], skills: attacks, byKey: { $object: Object.fromEntries(attacks.map((attack) => [attack, attack])) } }));
  await at(agent, "edit-save").click();
  await at(agent, "edit").waitFor();
  const tree = await at(agent, "tree").innerText();
  expect(tree).toContain(attacks[0]);

  /** All rows of the list, by scrolling through it. */
  const rowTexts = async (count: number): Promise<Map<string, string>> => {
    const texts = new Map<string, string>();
    await eventually(async () => {
      const rows = await at(tab, "row").evaluateAll((all) => all.map((row) => [row.getAttribute("data-row-id") ?? "", row.querySelector(".row-text")?.textContent ?? ""] as const));
      rows.forEach(([id, text]) => texts.set(id, text));
      await at(tab, "rows").evaluate((list) => list.scrollBy(0, 300));
      return texts.size;
    }, count);
    return texts;
  };
  await show(tab, "agents/agents");
  const agents = await rowTexts(attacks.length + 8);
  for (const attack of attacks) expect(agents.get(attack)).toContain(attack);

  await show(tab, source);
  const texts = await rowTexts(attacks.length);
  for (const attack of attacks) expect(texts.get(attack)).toBe(attack);

  for (const attack of attacks) {
    const panel = tab.locator("[data-testid=panel]");
    await tab.evaluate(([where, id]) => {
      location.hash = `#/memories?${new URLSearchParams({ source: where!, id: id! })}`;
    }, [source, attack]);
    await eventually(() => panel.getAttribute("data-row-id"), attack);
    await at(panel, "tree").first().waitFor();
    expect(await at(panel, "tree").first().textContent()).toContain(attack);
  }
  await at(tab, "panel-close").click();
  for (const attack of attacks.slice(0, 5)) {
    await at(tab, "search").fill(attack);
    await at(tab, "search").press("Enter");
    await at(tab, "result", `[data-row-id=${JSON.stringify(attack)}]`).first().waitFor();
    await at(tab, "filter-fields").fill(attack);
    await at(tab, "filter-clear").click();
  }
  await at(tab, "search-clear").click();
  await at(tab, "row-delete").first().click();
  await at(tab, "notice-action").last().click();
  await eventually(async () => Number(await at(watcher, "seen").getAttribute("data-count")) >= attacks.length + 3, true);
  expect(await at(watcher, "changes").innerText()).toContain("onerror");
  for (const page of [tab, watcher]) {
    // One turn for everything that would run late.
    await page.waitForTimeout(300);
    expect(await page.evaluate(() => (globalThis as { __ran?: number }).__ran)).toBeUndefined();
    expect(await page.locator("#app :is(script, iframe, object, embed, base, img, video, audio, form[action], [formaction])").count()).toBe(0);
    expect(await page.evaluate(() => [...document.querySelectorAll("a")].filter((link) => !["http:", "https:"].includes(link.protocol)).length)).toBe(0);
  }
});

const data = join(root, "../shared/data/minilm-10k");
test.skipIf(!existsSync(data))("10,000 real texts with their vectors, through the page", async () => {
  const { base } = JSON.parse(gunzipSync(readFileSync(join(data, "texts.json.gz"))).toString()) as { base: { name: string; section: string; text: string }[] };
  const raw = readFileSync(join(data, "base.f32"));
  const vectors = new Float32Array(raw.buffer.slice(raw.byteOffset, raw.byteOffset + raw.byteLength));
  const dimensions = vectors.length / base.length;
  const path = file("minilm.jsonl", base.map(({ name, section, text }, n) => ({
    id: `${String(n).padStart(5, "0")} ${name}`, text, vector: [...vectors.subarray(n * dimensions, (n + 1) * dimensions)], metadata: { name, section },
  })));
  const tab = await open(fresh());
  const progress = await load(tab, path, { collection: "packages" });
  expect(await progress.getAttribute("data-state")).toBe("done");
  expect(await progress.getAttribute("data-count-stored")).toBe("10000");
  expect(await at(tab, "collection-count").getAttribute("data-count")).toBe("10000");
  await tab.reload();
  await at(tab, "nav-live").click();
  await eventually(counted(tab, "collection/packages"), "10000");
  await show(tab, "collection/packages");
  await at(tab, "row").first().waitFor();
  await at(tab, "rows").evaluate((list) => list.scrollBy(0, 1e6));
  await eventually(async () => Number(await at(tab, "list").getAttribute("data-count-rows")) > 100, true);
});
