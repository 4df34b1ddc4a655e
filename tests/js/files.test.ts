/** Node's calls on files: what each gives and throws, held against what POSIX and the native program do. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { nodeFiles as files } from "../../pkg/src/files/node.ts";

const folder = fs.realpathSync(fs.mkdtempSync(join(tmpdir(), "mnemora-files-")));
afterAll(() => fs.rmSync(folder, { recursive: true, force: true }));
let count = 0;
/** A path that nothing has yet. */
const fresh = () => join(folder, `f${count++}`);
const bytes = (...values: number[]) => Uint8Array.from(values);
const linux = process.platform === "linux";

/** The code that a call throws, or what it gives. */
function codeOf(call: () => unknown): unknown {
  try {
    return call();
  } catch (error) {
    return (error as NodeJS.ErrnoException).code;
  }
}

describe("a file", () => {
  test("is made or not, by mode", () => {
    const path = fresh();
    expect([0, 1].map((mode) => codeOf(() => files.open(path, mode as 0 | 1)))).toEqual(["ENOENT", "ENOENT"]);
    for (const mode of [3, 2, 1, 0] as const) {
      const descriptor = files.open(path, mode);
      if (mode > 0) files.writeAt(descriptor, bytes(mode), 0);
      else expect(codeOf(() => files.writeAt(descriptor, bytes(9), 0))).toBe("EBADF");
      files.close(descriptor);
      expect(codeOf(() => files.length(descriptor))).toBe("EBADF");
    }
    expect(codeOf(() => files.open(path, 3))).toBe("EEXIST");
    expect([...fs.readFileSync(path)]).toEqual([1]);
  });

  test("is read and written at any place", () => {
    const path = fresh();
    const descriptor = files.open(path, 2);
    files.writeAt(descriptor, bytes(1, 2, 3), 2);
    files.writeAt(descriptor, bytes(), 100);
    expect(files.length(descriptor)).toBe(5);
    const buffer = new Uint8Array(8).fill(9);
    expect(files.readAt(descriptor, buffer, 1)).toBe(4);
    expect([...buffer]).toEqual([0, 1, 2, 3, 9, 9, 9, 9]);
    expect(files.readAt(descriptor, buffer, 5)).toBe(0);
    expect(files.readAt(descriptor, buffer.subarray(0, 0), 0)).toBe(0);
    files.setLength(descriptor, 3);
    files.setLength(descriptor, 6);
    files.sync(descriptor);
    files.close(descriptor);
    expect([...fs.readFileSync(path)]).toEqual([0, 0, 1, 0, 0, 0]);
  });

  test("is looked at in whole milliseconds", () => {
    const path = fresh();
    fs.writeFileSync(path, "abc");
    const at = 1_700_000_000_123;
    fs.utimesSync(path, at / 1000, (at + 0.9999) / 1000);
    const [length, modified, directory] = files.metadata(path) ?? [];
    expect({ length, directory }).toEqual({ length: 3, directory: false });
    expect(modified).toBe(Number(fs.statSync(path, { bigint: true }).mtimeNs / 1_000_000n));
    expect(files.metadata(folder)?.[2]).toBe(true);
    expect(files.metadata(fresh())).toBeNull();
    expect(files.metadata(join(path, "below"))).toBeNull();
  });
});

describe("names", () => {
  test("come, change and go", () => {
    const [one, two] = [fresh(), fresh()];
    fs.writeFileSync(one, "1");
    files.link(one, two);
    expect(codeOf(() => files.link(one, two))).toBe("EEXIST");
    files.remove(one);
    expect(codeOf(() => files.remove(one))).toBe("ENOENT");
    fs.writeFileSync(one, "new");
    files.rename(one, two);
    expect(fs.readFileSync(two, "utf8")).toBe("new");
    expect(codeOf(() => files.rename(one, two))).toBe("ENOENT");
    files.syncDirectory(folder);
    expect(codeOf(() => files.syncDirectory(one))).toBe("ENOENT");
  });

  test("are listed, but for those that are not UTF-8", () => {
    const path = fresh();
    files.createDirectory(join(path, "a/b"));
    files.createDirectory(join(path, "a/b"));
    fs.writeFileSync(join(path, "ä\uFFFD"), "");
    if (linux) fs.writeFileSync(Buffer.concat([Buffer.from(`${path}/`), Buffer.from([0xff, 0x41])]), "");
    expect(files.list(path).sort()).toEqual(["a", "ä\uFFFD"]);
    expect(codeOf(() => files.list(join(path, "none")))).toBe("ENOENT");
    expect(codeOf(() => files.createDirectory(join(path, "ä\uFFFD")))).toBe("EEXIST");
  });
});

describe("absolute", () => {
  test("follows links as far as there is something", () => {
    const real = fresh();
    const link = fresh();
    fs.mkdirSync(join(real, "sub"), { recursive: true });
    fs.symlinkSync(join(real, "sub"), link);
    expect(files.absolute(link)).toBe(join(real, "sub"));
    expect(files.absolute(`${link}/./new/file.db`)).toBe(join(real, "sub/new/file.db"));
    // Above the directory that a link leads to is another directory than above the link.
    expect(files.absolute(`${link}/../x.db`)).toBe(join(real, "x.db"));
    expect(codeOf(() => files.absolute(`${link}/none/../x.db`))).toBe("ENOENT");
    fs.writeFileSync(join(real, "file"), "");
    expect(codeOf(() => files.absolute(join(real, "file/below")))).toBe("ENOTDIR");
  });

  test("begins at the current directory, or at the root", () => {
    expect(files.absolute("no-such-file.db")).toBe(join(fs.realpathSync(process.cwd()), "no-such-file.db"));
    expect(files.absolute("/no-such-directory/x")).toBe("/no-such-directory/x");
    expect(files.absolute("/")).toBe("/");
  });
});

describe("processes", () => {
  const [id, started] = files.process();

  test("this one runs, an earlier one of its number does not", () => {
    expect(id).toBe(process.pid);
    expect(files.isRunning(id, started)).toBe(true);
    expect(files.isRunning(id, "")).toBe(true);
    for (const none of [0, 2 ** 31, 2 ** 32 - 1]) expect(files.isRunning(none, "")).toBe(false);
  });

  test.runIf(linux)("the beginning is the boot and the start time of proc(5), as natively", () => {
    const fields = fs.readFileSync("/proc/self/stat", "utf8").split(") ").at(-1)?.split(" ") ?? [];
    expect(started).toBe(`${fs.readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim()}/${fields[19]}`);
    expect(files.isRunning(id, started.replace(/\d$/, "x"))).toBe(false);
  });

  test("one that has ended does not run", async () => {
    const child = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"]);
    await once(child, "spawn");
    const pid = child.pid ?? 0;
    expect(files.isRunning(pid, "")).toBe(true);
    child.kill("SIGKILL");
    await once(child, "exit");
    expect(files.isRunning(pid, "")).toBe(false);
  });
});
