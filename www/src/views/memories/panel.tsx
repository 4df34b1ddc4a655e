/**
 * One record in full, beside the list.
 *
 * Invariant: what is shown is what was read at one time; a change of the record is told, never slipped in under
 * the reader or the editor.
 */
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { Full, Source } from "../../data/source.js";
import { Icon } from "../../parts/icons.js";
import { Tree } from "../../parts/tree.js";
import { TroubleBox } from "../../parts/trouble.js";
import { describe, type Trouble } from "../../state/errors.js";
import { onChange } from "../../state/feed.js";
import { keyOf } from "../../state/registry.js";
import { text } from "../../text.js";
import { Editor } from "./editor.js";
import { removeRecords } from "./remove.js";

interface Props { source: Source; id: string; onClose: () => void; onSimilar: (() => void) | null }

export function Panel({ source, id, onClose, onSimilar }: Props) {
  const [full, setFull] = useState<Full | null>(null);
  const [state, setState] = useState<"loading" | "shown" | "gone">("loading");
  const [trouble, setTrouble] = useState<Trouble | null>(null);
  const [changed, setChanged] = useState(false);
  const [editing, setEditing] = useState(false);
  const panel = useRef<HTMLElement>(null);

  const read = async () => {
    try {
      const now = await source.open(id);
      setFull(now);
      setState(now ? "shown" : "gone");
      setTrouble(null);
      setChanged(false);
    } catch (error) {
      setTrouble(describe(error));
    }
  };
  useEffect(() => {
    void read();
  }, [source, id]);
  useLayoutEffect(() => {
    // Wherever the focus is, unless Escape already means something there.
    const onKey = (event: KeyboardEvent) => {
      const inField = event.target instanceof Element && event.target.closest("input, select, textarea, dialog") !== null;
      if (event.key === "Escape" && !editing && !inField) onClose();
    };
    document.addEventListener("keydown", onKey);
    return () => document.removeEventListener("keydown", onKey);
  }, [editing, onClose]);
  useLayoutEffect(() => {
    const before = document.activeElement;
    panel.current?.focus({ preventScroll: true });
    return () => {
      if (before instanceof HTMLElement && before.isConnected) before.focus({ preventScroll: true });
    };
  }, []);
  // What was changed by this panel itself is read anew at once, and then the version is the one shown.
  useEffect(
    () => onChange((where, change) => {
      if (keyOf(where) !== keyOf(source.known) || change.id !== id) return;
      if (full ? change.version > full.version : change.kind === "save") setChanged(true);
    }),
    [source, id, full],
  );

  return (
    <aside
      class="panel"
      ref={panel}
      tabIndex={-1}
      aria-label={`${text.panel.label} ${id}`}
      data-testid="panel"
      data-row-id={id}
    >
      <header class="panel-head">
        <h2><bdi>{id}</bdi></h2>
        <button type="button" class="icon-button" aria-label={text.app.close} data-testid="panel-close" onClick={onClose}><Icon name="close" /></button>
      </header>
      {trouble && <TroubleBox trouble={trouble} />}
      {state === "loading" && !trouble && <p class="hint">{text.panel.loading}</p>}
      {state === "gone" && <p class="empty" data-testid="panel-gone">{text.panel.gone}</p>}
      {changed && !editing && (
        <p class="changed" role="status" data-testid="panel-changed">
          {text.panel.changed} <button type="button" class="link-button" onClick={() => void read()}>{text.panel.reload}</button>
        </p>
      )}
      {full && state === "shown" && (editing ? (
        <Editor
          source={source}
          full={full}
          onDone={async () => {
            setEditing(false);
            await read();
          }}
          onCancel={() => setEditing(false)}
        />
      ) : (
        <Shown
          source={source}
          full={full}
          onEdit={() => setEditing(true)}
          onSimilar={onSimilar}
          onRemove={async () => {
            if (await removeRecords(source, [id])) onClose();
          }}
        />
      ))}
    </aside>
  );
}

interface ShownProps {
  source: Source;
  full: Full;
  onEdit: () => void;
  onSimilar: (() => void) | null;
  onRemove: () => Promise<void>;
}

function Shown({ source, full, onEdit, onSimilar, onRemove }: ShownProps) {
  const { version, created, updated, expires, vector, editable } = full;
  return (
    <>
      <div class="panel-actions">
        <button type="button" class="button is-primary" data-testid="edit" onClick={onEdit}>{text.panel.edit}</button>
        {onSimilar && <button type="button" class="button" data-testid="panel-similar" onClick={onSimilar}>{text.search.similarAction}</button>}
        <button type="button" class="button is-danger" data-testid="panel-delete" onClick={() => void onRemove()}>{text.panel.remove}</button>
      </div>
      <dl class="facts">
        <div><dt>{text.panel.source}</dt><dd><bdi>{source.known.name}</bdi></dd></div>
        <div><dt>{text.panel.version}</dt><dd class="num" data-testid="panel-version">{text.number(version)}</dd></div>
        <div><dt>{text.panel.created}</dt><dd>{text.moment(created)}</dd></div>
        <div><dt>{text.panel.updated}</dt><dd>{text.moment(updated)}</dd></div>
        {expires && <div><dt>{text.panel.expires}</dt><dd>{text.moment(expires)}</dd></div>}
      </dl>
      <h3>{text.panel.content}</h3>
      <Tree value={editable} />
      {vector && (
        <details class="vector">
          <summary>{text.panel.vector} <span class="tree-size">{text.tree.items(vector.length)}</span></summary>
          <Tree value={vector} />
        </details>
      )}
    </>
  );
}
