/**
 * A modal dialog on the browser's own `<dialog>`: it keeps the focus inside, closes on Escape and gives the focus
 * back to where it was.
 */
import type { ComponentChildren } from "preact";
import { useId, useLayoutEffect, useRef } from "preact/hooks";
import { text } from "../text.js";
import { Icon } from "./icons.js";

interface Props {
  title: string;
  testId: string;
  wide?: boolean;
  onClose: () => void;
  children: ComponentChildren;
}

export function Dialog({ title, testId, wide = false, onClose, children }: Props) {
  const element = useRef<HTMLDialogElement>(null);
  const heading = useId();
  useLayoutEffect(() => {
    const before = document.activeElement;
    element.current?.showModal();
    return () => {
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, []);
  return (
    <dialog
      ref={element}
      class={wide ? "dialog is-wide" : "dialog"}
      aria-labelledby={heading}
      data-testid={testId}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onClose={onClose}
    >
      <div class="dialog-head">
        <h2 id={heading}>{title}</h2>
        <button type="button" class="icon-button" aria-label={text.app.close} data-testid="dialog-close" onClick={onClose}>
          <Icon name="close" />
        </button>
      </div>
      {children}
    </dialog>
  );
}

interface ConfirmProps {
  title: string;
  body: string;
  confirm: string;
  busy?: string;
  working?: boolean;
  testId: string;
  onConfirm: () => void;
  onClose: () => void;
}

/** Asks before something that takes away. */
export function Confirm({ title, body, confirm, busy, working = false, testId, onConfirm, onClose }: ConfirmProps) {
  return (
    <Dialog title={title} testId={testId} onClose={onClose}>
      <p>{body}</p>
      <div class="dialog-actions">
        <button type="button" class="button" onClick={onClose} disabled={working}>{text.app.cancel}</button>
        <button type="button" class="button is-danger" data-testid="confirm" onClick={onConfirm} disabled={working}>
          {working && busy ? busy : confirm}
        </button>
      </div>
    </Dialog>
  );
}
