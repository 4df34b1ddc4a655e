/** Loading a file of JSON lines into a collection. */
import { signal } from "@preact/signals";
import type { Memory } from "mnemora";
import { LISTED, loadFile, type Loading } from "../data/load.js";
import { TroubleBox } from "../parts/trouble.js";
import { attempt } from "../state/errors.js";
import { known, type Known } from "../state/registry.js";
import { link } from "../state/route.js";
import { text } from "../text.js";
import { nameProblem } from "./memories/add-source.js";

const file = signal<File | null>(null);
const target = signal("documents");
const onBad = signal<"stop" | "skip">("stop");
const progress = signal<Loading | null>(null);
const loadedInto = signal<{ name: string; count: number } | null>(null);
const over = signal(false);
let cancel = new AbortController();

async function run(memory: Memory, chosen: File): Promise<void> {
  const name = target.value.trim();
  cancel = new AbortController();
  loadedInto.value = null;
  let shownAt = 0;
  await attempt(async () => {
    progress.value = await loadFile(memory, chosen, {
      collection: await collectionNamed(memory, name),
      onBad: onBad.value,
      signal: cancel.signal,
      onProgress: (now) => {
        // Drawing every line would cost more than reading it.
        if (now.state === "reading" && performance.now() - shownAt < 50) return;
        shownAt = performance.now();
        progress.value = now;
      },
    });
    if (progress.value.stored > 0) loadedInto.value = { name, count: await memory.collection(name).count() };
  });
  if (progress.value?.state === "reading") progress.value = null;
}

/** What the page knows of a collection, with the size of its vectors read from a document where it has any. */
async function collectionNamed(memory: Memory, name: string): Promise<Known> {
  const found = known.value.find((item) => item.kind === "collection" && item.name === name);
  return found ?? { kind: "collection", name, ...(await probe(memory, name)) };
}

async function probe(memory: Memory, name: string): Promise<Pick<Known, "embedder" | "dimensions">> {
  try {
    for await (const { vector } of memory.collection(name).list({ limit: 1 })) return { embedder: null, dimensions: vector?.length ?? null };
  } catch (error) {
    // A collection that was never made has no dimensions to be listed with: that is the usual case here.
    if (!["ERR_INVALID", "ERR_NOT_FOUND"].includes((error as { code?: string }).code ?? "")) throw error;
  }
  return { embedder: null, dimensions: null };
}

export function LoadView({ memory }: { memory: Memory }) {
  const busy = progress.value?.state === "reading";
  const wrong = nameProblem(target.value);
  const choose = (files: FileList | null | undefined) => {
    if (busy || !files?.[0]) return;
    file.value = files[0];
    progress.value = null;
    loadedInto.value = null;
  };
  return (
    <div class="view is-narrow">
      <header class="view-head"><h1>{text.load.title}</h1><p class="lead">{text.load.intro}</p></header>
      <pre class="example"><code>{text.load.example}</code></pre>
      <form
        class="panel-box form"
        onSubmit={(event) => {
          event.preventDefault();
          if (file.value && !busy && !wrong) void run(memory, file.value);
        }}
      >
        <div
          class={`drop${over.value ? " is-over" : ""}`}
          data-testid="drop"
          onDragOver={(event) => {
            event.preventDefault();
            over.value = true;
          }}
          onDragLeave={() => {
            over.value = false;
          }}
          onDrop={(event) => {
            event.preventDefault();
            over.value = false;
            choose(event.dataTransfer?.files);
          }}
        >
          <span>{text.load.drop} {text.load.or}</span>
          <label class="button file-button">
            {text.load.choose}
            <input
              class="file-input"
              type="file"
              accept=".jsonl,.ndjson,.json-lines,.json,application/jsonl,application/x-ndjson"
              data-testid="load-input"
              disabled={busy}
              onChange={(event) => choose(event.currentTarget.files)}
            />
          </label>
          <span class="hint" data-testid="load-file"><bdi>{file.value ? text.load.file(file.value.name, file.value.size) : text.load.noFile}</bdi></span>
        </div>
        <div class="fields">
          <label class="field">
            <span>{text.load.collection}</span>
            <input
              class="input"
              data-testid="load-collection"
              value={target.value}
              disabled={busy}
              aria-invalid={wrong !== null}
              onInput={(event) => {
                target.value = event.currentTarget.value;
              }}
            />
            <span class={wrong ? "hint is-wrong" : "hint"}>{wrong ?? text.load.collectionHint}</span>
          </label>
          <fieldset class="field">
            <legend>{text.load.onBad}</legend>
            {(["stop", "skip"] as const).map((choice) => (
              <label class="choice" key={choice}>
                <input
                  type="radio"
                  name="on-bad"
                  data-testid={`on-bad-${choice}`}
                  checked={onBad.value === choice}
                  disabled={busy}
                  onChange={() => {
                    onBad.value = choice;
                  }}
                />
                {text.load[choice]}
              </label>
            ))}
          </fieldset>
        </div>
        <div class="form-actions">
          <button type="submit" class="button is-primary" data-testid="load-start" disabled={!file.value || busy || wrong !== null}>{text.load.start}</button>
          {busy && <button type="button" class="button" data-testid="load-cancel" onClick={() => cancel.abort()}>{text.load.cancel}</button>}
        </div>
      </form>
      {progress.value && <Progress now={progress.value} />}
    </div>
  );
}

function Progress({ now }: { now: Loading }) {
  const { state, bytes, size, stored, replaced, bad, listed, seconds, trouble } = now;
  const into = loadedInto.value;
  return (
    <section class="panel-box" data-testid="progress" data-state={state} data-count-stored={stored} data-count-bad={bad}>
      <progress class="progress" aria-label={text.load.progress} max={Math.max(1, size)} value={size === 0 ? 1 : bytes} />
      <p class="progress-line">
        <strong data-testid="stored">{text.load.stored(stored)}</strong>
        <span>{text.load.rate(seconds > 0 ? stored / seconds : 0)}</span>
        <span>{text.load.read(bytes, size)}</span>
        {bad > 0 && <span class="is-wrong" data-testid="bad-count">{text.load.bad(bad)}</span>}
      </p>
      {state !== "reading" && <p role="status" data-testid="load-result">{text.load[state]}</p>}
      {replaced > 0 && <p class="hint">{text.load.replaced(replaced)}</p>}
      {trouble && <TroubleBox trouble={trouble} />}
      {into && (
        <p class="hint">
          <span data-testid="collection-count" data-count={into.count}>{text.load.inCollection(into.name, into.count)}</span>{" "}
          <a href={link("memories", { source: `collection/${into.name}` })} data-testid="show-loaded">{text.load.show}</a>
        </p>
      )}
      {listed.length > 0 && (
        <>
          <ul class="bad-lines" data-testid="bad-lines">
            {listed.map(({ number, reason }) => (
              <li key={number} data-line={number}><strong>{text.load.line(number)}</strong> <bdi>{reason}</bdi></li>
            ))}
          </ul>
          {bad > LISTED && <p class="hint">{text.load.badListed(LISTED)}</p>}
        </>
      )}
    </section>
  );
}
