/**
 * The running core, and what becomes of calls when it stops.
 *
 * A panic in the core is a defect, and the instance can not be used after it. Calls that wait would
 * then wait for ever: they are rejected here.
 *
 * Invariants
 * - After a trap every pending call rejects with `ERR_INTERNAL`, and every later one with `ERR_CLOSED`.
 * - What the core throws leaves as a `MemoryError`.
 */
import { ClosedError, InternalError, toMemoryError } from "../errors.js";
import { ensure, type Core } from "../loader/load.js";

let trapped: InternalError | undefined;
let watched = false;
const pending = new Set<(error: unknown) => void>();

/** The running core; starts it if need be. */
export async function instance(): Promise<Core> {
  const core = await ensure();
  if (!watched) {
    watched = true;
    core.onPanic((message: string) => trap(message));
  }
  return core;
}

/** Runs a call into the core that gives its result, at once or as a promise; rejects if the core stops before
 * that settles. */
export function run<T>(call: () => T | Promise<T>): T | Promise<T> {
  const answer = runNow(call);
  if (!(answer instanceof Promise)) return answer;
  return new Promise<T>((resolve, reject) => {
    const fail = (error: unknown): void => {
      pending.delete(fail);
      reject(toMemoryError(error));
    };
    pending.add(fail);
    answer.then((value) => {
      pending.delete(fail);
      resolve(value);
    }, fail);
  });
}

/** Runs a call into the core that gives its result at once. */
export function runNow<T>(call: () => T): T {
  if (trapped !== undefined) throw stopped();
  try {
    return call();
  } catch (error) {
    throw toMemoryError(caught(error));
  }
}

function caught(error: unknown): unknown {
  return error instanceof WebAssembly.RuntimeError ? trap(error.message, error) : error;
}

function trap(message: string, cause?: unknown): InternalError {
  trapped ??= new InternalError(
    `the core stopped: ${message}. What was acknowledged is stored; reload to go on, and please report it`,
    cause === undefined ? {} : { cause },
  );
  for (const fail of [...pending]) fail(trapped);
  return trapped;
}

function stopped(): ClosedError {
  return new ClosedError("the core has stopped on a defect; reload to go on", { cause: trapped });
}
