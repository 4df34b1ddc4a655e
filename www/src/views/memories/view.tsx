/**
 * The memories: pick a source, filter or search it, open, edit and delete what is in it.
 *
 * Invariant: source, opened record and nothing else live in the address; filters, search and selection belong to
 * one source and start anew with the next.
 */
import { useMemo } from "preact/hooks";
import type { Memory } from "mnemora";
import { sourceOf } from "../../data/source.js";
import { keyOf, known } from "../../state/registry.js";
import { route } from "../../state/route.js";
import { Browser } from "./browser.js";
import { Picker } from "./picker.js";

export function MemoriesView({ memory }: { memory: Memory }) {
  const asked = route.value.query.get("source");
  const list = known.value;
  const item = list.find((other) => keyOf(other) === asked) ?? list[0];
  if (!item) return null;
  return (
    <div class="view is-fixed">
      <Picker memory={memory} current={keyOf(item)} />
      <Shown key={keyOf(item)} memory={memory} item={item} />
    </div>
  );
}

function Shown({ memory, item }: { memory: Memory; item: (typeof known.value)[number] }) {
  const { kind, name, embedder, dimensions } = item;
  const source = useMemo(() => sourceOf(memory, { kind, name, embedder, dimensions }), [memory, kind, name, embedder, dimensions]);
  return <Browser memory={memory} source={source} openId={route.value.query.get("id")} />;
}
