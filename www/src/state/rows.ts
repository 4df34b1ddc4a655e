/**
 * The rows of the list: read as far as the reader has scrolled, kept up to date by the changes that are seen.
 *
 * Invariants: rows are in order of id and each id is there once; after `dispose` nothing changes any more. A
 * change beyond the last row read is left to the reading.
 */
import { batch, signal } from "@preact/signals";
import type { Problem } from "mnemora";
import type { Query, Row, Source } from "../data/source.js";
import { describe, isAbort, type Trouble } from "./errors.js";
import { sawVersion, throttled } from "./feed.js";

const CHUNK = 100;
/** More changes than this at once are cheaper to read anew. */
const MANY = 100;

export class RowFeed {
  readonly rows = signal<readonly Row[]>([]);
  readonly done = signal(false);
  readonly loading = signal(false);
  /** Records read for the rows: more than there are rows when a filter is set. */
  readonly scanned = signal(0);
  readonly problems = signal<readonly Problem[]>([]);
  readonly trouble = signal<Trouble | null>(null);
  #abort = new AbortController();
  #iterator: AsyncIterator<Row>;
  #dirty = new Set<string>();
  #refresh = throttled(150, () => this.#apply());

  constructor(readonly source: Source, readonly query: Query) {
    this.#iterator = this.#begin();
  }

  dispose(): void {
    this.#abort.abort();
    this.#refresh.stop();
  }

  /** Reads the next rows, until there are `atLeast` of them or the end. */
  async more(atLeast = this.rows.peek().length + CHUNK): Promise<void> {
    if (this.loading.peek() || this.done.peek()) return;
    this.loading.value = true;
    await this.#read([...this.rows.peek()], atLeast);
    this.loading.value = false;
  }

  /** Notes that a record has changed. */
  touch(id: string): void {
    this.#dirty.add(id);
    this.#refresh.soon();
  }

  #begin(): AsyncIterator<Row> {
    const problems: Problem[] = [];
    return this.source.rows(this.query, {
      signal: this.#abort.signal,
      onScan: (read) => {
        this.scanned.value = read;
      },
      onProblem: (problem) => {
        problems.push(problem);
        this.problems.value = [...problems];
      },
    })[Symbol.asyncIterator]();
  }

  async #read(rows: Row[], atLeast: number): Promise<void> {
    const { signal: aborted } = this.#abort;
    try {
      let done = false;
      while (rows.length < atLeast && !done) {
        const next = await this.#iterator.next();
        if (aborted.aborted) return;
        if (next.done) done = true;
        else {
          rows.push(next.value);
          sawVersion(next.value.version);
        }
      }
      batch(() => {
        this.rows.value = rows;
        this.done.value = done;
        this.trouble.value = null;
      });
    } catch (error) {
      if (isAbort(error) || aborted.aborted) return;
      batch(() => {
        this.trouble.value = describe(error);
        this.done.value = true;
      });
    }
  }

  /** Brings the rows up to date with the records that have changed. */
  async #apply(): Promise<void> {
    if (this.#abort.signal.aborted) return;
    if (this.loading.peek()) {
      this.#refresh.soon();
      return;
    }
    const ids = [...this.#dirty];
    this.#dirty.clear();
    this.loading.value = true;
    if (ids.length > MANY) {
      const wanted = Math.max(CHUNK, this.rows.peek().length);
      this.#abort.abort();
      this.#abort = new AbortController();
      this.#iterator = this.#begin();
      this.problems.value = [];
      await this.#read([], wanted);
    } else {
      try {
        for (const id of ids) await this.#place(id);
      } catch (error) {
        if (!isAbort(error)) this.trouble.value = describe(error);
      }
    }
    this.loading.value = false;
  }

  async #place(id: string): Promise<void> {
    const last = this.rows.peek().at(-1);
    if (!this.done.peek() && (!last || compareIds(id, last.id) > 0)) return;
    const row = id.startsWith(this.query.prefix) ? await this.#current(id) : null;
    const rows = this.rows.peek().filter((other) => other.id !== id);
    if (row) {
      const at = rows.findIndex((other) => compareIds(other.id, id) > 0);
      rows.splice(at === -1 ? rows.length : at, 0, row);
    }
    this.rows.value = rows;
  }

  /** The row of one id, if it matches the query: the first of those that start with it is the id itself. */
  async #current(id: string): Promise<Row | null> {
    const all = this.source.rows({ ...this.query, prefix: id }, { signal: this.#abort.signal, onProblem: () => undefined });
    for await (const row of all) return row.id === id ? row : null;
    return null;
  }
}

/** The order of lists: by code point, which differs from that of JavaScript strings beyond the basic plane. */
export function compareIds(a: string, b: string): number {
  if (a === b) return 0;
  const [left, right] = [points(a), points(b)];
  for (let at = 0; at < Math.min(left.length, right.length); at += 1) {
    const order = (left[at] ?? 0) - (right[at] ?? 0);
    if (order !== 0) return order;
  }
  return left.length - right.length;
}

function points(text: string): number[] {
  return Array.from(text, (point) => point.codePointAt(0) ?? 0);
}
