/**
 * The options of `open`, checked: nothing is opened before all of them hold.
 */
import { InvalidError } from "../errors.js";
import type { CacheOptions, HostBackend, OpenOptions } from "../types.js";
import { checkCall, checkCount, checkEach, checkFlag, checkFunction, checkOptions, checkText, describe } from "./check.js";
import type { Caching, Opening, Target } from "./opening.js";

/** The longest time that a timer can measure, in milliseconds. */
const LONGEST_TIMER = 2 ** 31 - 1;
/** The longest time to live, in milliseconds. */
const LONGEST_TTL = 3.2e13;

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
  checkFunction(options.embed, "options.embed");
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
