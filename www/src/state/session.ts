/**
 * The opened memory of this page.
 *
 * Invariants: `memory` is set exactly while `phase` is `"ready"`; an open that fails leaves the page standing,
 * with the error in `trouble` and the way to try again.
 */
import { computed, signal } from "@preact/signals";
import { open, type Memory } from "mnemora";
import { text } from "../text.js";
import { attempt, describe, type Trouble } from "./errors.js";

export const DEFAULT_NAME = "mnemora-dashboard";

export const phase = signal<"opening" | "ready" | "failed">("opening");
export const memory = signal<Memory | null>(null);
export const trouble = signal<Trouble | null>(null);
export const info = computed(() => memory.value?.info ?? null);

/** The database that the address asks for; `null` if its name is not one. */
export const databaseName = ((): string | null => {
  const asked = new URLSearchParams(location.search).get("db");
  if (asked === null) return DEFAULT_NAME;
  return /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(asked) ? asked : null;
})();

/** Opens the memory; `prepare` runs before the page shows it. */
export async function start(prepare: (opened: Memory, name: string) => Promise<void>): Promise<void> {
  phase.value = "opening";
  trouble.value = null;
  const before = memory.value;
  memory.value = null;
  try {
    await before?.close();
    const name = databaseName;
    if (name === null) {
      trouble.value = { code: "PAGE", title: text.errors.name, detail: text.open.nameRule };
      phase.value = "failed";
      return;
    }
    const opened = await open(`idb://${name}`);
    // A memory that cannot take the sample (no room left, for one) can still be looked at.
    await attempt(() => prepare(opened, name));
    memory.value = opened;
    phase.value = "ready";
  } catch (error) {
    trouble.value = describe(error);
    phase.value = "failed";
  }
}

/** The opened memory; only for code that runs while `phase` is `"ready"`. */
export function opened(): Memory {
  if (!memory.value) throw new Error(text.open.notOpen);
  return memory.value;
}
