/** What is open in this context. Apart from the handles themselves, which come with the core. */
import type { MemoryInfo, OpenedHandle } from "../types.js";

/** The handles that are not closed, the first one first, and since when each is open. */
export const registry = /* @__PURE__ */ new Map<{ readonly info: MemoryInfo }, Date>();

/** The same, to be shown. */
export function listOpen(): OpenedHandle[] {
  return [...registry].map(([{ info: { url, backend } }, openedAt]) => ({ url, backend, openedAt: new Date(openedAt) }));
}
