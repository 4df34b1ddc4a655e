/**
 * Going through many things, page by page: what `list` and `pages` share.
 */
import { checkCall, checkCount, checkFlag, checkFunction, checkText } from "../core/check.js";
import type { Handle } from "../core/handle.js";
import { CorruptError, type Problem } from "../errors.js";
import type { CallOptions } from "../types.js";

/** Entries a page, if not said otherwise. */
const PAGE = 100;
/** Most entries of a page. */
const MOST = 1_000;

/** What to go through, checked. */
export interface Scan {
  readonly prefix: string;
  readonly match: string | undefined;
  readonly reverse: boolean;
  readonly after: string | undefined;
  readonly signal: AbortSignal | undefined;
}

/** One page as it comes from the core. */
export interface Found<T> {
  readonly items: T[];
  readonly cursor: string | null;
  readonly problems: readonly Problem[];
}

/** Reads one page. */
export type ReadPage<T> = (scan: Scan, limit: number) => Promise<Found<T>>;

interface ScanOptions extends CallOptions {
  prefix?: string;
  match?: string;
  limit?: number;
  reverse?: boolean;
  after?: string;
  onProblem?: (problem: Problem) => void;
}

const FIELDS = ["prefix", "match", "limit", "reverse", "after"];

/** The options of a scan, checked. `more`: those that not every scan has. */
export function checkScan(options: ScanOptions, more: readonly string[]): Scan {
  checkCall(options, [...FIELDS, ...more]);
  return {
    prefix: checkText(options.prefix ?? "", "prefix"),
    match: options.match === undefined ? undefined : checkText(options.match, "match"),
    reverse: checkFlag(options.reverse ?? false, "reverse"),
    after: options.after === undefined ? undefined : checkText(options.after, "after"),
    signal: options.signal,
  };
}

/** Every page of a scan. Options are checked before the first is asked for. */
export function pagesOf<T>(options: ScanOptions, read: ReadPage<T>): AsyncGenerator<Found<T>, void, undefined> {
  const scan = checkScan(options, []);
  const limit = checkCount(options.limit ?? PAGE, "limit", 1, MOST);
  return walk(scan, () => limit, read);
}

/** Every item of a scan, up to `limit`. */
export function itemsOf<T>(
  memory: Handle, options: ScanOptions, read: ReadPage<T>,
): AsyncGenerator<T, void, undefined> {
  const scan = checkScan(options, ["onProblem", "filter"]);
  const limit = checkCount(options.limit ?? Number.MAX_SAFE_INTEGER, "limit", 0);
  checkFunction(options.onProblem, "onProblem");
  return each(memory, scan, limit, options.onProblem, read);
}

async function* walk<T>(scan: Scan, limit: () => number, read: ReadPage<T>): AsyncGenerator<Found<T>, void, undefined> {
  let from = scan;
  for (;;) {
    const page = await read(from, limit());
    yield page;
    if (page.cursor === null) return;
    from = { ...from, after: page.cursor };
  }
}

async function* each<T>(
  memory: Handle, scan: Scan, limit: number, onProblem: ((problem: Problem) => void) | undefined, read: ReadPage<T>,
): AsyncGenerator<T, void, undefined> {
  let left = limit;
  // Also who asks for nothing learns that the memory is closed.
  memory.begin(scan.signal);
  if (left === 0) return;
  const problems: Problem[] = [];
  for await (const page of walk(scan, () => Math.min(left, PAGE), read)) {
    for (const problem of page.problems) {
      if (onProblem === undefined) problems.push(problem);
      else onProblem(problem);
    }
    yield* page.items;
    left -= page.items.length;
    if (left <= 0) break;
  }
  const [first] = problems;
  if (first !== undefined) {
    const more = problems.length === 1 ? "" : ` and ${problems.length - 1} more`;
    throw new CorruptError(
      `all readable records were listed; ${first.key}${more} can not be read: ${first.message}. Give onProblem to go on without them`,
      { key: first.key, problems },
    );
  }
}
