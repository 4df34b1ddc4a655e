/** Searching by words, without an embedder: what is found, in which order, in many scripts, and what is hostile. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Collection, Hit, Language, Memory, SearchOptions } from "mnemora";
import { expectRefusal, open } from "./harness.js";

let memory: Memory;
let notes: Collection<any>;
beforeEach(async () => {
  memory = await open("memory:");
  notes = memory.collection("notes");
});
afterEach(() => memory.close());

const found = async (query: string, options?: SearchOptions): Promise<string[]> => (await notes.search(query, options)).map(({ id }) => id);
const marked = ({ text, highlights }: Hit<unknown>): string[] => highlights!.map(([start, end]) => text!.slice(start, end));

describe("words", () => {
  beforeEach(() => notes.add([
    { id: "pricing", text: "Pricing of the plans: what a team pays" },
    { id: "billing", text: "Billing teams by the month, and a price for every seat" },
    { id: "intro", text: "The intro is slow, and the slow intro loses listeners" },
    { id: "vector", vector: [1, 2] },
  ]));

  test("find documents, the best one first", async () => {
    expect(await found("slow intro")).toEqual(["intro"]);
    expect((await found("price")).sort()).toEqual(["billing", "pricing"]);
    expect(await found("team")).toHaveLength(2);
    expect(await found("nothing-of-this")).toEqual([]);
    const [best, ...rest] = await notes.search("pricing plans");
    expect(best!.id).toBe("pricing");
    expect(best!.score).toBeGreaterThan(0);
    expect(best!.parts).toEqual({ text: best!.score });
    for (const { score } of rest) expect(score).toBeLessThan(best!.score);
  });

  test("in quotes are a phrase, and with a star a beginning", async () => {
    expect(await found("\"slow intro\"")).toEqual(["intro"]);
    expect(await found("\"intro slow\"")).toEqual([]);
    expect(await found("listen*")).toEqual(["intro"]);
    expect(await found("bil*")).toEqual(["billing"]);
  });

  test("of a document that was replaced or deleted are not found any more", async () => {
    await notes.search("slow");
    await notes.add({ id: "intro", text: "A quick beginning" });
    expect(await found("slow")).toEqual([]);
    expect(await found("beginning")).toEqual(["intro"]);
    await notes.delete("intro");
    expect(await found("beginning")).toEqual([]);
    await notes.add({ id: "intro", vector: [2, 1] });
    expect(await found("beginning")).toEqual([]);
  });

  test("are searched with a filter as well", async () => {
    await notes.add([{ id: "a", text: "a plan", metadata: { year: 2023 } }, { id: "b", text: "a plan", metadata: { year: 2025 } }]);
    expect(await found("plan", { filter: { year: { $gte: 2024 } } })).toEqual(["b"]);
    expect(await found("plan", { filter: { year: 1 } })).toEqual([]);
  });

  test("are marked where they stand, in UTF-16", async () => {
    await notes.add({ id: "emoji", text: "\u{1f600}\u{1f600} Größere Podcasts \u{1f600} podcasting" });
    const [hit] = await notes.search("podcast", { highlight: true });
    expect(hit!.id).toBe("emoji");
    expect(marked(hit!)).toEqual(["Podcasts", "podcasting"]);
    const [phrase] = await notes.search("\"slow intro\"", { highlight: true });
    expect(marked(phrase!).join(" ")).toBe("slow intro");
    expect((await notes.search("podcast"))[0]).not.toHaveProperty("highlights");
    expect((await notes.search([1, 2], { highlight: true }))[0]).toMatchObject({ id: "vector", highlights: [] });
  });
});

describe("scripts", () => {
  const texts: [string, string, string][] = [
    ["English", "The meetings were recorded yesterday", "meeting"],
    ["French without its accents", "Un café crème à Paris", "cafe"],
    ["German", "Die Größe der Häuser", "größe"],
    ["Russian", "Мы говорили о подкастах вчера", "подкастах"],
    ["Greek", "Η τιμή του καφέ ανέβηκε", "καφέ"],
    ["Arabic", "تحدثنا عن أسعار القهوة", "القهوة"],
    ["Hebrew", "דיברנו על מחיר הקפה", "הקפה"],
    ["Hindi", "हमने कॉफ़ी की कीमत पर बात की", "कीमत"],
    ["Japanese", "昨日は会議で価格について話しました", "価格"],
    ["Chinese", "我们昨天讨论了咖啡的价格", "咖啡"],
    ["Korean", "어제 커피 가격에 대해 이야기했습니다", "커피"],
    ["Thai", "เมื่อวานเราคุยเรื่องราคากาแฟ", "กาแฟ"],
  ];

  test("each is found in its own", async () => {
    await notes.add(texts.map(([id, text]) => ({ id, text })));
    for (const [id, , query] of texts) expect({ query, best: (await found(query))[0] }).toEqual({ query, best: id });
  });

  test("a language brings words to their stems, and none leaves them as they stand", async () => {
    const text = "Die Häuser wurden gebaut";
    const languages: [Language, string[]][] = [["german", ["a"]], ["none", []]];
    for (const [language, expected] of languages) {
      const collection = memory.collection(language, { language });
      await collection.add({ id: "a", text });
      expect((await collection.search("haus")).map(({ id }) => id)).toEqual(expected);
      expect((await collection.search("häuser")).map(({ id }) => id)).toEqual(["a"]);
    }
  });
});

describe("fields", () => {
  test("are searched beside the text, by their weights", async () => {
    const posts = memory.collection("posts", { fields: { title: 3, "owner.name": 1, tags: 1 } });
    await posts.add([
      { id: "text", text: "pricing and other things", metadata: { title: "Notes" } },
      { id: "title", text: "other things and notes", metadata: { title: "Pricing", owner: { name: "Ada Lovelace" }, tags: ["billing", "seats"] } },
      { id: "odd", text: "nothing", metadata: { title: 5, owner: null, tags: [1, null, "mixed"] } },
      { id: "bare", metadata: { title: "Pricing" }, vector: [1] },
    ]);
    const ids = async (query: string) => (await posts.search(query)).map(({ id }) => id);
    expect((await ids("pricing")).indexOf("title")).toBeLessThan((await ids("pricing")).indexOf("text"));
    expect(await ids("pricing")).toContain("bare");
    expect(await ids("lovelace")).toEqual(["title"]);
    expect(await ids("seats")).toEqual(["title"]);
    expect(await ids("mixed")).toEqual(["odd"]);
  });
});

describe("collections of texts alone", () => {
  test("need no dimensions, and say that they have no vectors", async () => {
    await notes.add({ id: "a", text: "a text" });
    await expectRefusal(() => notes.search([1, 2]), "ERR_INVALID", /vector/);
    await expectRefusal(() => notes.search("text", { mode: "vector" }), "ERR_INVALID", /vector/);
    expect((await memory.collection("never made").search("text"))).toEqual([]);
    expect((await memory.collection("never made").search([1, 2]))).toEqual([]);
  });

  test("search by words where both were asked for, and say so", async () => {
    await notes.add({ id: "a", text: "a text" });
    const hits = await notes.search("text", { mode: "hybrid", explain: true });
    expect(hits.map(({ id }) => id)).toEqual(["a"]);
    expect(hits.explain.mode).toBe("text");
    expect(hits.explain.reason).toMatch(/vector|embed/);
    expect((await notes.search("text", { explain: true })).explain).toMatchObject({ mode: "text", words: { candidates: 1 } });
  });
});

describe("hostile queries", () => {
  beforeEach(() => notes.add([{ id: "a", text: "a constructor of things, __proto__ and all" }, { id: "b", text: "more things" }]));

  test.each([
    "\"", "\"\"", "*", "**", "\"*\"", "a*", "-", "\\", "()[]{}", "AND OR NOT", "$where", "%", "\0", "\u200b", "\ufeff", "\u202e", "\u{1f600}", "'; DROP TABLE",
    "\"never closed", "things\"", "* things", "the", "the and of", "a\u0301\u0301\u0301", "\u0301",
  ])("%j is answered", async (query) => {
    const hits = await notes.search(query, { highlight: true });
    for (const { id } of hits) expect(["a", "b"]).toContain(id);
    expect(await found("things")).toHaveLength(2);
  });

  test.each(["", " ", "\n\t"])("%j is nothing to search for", async (query) => {
    await expectRefusal(() => notes.search(query), "ERR_INVALID", /query.*empty/);
    await expectRefusal(() => notes.search({ text: query }), "ERR_INVALID", /query.*empty/);
  });

  test("names of objects are words like any other", async () => {
    for (const query of ["constructor", "__proto__", "proto"]) expect(await found(query)).toContain("a");
    for (const query of ["toString", "hasOwnProperty", "prototype"]) expect(await found(query)).toEqual([]);
  });

  test.each([
    ["ten million letters", "x".repeat(10_000_000)], ["a million words", "things ".repeat(1_000_000)],
    ["a hundred thousand words that differ", Array.from({ length: 100_000 }, (_, i) => `word${i}`).join(" ")],
    ["a hundred thousand beginnings", "t* ".repeat(100_000)], ["a hundred thousand quotes", "\"".repeat(100_000)],
  ])("%s come to an end", async (_, query) => {
    const begun = performance.now();
    await notes.search(query, { limit: 5 });
    expect(performance.now() - begun).toBeLessThan(5_000);
    expect(await found("things")).toHaveLength(2);
  }, 30_000);

  test("texts of a megabyte of one word are searched", async () => {
    await notes.add([{ id: "long", text: "z".repeat(1_000_000) }, { id: "many", text: "zebra ".repeat(200_000) }]);
    expect(await found("zebra")).toEqual(["many"]);
    const [hit] = await notes.search("zebra", { highlight: true, limit: 1 });
    expect(hit!.highlights!.length).toBeGreaterThan(0);
  }, 30_000);
});
