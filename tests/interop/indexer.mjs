/**
 * Writes to a collection until it is killed: `node indexer.mjs <url> <seed>`. Prints a line for each batch,
 * after it was acknowledged.
 */
import { writeSync } from "node:fs";
import { open } from "mnemora";
import { write } from "../search/documents.mjs";

const [url, seed] = process.argv.slice(2);
const memory = await open(url, { openTimeoutMs: 10_000 });
await write(memory, Number(seed), (round) => writeSync(1, `${round}\n`));
