/**
 * Storing the sample data, and going back to it.
 *
 * Invariants: only an empty memory is filled without being asked; two tabs that open an empty memory at once fill
 * it once (a Web Lock, which the browser frees even when a tab is killed); the marker says
 * "filling" before the first write and "filled" after the last, so one that was cut short is done again.
 */
import type { Memory } from "mnemora";
import { DIMENSIONS } from "./hashing.js";
import { SEED, sample, type Decision, type Episode } from "./podcast.js";
import { REGISTRY } from "../state/registry.js";

const MARKER = "sample";
/** Deletes that are given to the storage at once. */
const AT_ONCE = 200;

interface Marker {
  seed: number;
  state: "filling" | "filled";
  stored: Date;
}

/** Fills the memory if there is nothing in it, or if an earlier filling was cut short. */
export async function fillIfEmpty(memory: Memory, name: string): Promise<void> {
  const marker = memory.store<Marker>(REGISTRY);
  if ((await marker.get(MARKER))?.state === "filled") return;
  await exclusively(name, async () => {
    const found = await marker.get(MARKER);
    if (found ? found.state === "filling" : await isEmpty(memory)) await refill(memory);
  });
}

/** Deletes everything in the stores of the sample and stores the sample again. */
export async function resetToSample(memory: Memory, name: string): Promise<void> {
  await exclusively(name, () => refill(memory));
}

async function refill(memory: Memory): Promise<void> {
  const mark = (state: Marker["state"]) => memory.store<Marker>(REGISTRY).save(MARKER, { seed: SEED, state, stored: new Date() });
  await mark("filling");
  const [episodes, decisions] = [memory.store<Episode>("episodes"), memory.store<Decision>("decisions")];
  for (const store of [memory.agents, episodes, decisions]) await emptyOut(store.list(), (id) => store.delete(id));
  const memories = memory.collection("memories", { dimensions: DIMENSIONS });
  await emptyOut(memories.list(), (id) => memories.delete(id));
  const made = sample(SEED);
  await memory.agents.saveMany(made.agents);
  await episodes.saveMany(made.episodes);
  await decisions.saveMany(made.decisions);
  await memories.add(made.memories);
  await mark("filled");
}

/** Whether there is no record at all: a memory that an application made is never filled with a sample. */
async function isEmpty(memory: Memory): Promise<boolean> {
  const enough = new AbortController();
  let found = 0;
  try {
    const { checked } = await memory.verify({
      signal: enough.signal,
      onProgress: ({ done }) => {
        found = Math.max(found, done);
        if (found > 0) enough.abort();
      },
    });
    return checked === 0;
  } catch (error) {
    if (found > 0) return false;
    throw error;
  }
}

async function emptyOut(records: AsyncIterable<{ id: string }>, remove: (id: string) => Promise<boolean>): Promise<void> {
  const ids: string[] = [];
  for await (const { id } of records) ids.push(id);
  for (let at = 0; at < ids.length; at += AT_ONCE) await Promise.all(ids.slice(at, at + AT_ONCE).map(remove));
}

/** One tab at a time; a page that is not served from a secure place has no locks and goes ahead. */
async function exclusively(name: string, work: () => Promise<void>): Promise<void> {
  if (navigator.locks) await navigator.locks.request(`mnemora-dashboard:${name}`, work);
  else await work();
}
