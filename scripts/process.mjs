/**
 * Running other programs, and saying in plain words why one could not be run.
 *
 * Invariants
 * - No dependencies: this runs before `node_modules` exists.
 * - A failure that the reader can mend is a {@link Problem}: its message is printed without a stack.
 */
import { spawn, spawnSync } from "node:child_process";
import { accessSync, constants, statSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The root of the repository. */
export const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** Something that is missing or broken, told to the person who runs the script. */
export class Problem extends Error {}

/** Prints one line of progress. */
export function say(text) {
  process.stdout.write(`${text}\n`);
}

/** The full path of a program on the PATH, or `null`. */
export function which(name) {
  for (const folder of (process.env.PATH ?? "").split(delimiter)) {
    if (folder === "") continue;
    const path = join(folder, name);
    try {
      accessSync(path, constants.X_OK);
      if (statSync(path).isFile()) return path;
    } catch {
      continue; // not here: look in the next folder
    }
  }
  return null;
}

/** Runs a program to its end and gives its standard output, trimmed. */
export function capture(command, args, options = {}) {
  const result = spawnSync(command, args, { cwd: root, encoding: "utf8", maxBuffer: 1 << 28, ...options });
  if (result.error) throw new Problem(`Could not run \`${command}\`: ${result.error.message}`);
  if (result.status !== 0) {
    throw new Problem(`\`${command} ${args.join(" ")}\` failed:\n${result.stderr || result.stdout}`);
  }
  return result.stdout.trim();
}

/**
 * Runs a program with its output shown. Resolves to `{ code, output, signal, late }`; `output` is kept
 * only where `keep` is set. Rejects where the program can not be started. A program that has a time
 * limit leads a process group of its own, so that what it has started ends with it: browsers, workers.
 */
export function run(command, args, { env, cwd = root, keep = false, timeoutMs = 0 } = {}) {
  return new Promise((resolve, reject) => {
    const grouped = timeoutMs > 0;
    const child = spawn(command, args, {
      cwd,
      env: env ?? process.env,
      detached: grouped,
      stdio: keep ? ["ignore", "pipe", "pipe"] : ["ignore", "inherit", "inherit"],
    });
    const parts = [];
    let late = false;
    const stop = (signal) => {
      try {
        process.kill(-child.pid, signal);
      } catch (error) {
        if (error.code !== "ESRCH") throw error; // it has just ended
      }
    };
    const timer = grouped ? setTimeout(() => { late = true; stop("SIGKILL"); }, timeoutMs) : undefined;
    const forward = (signal) => { stop(signal); process.exitCode = 1; };
    if (grouped) for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, forward);
    const ended = () => {
      clearTimeout(timer);
      for (const signal of ["SIGINT", "SIGTERM"]) process.off(signal, forward);
    };
    if (keep) {
      child.stdout.on("data", (part) => { parts.push(part); process.stdout.write(part); });
      child.stderr.on("data", (part) => { parts.push(part); process.stderr.write(part); });
    }
    child.on("error", (error) => {
      ended();
      reject(new Problem(`Could not run \`${command}\`: ${error.message}`));
    });
    child.on("close", (code, signal) => {
      ended();
      resolve({ code: code ?? 1, output: Buffer.concat(parts).toString("utf8"), signal, late });
    });
  });
}

/** Runs a program and throws unless it succeeds. */
export async function must(command, args, options = {}) {
  const { code, signal } = await run(command, args, options);
  if (code !== 0) throw new Problem(`\`${command} ${args.join(" ")}\` ${signal ? `was ended by ${signal}` : `failed with code ${code}`}.`);
}

/** Runs `main`, prints what went wrong, and sets the exit code. */
export async function entry(main) {
  try {
    await main();
  } catch (error) {
    process.stderr.write(error instanceof Problem ? `\n${error.message}\n` : `\n${error?.stack ?? error}\n`);
    process.exitCode = 1;
  }
}
