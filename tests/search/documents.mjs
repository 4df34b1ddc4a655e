/**
 * A collection that is written to until its writer is killed, and what must hold of it whenever it is opened
 * again: a search finds just the records that are there. Plain JavaScript, for processes of Node and for pages.
 *
 * Invariants
 * - A document follows from its number and its revision, so what is found tells whether it is whole.
 */

/** How many different documents there are at the most. */
export const DOCUMENTS = 1_500;
const DIMENSIONS = 24;

/** A seeded stream of numbers in [0, 1): mulberry32. */
export function numbers(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A number as a word of consonants, which no stemmer changes and no rule takes apart. */
function word(number) {
  const letters = "bcdfghjklmnpqrtvwxz";
  let text = "";
  for (let rest = number; rest > 0 || text === ""; rest = Math.floor(rest / letters.length)) text = letters[rest % letters.length] + text;
  return text;
}

/** The words that only this document has, and only this revision of it. */
const wordOf = (number) => `kk${word(number)}`;
const wordOfRevision = (number, revision) => `qq${word(number * 1_000_003 + revision)}`;

/** The document with this number, in this revision. */
export function document(number, revision) {
  const random = numbers(number * 1_000_003 + revision);
  return {
    id: `d-${number}`,
    text: `common words, ${wordOf(number)}, ${wordOfRevision(number, revision)}`,
    vector: Float32Array.from({ length: DIMENSIONS }, () => random() * 2 - 1),
    metadata: { number, revision, even: number % 2 === 0 },
  };
}

/** The collection. */
export function collection(memory) {
  return memory.collection("documents", { dimensions: DIMENSIONS });
}

/** Adds, replaces and deletes without an end; `tell` hears of every batch that was stored. */
export async function write(memory, seed, tell) {
  const documents = collection(memory);
  const random = numbers(seed);
  const any = () => Math.floor(random() * DOCUMENTS);
  for (let round = 1; ; round++) {
    const batch = new Set(Array.from({ length: 40 }, any));
    await documents.add([...batch].map((number) => document(number, seed + round)));
    tell(round);
    for (let n = 0; n < 4; n++) await documents.delete(`d-${any()}`);
    // What repairs the graph and writes its pages is to be killed, too.
    if (round % 7 === 0) await documents.optimize();
    if (round % 5 === 0) await documents.search(document(any(), round).vector);
  }
}

/** What is wrong with the collection, in words; how many documents it has; and how many of 25 the graph missed. */
export async function examine(memory, seed) {
  const documents = collection(memory);
  const problems = [];
  const hold = (condition, what) => { if (!condition) problems.push(what); };
  const records = new Map();
  for await (const record of documents.list()) records.set(record.id, record);
  for (const { id, text, vector, metadata } of records.values()) {
    const whole = document(metadata.number, metadata.revision);
    hold(id === whole.id && text === whole.text && vector.every((x, at) => x === whole.vector[at]), `${id} is torn`);
  }
  hold(await documents.count() === records.size, `count is ${await documents.count()} of ${records.size}`);
  if (records.size === 0) return { problems, documents: 0, missed: 0 };

  const ids = (hits) => hits.map(({ id }) => id);
  const same = (found, wanted) => [...found].sort().join() === [...wanted].sort().join();
  const everything = await documents.search(document(0, 0).vector, { limit: 10_000, exact: true });
  hold(same(ids(everything), records.keys()), `${everything.length} of ${records.size} by vector`);
  const words = await documents.search("common", { mode: "text", limit: 10_000 });
  hold(same(ids(words), records.keys()), `${words.length} of ${records.size} by word`);
  const even = await documents.search(document(0, 0).vector, { limit: 10_000, filter: { even: true } });
  hold(even.every(({ metadata }) => metadata.even), "a filter was not held");

  let missed = 0;
  const random = numbers(seed);
  const known = [...records.values()];
  for (let n = 0; n < 25; n++) {
    const { id, vector, metadata: { number, revision } } = known[Math.floor(random() * known.length)];
    const [itself] = await documents.search(vector, { limit: 1, exact: true });
    hold(itself?.id === id && itself.score > 0.9999, `${id} is not found by its vector`);
    const near = await documents.search(vector, { limit: 10 });
    // The graph is approximate: of random vectors it misses one in some hundreds.
    if (near[0]?.id !== id) missed += 1;
    for (const hit of near) hold(records.get(hit.id)?.text === hit.text, `${hit.id} is not what is stored`);
    hold(same(ids(await documents.search(wordOfRevision(number, revision), { mode: "text" })), [id]), `${id} is not found by its word`);
    const query = document(Math.floor(random() * DOCUMENTS), -1 - n).vector;
    const exact = ids(await documents.search(query, { limit: 10, exact: true }));
    hold(exact.join() === nearest(query, known, 10).join(), "an exact search differs from the records");
    const some = Math.floor(random() * DOCUMENTS);
    const there = records.has(`d-${some}`) ? [`d-${some}`] : [];
    hold(same(ids(await documents.search(wordOf(some), { mode: "text" })), there), `d-${some}: found by its number, or not, against the records`);
  }
  return { problems, documents: records.size, missed };
}

/** The ids of the records nearest to `query` by cosine. */
function nearest(query, records, count) {
  const cosine = (vector) => {
    let [dot, norm] = [0, 0];
    vector.forEach((x, at) => { dot += x * query[at]; norm += x * x; });
    return dot / Math.sqrt(norm);
  };
  const ranked = records.map(({ id, vector }) => ({ id, score: cosine(vector) }));
  return ranked.sort((a, b) => b.score - a.score).slice(0, count).map(({ id }) => id);
}
