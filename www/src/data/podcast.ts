/**
 * The sample data: a simulated podcast production, composed from word lists by a seeded generator.
 *
 * Invariants: the same seed gives the same records, ids, dates and vectors; ids of different records differ.
 */
import type { DocumentInput } from "mnemora";
import { embed } from "./hashing.js";
import { random, type Random } from "./random.js";
import { AGENTS, DECISIONS, GUESTS, MOODS, PATTERNS, PHASES, REASONS, SOURCES, TOPICS } from "./words.js";

/** The seed of the sample; shown in the page. */
export const SEED = 20260105;
/** How many memories the sample holds. */
export const MEMORIES = 400;
/** How many decisions the sample holds. */
export const DECISION_COUNT = 60;

type Topic = (typeof TOPICS)[number];

const START = Date.UTC(2026, 0, 5, 8);
const HOUR = 3_600_000;

export interface AgentState {
  name: string;
  role: string;
  status: "idle" | "working" | "waiting";
  episode: string;
  skills: string[];
  /** Hours of work by episode. */
  workload: Map<string, number>;
  tasksDone: number;
  tokensUsed: number;
  lastUpdated: Date;
}

export interface Episode {
  title: string;
  topic: string;
  phase: string;
  phases: { name: string; started: Date; finished: Date | null; costUsd: number }[];
  guests: string[];
  budgetUsd: number;
  costUsd: number;
  /** 0 to 1 by aspect. */
  quality: { research: number; script: number; sound: number };
  published: Date | null;
}

export interface Decision {
  topic: string;
  choice: string;
  options: string[];
  /** Option by agent. */
  votes: Map<string, string>;
  confidence: number;
  episode: string;
  reason: string;
  decidedAt: Date;
}

export interface MemoryMeta {
  agent: string;
  episode: string;
  kind: string;
  importance: number;
  date: Date;
}

export interface Sample {
  agents: { id: string; value: AgentState }[];
  episodes: { id: string; value: Episode }[];
  decisions: { id: string; value: Decision }[];
  memories: (DocumentInput<MemoryMeta> & { text: string })[];
}

/** The whole sample of `seed`. */
export function sample(seed: number): Sample {
  const rng = random(seed);
  const episodes = TOPICS.map((topic, at) => ({ id: topic.id, value: episode(rng, topic, at) }));
  return {
    episodes,
    agents: AGENTS.map((agent, at) => ({
      id: agent.id,
      value: {
        name: agent.name,
        role: agent.role,
        status: rng.pick(["idle", "working", "waiting"] as const),
        episode: rng.pick(TOPICS).id,
        skills: [...agent.skills],
        workload: new Map(rng.sample(TOPICS, 3).map((topic) => [topic.id, rng.between(1, 30)])),
        tasksDone: rng.between(3, 80),
        tokensUsed: rng.between(20_000, 900_000),
        lastUpdated: new Date(START + (1_000 + at) * HOUR),
      },
    })),
    decisions: Array.from({ length: DECISION_COUNT }, (_, at) => ({
      id: `decision-${String(at + 1).padStart(3, "0")}`,
      value: decision(rng, new Date(START + at * 21 * HOUR)),
    })),
    memories: memories(rng),
  };
}

function episode(rng: Random, topic: Topic, at: number): Episode {
  // Earlier episodes are further on: the first are published, the last is still being researched.
  const reached = Math.min(PHASES.length, Math.max(1, PHASES.length + 3 - at));
  const started = START + at * 5 * 24 * HOUR;
  const phases = PHASES.slice(0, reached).map((name, step) => ({
    name,
    started: new Date(started + step * 3 * 24 * HOUR),
    finished: step + 1 < reached || reached === PHASES.length ? new Date(started + (step + 1) * 3 * 24 * HOUR) : null,
    costUsd: rng.between(40, 900) / 10,
  }));
  const cost = phases.reduce((sum, phase) => sum + phase.costUsd, 0);
  return {
    title: topic.title,
    topic: topic.words.join(", "),
    phase: reached === PHASES.length && at < 3 ? "published" : PHASES[reached - 1] ?? PHASES[0],
    phases,
    guests: rng.sample(GUESTS, rng.between(1, 2)),
    budgetUsd: rng.between(20, 45) * 10,
    costUsd: Math.round(cost * 10) / 10,
    quality: { research: score(rng), script: score(rng), sound: score(rng) },
    published: at < 3 ? new Date(started + 30 * 24 * HOUR) : null,
  };
}

/** A decision of the swarm: every agent votes, the most votes win. */
export function decision(rng: Random, at: Date): Decision {
  const { topic, options } = rng.pick(DECISIONS);
  const votes = new Map(AGENTS.map((agent) => [agent.id, rng.pick(options) as string]));
  const count = (option: string) => [...votes.values()].filter((vote) => vote === option).length;
  const choice = options.reduce((best: string, option) => (count(option) > count(best) ? option : best), options[0]);
  return {
    topic,
    choice,
    options: [...options],
    votes,
    confidence: Math.round((count(choice) / AGENTS.length) * 100) / 100,
    episode: rng.pick(TOPICS).id,
    reason: rng.pick(REASONS),
    decidedAt: at,
  };
}

function memories(rng: Random): Sample["memories"] {
  const kinds = Object.entries(PATTERNS);
  return Array.from({ length: MEMORIES }, (_, at) => {
    const [kind, { authors, sentences }] = rng.pick(kinds);
    const topic = rng.pick(TOPICS);
    const text = compose(rng, rng.pick(sentences), topic);
    const vector = embed(text);
    if (!vector) throw new Error(`the pattern of kind "${kind}" gives a text that cannot be embedded`);
    const importance = score(rng);
    return {
      id: `memory-${String(at + 1).padStart(4, "0")}`,
      text,
      vector,
      importance,
      metadata: {
        agent: rng.pick(authors),
        episode: topic.id,
        kind,
        importance,
        date: new Date(START + at * 3 * HOUR + rng.between(0, 120) * 60_000),
      },
    };
  });
}

function compose(rng: Random, pattern: string, topic: Topic): string {
  const [word, other] = rng.sample(topic.words, 2) as [string, string];
  const fill = new Map<string, () => string | number>(Object.entries({
    word: () => word,
    other: () => other,
    title: () => topic.title,
    source: () => rng.pick(SOURCES),
    guest: () => rng.pick(GUESTS),
    mood: () => rng.pick(MOODS),
    number: () => rng.between(12, 980),
    minutes: () => rng.between(2, 28),
    target: () => rng.between(28, 40),
    version: () => rng.between(2, 7),
    year: () => rng.between(1820, 2025),
    compare: () => rng.pick(["higher than", "lower than", "close to"]),
  }));
  const text = pattern.replace(/\{(\w+)\}/g, (whole, name: string) => String(fill.get(name)?.() ?? whole));
  return text.replace(/(^|\. )\p{Ll}/gu, (start) => start.toUpperCase());
}

function score(rng: Random): number {
  return Math.round((0.3 + 0.7 * rng.next()) * 100) / 100;
}
