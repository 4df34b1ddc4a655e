/**
 * The lock files that an instance holds, so that they can be given up should it stop on a defect: it can
 * not remove them itself then, and the process whose number they bear goes on.
 *
 * Invariants
 * - A lock is what got its name by `link`, and has not been removed since (`src/backends/lock.rs`).
 * - What is removed still holds what it held when it was taken. Nobody takes over from a process that runs,
 *   so only a hand that deletes files could have put another's lock there.
 */
import type { HostFileCalls } from "./calls.js";

/** The calls to give to an instance, and what gives its locks up once it has stopped. */
export interface LentFiles {
  readonly calls: HostFileCalls;
  giveUp(): void;
}

/** The calls, for one instance. */
export function lend(calls: HostFileCalls): LentFiles {
  const held = new Map<string, Uint8Array>();
  const own: Pick<HostFileCalls, "link" | "remove"> = {
    link(from, to) {
      const content = contentOf(calls, from);
      calls.link(from, to);
      held.set(to, content);
    },
    remove(path) {
      calls.remove(path);
      held.delete(path);
    },
  };
  const giveUp = (): void => {
    for (const [path, content] of held) {
      try {
        if (same(contentOf(calls, path), content)) calls.remove(path);
      } catch {
        // Gone already; or it stays, and whoever meets it is told whose it is and what to do.
      }
    }
    held.clear();
  };
  return { calls: Object.assign(Object.create(calls) as HostFileCalls, own), giveUp };
}

function contentOf(calls: HostFileCalls, path: string): Uint8Array {
  const descriptor = calls.open(path, 0);
  try {
    const content = new Uint8Array(calls.length(descriptor));
    return content.subarray(0, calls.readAt(descriptor, content, 0));
  } finally {
    calls.close(descriptor);
  }
}

function same(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.every((byte, index) => byte === other[index]);
}
