/**
 * Where the reader is: `#/memories?source=...&id=...`, `#/load`, `#/live`.
 *
 * Invariant: the address is the only place that holds this; an unknown view is the first one.
 */
import { computed, signal } from "@preact/signals";

export const VIEWS = ["memories", "load", "live"] as const;
export type View = (typeof VIEWS)[number];

const hash = signal(location.hash);
addEventListener("hashchange", () => {
  hash.value = location.hash;
});

export const route = computed(() => {
  const [, path = "", query = ""] = /^#\/([^?]*)\??(.*)$/.exec(hash.value) ?? [];
  return { view: VIEWS.find((view) => view === path) ?? VIEWS[0], query: new URLSearchParams(query) };
});

/** The address of a view. */
export function link(view: View, query: Record<string, string | undefined> = {}): string {
  const given = Object.entries(query).filter((pair): pair is [string, string] => pair[1] !== undefined);
  return given.length > 0 ? `#/${view}?${new URLSearchParams(given)}` : `#/${view}`;
}

export function go(view: View, query?: Record<string, string | undefined>): void {
  location.hash = link(view, query);
}
