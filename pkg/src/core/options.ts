/**
 * The options of `open`, checked: nothing is opened before all of them hold.
 */
import { InvalidError } from "../errors.js";
import type { CacheOptions, Embed, HostBackend, OpenOptions } from "../types.js";
import { checkCall, checkCount, checkEach, checkFlag, checkFunction, checkOptions, checkText, describe } from "./check.js";
import type { Caching, Opening, Target } from "./opening.js";

/** The longest time that a timer can measure, in milliseconds. */
const LONGEST_TIMER = 2 ** 31 - 1;
/** The longest time to live, in milliseconds. */
const LONGEST_TTL = 3.2e13;

/** Texts a call of the embedder, if it does not say. */
const TEXTS_A_CALL = 64;

/** What turns texts into vectors, checked. */
export interface Embedding {
  /** The name of the model, if it has one. */
  readonly model: string | undefined;
  readonly embed: (...given: Parameters<Embed>) => unknown;
  /** Numbers a vector, if that is known. */
  readonly dimensions: number | undefined;
  readonly maxBatch: number;
}

/** The embedder in one form, however it was given. It may have more fields than the known ones: it can be anyone's object. */
export function checkEmbedding(given: OpenOptions["embed"]): Embedding | undefined {
  if (given === undefined) return undefined;
  const plain = typeof given === "function";
  if (!plain && (typeof given !== "object" || given === null)) {
    throw new InvalidError(`options.embed is ${describe(given)}; give a function, or an object with model and embed`);
  }
  const { model, dimensions, maxBatch = TEXTS_A_CALL } = plain ? { model: given.model } : given as Partial<typeof given>;
  if (!plain) checkFunction(given.embed, "options.embed.embed", true);
  return {
    model: plain && model === undefined ? undefined : checkText(model, "options.embed.model"),
    embed: plain ? given : given.embed.bind(given),
    dimensions: dimensions === undefined ? undefined : checkCount(dimensions, "options.embed.dimensions", 1, 4_096),
    maxBatch: checkCount(maxBatch, "options.embed.maxBatch", 1),
  };
}

/** What opening needs. */
export function checkOpening(url: unknown, options: OpenOptions): Opening {
  const target = checkTarget(url, "url");
  checkCall(
    options, ["durability", "groupCommit", "openTimeoutMs", "timeoutMs", "cache", "fallback", "onEvent", "now", "embed"],
    ["encryption", "retention"],
  );
  const { durability = "relaxed", groupCommit = true, now, signal } = options;
  if (durability !== "relaxed" && durability !== "strict") {
    throw new InvalidError(`options.durability is ${describe(durability)}; give "relaxed" or "strict"`);
  }
  checkFlag(groupCommit, "options.groupCommit");
  checkFunction(now, "options.now");
  checkFunction(options.onEvent, "options.onEvent");
  const openTimeoutMs = checkCount(options.openTimeoutMs ?? 5_000, "options.openTimeoutMs", 1, LONGEST_TIMER);
  const timeoutMs = checkCount(options.timeoutMs ?? 10_000, "options.timeoutMs", 1, LONGEST_TIMER);
  const fallback: Target[] = [];
  checkEach<unknown>(options.fallback ?? [], "options.fallback", (given, place) => { fallback.push(checkTarget(given, place)); });
  const cache = options.cache === undefined ? undefined : checkCache(options.cache);
  return { target, fallback, strict: durability === "strict", groupCommit, openTimeoutMs, timeoutMs, cache, now, signal };
}

/** A storage, as it is given to `open`. */
function checkTarget(given: unknown, name: string): Target {
  // What else an object must have, the core finds out.
  if (typeof given === "object" && given !== null && "commit" in given) return given as HostBackend;
  const url = checkText(given, name);
  if (name !== "url" && !/^(memory:$|(idb|opfs|sqlite|json):\/\/.)/s.test(url)) {
    throw new InvalidError(`${name} is ${describe(url)}; give a URL such as memory: or idb://name`);
  }
  return url;
}

function checkCache(options: CacheOptions): Caching {
  checkOptions(options, "options.cache", ["maxBytes", "ttlMs", "second", "secondTtlMs"]);
  const { maxBytes = 16e6, ttlMs, second, secondTtlMs } = options;
  const time = (given: number | undefined, name: string): number => given === undefined ? NaN : checkCount(given, name, 1, LONGEST_TTL);
  return {
    maxBytes: checkCount(maxBytes, "options.cache.maxBytes", 4_096),
    ttlMs: time(ttlMs, "options.cache.ttlMs"),
    second: second === undefined ? undefined : checkTarget(second, "options.cache.second"),
    secondTtlMs: time(secondTtlMs, "options.cache.secondTtlMs"),
  };
}
