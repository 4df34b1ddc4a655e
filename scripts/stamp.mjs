/**
 * Knowing when a build step has nothing to do.
 *
 * Invariants
 * - A step is skipped only if the bytes of all its inputs are those of the last run that succeeded,
 *   and all its outputs still exist. Times are not looked at: a checkout changes them for nothing.
 * - The stamp is written after the step, never before.
 */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { root } from "./process.mjs";

/** All files at or below `paths` (relative to the root), sorted, without the folders `skip`. */
export function filesBelow(paths, skip = []) {
  const found = [];
  const walk = (path) => {
    const name = relative(root, path);
    if (skip.includes(name) || !existsSync(path)) return;
    if (statSync(path).isDirectory()) {
      for (const child of readdirSync(path)) walk(join(path, child));
    } else {
      found.push(name);
    }
  };
  for (const path of paths) walk(join(root, path));
  return found.sort();
}

function digest(files, extra) {
  const hash = createHash("sha256").update(JSON.stringify(extra));
  for (const file of files) {
    const bytes = readFileSync(join(root, file));
    hash.update(`\n${file} ${bytes.length}\n`).update(bytes);
  }
  return hash.digest("hex");
}

/**
 * Runs `work` unless nothing has changed since it last succeeded. Resolves to whether it ran.
 *
 * `inputs` and `skip` are files or folders, `extra` is any JSON that also counts as input, `outputs`
 * are files that must exist.
 */
export async function step(name, { inputs, skip = [], extra = null, outputs }, work) {
  const stamp = join(root, ".tools/stamps", name);
  const wanted = digest(filesBelow(inputs, skip), extra);
  const fresh = existsSync(stamp) && readFileSync(stamp, "utf8") === wanted
    && outputs.every((output) => existsSync(join(root, output)));
  if (fresh) return false;
  rmSync(stamp, { force: true });
  await work();
  mkdirSync(dirname(stamp), { recursive: true });
  writeFileSync(stamp, wanted);
  return true;
}
