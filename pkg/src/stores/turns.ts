/**
 * Turns of the transactions that start over: within a memory one has it at a time.
 *
 * Invariants
 * - Turns are given in the order in which they were asked for; who stops waiting lets the others move up.
 * - A turn is over after `LONGEST_MS` at the latest. The function of who has it may wait for another
 *   transaction that waits for its turn, and would do so for ever.
 */
import { abortable, type Handle } from "../core/handle.js";

/** The longest turn, in milliseconds. Who needs longer goes on without it, and meets the others. */
const LONGEST_MS = 1_000;

/** When the last turn that was asked for is over. */
const last = new WeakMap<Handle, Promise<void>>();

/** A turn. */
export interface Turn {
  /** Whether it is over: it was ended, or took too long. */
  readonly over: boolean;
  end(): void;
}

/** Waits for a turn. Rejects with the signal's reason if that comes first. */
export async function takeTurn(memory: Handle, signal: AbortSignal | undefined): Promise<Turn> {
  const before = last.get(memory);
  let resolve: () => void = () => undefined;
  last.set(memory, new Promise((done) => { resolve = done; }));
  if (before !== undefined) {
    try {
      await abortable(before, signal);
    } catch (reason) {
      void before.then(resolve);
      throw reason;
    }
  }
  let over = false;
  const end = (): void => {
    over = true;
    clearTimeout(timer);
    resolve();
  };
  const timer = setTimeout(end, LONGEST_MS);
  return { get over() { return over; }, end };
}
