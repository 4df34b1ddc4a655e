/**
 * Builds every contender's index of one set, one after the other, and searches it in rounds, each
 * contender in each round and in an order that changes.
 */
import { OURS } from "./contenders.mjs";
import { point } from "./curve.mjs";
import { truthOf } from "./data.mjs";

export const K = 10;
const M = 16;
const EF_CONSTRUCTION = 200;
const LOADS = 3;
/** A slow contender: every third `ef` from the second on, a quarter of the queries, the first rounds only. */
const SLOW = { efs: (efs) => efs.filter((_, at) => at % 3 === 1), share: 4, rounds: 2 };

/** `{ curves, built }` by name, the product `byDefault`; the running processes stay, for what else is to be measured, until `stop`. */
export async function measure({ set, entrants, efs, rounds, say }) {
  const truth = truthOf(set);
  const running = [];
  const built = new Map();
  const stop = () => Promise.all(running.map(({ process }) => process.stop()));
  try {
    for (const entrant of entrants) {
      const process = entrant.begin();
      running.push({ ...entrant, process });
      await process.ask({ action: "data", base: set.base, queries: set.queries, count: set.count, dimensions: set.dimensions });
      const result = await process.ask({ action: "build", m: M, efConstruction: EF_CONSTRUCTION });
      if (result.problems > 0) throw new Error(`${entrant.name}: ${result.problems} links of its graph are wrong`);
      built.set(entrant.name, result);
      say(`  ${entrant.name}: built in ${result.seconds.toFixed(1)} s`);
    }
    const passes = new Map(entrants.map(({ name }) => [name, new Map()]));
    for (let round = 0; round <= rounds; round++) {
      // The first round is to warm up, with one `ef`. Who goes first moves on, so that each stands behind each.
      for (let turn = 0; turn < running.length; turn++) {
        const { name, slow, process } = running[(turn + round) % running.length];
        if (slow && round > SLOW.rounds) continue;
        const asked = slow ? Math.ceil(set.asked / SLOW.share) : set.asked;
        for (const ef of round === 0 ? [efs[1]] : slow ? SLOW.efs(efs) : efs) {
          const pass = await process.ask({ action: "pass", k: K, ef, asked });
          if (round === 0) continue;
          const ofEf = passes.get(name);
          ofEf.set(ef, [...ofEf.get(ef) ?? [], pass]);
        }
      }
    }
    // What `ef` a user gets who names none, to be held against the same through the package.
    const usual = running.find(({ name }) => name === OURS)?.process;
    const byDefault = [];
    for (let round = 0; usual !== undefined && round < rounds; round++) {
      byDefault.push(await usual.ask({ action: "pass", k: K, ef: 0, asked: set.asked }));
    }
    const curves = new Map([...passes].map(([name, ofEf]) => [name, [...ofEf].map(([ef, list]) => point(ef, list, truth, K))]));
    return { curves, built, running, stop, byDefault: byDefault.length === 0 ? null : point(0, byDefault, truth, K) };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Saves the indexes and loads some of them again, which is noted in `built`. What was loaded may be without f32 rows. */
export async function saveAndLoad({ running, built }, scratch) {
  for (const { name, loads, process } of running) {
    const { bytes } = await process.ask({ action: "save", scratch });
    const loadMs = loads ? Math.min(...(await process.ask({ action: "load", scratch, rounds: LOADS })).ms) : null;
    Object.assign(built.get(name), { bytes, loadMs });
  }
}
