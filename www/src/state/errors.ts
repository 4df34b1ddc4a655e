/**
 * Errors in plain words: what happened, what to do, and the code to look up.
 */
import { signal } from "@preact/signals";
import { text } from "../text.js";

export interface Trouble {
  /** The code of a `MemoryError`, or `PAGE` for what the page itself found. */
  code: string;
  title: string;
  detail: string;
}

/** What a thrown value says to a reader. */
export function describe(error: unknown): Trouble {
  const code = codeOf(error) ?? "PAGE";
  const detail = error instanceof Error ? error.message : String(error);
  return { code, title: text.errors[code as keyof typeof text.errors] ?? text.errors.PAGE, detail };
}

/** The code of an error of the package, or `undefined`. */
export function codeOf(error: unknown): string | undefined {
  const code: unknown = typeof error === "object" && error !== null ? (error as { code?: unknown }).code : undefined;
  return typeof code === "string" && code.startsWith("ERR_") ? code : undefined;
}

/** Whether an error only says that a call was given up on purpose. */
export function isAbort(error: unknown): boolean {
  return error instanceof DOMException && error.name === "AbortError";
}

/** A line that tells of something done or failed, with at most one action. */
export interface Notice {
  id: number;
  kind: "info" | "error";
  title: string;
  detail?: string;
  code?: string;
  action?: { label: string; run: () => Promise<void> };
}

/** The notices on show, oldest first. */
export const notices = signal<readonly Notice[]>([]);
const SHOWN = 4;
let last = 0;

export function notify(notice: Omit<Notice, "id">): void {
  last += 1;
  notices.value = [...notices.value.slice(1 - SHOWN), { ...notice, id: last }];
}

export function dismiss(id: number): void {
  notices.value = notices.value.filter((notice) => notice.id !== id);
}

/** Shows an error; an abort is no error. */
export function fail(error: unknown): void {
  if (isAbort(error)) return;
  const { code, title, detail } = describe(error);
  notify({ kind: "error", title, detail, code });
}

/** Runs an action of the page; what it throws is shown. Resolves to whether it went well. */
export async function attempt(action: () => Promise<void>): Promise<boolean> {
  try {
    await action();
    return true;
  } catch (error) {
    fail(error);
    return false;
  }
}
