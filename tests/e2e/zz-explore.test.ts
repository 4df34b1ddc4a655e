import { test } from "vitest";
import { Browser, engine, site } from "./harness.js";
test("clear", async () => {
  const pages = await site();
  const browser = await Browser.start(pages);
  const ours = await browser.tab();
  await ours.evaluate(async () => { const memory = await window.mnemora.open("idb://cleared"); window.held.memory = memory; window.held.store = memory.store("d"); for (let i = 0; i < 20; i++) await window.held.store.save(`old-${i}`, i);
   });
  const devtools = await browser.devtools(ours);
  for (let round = 0; round < 6; round++) {
    const during = ours.evaluate(async (round) => {
      const outcomes = await Promise.all(Array.from({ length: 100 }, async (_, i) => {
        if (i % 10 === 0) await window.kit.sleep(i);
        const { store } = window.held;
        const calls: (() => Promise<unknown>)[] = [() => store.save(`${round}-${i}`, i), () => store.get("old-1"), () => window.kit.all(store.list())];
        return [i, ["save", "get", "list"][i % 3], await window.kit.attempt(calls[i % 3]!, 8_000)] as const;
      }));
      const c: Record<string, number> = {};
      for (const [, n, o] of outcomes) { const k = `${n} ${o.ok ? "ok" : o.code + " " + o.message}`; c[k] = (c[k] ?? 0) + 1; }
      return c;
    }, round);
    await devtools.send("Storage.clearDataForOrigin", { origin: pages.origin, storageTypes: "indexeddb" });
    console.log(engine, round, await during);
    console.log(await ours.evaluate(async () => { const r = await window.kit.attempt(() => window.held.store.save("x", 1), 8000); return r.ok || r.code + r.message; }));
  }
  await browser.close(); await pages.close();
});
