/** The locks of an instance that has stopped: it can not remove them, and its process goes on. */
import { existsSync, mkdirSync, readdirSync, readFileSync, unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { nodeFiles } from "../../pkg/src/files/node.js";
import { lend } from "../../pkg/src/files/locks.js";
import { freshPath } from "./harness.js";

/** A folder in which `calls` has taken the lock of `name`, as the core does. */
function lock(calls: typeof nodeFiles, folder: string, name: string): string {
  const [temporary, path] = [join(folder, `${name}.tmp`), join(folder, name)];
  writeFileSync(temporary, `owner of ${name}`);
  calls.link(temporary, path);
  calls.remove(temporary);
  return path;
}

function folder(): string {
  const made = freshPath();
  mkdirSync(made);
  return made;
}

describe("given up", () => {
  test("are those that are held, and no other file", () => {
    const [at, { calls, giveUp }] = [folder(), lend(nodeFiles)];
    const held = [lock(calls, at, "a.lock"), lock(calls, at, "b.lock")];
    const letGo = lock(calls, at, "c.lock");
    calls.remove(letGo);
    // Somebody else's by now.
    lock(nodeFiles, at, "c.lock");
    writeFileSync(join(at, "data"), "data");
    expect(held.every((path) => existsSync(path))).toBe(true);
    giveUp();
    expect(readdirSync(at).sort()).toEqual(["c.lock", "data"]);
    expect(() => giveUp()).not.toThrow();
  });

  test("is none that was deleted by hand and taken by another", () => {
    const [at, { calls, giveUp }] = [folder(), lend(nodeFiles)];
    const [replaced, gone, longer] = [lock(calls, at, "a.lock"), lock(calls, at, "b.lock"), lock(calls, at, "c.lock")];
    writeFileSync(replaced, "owner of x.lock");
    unlinkSync(gone);
    writeFileSync(longer, "owner of c.lock, again");
    giveUp();
    expect(readdirSync(at).sort()).toEqual(["a.lock", "c.lock"]);
    expect(readFileSync(replaced, "utf8")).toBe("owner of x.lock");
  });

  test("is none that was not had: a link that fails is none", () => {
    const [at, { calls, giveUp }] = [folder(), lend(nodeFiles)];
    const other = lock(nodeFiles, at, "a.lock");
    writeFileSync(join(at, "b.tmp"), "owner of a.lock");
    expect(() => calls.link(join(at, "b.tmp"), other)).toThrow(/EEXIST/);
    giveUp();
    expect(existsSync(other)).toBe(true);
  });
});

test("an instance has all the calls of its host", () => {
  const { calls } = lend(nodeFiles);
  for (const name of Object.keys(nodeFiles) as (keyof typeof nodeFiles)[]) expect(calls[name]).toBeTypeOf("function");
  expect(calls.process()).toEqual(nodeFiles.process());
});
