/**
 * From what a caller gives to `open` to a memory in one of the cores: the storage, and what else was
 * declared to be taken in its place.
 *
 * Invariants
 * - Nothing is opened that was not asked for by name.
 * - Another storage is tried only after a failure that is about the storage itself: it is missing here, out
 *   of reach, held by another, or full. Data that is there and can not be read (`ERR_CORRUPT`, `ERR_VERSION`,
 *   `ERR_CRYPTO`) is never hidden behind an empty memory, nor is a mistake in the call.
 * - What was opened and is not wanted any more is closed.
 */
import { InvalidError, isMemoryError, type ErrorCode, type MemoryError } from "../errors.js";
import { lend } from "../files/locks.js";
import { files, type Core, type CoreMemory, type HostFileCalls } from "../loader/load.js";
import type { HostBackend, Refusal } from "../types.js";
import { Instance } from "./instance.js";

type CoreBackend = Core["CoreBackend"]["prototype"];

/** A storage: its URL, or the object that stands for it. */
export type Target = string | HostBackend;

/** How to cache, checked; NaN = without end. */
export interface Caching {
  readonly maxBytes: number;
  readonly ttlMs: number;
  readonly second: Target | undefined;
  readonly secondTtlMs: number;
}

/** What opening needs, checked. */
export interface Opening {
  readonly target: Target;
  readonly fallback: readonly Target[];
  readonly strict: boolean;
  readonly groupCommit: boolean;
  readonly openTimeoutMs: number;
  readonly timeoutMs: number;
  readonly cache: Caching | undefined;
  readonly now: (() => number) | undefined;
  readonly signal: AbortSignal | undefined;
}

/** A memory of one of the cores. */
export interface Opened {
  readonly instance: Instance;
  readonly core: CoreMemory;
  readonly requested: string;
  readonly refused: readonly Refusal[];
}

/** After these, what is declared in its place is tried. */
const ABOUT_THE_STORAGE: readonly ErrorCode[] = ["ERR_UNSUPPORTED", "ERR_UNAVAILABLE", "ERR_BLOCKED", "ERR_QUOTA"];

/** Opens the first of the targets that can be opened. `time` is the time by the user's clock, or NaN. */
export async function openFirst(opening: Opening, time: number): Promise<Opened> {
  const refused: Refusal[] = [];
  let first: MemoryError | undefined;
  for (const target of [opening.target, ...opening.fallback]) {
    const attempt = new Attempt(target, opening);
    try {
      const core = await attempt.open(time);
      const requested = refused.length === 0 ? (core.info() as { url: string }).url : labelOf(opening.target);
      return { instance: attempt.instance, core, requested, refused };
    } catch (error) {
      const tryOn = attempt.ofTheStorage && ABOUT_THE_STORAGE.some((code) => isMemoryError(error, code));
      if (!tryOn || opening.signal?.aborted === true) throw error;
      const { code, message } = error as MemoryError;
      refused.push({ url: labelOf(target), code, message });
      first ??= error as MemoryError;
    }
  }
  if (first === undefined) throw new InvalidError("there is no storage to open");
  const others = refused.slice(1).map(({ url, code, message }) => `${url} ${code}: ${message}`).join("; ");
  if (others !== "") first.message += ` (nor can what was declared in its place be opened: ${others})`;
  throw first;
}

/** Opening one target. */
class Attempt {
  /** The core that it needs, once that runs. */
  declare instance: Instance;
  /** Whether a failure is that of the storage, and not of what goes with it. */
  ofTheStorage = true;

  constructor(private readonly target: Target, private readonly opening: Opening) {}

  async open(time: number): Promise<CoreMemory> {
    const { cache, groupCommit } = this.opening;
    const instance = this.instance = await Instance.of(this.needs(/^(sqlite|opfs|json):/) ? "sqlite" : "core");
    const calls = this.needs(/^(sqlite|json):/) ? await filesFor(instance) : undefined;
    const truth = await this.part(this.target, calls);
    let second: CoreBackend | undefined;
    if (cache?.second !== undefined) {
      this.ofTheStorage = false;
      try {
        second = await this.part(cache.second, calls);
      } catch (error) {
        await instance.run(() => truth.close() as Promise<void>);
        throw error;
      }
      this.ofTheStorage = true;
    }
    return instance.run(() => instance.core.openMemory(
      truth, groupCommit, cache?.maxBytes ?? NaN, cache?.ttlMs ?? NaN, second, cache?.secondTtlMs ?? NaN, time,
    ) as CoreMemory | Promise<CoreMemory>);
  }

  private needs(schemes: RegExp): boolean {
    return [this.target, this.opening.cache?.second].some((part) => typeof part === "string" && schemes.test(part));
  }

  private part(wanted: Target, calls: HostFileCalls | undefined): CoreBackend | Promise<CoreBackend> {
    const { instance: { core }, opening } = this;
    return this.instance.run(() => (
      typeof wanted === "string"
        ? core.openUrl(wanted, opening.strict, opening.openTimeoutMs, calls)
        : core.openObject(wanted, opening.timeoutMs)
    ) as CoreBackend | Promise<CoreBackend>);
  }
}

const lent = new WeakMap<Instance, HostFileCalls>();

/** The host's files, as an instance uses them; `undefined` where it has none. */
async function filesFor(instance: Instance): Promise<HostFileCalls | undefined> {
  const calls = await files();
  if (calls !== undefined && !lent.has(instance)) {
    const own = lend(calls);
    instance.onStop(own.giveUp);
    lent.set(instance, own.calls);
  }
  return lent.get(instance);
}

/** How a target is called before it is open. */
function labelOf(target: Target): string {
  return typeof target === "string" ? target : "host:";
}
