/**
 * Loading a file of JSON lines into a collection.
 *
 * Invariants: `stored` counts only documents whose `add` has resolved; a chunk is stored whole or not at all; a
 * file is either all with vectors or all without; after a stop at a bad line every good line before it is stored.
 */
import type { Collection, DocumentInput, Memory } from "mnemora";
import { describe, codeOf, isAbort, type Trouble } from "../state/errors.js";
import { remember, type Known } from "../state/registry.js";
import { text } from "../text.js";
import { DIMENSIONS, EMBEDDER, embed } from "./hashing.js";
import { readLines, type Line, type LineDocument } from "./jsonl.js";

/** Documents a write. */
export const CHUNK = 500;
/** How many bad lines are listed; all are counted. */
export const LISTED = 200;

export interface Loading {
  state: "reading" | "done" | "cancelled" | "stopped";
  bytes: number;
  size: number;
  /** Lines whose document is stored. */
  stored: number;
  /** Lines whose id came again later in the same chunk: the later one is stored. */
  replaced: number;
  bad: number;
  listed: readonly { number: number; reason: string }[];
  seconds: number;
  /** Why it stopped, if it did not come to the end. */
  trouble: Trouble | null;
}

export interface LoadOptions {
  collection: Known;
  onBad: "stop" | "skip";
  signal: AbortSignal;
  onProgress: (progress: Loading) => void;
}

/** A line that ends the load whatever is chosen for bad lines. */
class Refused extends Error {}
/** A bad line, where the choice is to stop. */
class BadLineStop extends Error {}

interface Pending { line: number; input: DocumentInput<Record<string, unknown>> }

export async function loadFile(memory: Memory, file: Blob, options: LoadOptions): Promise<Loading> {
  const begun = performance.now();
  const progress: Loading = {
    state: "reading", bytes: 0, size: file.size, stored: 0, replaced: 0, bad: 0, listed: [], seconds: 0, trouble: null,
  };
  const report = (change: Partial<Loading>) => {
    Object.assign(progress, change, { seconds: (performance.now() - begun) / 1000 });
    options.onProgress({ ...progress });
  };
  const bad = (number: number, reason: string) => {
    const listed = progress.listed.length < LISTED ? [...progress.listed, { number, reason }] : progress.listed;
    report({ bad: progress.bad + 1, listed });
    if (options.onBad === "stop") throw new BadLineStop(text.load.badLine(number, reason));
  };
  const writer = new ChunkWriter(memory, options, {
    stored: (count) => report({ stored: progress.stored + count }),
    replaced: () => report({ replaced: progress.replaced + 1 }),
    bad,
  });
  try {
    for await (const line of readLines(file.stream(), options.signal)) {
      progress.bytes = line.bytesRead;
      try {
        const problem = "reason" in line ? line.reason : writer.accept(line);
        if (problem !== null) bad(line.number, problem);
      } catch (error) {
        // The good lines before it are stored, so that "loaded up to line n" is true.
        if (error instanceof BadLineStop || error instanceof Refused) await writer.flush();
        throw error;
      }
      if (writer.full) {
        await writer.flush();
        report({});
      }
    }
    await writer.flush();
    report({ state: "done", bytes: file.size });
  } catch (error) {
    if (isAbort(error)) report({ state: "cancelled" });
    else if (error instanceof BadLineStop) report({ state: "stopped" });
    else report({ state: "stopped", trouble: describe(error) });
  }
  return progress;
}

interface Outcome {
  stored: (count: number) => void;
  replaced: () => void;
  bad: (line: number, reason: string) => void;
}

/** Collects documents and stores them by the chunk. */
class ChunkWriter {
  #pending = new Map<string, Pending>();
  #dimensions: number | null;
  #withVectors: boolean | null = null;
  #collection: Collection<Record<string, unknown>> | null = null;
  readonly #memory: Memory;
  readonly #options: LoadOptions;
  readonly #outcome: Outcome;

  constructor(memory: Memory, options: LoadOptions, outcome: Outcome) {
    this.#memory = memory;
    this.#options = options;
    this.#outcome = outcome;
    this.#dimensions = options.collection.dimensions;
  }

  get full(): boolean {
    return this.#pending.size >= CHUNK;
  }

  /** Takes a line; gives back what is wrong with it, if anything. Throws {@link Refused}. */
  accept({ number, document }: Line): string | null {
    this.#checkKind(number, document);
    const vector = document.vector ?? embed(document.text ?? "");
    if (!vector) return text.load.nothingToEmbed;
    this.#dimensions ??= vector.length;
    if (vector.length !== this.#dimensions) return text.load.dimensions(vector.length, this.#dimensions);
    // One write takes an id once: the later line wins, as it would in the next write.
    if (this.#pending.delete(document.id)) this.#outcome.replaced();
    this.#pending.set(document.id, { line: number, input: { ...document, vector } });
    return null;
  }

  async flush(): Promise<void> {
    const chunk = [...this.#pending.values()];
    this.#pending.clear();
    if (chunk.length === 0) return;
    this.#collection ??= await this.#prepare();
    await this.#store(this.#collection, chunk);
  }

  #checkKind(number: number, document: LineDocument): void {
    const { name, embedder, dimensions } = this.#options.collection;
    const has = document.vector !== undefined;
    if (this.#withVectors !== null && this.#withVectors !== has) throw new Refused(text.load.mixed(number, has));
    this.#withVectors = has;
    if (dimensions === null) return;
    if (has && embedder !== null) throw new Refused(text.load.foreignVectors(number, name));
    if (!has && embedder === null) throw new Refused(text.load.noEmbedder(number, name, dimensions));
  }

  async #prepare(): Promise<Collection<Record<string, unknown>>> {
    const { collection: known } = this.#options;
    const embedder = this.#withVectors ? null : EMBEDDER;
    const dimensions = this.#dimensions ?? DIMENSIONS;
    await remember(this.#memory, { kind: "collection", name: known.name, embedder, dimensions });
    return this.#memory.collection(known.name, { dimensions });
  }

  /** Stores a chunk; where the memory refuses it, halves it until the line that it refuses is alone. */
  async #store(collection: Collection<Record<string, unknown>>, chunk: Pending[]): Promise<void> {
    try {
      await collection.add(chunk.map(({ input }) => input), { signal: this.#options.signal });
      this.#outcome.stored(chunk.length);
    } catch (error) {
      if (codeOf(error) !== "ERR_INVALID") throw error;
      const [first] = chunk;
      if (first && chunk.length === 1) {
        this.#outcome.bad(first.line, (error as Error).message);
        return;
      }
      const middle = chunk.length >> 1;
      await this.#store(collection, chunk.slice(0, middle));
      await this.#store(collection, chunk.slice(middle));
    }
  }
}
