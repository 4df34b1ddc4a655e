/**
 * Opens a storage, writes to it, and holds it until it is killed: `node holder.mjs <url> [<time limit in ms>]`.
 * Prints one line of JSON for what happened: `{ held, seen }` or `{ code, message, milliseconds }`.
 */
import { open } from "mnemora";

const [url, openTimeoutMs = "5000"] = process.argv.slice(2);
const began = performance.now();
const say = (what) => process.stdout.write(`${JSON.stringify(what)}\n`);
try {
  const memory = await open(url, { durability: "strict", openTimeoutMs: Number(openTimeoutMs) });
  const seen = await memory.agents.count();
  for (let n = 0; n < 20; n++) await memory.agents.save(`${process.pid}/${n}`, { n });
  say({ held: process.pid, seen });
  setInterval(() => memory.info, 1_000);
} catch (error) {
  say({ code: error.code, message: error.message, milliseconds: Math.round(performance.now() - began) });
}
