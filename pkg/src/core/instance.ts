/**
 * The running cores, one a build, and what becomes of calls when one stops.
 *
 * A panic in a core is a defect, and that instance can not be used after it. Calls that wait would then
 * wait for ever: they are rejected here.
 *
 * Invariants
 * - After a trap every pending call of that instance rejects with `ERR_INTERNAL`, and every later one with
 *   `ERR_CLOSED`. The other build goes on. The locks of its files are given up.
 * - What a core throws leaves as a `MemoryError`.
 * - An answer that stands in the memory of a core is read before anything else is asked of it, and what is
 *   read is a copy.
 */
import { ClosedError, InternalError, toMemoryError } from "../errors.js";
import { Reader } from "../value/wire.js";
import { ensure, type Core, type WasmBuild } from "../loader/load.js";

const instances = new WeakMap<Core, Instance>();

/** A running core. */
export class Instance {
  private trapped: InternalError | undefined;
  private readonly pending = new Set<(error: unknown) => void>();
  private readonly stopped: (() => void)[] = [];
  /** A view of all memory of the core. */
  private answers: Reader | undefined;

  private constructor(readonly core: Core) {
    core.onPanic((message: string) => this.trap(message));
  }

  /** The running core of a build; starts it if need be. */
  static async of(build: WasmBuild): Promise<Instance> {
    const core = await ensure(build);
    let instance = instances.get(core);
    if (instance === undefined) instances.set(core, instance = new Instance(core));
    return instance;
  }

  /** Calls `handler` should the core stop. */
  onStop(handler: () => void): void {
    this.stopped.push(handler);
  }

  /** Runs a call into the core that gives its result, at once or as a promise; rejects if the core stops before
   * that settles. */
  run<T>(call: () => T | Promise<T>): T | Promise<T> {
    const answer = this.runNow(call);
    if (!(answer instanceof Promise)) return answer;
    return new Promise<T>((resolve, reject) => {
      const fail = (error: unknown): void => {
        this.pending.delete(fail);
        reject(toMemoryError(error));
      };
      this.pending.add(fail);
      answer.then((value) => {
        this.pending.delete(fail);
        resolve(value);
      }, fail);
    });
  }

  /** The same for a call whose result is packed, and is read by `read`; `null` if the core gives nothing, as of a
   * record that is not there. */
  runPacked<T>(call: () => unknown, read: (reader: Reader) => T): T | null | Promise<T | null> {
    const taken = (answer: unknown): T | null => {
      if (answer === true) return read(this.standing());
      return answer === undefined ? null : read(new Reader(answer as Uint8Array));
    };
    return this.run(() => {
      const answer = call();
      return answer instanceof Promise ? answer.then(taken) : taken(answer);
    });
  }

  /** The answer that stands in the memory of the core. */
  private standing(): Reader {
    const { core } = this;
    if (this.answers?.attached !== true) this.answers = new Reader(new Uint8Array((core.answerMemory() as WebAssembly.Memory).buffer));
    this.answers.moveTo(core.answerAt(), core.answerLength());
    return this.answers;
  }

  /** Runs a call into the core that gives its result at once. */
  runNow<T>(call: () => T): T {
    if (this.trapped !== undefined) {
      throw new ClosedError("the core has stopped on a defect; reload to go on", { cause: this.trapped });
    }
    try {
      return call();
    } catch (error) {
      throw toMemoryError(error instanceof WebAssembly.RuntimeError ? this.trap(error.message, error) : error);
    }
  }

  private trap(message: string, cause?: unknown): InternalError {
    this.trapped ??= new InternalError(
      `the core stopped: ${message}. What was acknowledged is stored; reload to go on, and please report it`,
      cause === undefined ? {} : { cause },
    );
    for (const handler of this.stopped.splice(0)) handler();
    for (const fail of [...this.pending]) fail(this.trapped);
    return this.trapped;
  }
}
