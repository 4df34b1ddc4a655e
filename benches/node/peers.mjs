/**
 * Libraries that the benchmark compares with and nothing else needs: installed when they are asked for,
 * into a folder that is not under version control.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { run, say } from "../../scripts/process.mjs";

const NAME = "better-sqlite3";
const VERSION = "12.11.1";

/** `{ Database, label }`; without `Database`, and with `why`, where it can not be had. */
export async function betterSqlite3(root) {
  const folder = join(root, ".tools/peers");
  const label = `${NAME} ${VERSION}`;
  if (installedVersion(folder) !== VERSION) {
    mkdirSync(folder, { recursive: true });
    const manifest = join(folder, "package.json");
    if (!existsSync(manifest)) writeFileSync(manifest, '{ "private": true }\n');
    say(`Installing ${label} into .tools/peers (once; compiles C where there is no binary for this machine) ...`);
    const { code } = await run("npm", [
      "install", "--save-exact", "--no-audit", "--no-fund", "--loglevel=error", `${NAME}@${VERSION}`,
    ], { cwd: folder });
    if (code !== 0) return absent(label, `could not be installed: npm ended with code ${code}`);
  }
  try {
    const Database = createRequire(join(folder, "package.json"))(NAME);
    new Database(":memory:").close();
    return { Database, label };
  } catch (error) {
    return absent(label, `does not load: ${error.message}`);
  }
}

function installedVersion(folder) {
  const manifest = join(folder, "node_modules", NAME, "package.json");
  return existsSync(manifest) ? JSON.parse(readFileSync(manifest, "utf8")).version : undefined;
}

function absent(label, problem) {
  const why = `${label} ${problem}; with a network and a C++ compiler: npm install --prefix .tools/peers --save-exact ${NAME}@${VERSION}`;
  say(`${why}. What is compared with it is not measured.`);
  return { Database: undefined, label, why };
}
