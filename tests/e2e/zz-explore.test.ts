import { test } from "vitest";
import { Browser, engine, site } from "./harness.js";
test.each([128, 1024])("ballast %i KiB small values", async (kib) => {
  const pages = await site();
  const browser = await Browser.start(pages);
  const tab = await browser.tab();
  const devtools = await browser.devtools(tab);
  await devtools.send("Storage.overrideQuotaForOrigin", { origin: pages.origin, quotaSize: 5_000_000 });
  const out = await tab.evaluate(async (kib) => {
    const out: unknown[] = [];
    const memory = await window.mnemora.open("idb://full");
    const store = memory.store("data");
    const random = window.kit.seeded(kib);
    await store.save("first", window.kit.noise(512, random));
    const db = await window.kit.request(indexedDB.open("mnemora:full"));
    const usage = async () => (await navigator.storage.estimate()).usage;
    const tx = (fn: (s: IDBObjectStore) => void) => window.kit.attempt(() => new Promise<string>((resolve, reject) => {
      const tx = db.transaction("meta", "readwrite", { durability: "relaxed" });
      fn(tx.objectStore("meta"));
      tx.oncomplete = () => resolve("complete");
      tx.onabort = () => reject(tx.error ?? new Error("aborted"));
    }));
    await tx((s) => s.put(window.kit.noise(kib * 1024, random), "ballast"));
    const ids: string[] = [];
    for (const size of [4_096, 512, 100]) {
      for (let refused = 0; refused < 2;) {
        const id = `${size}-${ids.length}-${random()}`;
        const r = await window.kit.attempt(() => store.save(id, window.kit.noise(size, random)));
        if (r.ok) ids.push(id); else refused++;
      }
    }
    const u0 = await usage();
    await tx((s) => s.delete("ballast"));
    const u1 = await usage();
    let n = 0; let failed = 0;
    const total = ids.length;
    const us = [];
    for (const id of ids) { const r = await window.kit.attempt(() => store.delete(id)); if (r.ok) n++; else failed++; if ((n + failed) % 100 === 0) us.push(await usage()); }
    out.push(["deleted one by one", total, n, failed, u0, u1, us]);
    const save = async (what: string) => { const s = await window.kit.attempt(() => store.save("again", window.kit.noise(4096, random))); out.push([what, s.ok || s.code, await usage()]); };
    await save("at once");
    await window.kit.sleep(3000);
    await save("3 s");
    db.close();
    await memory.close();
    await window.kit.sleep(3000);
    out.push([await usage()]);
    const m2 = await window.mnemora.open("idb://full");
    out.push([await usage()]);
    const s = await window.kit.attempt(() => m2.store("data").save("again", window.kit.noise(4096, random)));
    out.push(["reopened", s.ok || s.code, await usage()]);
    return out;
  }, kib);
  console.log(engine, JSON.stringify(out).replaceAll("],[", "],\n["));
  await browser.close(); await pages.close();
});
