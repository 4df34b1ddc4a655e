/**
 * The page in which the contenders run, all in the same one. It is driven from outside, round by round.
 */
import { contenders, type Contender, type Level } from "./contenders.js";
import { agentState } from "./state.js";
import { fill, reads, writes, type Slice } from "./workloads.js";

export interface Measured extends Slice {
  workload: string;
  contender: string;
}

const opened = new Map<string, Contender>();

/** The same numbers in an order of their own for every round, so that nobody always follows the same one. */
function shuffled<T>(items: T[], seed: number): T[] {
  let state = Math.imul(seed + 1, 0x9e37_79b1) >>> 0;
  const random = (): number => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state;
  };
  for (let warm = 0; warm < 8; warm++) random();
  const order = [...items];
  for (let at = order.length - 1; at > 0; at--) {
    const other = random() % (at + 1);
    [order[at], order[other]] = [order[other]!, order[at]!];
  }
  return order;
}

const bench = {
  names: Object.keys(contenders),

  /** Opens every contender at `level`; checks that each keeps what it is given, and fills it if reads follow. */
  async open(level: Level, filled: boolean): Promise<void> {
    for (const [name, openOne] of Object.entries(contenders)) {
      const contender = await openOne(`bench-${level}-${name.replace(/\W+/g, "-")}`, level);
      opened.set(name, contender);
      const state = agentState(7);
      await contender.save("check", state);
      if (JSON.stringify(await contender.get("check")) !== JSON.stringify(state)) throw new Error(`${name} gave something else than it was given`);
      if (filled) await fill(contender);
    }
  },

  /** One round: every workload, by every contender in an order that changes. */
  async round(kind: "writes" | "reads", round: number): Promise<Measured[]> {
    const measured: Measured[] = [];
    const workloads = Object.entries(kind === "writes" ? writes : reads);
    for (const [at, [workload, work]] of workloads.entries()) {
      for (const contender of shuffled([...opened.keys()], round * workloads.length + at)) {
        measured.push({ workload, contender, ...await work(opened.get(contender)!, round) });
      }
    }
    return measured;
  },

  /** One workload of one contender, `times` times: what a profiler is pointed at. */
  async only(contender: string, workload: string, times: number): Promise<Slice[]> {
    const work = writes[workload] ?? reads[workload];
    const slices: Slice[] = [];
    for (let round = 0; round < times; round++) slices.push(await work!(opened.get(contender)!, round));
    return slices;
  },

  async close(): Promise<void> {
    for (const contender of opened.values()) await contender.close();
    opened.clear();
  },
};

export type Bench = typeof bench;

(globalThis as unknown as { bench: Bench }).bench = bench;
