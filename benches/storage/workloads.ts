/**
 * What the contenders have to do. Every workload takes a slice that is short enough to be repeated in
 * many rounds, so that noise of the machine falls on all alike.
 */
import type { Contender } from "./contenders.js";
import { agentState, type AgentState } from "./state.js";

/** How many at once. */
const CONCURRENT = 100;
/** Groups of 100 records that are there to be read. */
const GROUPS = 40;

export interface Slice {
  /** Operations done. */
  ops: number;
  /** How long all of them took, in milliseconds. */
  ms: number;
  /** How long each took. */
  latencies: number[];
  /** How long each repetition took: an operation, a burst, or the whole slice. */
  repetitions: number[];
}

const groupOf = (index: number): string => `a${String(Math.floor(index / 100)).padStart(3, "0")}:`;
const idOf = (index: number): string => `${groupOf(index)}s${String(index % 100).padStart(4, "0")}`;

/** Stores what the reads read. */
export async function fill(contender: Contender): Promise<void> {
  const items = Array.from({ length: GROUPS * 100 }, (_, index) => ({ id: idOf(index), value: agentState(index) }));
  for (let at = 0; at < items.length; at += 1_000) await contender.fill(items.slice(at, at + 1_000));
}

/** States are made before the clock starts. */
function states(count: number, from: number): AgentState[] {
  return Array.from({ length: count }, (_, index) => agentState(from + index));
}

/** Numbers for fresh ids: never given twice. */
let fresh = 0;
function freshIds(count: number): string[] {
  return Array.from({ length: count }, () => `new:${String(fresh++).padStart(9, "0")}`);
}

async function timed(latencies: number[], work: () => Promise<unknown>): Promise<void> {
  const start = performance.now();
  await work();
  latencies.push(performance.now() - start);
}

/** Every index once, in bursts of CONCURRENT that are awaited together. */
async function bursts(count: number, work: (index: number) => Promise<unknown>): Promise<Slice> {
  const latencies: number[] = [];
  const repetitions: number[] = [];
  const start = performance.now();
  for (let burst = 0; burst < count; burst++) {
    const indexes = Array.from({ length: CONCURRENT }, (_, index) => burst * CONCURRENT + index);
    await timed(repetitions, () => Promise.all(indexes.map((index) => timed(latencies, () => work(index)))));
  }
  return { ops: count * CONCURRENT, ms: performance.now() - start, latencies, repetitions };
}

async function oneByOne(count: number, work: (index: number) => Promise<unknown>): Promise<Slice> {
  const latencies: number[] = [];
  const start = performance.now();
  for (let index = 0; index < count; index++) await timed(latencies, () => work(index));
  return { ops: count, ms: performance.now() - start, latencies, repetitions: latencies };
}

/** CONCURRENT writers, each of which goes on as soon as it has its answer. */
async function closedLoop(turns: number, work: (index: number) => Promise<unknown>): Promise<Slice> {
  const latencies: number[] = [];
  const start = performance.now();
  await Promise.all(Array.from({ length: CONCURRENT }, async (_, writer) => {
    for (let turn = 0; turn < turns; turn++) await timed(latencies, () => work(turn * CONCURRENT + writer));
  }));
  const ms = performance.now() - start;
  return { ops: turns * CONCURRENT, ms, latencies, repetitions: [ms] };
}

/** Spreads reads over what is stored. */
const spread = (index: number, round: number): number => (index * 389 + round * 1_009) % (GROUPS * 100);

function expect(what: unknown, message: string): void {
  if (what !== true) throw new Error(message);
}

/** By name: does a slice of the workload. */
export const writes: Record<string, (contender: Contender, round: number) => Promise<Slice>> = {
  "sequential saves": (contender, round) => {
    const [ids, values] = [freshIds(40), states(40, round * 40)];
    return oneByOne(40, (index) => contender.save(ids[index]!, values[index]!));
  },
  "100 concurrent saves": (contender, round) => {
    const [ids, values] = [freshIds(200), states(200, round * 200)];
    return bursts(2, (index) => contender.save(ids[index]!, values[index]!));
  },
  "100 writers, closed loop": (contender, round) => {
    const [ids, values] = [freshIds(200), states(200, round * 200)];
    return closedLoop(2, (index) => contender.save(ids[index]!, values[index]!));
  },
  "100 concurrent overwrites": (contender, round) => {
    const values = states(100, round * 100);
    return bursts(1, (index) => contender.save(`same:${index}`, values[index]!));
  },
};

/** By name: does a slice of the workload, after {@link fill}. */
export const reads: Record<string, (contender: Contender, round: number) => Promise<Slice>> = {
  "one-by-one gets": (contender, round) => oneByOne(80, async (index) => {
    const at = spread(index, round);
    expect((await contender.get(idOf(at)))?.id === `agent-${at}`, "a get gave something else");
  }),
  "100 concurrent gets": (contender, round) => bursts(2, async (index) => {
    const at = spread(index, round);
    expect((await contender.get(idOf(at)))?.id === `agent-${at}`, "a get gave something else");
  }),
  "scans of 100": (contender, round) => oneByOne(16, async (index) => {
    const group = (index * 7 + round) % GROUPS;
    const found = await contender.scan(groupOf(group * 100), 100);
    expect(found.length === 100 && found[99]![0] === idOf(group * 100 + 99) && found[99]![1].id === `agent-${group * 100 + 99}`,
      "a scan gave something else");
  }),
};
