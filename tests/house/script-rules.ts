/**
 * The rules of the house for `pkg/src`: entry -> index -> stores -> core handle -> loader -> wasm, with
 * the host's files, the value codec, errors and types at the bottom, no circles, and one door to the glue.
 */
import { posix } from "node:path";
import typescript from "typescript";
import { circles } from "./circles.js";

/** A TypeScript file: its path below `pkg`, with slashes (`src/index.ts`), and its text. */
export interface ScriptFile {
  readonly path: string;
  readonly text: string;
}

const order = ["entry", "index", "stores", "core handle", "loader", "wasm", "files", "values", "errors and types"];

/** The place of a file in the order. What is named nowhere here is one of the stores. */
export function placeOf(path: string): string {
  if (path.startsWith("src/entry/")) return "entry";
  if (/^src\/(worker|adapters)\//.test(path) || path === "src/index.ts") return "index";
  if (path === "src/core.ts" || path.startsWith("src/core/")) return "core handle";
  if (path.startsWith("src/loader/")) return "loader";
  if (path.startsWith("wasm/")) return "wasm";
  if (path.startsWith("src/files/")) return "files";
  if (/^src\/value(\.ts|\/)/.test(path)) return "values";
  if (/^src\/(errors|types|schema)(\.ts|\/)/.test(path)) return "errors and types";
  return "stores";
}

/** What a file imports, dynamically or not, as types or not. */
function imports({ path, text }: ScriptFile): { to: string; line: number }[] {
  return typescript.preProcessFile(text, true, true).importedFiles.map(({ fileName, pos }) => ({
    to: fileName.startsWith(".") ? posix.join(posix.dirname(path), fileName).replace(/^(src\/.*)\.js$/, "$1.ts") : fileName,
    line: text.slice(0, pos).split("\n").length,
  }));
}

/** All problems of the imports in `files`. */
export function scriptProblems(files: readonly ScriptFile[]): string[] {
  const graph = new Map<string, Set<string>>();
  const doors = new Set<string>();
  const problems: string[] = [];
  for (const file of files) {
    for (const { to, line } of imports(file)) {
      const where = `${file.path}:${line}`;
      if (to.startsWith("node:")) continue;
      if (!to.startsWith("src/") && !to.startsWith("wasm/")) {
        problems.push(`${where}: imports ${to}, which is not part of the package`);
        continue;
      }
      if (to.endsWith(".wasm")) continue; // the file itself, which the Workers entry hands on
      if (to === "wasm/core.js" || to === "wasm/sqlite.js") doors.add(file.path);
      if (order.indexOf(placeOf(to)) < order.indexOf(placeOf(file.path))) {
        problems.push(`${where}: ${placeOf(file.path)} may not import ${placeOf(to)} (${to}), which stands above it`);
      }
      graph.set(file.path, (graph.get(file.path) ?? new Set()).add(to));
    }
  }
  if (doors.size > 1) problems.push(`the glue has more than one door: ${[...doors].sort().join(", ")} import the glue`);
  for (const circle of circles(graph)) problems.push(`modules import one another in a circle: ${circle.join(" -> ")}`);
  return problems;
}
