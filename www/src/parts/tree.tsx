/**
 * A value in full, as a tree that opens and closes, with the types that JSON has not: dates, maps, sets, bytes.
 *
 * Invariant: everything stored is drawn as a text node.
 */
import { useState } from "preact/hooks";
import { isPlain } from "../data/source.js";
import { text } from "../text.js";

/** How many children are drawn before asking. */
const CHILDREN = 100;
/** Levels that are open at first. */
const OPEN = 2;

type Child = readonly [label: unknown, value: unknown];

export function Tree({ value }: { value: unknown }) {
  return <div class="tree" data-testid="tree"><Node label={null} value={value} depth={0} /></div>;
}

function Node({ label, value, depth }: { label: unknown; value: unknown; depth: number }) {
  const branch = branchOf(value);
  const [open, setOpen] = useState(depth < OPEN);
  if (!branch) {
    return <div class="leaf">{label !== null && <Label label={label} />}<Leaf value={value} /></div>;
  }
  return (
    <details open={open} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>
        {label !== null && <Label label={label} />}
        <span class="tree-type">{branch.type} <span class="tree-size">{branch.size}</span></span>
      </summary>
      {open && <Children children={branch.children} depth={depth + 1} />}
    </details>
  );
}

function Children({ children, depth }: { children: (from: number, to: number) => Child[]; depth: number }) {
  const [shown, setShown] = useState(CHILDREN);
  const some = children(0, shown + 1);
  return (
    <div class="tree-children">
      {some.slice(0, shown).map(([label, value], at) => <Node key={at} label={label} value={value} depth={depth} />)}
      {some.length > shown && (
        <button type="button" class="button is-small" onClick={() => setShown(shown + CHILDREN * 10)}>{text.tree.more(CHILDREN * 10)}</button>
      )}
    </div>
  );
}

function Label({ label }: { label: unknown }) {
  return <span class="tree-label"><bdi>{typeof label === "string" || typeof label === "number" ? String(label) : inline(label)}</bdi>:</span>;
}

function Leaf({ value }: { value: unknown }) {
  if (typeof value === "string") return <span class="tree-string" dir="auto">{value === "" ? '""' : value}</span>;
  return <span class={`tree-value is-${value instanceof Date ? "date" : typeof value}`}>{inline(value)}</span>;
}

/** A value without children, in one line. */
function inline(value: unknown): string {
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? "Date(invalid)" : `Date ${value.toISOString()}`;
  if (typeof value === "bigint") return `${value}n`;
  if (Object.is(value, -0)) return "-0";
  if (typeof value === "string") return JSON.stringify(value);
  const branch = branchOf(value);
  return branch ? `${branch.type} (${branch.size})` : String(value);
}

interface Branch { type: string; size: string; children: (from: number, to: number) => Child[] }

function branchOf(value: unknown): Branch | null {
  if (Array.isArray(value)) return listBranch("Array", value);
  if (value instanceof Map) {
    const all = [...value];
    return { type: "Map", size: text.tree.entries(all.length), children: (from, to) => all.slice(from, to) };
  }
  if (value instanceof Set) return listBranch("Set", [...value]);
  if (value instanceof ArrayBuffer) return bytesBranch("ArrayBuffer", new Uint8Array(value));
  if (value instanceof DataView) return bytesBranch("DataView", new Uint8Array(value.buffer, value.byteOffset, value.byteLength));
  if (ArrayBuffer.isView(value)) {
    return listBranch(Object.prototype.toString.call(value).slice(8, -1), value as unknown as ArrayLike<unknown>);
  }
  if (!isPlain(value)) return null;
  const fields = Object.entries(value);
  return { type: "Object", size: text.tree.fields(fields.length), children: (from, to) => fields.slice(from, to) };
}

function listBranch(type: string, list: ArrayLike<unknown>): Branch {
  return {
    type,
    size: text.tree.items(list.length),
    children: (from, to) => Array.from({ length: Math.max(0, Math.min(to, list.length) - from) }, (_, step) => [from + step, list[from + step]]),
  };
}

function bytesBranch(type: string, bytes: Uint8Array): Branch {
  return { ...listBranch(type, bytes), size: text.tree.bytes(bytes.byteLength) };
}
