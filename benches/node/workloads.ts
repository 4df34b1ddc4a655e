/**
 * What the contenders have to do. Every workload takes a slice that is short enough to be repeated in
 * many rounds, so that noise of the machine falls on all alike.
 *
 * What a contender does at once is not awaited: a synchronous library is measured as it is used. What is
 * given back is checked, so that nobody is fast by giving something else.
 */
import type { Contender, Item } from "./contenders.js";
import { agentState, type AgentState } from "../storage/state.js";

/** How many at once. */
const CONCURRENT = 100;
/** Records that are there before the clock starts: groups of 100. */
export const RECORDS = 10_000;
/** Records that are read again and again. */
const HOT = 100;

/** What a contender did in one round. */
export interface Slice {
  /** Operations done. */
  ops: number;
  /** How long all of them took, in milliseconds. */
  ms: number;
  /** How long each took. */
  latencies: number[];
}

export type Workload = (contender: Contender, round: number) => Promise<Slice>;

const groupOf = (index: number): string => `a${String(Math.floor(index / 100)).padStart(3, "0")}:`;
const idOf = (index: number): string => `${groupOf(index)}s${String(index % 100).padStart(4, "0")}`;

/** Stores what the workloads read and overwrite. */
export async function fill(contender: Contender): Promise<void> {
  for (let at = 0; at < RECORDS; at += 1_000) {
    await contender.fill(Array.from({ length: 1_000 }, (_, index) => ({ id: idOf(at + index), value: agentState(at + index) })));
  }
}

/** Numbers for fresh ids: never given twice. */
let fresh = 0;

/** States under ids that are not there yet. */
function newItems(count: number): Item[] {
  return Array.from({ length: count }, () => {
    const number = fresh++;
    return { id: `n${String(number).padStart(8, "0")}`, value: agentState(number) };
  });
}

/** A record of those that are there, all over the place; the same for each contender of a round. */
const spread = (index: number, round: number): number => (index * 3_889 + round * 1_009) % RECORDS;

/** Numbers of records, and their ids, made before the clock starts. */
function pick(count: number, at: (index: number) => number): { numbers: number[]; ids: string[] } {
  const numbers = Array.from({ length: count }, (_, index) => at(index));
  return { numbers, ids: numbers.map(idOf) };
}

/** One after the other. What was given is checked while the clock stands. */
async function oneByOne<T>(
  count: number, work: (index: number) => T | Promise<T>, check: (given: T, index: number) => void = () => undefined,
): Promise<Slice> {
  const latencies = new Array<number>(count);
  let ms = 0;
  for (let index = 0; index < count; index++) {
    const before = performance.now();
    const answer = work(index);
    const given = answer instanceof Promise ? await answer : answer;
    const took = performance.now() - before;
    latencies[index] = took;
    ms += took;
    check(given, index);
  }
  return { ops: count, ms, latencies };
}

/** `count` times CONCURRENT at once. */
async function bursts<T>(
  count: number, work: (index: number) => T | Promise<T>, check: (given: T, index: number) => void = () => undefined,
): Promise<Slice> {
  const latencies: number[] = [];
  let ms = 0;
  for (let burst = 0; burst < count; burst++) {
    const before = performance.now();
    const answers = await Promise.all(Array.from({ length: CONCURRENT }, async (_, index) => {
      const answer = work(burst * CONCURRENT + index);
      const given = answer instanceof Promise ? await answer : answer;
      latencies.push(performance.now() - before);
      return given;
    }));
    ms += performance.now() - before;
    answers.forEach((given, index) => check(given, burst * CONCURRENT + index));
  }
  return { ops: count * CONCURRENT, ms, latencies };
}

function expect(state: AgentState | null | undefined, number: number): void {
  if (state?.id !== `agent-${number}`) throw new Error(`a read of agent-${number} gave ${state?.id ?? "nothing"}`);
}

/** By name: does a slice of the workload. They run after {@link fill}. */
export const writes: Record<string, Workload> = {
  "sequential saves": (contender) => {
    const items = newItems(200);
    return oneByOne(items.length, (index) => contender.save(items[index]!.id, items[index]!.value));
  },
  "sequential overwrites": (contender, round) => {
    const { numbers, ids } = pick(100, (index) => spread(index, round));
    const values = numbers.map((number) => ({ ...agentState(number), step: round }));
    return oneByOne(ids.length, (index) => contender.save(ids[index]!, values[index]!));
  },
  "100 concurrent saves": (contender) => {
    const items = newItems(2 * CONCURRENT);
    return bursts(2, (index) => contender.save(items[index]!.id, items[index]!.value));
  },
  "transactions of a get and a save": (contender, round) => {
    const { ids } = pick(50, (index) => spread(index, round + 17));
    const change = (state: AgentState): AgentState => ({ ...state, step: state.step + 1 });
    return oneByOne(ids.length, (index) => contender.update!(ids[index]!, change));
  },
};

/** The same for workloads that only read. */
export const reads: Record<string, Workload> = {
  "sequential gets": (contender, round) => {
    const { numbers, ids } = pick(300, (index) => spread(index, round));
    return oneByOne(ids.length, (index) => contender.get(ids[index]!), (state, index) => expect(state, numbers[index]!));
  },
  "gets of a hot record": (contender, round) => {
    const { numbers, ids } = pick(300, (index) => spread(index, round) % HOT);
    return oneByOne(ids.length, (index) => contender.get(ids[index]!), (state, index) => expect(state, numbers[index]!));
  },
  "100 concurrent gets": (contender, round) => {
    const { numbers, ids } = pick(3 * CONCURRENT, (index) => spread(index, round));
    return bursts(3, (index) => contender.get(ids[index]!), (state, index) => expect(state, numbers[index]!));
  },
  "getMany of 100": (contender, round) => {
    const picks = Array.from({ length: 10 }, (_, turn) => pick(100, (index) => spread(turn * 100 + index, round)));
    return oneByOne(picks.length, (turn) => contender.getMany(picks[turn]!.ids), (states, turn) => {
      picks[turn]!.numbers.forEach((number, index) => expect(states[index], number));
    });
  },
  "lists of 100": (contender, round) => oneByOne(
    10,
    (index) => contender.list(groupOf(spread(index, round)), 100),
    (found, index) => {
      const first = Math.floor(spread(index, round) / 100) * 100;
      if (found.length !== 100) throw new Error(`a list of 100 gave ${found.length}`);
      found.forEach(({ value }, at) => expect(value, first + at));
    },
  ),
};

/** Whether the contender can do the workload at all. */
export function takesPart(contender: Contender, workload: string): boolean {
  return !workload.startsWith("transactions") || contender.update !== undefined;
}
