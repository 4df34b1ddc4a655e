/**
 * What the documentation shows is true: every block of TypeScript in README.md and every example in the
 * comments of the package compiles against the built package, and those that need no browser run.
 */
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import * as mnemora from "mnemora";
import ts from "typescript";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));

interface Block { readonly from: string; readonly code: string }

/** The blocks that are fenced as TypeScript. */
function fenced(markdown: string): string[] {
  return [...markdown.matchAll(/^([ \t]*)```(?:ts|typescript)\b[^\n]*\n([\s\S]*?)^\1```[ \t]*$/gm)].map(([, , code]) => code!);
}

/** The text of every `@example`: all that follows, up to the next tag or the end of the comment. */
function examples(source: string): string[] {
  const found: string[] = [];
  for (const [comment] of source.matchAll(/\/\*\*[\s\S]*?\*\//g)) {
    const text = comment.slice(3, -2).split("\n").map((line) => line.replace(/^\s*\* ?/, "")).join("\n");
    for (const [, body] of text.matchAll(/^@example\b[^\n]*\n([\s\S]*?)(?=^@\w|$(?![\s\S]))/gm)) {
      const blocks = fenced(body!);
      found.push(...(blocks.length > 0 ? blocks : [body!]));
    }
  }
  return found;
}

/** What an example may take for granted, if it does not make it itself. */
const surroundings: Record<string, string> = {
  memory: "declare const memory: import(\"mnemora\").Memory;",
  error: "declare const error: unknown;",
  retry: "declare function retry(): void;",
};

/** The example as a module of its own. What it uses of the package, or of the module that it documents,
 * and does not import is imported. */
function asModule(code: string, own?: { readonly path: string; readonly source: string }): string {
  const uses = (name: string): boolean => new RegExp(`(?<![\\w$.])${name}\\b`).test(code);
  const makes = (name: string): boolean => new RegExp(`(?:const|let|var|function|using|catch \\()\\s*(?:\\{[^}]*\\b)?${name}\\b`).test(code);
  const imported = new Set([...code.matchAll(/import \{([^}]*)\}/g)].flatMap(([, list]) => list!.split(",").map((name) => name.trim())));
  const missing = Object.keys(mnemora).filter((name) => uses(name) && !imported.has(name));
  const exported = [...(own?.source ?? "").matchAll(/^export (?:abstract )?(?:class|function|const) (\w+)/gm)].map(([, name]) => name!);
  const inner = exported.filter((name) => uses(name) && !(name in mnemora));
  const context = Object.keys(surroundings).filter((name) => uses(name) && !makes(name)).map((name) => surroundings[name]);
  return [
    missing.length > 0 ? `import { ${missing.join(", ")} } from "mnemora";` : "",
    inner.length > 0 ? `import { ${inner.join(", ")} } from "./${own!.path.replace(/\.ts$/, ".js")}";` : "",
    ...context, code, "export {};",
  ].join("\n");
}

async function sources(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true });
  return entries.filter((entry) => entry.isFile() && entry.name.endsWith(".ts")).map((entry) => join(entry.parentPath, entry.name)).sort();
}

const readme: Block[] = fenced(await readFile(join(root, "README.md"), "utf8"))
  .map((code, at) => ({ from: `README.md, block ${at + 1}`, code: asModule(code) }));
const comments: Block[] = (await Promise.all((await sources(join(root, "pkg/src"))).map(async (file) => {
  const [path, source] = [relative(root, file).replaceAll("\\", "/"), await readFile(file, "utf8")];
  return examples(source).map((code, at) => ({ from: `${path}, example ${at + 1}`, code: asModule(code, { path, source }) }));
}))).flat();
const blocks = [...readme, ...comments];

/** All problems the compiler has with the blocks, each compiled as a module that lies in the package. */
function check(modules: readonly Block[]): string[] {
  const options: ts.CompilerOptions = {
    strict: true, noEmit: true, target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.NodeNext, moduleResolution: ts.ModuleResolutionKind.NodeNext,
    lib: ["lib.es2022.d.ts", "lib.esnext.disposable.d.ts", "lib.dom.d.ts", "lib.dom.iterable.d.ts", "lib.dom.asynciterable.d.ts"],
    types: [], skipLibCheck: false, moduleDetection: ts.ModuleDetectionKind.Force,
  };
  const virtual = new Map(modules.map(({ code }, at) => [join(root, `documentation-${at}.mts`), code]));
  const host = ts.createCompilerHost(options);
  const { fileExists, readFile: read, getSourceFile } = host;
  host.fileExists = (name) => virtual.has(name) || fileExists.call(host, name);
  host.readFile = (name) => virtual.get(name) ?? read.call(host, name);
  host.getSourceFile = (name, language, ...rest) => {
    const text = virtual.get(name);
    return text === undefined ? getSourceFile.call(host, name, language, ...rest) : ts.createSourceFile(name, text, language);
  };
  const names = [...virtual.keys()];
  return ts.getPreEmitDiagnostics(ts.createProgram(names, options, host)).map(({ file, start, messageText }) => {
    const module = file === undefined ? undefined : modules[names.indexOf(file.fileName)];
    const line = file === undefined || start === undefined ? "" : file.text.split("\n")[file.getLineAndCharacterOfPosition(start).line];
    return `${module?.from ?? file?.fileName ?? "?"}: ${ts.flattenDiagnosticMessageText(messageText, " ")}: ${line}`;
  });
}

test("every block compiles, and one that is wrong would not", () => {
  expect(readme.length).toBeGreaterThanOrEqual(1);
  expect(comments.length).toBeGreaterThanOrEqual(1);
  const wrong = { from: "wrong", code: "import { open } from \"mnemora\";\nconst memory = await open(5);\nmemory.agent;" };
  const problems = check([...blocks, wrong]);
  expect(problems.filter((problem) => problem.startsWith("wrong: "))).toEqual([expect.stringContaining("number"), expect.stringContaining("agent")]);
  expect(problems.filter((problem) => !problem.startsWith("wrong: "))).toEqual([]);
}, 120_000);

test("the example at the top of the README has six lines and shows the main job", () => {
  const lines = readme[0]!.code.split("\n").filter((line) => line.trim() !== "" && !/^(?:import|export) /.test(line));
  expect(lines.length).toBeLessThanOrEqual(6);
  expect(readme[0]!.code).toMatch(/agents\.save/);
});

describe("blocks that need no browser run", () => {
  const runnable = blocks.filter(({ code }) => code.includes("open(\"memory:\"") && !/^declare /m.test(code));
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "mnemora-documentation-"));
    await mkdir(join(folder, "node_modules"));
    await symlink(root, join(folder, "node_modules", "mnemora"), "dir");
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  test("at least one does", () => {
    expect(runnable.length).toBeGreaterThanOrEqual(1);
  });

  test.each(runnable)("$from", async ({ from, code }) => {
    const { outputText } = ts.transpileModule(code, { compilerOptions: { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext } });
    const path = join(folder, `${from.replace(/\W+/g, "-")}.mjs`);
    await writeFile(path, outputText);
    const { stderr } = await promisify(execFile)(process.execPath, [path], { cwd: folder, timeout: 60_000 });
    expect(stderr).toBe("");
  }, 60_000);
});
