/**
 * The notices in the corner: what was done, with its undo, and what went wrong, with its code.
 *
 * Invariant: an error stays until it is dismissed; a notice that is looked at (hover, focus) does not go away.
 */
import { useEffect, useRef, useState } from "preact/hooks";
import { attempt, dismiss, notices, type Notice } from "../state/errors.js";
import { text } from "../text.js";
import { Icon } from "./icons.js";

const STAYS_MS = 20_000;

export function Notices() {
  return (
    <section class="notices" aria-label={text.app.notices} aria-live="polite" data-testid="notices">
      {notices.value.map((notice) => <Line key={notice.id} notice={notice} />)}
    </section>
  );
}

function Line({ notice }: { notice: Notice }) {
  const { id, kind, title, detail, code, action } = notice;
  const [held, setHeld] = useState(false);
  const line = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (kind === "error" || held) return;
    const timer = setTimeout(() => dismiss(id), STAYS_MS);
    return () => clearTimeout(timer);
  }, [id, kind, held]);
  return (
    <div
      ref={line}
      class={`notice is-${kind}`}
      role={kind === "error" ? "alert" : "status"}
      data-testid={`notice-${kind}`}
      onMouseEnter={() => setHeld(true)}
      onMouseLeave={() => setHeld(false)}
      onFocusIn={() => setHeld(true)}
      onFocusOut={() => setHeld(false)}
    >
      <div class="notice-text">
        <strong>{title}</strong>
        {detail && <span class="notice-detail">{detail}</span>}
        {code && <code class="code">{code}</code>}
      </div>
      {action && (
        <button
          type="button"
          class="button is-small"
          data-testid="notice-action"
          onClick={() => {
            dismiss(id);
            void attempt(action.run);
          }}
        >
          {action.label}
        </button>
      )}
      <button type="button" class="icon-button" aria-label={text.app.dismiss} onClick={() => dismiss(id)}>
        <Icon name="close" />
      </button>
    </div>
  );
}
