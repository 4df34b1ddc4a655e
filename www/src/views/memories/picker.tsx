/** Choosing the store or collection to look at. */
import { useState } from "preact/hooks";
import type { Memory } from "mnemora";
import { counts } from "../../state/feed.js";
import { keyOf, known } from "../../state/registry.js";
import { go } from "../../state/route.js";
import { text } from "../../text.js";
import { AddSource } from "./add-source.js";

const OTHER = "other";

export function Picker({ memory, current }: { memory: Memory; current: string }) {
  const [adding, setAdding] = useState(false);
  const groups = [
    [text.sources.collections, known.value.filter(({ kind }) => kind === "collection")],
    [text.sources.stores, known.value.filter(({ kind }) => kind !== "collection")],
  ] as const;
  return (
    <header class="view-head is-row">
      <h1>{text.views.memories}</h1>
      <label class="picker">
        <span class="visually-hidden">{text.sources.label}</span>
        <select
          class="input"
          data-testid="source"
          value={current}
          onChange={(event) => {
            const { value } = event.currentTarget;
            event.currentTarget.value = current;
            if (value === OTHER) setAdding(true);
            else go("memories", { source: value });
          }}
        >
          {groups.map(([label, items]) => (
            <optgroup key={label} label={label}>
              {items.map((item) => (
                <option key={keyOf(item)} value={keyOf(item)}>{text.sources.option(item.name, counts.value.get(keyOf(item)))}</option>
              ))}
            </optgroup>
          ))}
          <option value={OTHER}>{text.sources.other}</option>
        </select>
      </label>
      {adding && <AddSource memory={memory} onClose={() => setAdding(false)} />}
    </header>
  );
}
