/**
 * The package as a user gets it: packed, installed into an empty folder, with the README's example.
 *
 * **Invariants**
 * - Nothing here looks into the repository except to pack it and to read README.md.
 * - Every folder is a temporary one of its own, removed when its test file ends.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { transformSync } from "esbuild";
import { afterAll } from "vitest";

/** The root of the repository. */
export const root = join(import.meta.dirname, "../..");

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** A new empty folder. */
export function emptyFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "mnemora-pack-"));
  folders.push(folder);
  return folder;
}

/** Writes files below `folder`; values that are no strings become JSON. */
export function write(folder: string, files: Record<string, unknown>): void {
  for (const [name, content] of Object.entries(files)) {
    const path = join(folder, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, typeof content === "string" ? content : JSON.stringify(content, null, 2));
  }
}

let made: { tarball: string; files: { path: string; size: number }[] } | undefined;

/** Packs the repository: the path of the tarball, and the files in it. */
export function pack(): { tarball: string; files: { path: string; size: number }[] } {
  if (made === undefined) {
    const folder = emptyFolder();
    const output = execFileSync("npm", ["pack", "--json", "--pack-destination", folder], { cwd: root, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
    const [entry] = Object.values(JSON.parse(output) as Record<string, { filename: string; files: { path: string; size: number }[] }>);
    if (entry === undefined) throw new Error(`npm pack reported nothing: ${output}`);
    made = { tarball: join(folder, entry.filename), files: entry.files };
  }
  return made;
}

/** An app in a folder of its own, with the tarball installed and nothing else. */
export function app(files: Record<string, unknown> = {}): string {
  const folder = emptyFolder();
  write(folder, { "package.json": { name: "app", private: true, type: "module" } });
  execFileSync("npm", ["install", "--offline", "--no-audit", "--no-fund", "--ignore-scripts", pack().tarball], { cwd: folder, stdio: "pipe" });
  write(folder, files);
  return folder;
}

/** The first TypeScript or JavaScript block in README.md, as it stands. */
export function example(): string {
  const path = join(root, "README.md");
  if (!existsSync(path)) throw new Error("README.md is missing, and with it the example to run.");
  const code = /^```(?:ts|typescript|js|javascript|mjs)[^\n]*\n([\s\S]*?)^```/m.exec(readFileSync(path, "utf8"))?.[1];
  if (code === undefined) throw new Error("README.md has no ```ts or ```js block to run.");
  if (!code.includes("console.log")) throw new Error("README.md's example prints nothing: there is no way to see that it works.");
  return code;
}

/** The example without its types, and otherwise as it stands: no newer syntax is turned into older one. */
export function exampleScript(): string {
  return transformSync(example(), { loader: "ts", target: "esnext", format: "esm", tsconfigRaw: { compilerOptions: { verbatimModuleSyntax: true } } }).code;
}

/** The example for `require`: its imports become calls, its body a function, for CommonJS has no await outside. */
export function exampleCommonJs(): string {
  const imports: string[] = [];
  const body = exampleScript().replace(/^import\s+(\{[^}]*\}|\w+)\s+from\s+("[^"]+"|'[^']+');?$/gm, (_, names: string, from: string) => {
    imports.push(`const ${names.replace(/\sas\s/g, ": ")} = require(${from});`);
    return "";
  });
  if (imports.length === 0) throw new Error("README.md's example imports nothing.");
  return `${imports.join("\n")}\n(async () => {\n${body}\n})().catch((error) => { console.error(error); process.exitCode = 1; });\n`;
}

/** What the example printed, with the times of day left out: they differ from run to run. */
export function timeless(text: string): string {
  return text.replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, "<time>");
}

/** Runs Node in `folder`. What it prints comes without the times of day. */
export function node(folder: string, ...args: string[]): { status: number | null; stdout: string; stderr: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, ["--no-warnings", ...args], { cwd: folder, encoding: "utf8", timeout: 60_000 });
  return { status, stdout: timeless(stdout), stderr };
}
