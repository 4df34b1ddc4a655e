/**
 * Watching: a follower of the commit log with a cursor.
 *
 * Invariants
 * - Changes come in commit order, each once, without a gap from the cursor on.
 * - A watch that is stopped delivers nothing more, not even what was read already.
 */
import { checkCall, checkCount, checkFunction, checkText, NONE } from "../core/check.js";
import type { Handle } from "../core/handle.js";
import { tell } from "../core/tell.js";
import { isMemoryError } from "../errors.js";
import type { Change, Watch, WatchOptions } from "../types.js";
import { readValue, sequence } from "./pack.js";
import type { Reader } from "../value/wire.js";

/** Asks the core for the changes of ids that start with `prefix`, after `cursor`. */
export type ReadChanges = (cursor: number, prefix: string) => unknown;

type Handler<T> = (change: Change<T>) => void;

const KINDS = ["save", "delete", "expire"] as const;

/** Starts a watch. The arguments are those of {@link Store.watch}. */
export function startWatch<T>(
  memory: Handle, read: ReadChanges, given: WatchOptions | Handler<T> | undefined, handler: Handler<T> | undefined,
): Watch<T> {
  const options: WatchOptions = typeof given === "function" || given === undefined ? NONE : given;
  const deliver = typeof given === "function" ? given : handler;
  checkCall(options, ["prefix", "from"], [], "options of watch");
  checkFunction(deliver, "handler");
  const prefix = checkText(options.prefix ?? "", "prefix");
  memory.begin(options.signal);
  const from = options.from === undefined ? memory.head() : checkCount(options.from, "from", 0);
  let stopped = false;
  let end: () => void = () => undefined;
  const ending = new Promise<void>((resolve) => { end = resolve; });
  const forget = memory.hub.onClose(end);
  const stop = (): void => {
    stopped = true;
    forget();
    end();
    memory.hub.wake();
  };
  const ended = (): boolean => stopped || memory.hub.closed;
  options.signal?.addEventListener("abort", stop, { once: true });
  const changes = (): AsyncGenerator<Change<T>, void, undefined> => follow(memory, read, prefix, from, ended);
  const done = deliver === undefined ? ending : pump(changes(), deliver, ended);
  return Object.assign(stop, {
    done,
    [Symbol.asyncIterator]: changes,
    [Symbol.dispose]: stop,
  });
}

async function pump<T>(changes: AsyncIterable<Change<T>>, deliver: Handler<T>, ended: () => boolean): Promise<void> {
  for await (const change of changes) {
    if (ended()) return;
    tell(deliver, change);
  }
}

async function* follow<T>(
  memory: Handle, read: ReadChanges, prefix: string, from: number, ended: () => boolean,
): AsyncGenerator<Change<T>, void, undefined> {
  let cursor = from;
  while (!ended()) {
    // Taken before the read, so that a commit that falls in between is not slept through.
    const news = memory.hub.next();
    let found;
    try {
      found = await memory.readPacked(undefined, () => read(cursor, prefix), readChanges<T>) as Found<T>;
    } catch (error) {
      if (ended() || isMemoryError(error, "ERR_CLOSED")) return;
      throw error;
    }
    for (const change of found.changes) {
      if (ended()) return;
      yield change;
    }
    cursor = found.cursor;
    if (!found.more) await news;
  }
}

interface Found<T> {
  readonly changes: Change<T>[];
  readonly cursor: number;
  readonly more: boolean;
}

function readChanges<T>(reader: Reader): Found<T> {
  const changes = sequence(reader, (from): Change<T> => {
    const kind = KINDS[from.u8()] ?? from.fail("a change is of no known kind");
    const id = from.string();
    const version = from.varint();
    const time = new Date(from.varint());
    const change = { kind, id, version, time, cursor: version };
    return from.bool() ? { ...change, value: readValue<T>(from) } : change;
  });
  // Who stops within a commit and goes on later sees that commit again, from its start: better twice
  // than never.
  const resumable = changes.map((change, index) =>
    changes[index + 1]?.version === change.version ? { ...change, cursor: change.version - 1 } : change
  );
  return { changes: resumable, cursor: reader.varint(), more: reader.bool() };
}
