/**
 * What the benchmark in Node is driven by: it opens contenders and measures round by round.
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { readers, writers, type Contender, type Entrant, type Level, type Libraries } from "./contenders.js";
import { fill, reads, takesPart, writes, type Slice } from "./workloads.js";

export type Kind = "writes" | "reads";

/** One contender's slice of one workload in one round. */
export interface Measured extends Slice {
  workload: string;
  contender: string;
}

/** Contenders that are open and filled. */
export interface Field {
  names: string[];
  /** Who can not take part, and why. */
  absent: { contender: string; why: string }[];
  round(round: number): Promise<Measured[]>;
  close(): Promise<void>;
}

/** Opens and fills everyone who takes part in `kind`, each in a folder of its own below `folder`. */
export async function open(libraries: Libraries, kind: Kind, level: Level, folder: string): Promise<Field> {
  const entrants: Entrant[] = kind === "writes" ? writers(level) : readers();
  const contenders: [string, Contender][] = [];
  const absent: Field["absent"] = [];
  for (const [at, { name, start }] of entrants.entries()) {
    const own = join(folder, String(at));
    mkdirSync(own, { recursive: true });
    try {
      contenders.push([name, await start(libraries, own)]);
    } catch (error) {
      absent.push({ contender: name, why: error instanceof Error ? error.message : String(error) });
    }
  }
  for (const [, contender] of contenders) await fill(contender);
  return {
    names: contenders.map(([name]) => name),
    absent,
    async round(round) {
      const measured: Measured[] = [];
      for (const [workload, work] of Object.entries(kind === "writes" ? writes : reads)) {
        const taking = contenders.filter(([, contender]) => takesPart(contender, workload));
        for (let turn = 0; turn < taking.length; turn++) {
          // Who goes first moves on: nobody always finds the caches as the same other left them.
          const [name, contender] = taking[(turn + round) % taking.length]!;
          measured.push({ workload, contender: name, ...await work(contender, round) });
        }
      }
      return measured;
    },
    async close() {
      for (const [, contender] of contenders) await contender.close();
    },
  };
}
