/** Opening and closing: options, URLs, what an opened memory says of itself, and what is left after the end. */
import { afterEach, describe, expect, test } from "vitest";
import { open, type Memory, type OpenOptions } from "mnemora";
import { all, expectRefusal, refusal } from "./harness.js";
import { everyCall, seed, withEverything } from "./methods.js";

const opened: Memory[] = [];
async function fresh(options?: OpenOptions): Promise<Memory> {
  const memory = await open("memory:", options);
  opened.push(memory);
  return memory;
}
afterEach(async () => {
  for (const memory of opened.splice(0)) await memory.close();
});

describe("the URL", () => {
  test.each([
    ["", /not a URL/], ["memory", /not a URL/], ["podcast", /not a URL/], ["memory:x", /takes no name/], ["memory://", /takes no name/],
    ["idb:", /idb:\/\/name/], ["idb:name", /idb:\/\/name/], ["idb://", /idb:\/\/name/], ["idb://a\0b", /NUL/], [`idb://${"x".repeat(1_025)}`, /1025/],
    ["ftp://host", /ftp: is no known/], ["MEMORY:", /no known/], [" memory:", /no known/], ["file:///etc/passwd", /no known/],
    ["idb://\ud800", /surrogate/],
    ["sqlite:", /sqlite:\/\/path/], ["sqlite://", /sqlite:\/\/path/], ["json:x", /json:\/\/directory/], ["json://a\0b", /NUL/],
    [5, /url is 5/], [null, /url is null/], [undefined, /url is undefined/], [{}, /url is of type object/], [new URL("memory:"), /url is of type object/],
  ])("%j is refused", async (url, words) => {
    await expectRefusal(() => open(url as string), "ERR_INVALID", words);
  });

  test.each(["idb://podcast", "opfs://podcast"])("%s is a browser's, and Node says so", async (url) => {
    await expectRefusal(() => open(url), "ERR_UNSUPPORTED", /IndexedDB|browser|OPFS|worker/);
  });
});

describe("the options", () => {
  test.each([
    [null, /options is null/], [5, /options is 5/], ["strict", /options is "strict"/], [() => 1, /options is of type function/],
    [{ durability: "volatile" }, /options\.durability is "volatile"/], [{ durability: 1 }, /options\.durability/], [{ durability: null }, /options\.durability/],
    [{ groupCommit: "yes" }, /options\.groupCommit is "yes"/], [{ groupCommit: 0 }, /options\.groupCommit/],
    [{ openTimeoutMs: 0 }, /options\.openTimeoutMs/], [{ openTimeoutMs: -1 }, /options\.openTimeoutMs/], [{ openTimeoutMs: 1.5 }, /options\.openTimeoutMs/],
    [{ openTimeoutMs: "5" }, /options\.openTimeoutMs/], [{ openTimeoutMs: Infinity }, /options\.openTimeoutMs/],
    [{ now: 5 }, /options\.now/], [{ now: new Date() }, /options\.now/], [{ embed: "model" }, /options\.embed/], [{ embed: {} }, /options\.embed\.embed is undefined/], [{ embed: null }, /options\.embed is null/],
    [{ embed: { embed: () => [] } }, /options\.embed\.model is undefined/], [{ embed: { embed: () => [], model: 5 } }, /options\.embed\.model is 5/],
    [{ embed: { embed: () => [], model: "m", maxBatch: 0 } }, /options\.embed\.maxBatch is 0/], [{ embed: { embed: () => [], model: "m", dimensions: 4_097 } }, /options\.embed\.dimensions/],
    [{ embed: Object.assign(() => [], { model: 5 }) }, /options\.embed\.model is 5/],
    [{ timeoutMs: 0 }, /options\.timeoutMs/], [{ timeoutMs: 2 ** 31 }, /options\.timeoutMs/], [{ onEvent: "log" }, /options\.onEvent/],
    [{ cache: true }, /options\.cache is true/], [{ cache: { maxBytes: 4_095 } }, /options\.cache\.maxBytes/], [{ cache: { maxBytes: "1" } }, /options\.cache\.maxBytes/],
    [{ cache: { ttlMs: 0 } }, /options\.cache\.ttlMs/], [{ cache: { secondTtlMs: -1 } }, /options\.cache\.secondTtlMs/], [{ cache: { size: 5 } }, /options\.cache\.size is unknown/],
    [{ cache: { second: 5 } }, /options\.cache\.second is 5/], [{ cache: { second: "memory" } }, /options\.cache\.second is "memory"/],
    [{ fallback: "memory:" }, /options\.fallback is "memory:"/], [{ fallback: [5] }, /options\.fallback\[0\] is 5/],
    [{ fallback: ["memory:", "ftp://host"] }, /options\.fallback\[1\] is "ftp:/], [{ fallback: [{}] }, /options\.fallback\[0\] is of type object/],
    [{ signal: {} }, /signal/], [{ signal: "stop" }, /signal/], [{ signal: true }, /signal/],
    [{ durabilty: "strict" }, /options\.durabilty is unknown.*durability/], [{ Durability: "strict" }, /options\.Durability is unknown/],
  ])("%o are refused by name", async (options, words) => {
    await expectRefusal(() => open("memory:", options as never), "ERR_INVALID", words);
  });

  test.each([
    { encryption: { passphrase: "secret" } }, { retention: { completedEpisodesDays: 30 } },
  ])("%o are of a later release, and are not ignored", async (options) => {
    await expectRefusal(() => open("memory:", options as never), "ERR_UNSUPPORTED", new RegExp(`options\\.${Object.keys(options)[0]} is not in this release`));
  });

  test("that are undefined are as if they were not there", async () => {
    const memory = await fresh({ durability: undefined, now: undefined, encryption: undefined, signal: undefined } as never);
    await memory.agents.save("a", 1);
    expect(await memory.agents.get("a")).toBe(1);
  });

  test("a clock that gives no time is refused at once", async () => {
    for (const time of [NaN, -1, Infinity, 8.65e15, "0", null, undefined, 5n, new Date()]) {
      await expectRefusal(() => open("memory:", { now: () => time as number }), "ERR_INVALID", /now\(\)/);
    }
  });

  test("a clock that throws lets its own error through", async () => {
    const failure = new RangeError("no time");
    expect(await refusal(() => open("memory:", { now: () => { throw failure; } }))).toBe(failure);
  });

  test.each([true, false])("groupCommit: %s writes the same", async (groupCommit) => {
    const memory = await fresh({ groupCommit });
    const written = await Promise.all(Array.from({ length: 50 }, (_, i) => memory.agents.save(String(i), i)));
    expect(written.map(({ version }) => version)).toEqual(Array.from({ length: 50 }, (_, i) => i + 1));
    expect(await memory.agents.count()).toBe(50);
  });
});

describe("an opened memory", () => {
  test("says what it is, and that can not be changed", async () => {
    for (const durability of ["relaxed", "strict"] as const) {
      const { info } = await fresh({ durability });
      expect(info).toEqual({ url: "memory:", requested: "memory:", refused: [], backend: "memory", durability: "volatile", shared: false, dataLoss: null });
      expect(Object.isFrozen(info)).toBe(true);
    }
  });

  test("shares nothing with another", async () => {
    const [one, two] = [await fresh(), await fresh()];
    await seed(one);
    expect(await two.agents.get("old")).toBeNull();
    expect(await two.store("s").count()).toBe(0);
    expect(await two.collection("c").count()).toBe(0);
    await two.collection("c", { dimensions: 3 }).add({ id: "a", vector: [1, 2, 3] });
    expect(await one.collection("c").count()).toBe(1);
    await one.close();
    await two.agents.save("a", 1);
    expect(await two.agents.get("a")).toBe(1);
  });

  test("is whole by its own check", async () => {
    const memory = await fresh();
    await seed(memory);
    await memory.store("kept", { history: 2, ttlMs: 1e9 }).save("a", 1);
    await memory.store("kept", { history: 2, ttlMs: 1e9 }).save("a", 2);
    const steps: { done: number; total: number | null }[] = [];
    const report = await memory.verify({ onProgress: (progress) => { steps.push(progress); } });
    expect(report).toMatchObject({ ok: true, problems: [] });
    expect(report.checked).toBeGreaterThanOrEqual(5);
    expect(steps.at(-1)).toEqual({ done: report.checked, total: report.checked });
  });
});

describe("close", () => {
  test("may be called again and again, at once and later", async () => {
    const memory = await fresh();
    await Promise.all([memory.close(), memory.close()]);
    await memory.close();
    await memory[Symbol.asyncDispose]();
  });

  test("is what await using does at the end of its block", async () => {
    const memory = await fresh();
    await memory[Symbol.asyncDispose]();
    await expectRefusal(() => memory.agents.get("a"), "ERR_CLOSED");
  });

  test("ends what is in flight: what was accepted is stored or refused, and nothing hangs", async () => {
    const memory = await fresh();
    const writes = Array.from({ length: 50 }, (_, i) => memory.agents.save(String(i), i));
    const search = memory.collection("c", { dimensions: 1 }).add({ id: "a", vector: [1] });
    const closed = memory.close();
    const outcomes = await Promise.allSettled([...writes, search]);
    await closed;
    expect(outcomes.slice(0, 50).every(({ status }) => status === "fulfilled")).toBe(true);
    for (const outcome of outcomes) {
      if (outcome.status === "rejected") expect(outcome.reason).toMatchObject({ code: "ERR_CLOSED" });
    }
  });

  test("leaves info", async () => {
    const memory = await fresh();
    await memory.close();
    expect(memory.info.backend).toBe("memory");
  });
});

const sample = await open("memory:");
const names = everyCall(sample).map(([name]) => name);
await sample.close();

describe("after close", () => {
  test.each(names)("%s is refused", async (name) => {
    const memory = await fresh();
    await seed(memory);
    const call = everyCall(memory).find(([known]) => known === name)![1];
    await memory.close();
    const error = await expectRefusal(() => call({}), "ERR_CLOSED", /closed/);
    expect(error.retryable).toBe(false);
  });

  test("no new handles are given", async () => {
    const memory = await fresh();
    await memory.close();
    await expectRefusal(() => memory.store("x"), "ERR_CLOSED");
    await expectRefusal(() => memory.collection("x", { dimensions: 1 }), "ERR_CLOSED");
  });

  test("a list of nothing is refused as well", async () => {
    const memory = await fresh();
    const store = memory.store("s");
    await memory.close();
    await expectRefusal(() => store.list({ limit: 0 }), "ERR_CLOSED");
  });
});

describe("a signal", () => {
  test.each(names)("that is aborted already ends %s with its reason, and nothing is written", async (name) => {
    const memory = await fresh();
    await seed(memory);
    const before = await stored(memory);
    const call = everyCall(memory).find(([known]) => known === name)![1];
    for (const reason of [new Error("enough"), "a string", undefined]) {
      const signal = AbortSignal.abort(reason);
      expect(await refusal(() => call({ signal }))).toBe(signal.reason);
    }
    expect(await stored(memory)).toEqual(before);
    await memory.agents.save("after", 1);
  });

  test.each(names)("that is not aborted does not hinder %s", async (name) => {
    const memory = await fresh(withEverything);
    await seed(memory);
    const { signal } = new AbortController();
    const given = everyCall(memory).find(([known]) => known === name)![1]({ signal });
    if (name.endsWith(".watch")) (given as () => void)();
    else if (typeof (given as AsyncIterable<unknown>)[Symbol.asyncIterator] === "function") await all(given as AsyncIterable<unknown>);
    else await given;
  });

  test("that is aborted already keeps open from opening", async () => {
    const reason = new Error("enough");
    expect(await refusal(() => open("memory:", { signal: AbortSignal.abort(reason) }))).toBe(reason);
  });

  test("that is aborted after the call takes the write back or tells what became of it", async () => {
    const memory = await fresh();
    const reason = new Error("enough");
    for (let turns = 0; turns < 12; turns++) {
      const controller = new AbortController();
      const id = String(turns);
      const write = memory.agents.save(id, turns, { signal: controller.signal }).then(() => "stored", (error: unknown) => error);
      for (let turn = 0; turn < turns; turn++) await Promise.resolve();
      controller.abort(reason);
      const outcome = await write;
      if (turns === 0) expect(outcome).toBe(reason);
      expect(await memory.agents.get(id)).toBe(outcome === "stored" ? turns : null);
      if (outcome !== "stored") expect(outcome).toBe(reason);
    }
  });

  test("that is aborted after the call ends a read", async () => {
    const memory = await fresh();
    await seed(memory);
    const controller = new AbortController();
    const reason = new Error("enough");
    const reads = [memory.agents.get("old", { signal: controller.signal }), memory.agents.count({ signal: controller.signal })];
    controller.abort(reason);
    for (const outcome of await Promise.allSettled(reads)) expect(outcome).toEqual({ status: "rejected", reason });
  });

  test("ends a list between its pages", async () => {
    const memory = await fresh();
    await memory.agents.saveMany(Array.from({ length: 500 }, (_, i) => ({ id: String(i), value: i })));
    const controller = new AbortController();
    const reason = new Error("enough");
    let seen = 0;
    const outcome = (async () => {
      for await (const _ of memory.agents.list({ signal: controller.signal })) {
        if (++seen === 150) controller.abort(reason);
      }
    })();
    expect(await refusal(() => outcome)).toBe(reason);
    expect(seen).toBeLessThanOrEqual(300);
  });
});

async function stored(memory: Memory): Promise<unknown> {
  return [
    await all(memory.store("s").list()), await all(memory.agents.list()), await all(memory.collection("c").list()),
    await memory.collection("c").count(),
  ];
}
