/**
 * TypeScript to `pkg/dist`: what is published.
 *
 * Invariants
 * - `pkg/dist` is replaced only by a complete build.
 * - The declarations stand alone: every file they import is one of them.
 * - No top-level await anywhere, so that `require` can load the package.
 */
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { must, Problem, root, say } from "./process.mjs";

const source = join(root, "pkg/src");
const entries = readdirSync(join(source, "entry")).filter((name) => name.endsWith(".ts")).map((name) => name.slice(0, -3));

/** What importing a wasm file itself gives where the host compiles it. */
const wasmTypes = (what) => `/** ${what}, compiled but not started: give it to \`init\` of "mnemora/slim". */
declare const module: WebAssembly.Module;
export default module;
`;

/** Builds everything in `pkg/dist`. */
export async function buildPackage() {
  say("Building the package ...");
  if (!existsSync(join(source, "index.ts"))) throw new Problem("pkg/src/index.ts is missing: there is nothing to pack.");
  const fresh = join(root, "pkg/dist.new");
  rmSync(fresh, { recursive: true, force: true });
  mkdirSync(fresh, { recursive: true });
  await bundle(fresh);
  await declarations(fresh);
  for (const [name, what] of [["core", "The core"], ["sqlite", "The core with SQLite and JSON files"]]) {
    copyFileSync(join(root, `pkg/wasm/${name}.wasm`), join(fresh, `${name}.wasm`));
    writeFileSync(join(fresh, `${name}.wasm.d.ts`), wasmTypes(what));
  }
  const old = join(root, "pkg/dist");
  rmSync(old, { recursive: true, force: true });
  renameSync(fresh, old);
}

async function bundle(folder) {
  const { build } = await import("esbuild");
  const result = await build({
    absWorkingDir: root,
    entryPoints: [
      ...entries.map((name) => ({ in: `pkg/src/entry/${name}.ts`, out: `entry/${name}` })),
      // It looks for the wasm files from its own place, which must not depend on how chunks are named.
      { in: "pkg/src/loader/node.ts", out: "loader/node" },
      { in: "pkg/wasm/inline.js", out: "wasm-inline" },
      { in: "pkg/wasm/sqlite-inline.js", out: "sqlite-inline" },
    ],
    outdir: folder,
    bundle: true,
    splitting: true,
    format: "esm",
    target: "es2022",
    platform: "neutral",
    minify: true,
    keepNames: false,
    legalComments: "none",
    chunkNames: "chunk-[hash]",
    // The Workers entry imports the wasm file as a module; Node's own modules stay imports.
    external: ["node:*", "*/core.wasm"],
    metafile: true,
    logLevel: "warning",
  });
  for (const [file, { entryPoint, imports }] of Object.entries(result.metafile.outputs)) {
    const outside = imports.filter(({ path, external }) => external && !/^node:|\/core\.wasm$/.test(path));
    if (outside.length > 0) {
      throw new Problem(`${entryPoint ?? file} imports ${outside.map(({ path }) => path).join(", ")}, which is not part of the package.`);
    }
  }
}

/** Declarations for the entries and for all that these reach. */
async function declarations(folder) {
  const all = join(folder, "types.all");
  await must(process.execPath, [
    join(root, "node_modules/typescript/bin/tsc"), "-p", join(root, "tsconfig.build.json"), "--outDir", all,
  ]);
  const { default: typescript } = await import("typescript");
  const wanted = entries.map((name) => `entry/${name}.d.ts`);
  for (const file of wanted) {
    const text = readFileSync(join(all, file), "utf8");
    for (const { fileName: name } of typescript.preProcessFile(text).importedFiles) {
      if (!name.startsWith(".")) throw new Problem(`The declarations of ${file} import ${name}: the package has no dependencies.`);
      const path = relative(all, join(all, dirname(file), name)).replace(/\.js$/, ".d.ts");
      if (path.startsWith("..") || !existsSync(join(all, path))) {
        throw new Problem(`The declarations of ${file} import ${name}, which is not published. Keep that type out of the exported surface.`);
      }
      if (!wanted.includes(path)) wanted.push(path);
    }
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    writeFileSync(join(folder, file), text);
  }
  rmSync(all, { recursive: true });
}
