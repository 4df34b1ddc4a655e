/** The public types compile for users of other settings than ours: bundlers, Node without a DOM, the newest library. */
import { fileURLToPath } from "node:url";
import ts from "typescript";
import { expect, test } from "vitest";

const file = fileURLToPath(new URL("../types/public.test-d.ts", import.meta.url));
const { ES2022, ESNext } = ts.ScriptTarget;

const settings: [string, ts.CompilerOptions][] = [
  ["Node without a DOM", { target: ES2022, lib: ["lib.esnext.d.ts"], types: ["node"], module: ts.ModuleKind.NodeNext, moduleResolution: ts.ModuleResolutionKind.NodeNext }],
  ["a bundler", { target: ES2022, lib: ["lib.esnext.d.ts", "lib.dom.d.ts", "lib.dom.asynciterable.d.ts"], types: [], module: ts.ModuleKind.ESNext, moduleResolution: ts.ModuleResolutionKind.Bundler }],
  ["the newest of everything, and exact", {
    target: ESNext, lib: ["lib.esnext.d.ts", "lib.dom.d.ts", "lib.dom.iterable.d.ts", "lib.dom.asynciterable.d.ts"], types: [],
    module: ts.ModuleKind.NodeNext, moduleResolution: ts.ModuleResolutionKind.NodeNext, isolatedModules: true, verbatimModuleSyntax: true,
    noUncheckedSideEffectImports: true,
  }],
];

test.each(settings)("under the settings of %s", (_, options) => {
  const program = ts.createProgram([file], { strict: true, noEmit: true, skipLibCheck: false, ...options });
  // A file that was not found would be no error of types.
  expect(program.getSourceFile(file)).toBeDefined();
  const problems = ts.getPreEmitDiagnostics(program).map(({ file, start, messageText }) =>
    `${file?.fileName ?? ""}:${file === undefined ? 0 : file.getLineAndCharacterOfPosition(start ?? 0).line + 1}: ${ts.flattenDiagnosticMessageText(messageText, " ")}`);
  expect(problems).toEqual([]);
}, 120_000);
