/**
 * The agent states that the benchmarks store: JSON of exactly 491 bytes, different for every number.
 *
 * Only what JSON knows, so that every contender can store the same object.
 */

/** Bytes of the state as JSON text. */
export const STATE_BYTES = 491;

export interface AgentState {
  id: string;
  name: string;
  role: string;
  status: string;
  episode: string;
  step: number;
  score: number;
  active: boolean;
  parent: null;
  tools: string[];
  usage: { inputTokens: number; outputTokens: number; costUsd: number };
  context: { topic: string; locale: string; turns: number[] };
  updated: string;
  notes: string;
}

const statuses = ["idle", "active", "waiting", "done"];
const topics = ["pricing", "research", "outline", "fact-check", "editing"];
const words = "the guest said that memory makes an agent useful because it can go on from where it was";

/** The state number `index`. */
export function agentState(index: number): AgentState {
  const state: AgentState = {
    id: `agent-${index}`,
    name: `Researcher ${index % 97}`,
    role: "researcher",
    status: statuses[index % statuses.length]!,
    episode: `ep-${index % 31}`,
    step: index % 12,
    score: Math.round(Math.abs(Math.sin(index + 1)) * 1e6) / 1e6,
    active: index % 2 === 0,
    parent: null,
    tools: ["search", "summarise", "cite"],
    usage: { inputTokens: 1_000 + (index * 37) % 9_000, outputTokens: (index * 13) % 4_000, costUsd: (index % 100) / 128 },
    context: { topic: topics[index % topics.length]!, locale: "en-GB", turns: [index % 7, index % 300, index % 70_000] },
    updated: new Date(1_760_000_000_000 + index * 1_000).toISOString(),
    notes: "",
  };
  const missing = STATE_BYTES - JSON.stringify(state).length;
  const start = index % words.length;
  state.notes = (words.slice(start) + " " + words + " " + words).slice(0, missing);
  if (JSON.stringify(state).length !== STATE_BYTES) throw new Error(`state ${index} has another length than ${STATE_BYTES} bytes`);
  return state;
}
