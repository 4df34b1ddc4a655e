/**
 * Opening the memory and starting what follows it.
 *
 * Invariant: one memory is followed at a time; whatever followed an earlier one is ended first.
 */
import { fillIfEmpty } from "./data/sample.js";
import { fail } from "./state/errors.js";
import { followAll } from "./state/feed.js";
import { followRegistry } from "./state/registry.js";
import { memory, start } from "./state/session.js";

let endAll: () => void = () => undefined;

export async function boot(): Promise<void> {
  endAll();
  endAll = () => undefined;
  await start(fillIfEmpty);
  const opened = memory.value;
  if (!opened) return;
  const stopFeed = followAll(opened);
  endAll = stopFeed;
  try {
    const registry = await followRegistry(opened);
    endAll = () => {
      registry();
      stopFeed();
    };
  } catch (error) {
    // Without the registry the page still shows what it always knows.
    fail(error);
  }
}
