/**
 * Upkeep of an index, piece by piece: see {@link Collection.optimize}. What is done is kept, so there is nothing to
 * resume.
 */
import { checkCall, checkFunction } from "../core/check.js";
import { pause } from "../core/pause.js";
import { tell } from "../core/tell.js";
import type { ProgressOptions } from "../types.js";
import type { CollectionParts } from "./collection-parts.js";

/** Runs pieces until nothing is left to do. */
export async function optimizeAll({ memory, core }: CollectionParts, options: ProgressOptions): Promise<void> {
  checkCall(options, ["onProgress"]);
  checkFunction(options.onProgress, "onProgress");
  const { signal, onProgress } = options;
  for (;;) {
    const progress = await memory.readPacked(
      signal, () => core.optimize() as unknown, (reader) => ({ done: reader.varint(), total: reader.varint() }),
    );
    if (progress === null) return;
    if (onProgress !== undefined) tell(onProgress, progress);
    if (progress.done >= progress.total) return;
    await pause(0, signal);
  }
}
