/**
 * A list that draws only the rows in sight, all of one height.
 *
 * Invariants: at most the rows of the viewport and {@link OVERSCAN} on each side are in the document; one row is
 * in the tab order at a time, and it stays in the document while it has the focus.
 */
import type { ComponentChildren } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";

const OVERSCAN = 8;

interface Props {
  label: string;
  /** How to use it by keyboard, for screen readers. */
  hint: string;
  count: number;
  rowHeight: number;
  /** Starts again at the top when it changes. */
  resetKey: unknown;
  /** Called when fewer than a screenful of rows is left below. */
  onNearEnd: () => void;
  /** The cells of a row. */
  row: (at: number, active: boolean) => ComponentChildren;
  rowProps: (at: number) => { id: string; selected: boolean; current: boolean };
  onKey: (event: KeyboardEvent, at: number) => void;
}

export function VirtualList({ label, hint, count, rowHeight, resetKey, onNearEnd, row, rowProps, onKey }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const [view, setView] = useState({ top: 0, height: 600 });
  const [active, setActive] = useState(0);
  const focusNext = useRef(false);

  useLayoutEffect(() => {
    const element = box.current;
    if (!element) return;
    const measure = () => setView({ top: element.scrollTop, height: element.clientHeight });
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    element.addEventListener("scroll", measure, { passive: true });
    return () => {
      observer.disconnect();
      element.removeEventListener("scroll", measure);
    };
  }, []);
  useLayoutEffect(() => {
    if (box.current) box.current.scrollTop = 0;
    setActive(0);
  }, [resetKey]);
  useEffect(() => {
    if (view.top + view.height * 2 >= count * rowHeight) onNearEnd();
  }, [view, count, rowHeight, resetKey]);

  const at = Math.min(active, Math.max(0, count - 1));
  // Keys can come faster than rows are drawn: they move from here, not from what was drawn last.
  const reached = useRef(at);
  reached.current = at;
  useEffect(() => {
    const row = focusNext.current && box.current?.querySelector<HTMLElement>(`[aria-rowindex="${reached.current + 1}"]`);
    if (!row) return;
    focusNext.current = false;
    row.focus();
  });

  const move = (to: number) => {
    const next = Math.max(0, Math.min(count - 1, to));
    const element = box.current;
    if (!element) return;
    const top = next * rowHeight;
    if (top < element.scrollTop) element.scrollTop = top;
    else if (top + rowHeight > element.scrollTop + element.clientHeight) element.scrollTop = top + rowHeight - element.clientHeight;
    focusNext.current = true;
    reached.current = next;
    setActive(next);
    setView({ top: element.scrollTop, height: element.clientHeight });
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const from = reached.current;
    const page = Math.max(1, Math.floor(view.height / rowHeight) - 1);
    const steps: Record<string, number> = {
      ArrowDown: from + 1, ArrowUp: from - 1, PageDown: from + page, PageUp: from - page, Home: 0, End: count - 1,
    };
    const to = steps[event.key];
    const onRow = (event.target as HTMLElement).role === "row";
    if (to !== undefined && count > 0) {
      event.preventDefault();
      move(to);
    } else if (onRow && count > 0) onKey(event, from);
  };

  const first = Math.max(0, Math.floor(view.top / rowHeight) - OVERSCAN);
  const last = Math.min(count, Math.ceil((view.top + view.height) / rowHeight) + OVERSCAN);
  const shown = Array.from({ length: Math.max(0, last - first) }, (_, step) => first + step);
  // The active row keeps the focus even when it is scrolled out of sight.
  if (count > 0 && !shown.includes(at)) shown.push(at);

  return (
    <div class="list" ref={box} role="grid" aria-label={label} aria-description={hint} aria-rowcount={count} data-testid="rows" onKeyDown={onKeyDown}>
      <div class="list-inner" role="rowgroup" style={{ height: `${count * rowHeight}px` }}>
        {shown.map((index) => {
          const { id, selected, current } = rowProps(index);
          return (
            <div
              key={id}
              class={`row${selected ? " is-selected" : ""}${current ? " is-current" : ""}`}
              role="row"
              aria-rowindex={index + 1}
              aria-selected={selected}
              tabIndex={index === at ? 0 : -1}
              data-testid="row"
              data-row-id={id}
              style={{ transform: `translateY(${index * rowHeight}px)`, height: `${rowHeight}px` }}
              onFocusIn={() => setActive(index)}
            >
              {row(index, index === at)}
            </div>
          );
        })}
      </div>
    </div>
  );
}
