/** Naming a store or collection that the page does not know yet. */
import { useState } from "preact/hooks";
import type { Memory } from "mnemora";
import { Dialog } from "../../parts/dialog.js";
import { attempt } from "../../state/errors.js";
import { keyOf, known, REGISTRY, remember } from "../../state/registry.js";
import { go } from "../../state/route.js";
import { text } from "../../text.js";

/** What is wrong with a name of a store or collection, or `null`. */
export function nameProblem(name: string): string | null {
  const given = name.trim();
  // oxlint-disable-next-line no-control-regex -- control characters are what it looks for
  return given.length < 1 || given.length > 100 || /[\u0000-\u001f\u007f]/.test(given) ? text.sources.nameRule : null;
}

export function AddSource({ memory, onClose }: { memory: Memory; onClose: () => void }) {
  const [kind, setKind] = useState<"store" | "collection">("store");
  const [name, setName] = useState("");
  const [tried, setTried] = useState(false);
  const wrong = nameProblem(name);
  const add = async () => {
    const item = { kind, name: name.trim(), embedder: null, dimensions: null as number | null };
    if (kind === "store" && item.name === "agents") return go("memories", { source: "agents/agents" });
    if (!known.value.some((other) => keyOf(other) === keyOf(item)) && item.name !== REGISTRY) {
      if (kind === "collection") {
        let found = false;
        for await (const { vector } of memory.collection(item.name).list({ limit: 1 })) {
          found = true;
          item.dimensions = vector?.length ?? null;
        }
        if (!found) throw new Error(text.sources.notCollection);
      }
      await remember(memory, item);
    }
    go("memories", { source: keyOf(item) });
  };
  return (
    <Dialog title={text.sources.otherTitle} testId="add-source" onClose={onClose}>
      <form
        class="form"
        onSubmit={async (event) => {
          event.preventDefault();
          setTried(true);
          if (!wrong && (await attempt(add))) onClose();
        }}
      >
        <p class="hint">{text.sources.otherHint}</p>
        <fieldset class="field">
          <legend>{text.sources.kind}</legend>
          {(["store", "collection"] as const).map((choice) => (
            <label class="choice" key={choice}>
              <input type="radio" name="kind" data-testid={`add-source-${choice}`} checked={kind === choice} onChange={() => setKind(choice)} /> {text.sources.kinds[choice]}
            </label>
          ))}
        </fieldset>
        <label class="field">
          <span>{text.sources.name}</span>
          <input class="input" data-testid="add-source-name" value={name} onInput={(event) => setName(event.currentTarget.value)} aria-invalid={tried && wrong !== null} />
          {tried && wrong && <span class="hint is-wrong">{wrong}</span>}
        </label>
        <div class="dialog-actions">
          <button type="button" class="button" onClick={onClose}>{text.app.cancel}</button>
          <button type="submit" class="button is-primary" data-testid="add-source-confirm">{text.sources.add}</button>
        </div>
      </form>
    </Dialog>
  );
}
