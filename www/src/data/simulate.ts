/**
 * Simulated agents: real writes, about two a second, so that two tabs can be watched.
 *
 * Invariants: a decision and the state of the agent that took it are written in one transaction; it ends by itself
 * after {@link LIMIT} transactions; ids of two tabs never meet, because each run draws its own prefix.
 */
import { signal } from "@preact/signals";
import type { Memory } from "mnemora";
import { fail } from "../state/errors.js";
import { decision, SEED, type AgentState, type Decision } from "./podcast.js";
import { random } from "./random.js";
import { AGENTS } from "./words.js";

/** Transactions a run. */
export const LIMIT = 1_000;
const EVERY_MS = 500;

/** Whether the agents of this tab are at work, and how much they have done. */
export const running = signal(false);
export const written = signal(0);
let stopRun: (() => void) | null = null;

export function startAgents(memory: Memory): void {
  stopAgents();
  const run = new AbortController();
  stopRun = () => run.abort();
  running.value = true;
  written.value = 0;
  const prefix = `live-${(crypto.getRandomValues(new Uint32Array(1))[0] ?? 0).toString(36).padStart(7, "0")}`;
  const rng = random(SEED + 1);
  void (async () => {
    for (let step = 1; step <= LIMIT && !run.signal.aborted; step += 1) {
      try {
        const at = new Date();
        const taken = decision(rng, at);
        await act(memory, `${prefix}-${String(step).padStart(4, "0")}`, taken, rng.pick(AGENTS).id, rng.between(200, 4_000));
        written.value = step;
      } catch (error) {
        fail(error);
        break;
      }
      await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
    }
    if (!run.signal.aborted) stopAgents();
  })();
}

export function stopAgents(): void {
  stopRun?.();
  stopRun = null;
  running.value = false;
}

/** One step: an agent takes a decision. */
async function act(memory: Memory, id: string, taken: Decision, agent: string, tokens: number): Promise<void> {
  const decisions = memory.store<Decision>("decisions");
  const agents = memory.agents;
  await memory.transaction(async (tx) => {
    const before = (await tx.get(agents, agent)) as AgentState | null;
    tx.save(decisions, id, taken);
    if (!before) return;
    tx.save(agents, agent, {
      ...before,
      status: "working",
      episode: taken.episode,
      tasksDone: before.tasksDone + 1,
      tokensUsed: before.tokensUsed + tokens,
      lastUpdated: taken.decidedAt,
    });
  });
}
