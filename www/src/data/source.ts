/**
 * One interface over stores and collections, for the list, the panel and the feed.
 *
 * Invariants: `rows` gives light rows (no vector) in order of id; `remove` gives back what it removed, so that it
 * can be put back; `edit` writes nothing when the record has changed since it was opened.
 */
import type { Change, Collection, Document, Entry, Memory, Problem, Store, Value, Watch, WatchOptions } from "mnemora";
import { text } from "../text.js";
import type { Known } from "../state/registry.js";
import { embed } from "./hashing.js";
import { passes, toFilter, type Test } from "./filter.js";

/** A row of the list. */
export interface Row {
  id: string;
  summary: string;
  chips: readonly (readonly [string, string])[];
  version: number;
  updated: Date;
}

/** A record opened in full. */
export interface Full {
  id: string;
  /** What can be edited: the value, or a document's text, metadata and importance. */
  editable: Value;
  vector: Float32Array | null;
  version: number;
  created: Date;
  updated: Date;
  expires: Date | null;
}

/** Which rows to list. */
export interface Query {
  prefix: string;
  /** The text or value contains this, in any case. */
  contains: string;
  tests: readonly Test[];
}

export interface RowOptions {
  signal?: AbortSignal;
  onProblem?: (problem: Problem) => void;
  /** Called with the number of records read so far. */
  onScan?: (read: number) => void;
}

export interface Source {
  readonly known: Known;
  count(): Promise<number>;
  rows(query: Query, options: RowOptions): AsyncIterable<Row>;
  open(id: string): Promise<Full | null>;
  edit(before: Full, after: Value, options: { force: boolean }): Promise<void>;
  /** Deletes records; resolves to how many there were and to the way back. */
  remove(ids: readonly string[]): Promise<{ count: number; restore: () => Promise<void> }>;
  watch(options: WatchOptions, handler: (change: Change<unknown>) => void): Watch<unknown>;
}

/** Thrown by `edit` when another writer was faster. */
export class ChangedMeanwhile extends Error {
  override readonly name = "ChangedMeanwhile";
}

export function sourceOf(memory: Memory, known: Known): Source {
  if (known.kind === "collection") return collectionSource(memory.collection(known.name), known);
  const store: Store<Value> = known.kind === "agents" ? (memory.agents as Store<Value>) : memory.store<Value>(known.name);
  return storeSource(store, known);
}

/** How many deletes are given to the storage at once. */
const AT_ONCE = 200;

function storeSource(store: Store<Value>, known: Known): Source {
  return {
    known,
    count: () => store.count(),
    async *rows(query, { onScan, ...options }) {
      let read = 0;
      for await (const entry of store.list({ prefix: query.prefix, ...options })) {
        read += 1;
        if (read % 100 === 0) onScan?.(read);
        if (passes(entry.value, query.tests) && contains(query.contains, entry.id, searchable(entry.value))) yield storeRow(entry);
      }
      onScan?.(read);
    },
    async open(id) {
      const entry = await store.entry(id);
      if (!entry) return null;
      const { version, created, updated, expires, value } = entry;
      return { id, version, created, updated, expires, editable: value, vector: null };
    },
    async edit(before, after, { force }) {
      try {
        await store.save(before.id, after, force ? {} : { expectedVersion: before.version });
      } catch (error) {
        if ((error as { code?: string }).code === "ERR_CONFLICT") throw new ChangedMeanwhile();
        throw error;
      }
    },
    async remove(ids) {
      const removed: { id: string; value: Value }[] = [];
      for (const part of parts(ids)) {
        const values = await store.getMany(part);
        const gone = await Promise.all(part.map((id) => store.delete(id)));
        part.forEach((id, at) => {
          if (gone[at]) removed.push({ id, value: values[at] ?? null });
        });
      }
      // A record that was saved anew meanwhile is not overwritten: then the whole of the undo is refused.
      const restore = async () => {
        await store.saveMany(removed.map((item) => ({ ...item, expectedVersion: 0 })));
      };
      return { count: removed.length, restore };
    },
    watch: (options, handler) => store.watch(options, handler),
  };
}

function collectionSource(collection: Collection<Record<string, Value>>, known: Known): Source {
  return {
    known,
    count: () => collection.count(),
    async *rows(query, { onScan, ...options }) {
      const filter = toFilter(query.tests);
      let read = 0;
      for await (const document of collection.list({ prefix: query.prefix, ...(filter ? { filter } : {}), ...options })) {
        read += 1;
        if (read % 100 === 0) onScan?.(read);
        if (contains(query.contains, document.id, document.text ?? "")) yield documentRow(document);
      }
      onScan?.(read);
    },
    async open(id) {
      const document = await collection.get(id);
      if (!document) return null;
      const { version, created, updated, text: body, metadata, importance, vector } = document;
      return { id, version, created, updated, expires: null, vector, editable: { text: body, metadata, importance } };
    },
    async edit(before, after, { force }) {
      const edited = readDocumentEdit(after);
      const now = await collection.get(before.id);
      // `add` takes no expected version, so this check cannot see a writer between it and the write.
      if (!force && now?.version !== before.version) throw new ChangedMeanwhile();
      const oldText = (before.editable as { text: string | null }).text;
      let vector = before.vector ?? now?.vector;
      if (known.embedder !== null && edited.text !== oldText) {
        const fresh = embed(edited.text ?? "");
        if (!fresh) throw new Error(text.edit.nothingToEmbed);
        vector = fresh;
      }
      await collection.add({ id: before.id, ...(vector ? { vector } : {}), ...present(edited) });
    },
    async remove(ids) {
      const removed: Document<Record<string, Value>>[] = [];
      for (const part of parts(ids)) {
        const documents = await Promise.all(part.map((id) => collection.get(id)));
        const gone = await Promise.all(part.map((id) => collection.delete(id)));
        documents.forEach((document, at) => document && gone[at] && removed.push(document));
      }
      const restore = async () => {
        const taken = await Promise.all(removed.map(({ id }) => collection.get(id)));
        const rest = removed.filter((_, at) => taken[at] === null);
        if (rest.length > 0) await collection.add(rest.map(({ id, vector, ...rest }) => ({ id, vector, ...present(rest) })));
      };
      return { count: removed.length, restore };
    },
    watch: (options, handler) => collection.watch(options, handler as (change: Change<never>) => void),
  };
}

function* parts(ids: readonly string[]): Generator<string[]> {
  for (let at = 0; at < ids.length; at += AT_ONCE) yield ids.slice(at, at + AT_ONCE);
}

/** A document's fields without those that are null: the package takes absence, not null. */
function present(document: { text: string | null; metadata: Record<string, Value> | null; importance: number }) {
  const { text: body, metadata, importance } = document;
  return { importance, ...(body === null ? {} : { text: body }), ...(metadata === null ? {} : { metadata }) };
}

function readDocumentEdit(value: Value): { text: string | null; metadata: Record<string, Value> | null; importance: number } {
  if (!isPlain(value)) throw new Error(text.edit.documentShape);
  const { text: body = null, metadata = null, importance = 0.5, ...rest } = value;
  const [unknown] = Object.keys(rest);
  if (unknown !== undefined) throw new Error(text.edit.unknownField(unknown));
  if (body !== null && typeof body !== "string") throw new Error(text.edit.textType);
  if (metadata !== null && !isPlain(metadata)) throw new Error(text.edit.metadataType);
  if (typeof importance !== "number" || !(importance >= 0 && importance <= 1)) throw new Error(text.edit.importanceRange);
  return { text: body, metadata, importance };
}

/** Whether a value is an object of fields, not one of the built-in kinds. */
export function isPlain(value: unknown): value is Record<string, Value> {
  return Object.prototype.toString.call(value) === "[object Object]";
}

export function documentRow(document: Pick<Document<unknown>, "id" | "text" | "metadata" | "version" | "updated">): Row {
  const { id, text: body, metadata, version, updated } = document;
  return { id, version, updated, summary: body ?? text.list.noText, chips: chipsOf(metadata) };
}

function storeRow({ id, value, version, updated }: Entry<Value>): Row {
  return { id, version, updated, summary: summaryOf(value), chips: chipsOf(value) };
}

const SUMMARY_FIELDS = ["title", "name", "text", "summary", "content", "topic"];
const SUMMARY_LENGTH = 300;
const CHIPS = 6;

/** A line about any value: its telling fields, else its beginning as text. */
function summaryOf(value: Value): string {
  if (isPlain(value)) {
    const told = SUMMARY_FIELDS.map((field) => value[field]).filter((item) => typeof item === "string").slice(0, 2);
    if (told.length > 0) return told.join(" - ").slice(0, SUMMARY_LENGTH);
  }
  return searchable(value).slice(0, SUMMARY_LENGTH);
}

/** The fields of one value that fit on a chip. */
export function chipsOf(value: unknown): [string, string][] {
  if (!isPlain(value)) return [];
  const chips: [string, string][] = [];
  for (const [name, item] of Object.entries(value)) {
    if (SUMMARY_FIELDS.includes(name) && typeof item === "string" && item.length > 40) continue;
    const shown = item instanceof Date ? text.date(item) : scalarText(item);
    if (shown !== null) chips.push([name.slice(0, 60), shown.slice(0, 60)]);
    if (chips.length === CHIPS) break;
  }
  return chips;
}

function scalarText(value: unknown): string | null {
  return typeof value === "string" || typeof value === "number" || typeof value === "boolean" || typeof value === "bigint" ? String(value) : null;
}

/** The text that a filter looks through: all strings, numbers and dates of a value. */
function searchable(value: unknown): string {
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? "" : value.toISOString();
  if (value instanceof Map) return [...value].flat().map(searchable).join(" ");
  if (value instanceof Set) return [...value].map(searchable).join(" ");
  if (Array.isArray(value)) return value.map(searchable).join(" ");
  if (isPlain(value)) return Object.values(value).map(searchable).join(" ");
  return scalarText(value) ?? "";
}

function contains(wanted: string, id: string, body: string): boolean {
  if (wanted === "") return true;
  const low = wanted.toLowerCase();
  return body.toLowerCase().includes(low) || id.toLowerCase().includes(low);
}
