/**
 * Libraries that the benchmark compares with and nothing else needs: installed when they are asked for,
 * into `.tools`, which is not under version control. What can not be had is passed over, and said.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Problem, run, say, which } from "../../scripts/process.mjs";

const PACKAGES = { "hnswlib-wasm": "0.8.2", "fake-indexeddb": "6.2.8", "mememo": "0.1.0", "usearch": "2.25.3" };
const PYTHON_PACKAGES = { hnswlib: "0.8.0", numpy: ">=1.26" };

/** Which of the packages are there, in `modules`; the reason for each that is not. */
export async function npmPeers(root) {
  const folder = join(root, ".tools/peers");
  const modules = join(folder, "node_modules");
  const version = (name) => {
    const manifest = join(modules, name, "package.json");
    return existsSync(manifest) ? JSON.parse(readFileSync(manifest, "utf8")).version : undefined;
  };
  const missing = () => Object.entries(PACKAGES).filter(([name, wanted]) => version(name) !== wanted).map(([name, wanted]) => `${name}@${wanted}`);
  if (missing().length > 0) {
    mkdirSync(folder, { recursive: true });
    const manifest = join(folder, "package.json");
    if (!existsSync(manifest)) writeFileSync(manifest, '{ "private": true }\n');
    say(`Installing ${missing().join(", ")} into .tools/peers (once) ...`);
    await run("npm", ["install", "--save-exact", "--no-audit", "--no-fund", "--loglevel=error", ...missing()], { cwd: folder });
  }
  return { modules, missing: missing() };
}

/** A Python that has hnswlib: `{ python }`, or `{ why }` it can not be had. */
export async function pythonPeer(root) {
  const folder = join(root, ".tools/peers-python");
  const python = join(folder, process.platform === "win32" ? "Scripts/python.exe" : "bin/python");
  const works = async () => {
    if (!existsSync(python)) return false;
    const { code } = await run(python, ["-c", `import numpy, importlib.metadata as m, hnswlib; assert m.version("hnswlib") == "${PYTHON_PACKAGES.hnswlib}"`], { keep: true });
    return code === 0;
  };
  try {
    if (await works()) return { python };
    const system = ["python3", "python"].find((name) => which(name) !== null);
    if (system === undefined) return { why: "there is no Python on the PATH" };
    say("Installing hnswlib for Python into .tools/peers-python (once; compiles C++) ...");
    const wanted = [`hnswlib==${PYTHON_PACKAGES.hnswlib}`, `numpy${PYTHON_PACKAGES.numpy}`];
    for (const [command, args] of [[system, ["-m", "venv", folder]], [python, ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", ...wanted]]]) {
      const { code } = await run(command, args);
      if (code !== 0) return { why: `\`${command} ${args.join(" ")}\` ended with code ${code}` };
    }
    return await works() ? { python } : { why: "it was installed and does not load" };
  } catch (error) {
    if (error instanceof Problem) return { why: error.message };
    throw error;
  }
}
