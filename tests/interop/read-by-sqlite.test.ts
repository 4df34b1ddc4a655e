/** Files of SQLite are files of SQLite: other programs read them, and reading changes nothing. */
import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { open } from "mnemora";
import { content, fill, FILLED, freshPath, root, without } from "./harness.js";

/** The answers of another program to these questions, one value each. */
type Ask = (path: string, questions: readonly string[]) => (number | string)[];

interface Reader {
  readonly name: string;
  /** Why it can not be asked here; nothing if it can. */
  readonly missing: string | undefined;
  readonly ask: Ask;
}

const starts = (program: string, ...given: string[]): boolean => spawnSync(program, given, { stdio: "ignore" }).status === 0;

/** A number, where an answer is one. */
const typed = (answer: string): number | string => /^\d+$/.test(answer) ? Number(answer) : answer;

/** `immutable=1`: nothing may be made next to the file either. */
const uri = (path: string): string => `file:${path}?immutable=1`;

const shell: Reader = {
  name: "the sqlite3 shell",
  missing: starts("sqlite3", "--version") ? undefined : "there is no sqlite3 on the PATH",
  ask: (path, questions) => questions.map((question) =>
    typed(execFileSync("sqlite3", ["-readonly", uri(path), question], { encoding: "utf8" }).trim())),
};

const python: Reader = {
  name: "sqlite3 of Python",
  missing: starts("python3", "-c", "import sqlite3") ? undefined : "there is no python3 with sqlite3 on the PATH",
  ask: (path, questions) => JSON.parse(execFileSync("python3", ["-c", `
import json, sqlite3, sys
connection = sqlite3.connect(sys.argv[1], uri=True)
print(json.dumps([connection.execute(question).fetchone()[0] for question in sys.argv[2:]]))
connection.close()`, uri(path), ...questions], { encoding: "utf8" })) as (number | string)[],
};

/** What the benchmarks have installed to compare with. */
const peers = join(root, ".tools/peers/package.json");

interface BetterSqlite {
  new (path: string, options: { readonly: boolean }): { prepare(sql: string): { pluck(): { get(): number | string } }; close(): void };
}

const better: Reader = {
  name: "better-sqlite3",
  missing: existsSync(join(dirname(peers), "node_modules/better-sqlite3")) ? undefined : "it is not installed: the benchmarks do so",
  ask: (path, questions) => {
    const Database = createRequire(peers)("better-sqlite3") as BetterSqlite;
    const database = new Database(path, { readonly: true });
    const answers = questions.map((question) => database.prepare(question).pluck().get());
    database.close();
    return answers;
  },
};

const readers = [shell, python, better];
for (const { name, missing } of readers) if (missing !== undefined) console.log(`not read by ${name}: ${missing}`);

const sha = (path: string): string => createHash("sha256").update(readFileSync(path)).digest("hex");

/** How many records a namespace has: its keys begin with the space and the name. */
const count = (space: string, name: string): string => {
  const prefix = `${space}02${Buffer.from(name).toString("hex").toUpperCase()}00`;
  return `SELECT count(*) FROM records WHERE hex(key) LIKE '${prefix}%'`;
};

describe.skipIf(without !== undefined).each(["relaxed", "strict"] as const)("a file written %s", (durability) => {
  for (const { name, missing, ask } of readers) {
    test.skipIf(missing !== undefined)(`is read by ${name}`, async () => {
      const path = freshPath();
      const memory = await open(`sqlite://${path}`, { durability });
      await fill(memory);
      const before = await content(memory);
      await memory.close();
      const there = (): string[] => readdirSync(dirname(path)).filter((file) => file.startsWith(basename(path)));
      expect(there()).toEqual([basename(path)]);
      const digest = sha(path);

      expect(ask(path, [
        "PRAGMA integrity_check", "PRAGMA application_id", "PRAGMA user_version", "PRAGMA journal_mode",
        count("03", "values"), count("03", "many"), count("03", "$agents"), count("03", "expiring"), count("03", "past"), count("06", "notes"),
        "SELECT count(*) FROM records WHERE key IN (SELECT key FROM records GROUP BY key HAVING count(*) > 1)",
        "SELECT max(sequence) - max(version) FROM log, records",
      ])).toEqual([
        "ok", 0x6d6e656d, 1, expect.stringMatching(/wal|delete|off/),
        FILLED.values, FILLED.many, FILLED.agents, FILLED.expiring, FILLED.past, FILLED.notes, 0, 0,
      ]);

      expect(sha(path)).toBe(digest);
      // A reader of a file with a write-ahead log may leave an empty one behind. It is no obstacle.
      const again = await open(`sqlite://${path}`);
      expect(await content(again)).toEqual(before);
      expect(await again.verify()).toMatchObject({ ok: true, problems: [] });
      await again.close();
    });
  }
});

/** Readers that open it as they do by default leave `-wal` and `-shm`; that must not stand in the way. */
test.skipIf(without !== undefined || shell.missing !== undefined)("what the shell leaves behind stands in nobody's way", async () => {
  const path = freshPath();
  const memory = await open(`sqlite://${path}`);
  await fill(memory);
  const before = await content(memory);
  await memory.close();
  for (const flags of [["-readonly"], []]) {
    const digest = sha(path);
    expect(execFileSync("sqlite3", [...flags, path, "SELECT count(*) > 500 FROM records"], { encoding: "utf8" }).trim()).toBe("1");
    expect(sha(path)).toBe(digest);
    const again = await open(`sqlite://${path}`);
    expect(await content(again)).toEqual(before);
    await again.agents.save("after", flags.length);
    await again.agents.delete("after");
    await again.close();
    const third = await open(`sqlite://${path}`);
    expect(await content(third)).toEqual(before);
    expect(await third.verify()).toMatchObject({ ok: true, problems: [] });
    await third.close();
  }
});
