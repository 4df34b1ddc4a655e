/**
 * The file system of Node, Bun and Deno. Each call does what the native program's does
 * (`src/platform/files/native.rs`), so that the two can share files and keep out of one another's way.
 */
import { isUtf8 } from "node:buffer";
import * as fs from "node:fs";
import { basename, dirname, isAbsolute, sep } from "node:path";
import type { HostFileCalls } from "./calls.js";

const { O_CREAT, O_EXCL, O_RDONLY, O_RDWR } = fs.constants;
/** By mode. */
const FLAGS = [O_RDONLY, O_RDWR, O_RDWR | O_CREAT, O_RDWR | O_CREAT | O_EXCL] as const;
/** The largest process number: beyond it, `kill` would mean something else. */
const MAX_PROCESS = 2 ** 31 - 1;

const codeOf = (error: unknown): unknown => error instanceof Error && "code" in error ? error.code : undefined;

/** What `call` gives, or `otherwise` if it fails with one of `codes`. */
function unless<T>(call: () => T, codes: readonly string[], otherwise: T): T {
  try {
    return call();
  } catch (error) {
    if (codes.includes(codeOf(error) as string)) return otherwise;
    throw error;
  }
}

/** The text of a file of `/proc`; `undefined` if there is none to read. */
const proc = (path: string): string | undefined =>
  unless(() => fs.readFileSync(`/proc/${path}`, "utf8"), ["ENOENT", "EACCES", "EPERM", "ESRCH"], undefined);

/** When a process began: the id of the boot and the 22nd field of its line in `/proc` (proc(5)). */
function started(id: number): string | undefined {
  const line = proc(`${id}/stat`);
  // The second field is a name in brackets, which may hold anything.
  const ticks = line?.slice(line.lastIndexOf(") ") + 2).split(" ")[19];
  return ticks === undefined ? undefined : `${(proc("sys/kernel/random/boot_id") ?? "").trim()}/${ticks}`;
}

/** The calls, over `node:fs`. */
export const nodeFiles: HostFileCalls = {
  open: (path, mode) => fs.openSync(path, FLAGS[mode]),
  close: (descriptor) => fs.closeSync(descriptor),

  readAt(descriptor, buffer, offset) {
    let filled = 0;
    while (filled < buffer.length) {
      const count = unless(() => fs.readSync(descriptor, buffer, filled, buffer.length - filled, offset + filled), ["EINTR"], -1);
      if (count === 0) break;
      if (count > 0) filled += count;
    }
    return filled;
  },

  writeAt(descriptor, bytes, offset) {
    for (let written = 0; written < bytes.length;) {
      const count = fs.writeSync(descriptor, bytes, written, bytes.length - written, offset + written);
      if (count === 0) throw Object.assign(new Error("EIO: the file takes no more bytes, write"), { code: "EIO" });
      written += count;
    }
  },

  setLength: (descriptor, length) => fs.ftruncateSync(descriptor, length),
  // The content and what it takes to read it back, such as the length, but not the times.
  sync: (descriptor) => fs.fdatasyncSync(descriptor),
  length: (descriptor) => fs.fstatSync(descriptor).size,

  metadata(path) {
    // In whole milliseconds: the time as a floating-point number may round up to the next.
    const found = unless(() => fs.statSync(path, { bigint: true }), ["ENOENT", "ENOTDIR"], undefined);
    if (found === undefined) return null;
    return [Number(found.size), Math.max(0, Number(found.mtimeMs)), found.isDirectory()];
  },

  // A name that is not UTF-8 is none of ours.
  list: (directory) => fs.readdirSync(directory, "buffer").filter((name) => isUtf8(name)).map((name) => name.toString()),
  createDirectory: (path) => void fs.mkdirSync(path, { recursive: true }),
  rename: (from, to) => fs.renameSync(from, to),
  link: (from, to) => fs.linkSync(from, to),
  remove: (path) => fs.unlinkSync(path),

  syncDirectory(path) {
    if (process.platform === "win32") return; // it opens no directories; NTFS journals the names itself
    const descriptor = fs.openSync(path, O_RDONLY);
    try {
      fs.fsyncSync(descriptor);
    } finally {
      fs.closeSync(descriptor);
    }
  },

  absolute(path) {
    // Dots are left to the file system: behind a link, the directory above is another one.
    let known = isAbsolute(path) ? path : process.cwd() + sep + path;
    // What does not exist yet has its name behind the real name of what does.
    let behind = "";
    for (;;) {
      const name = basename(known);
      // Nothing stands above the root, and what `..` would mean below what does not exist is unknown.
      const last = name === ".." || dirname(known) === known;
      const real = unless(() => fs.realpathSync.native(known), last ? [] : ["ENOENT"], undefined);
      if (real !== undefined) return behind === "" || !real.endsWith(sep) ? real + behind : real.slice(0, -1) + behind;
      if (name !== ".") behind = sep + name + behind;
      known = dirname(known);
    }
  },

  process: () => [process.pid, started(process.pid) ?? ""],

  isRunning(id, since) {
    if (id < 1 || id > MAX_PROCESS) return false;
    // Signal 0 only asks. A process of somebody else may not be asked, but is there.
    const there = unless(() => unless(() => process.kill(id, 0), ["EPERM"], true), ["ESRCH"], false);
    if (!there) return false;
    const now = started(id);
    return now === undefined || since === "" || now === since;
  },
};
