/** Editing the content of a record as JSON with tags for what JSON has not. */
import { useRef, useState } from "preact/hooks";
import { ChangedMeanwhile, type Full, type Source } from "../../data/source.js";
import { parse, stringify } from "../../data/tagged.js";
import { TroubleBox } from "../../parts/trouble.js";
import { describe, notify, type Trouble } from "../../state/errors.js";
import { text } from "../../text.js";

interface Props { source: Source; full: Full; onDone: () => Promise<void>; onCancel: () => void }

export function Editor({ source, full, onDone, onCancel }: Props) {
  const [draft, setDraft] = useState(() => stringify(full.editable));
  const [trouble, setTrouble] = useState<Trouble | null>(null);
  const [conflict, setConflict] = useState(false);
  const [saving, setSaving] = useState(false);
  const box = useRef<HTMLTextAreaElement>(null);

  const save = async (force: boolean) => {
    setSaving(true);
    setTrouble(null);
    try {
      await source.edit(full, parse(draft), { force });
      notify({ kind: "info", title: text.edit.saved(full.id) });
      await onDone();
    } catch (error) {
      setSaving(false);
      if (error instanceof ChangedMeanwhile) setConflict(true);
      else setTrouble(describe(error));
      box.current?.focus();
    }
  };

  const isCollection = source.known.kind === "collection";
  return (
    <form
      class="form editor"
      data-testid="editor"
      onSubmit={(event) => {
        event.preventDefault();
        void save(false);
      }}
      onKeyDown={(event) => {
        if (event.key === "Escape") {
          event.stopPropagation();
          onCancel();
        }
      }}
    >
      <label class="field is-grow">
        <span>{text.edit.label}</span>
        <textarea
          ref={box}
          class="input code-input"
          spellcheck={false}
          rows={16}
          data-testid="edit-input"
          value={draft}
          aria-invalid={trouble !== null}
          onInput={(event) => setDraft(event.currentTarget.value)}
        />
      </label>
      <p class="hint">{text.edit.hint}{isCollection && ` ${source.known.embedder === null ? text.edit.keepVector : text.edit.reEmbed}`}</p>
      {trouble && <TroubleBox trouble={trouble} />}
      {conflict && (
        <div class="trouble" role="alert" data-testid="edit-conflict">
          <p>{text.edit.conflict}</p>
          <div class="trouble-actions">
            <button type="button" class="button is-danger" disabled={saving} onClick={() => void save(true)}>{text.edit.overwrite}</button>
            <button type="button" class="button" disabled={saving} onClick={() => void onDone()}>{text.edit.discard}</button>
          </div>
        </div>
      )}
      <div class="form-actions">
        <button type="submit" class="button is-primary" data-testid="edit-save" disabled={saving}>{saving ? text.edit.saving : text.edit.save}</button>
        <button type="button" class="button" data-testid="edit-cancel" disabled={saving} onClick={onCancel}>{text.app.cancel}</button>
      </div>
    </form>
  );
}
