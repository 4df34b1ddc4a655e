/**
 * Writes transactions of two records until it is killed: `node writer.mjs <url> <cycle>`. Several are under
 * way at a time. Prints `<writer>-<number>` for each, after it was acknowledged.
 */
import { writeSync } from "node:fs";
import { open } from "mnemora";

const [url, cycle] = process.argv.slice(2);
const memory = await open(url, { durability: "strict", openTimeoutMs: 10_000 });
const [left, right] = [memory.store("left"), memory.store("right")];
// So large that the log is folded into the files every few transactions, while others go on.
const filler = "x".repeat(40_000);

async function write(writer) {
  for (let number = 0; ; number++) {
    const id = `${cycle}-${writer}-${number}`;
    await memory.transaction(async (tx) => {
      const before = (await tx.get(left, `last-${writer}`)) ?? { number: -1 };
      tx.save(left, `last-${writer}`, { number: before.number + 1, filler });
      tx.save(right, `last-${writer}`, { number: before.number + 1, filler });
      tx.save(left, id, { id });
      tx.save(right, id, { id });
    });
    // Not through a stream: what is written here is with the reader, whatever happens to this process.
    writeSync(1, `${id}\n`);
  }
}
await Promise.all([0, 1, 2].map(write));
