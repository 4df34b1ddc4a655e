/** The rows of a source, their selection, and deleting them. */
import { useEffect, useState } from "preact/hooks";
import { Chips } from "../../parts/chips.js";
import { Confirm } from "../../parts/dialog.js";
import { Empty } from "../../parts/empty.js";
import { Icon } from "../../parts/icons.js";
import { VirtualList } from "../../parts/virtual-list.js";
import { counts } from "../../state/feed.js";
import { keyOf, type Known } from "../../state/registry.js";
import type { RowFeed } from "../../state/rows.js";
import { text } from "../../text.js";
import { removeRecords } from "./remove.js";

const ROW_HEIGHT = 68;

interface Props {
  feed: RowFeed;
  filtered: boolean;
  openId: string | null;
  onOpen: (id: string) => void;
  onSimilar: ((id: string) => void) | null;
}

export function Rows({ feed, filtered, openId, onOpen, onSimilar }: Props) {
  const { known } = feed.source;
  const rows = feed.rows.value;
  const [picked, setPicked] = useState<ReadonlySet<string>>(new Set());
  const [asking, setAsking] = useState(false);
  useEffect(() => setPicked(new Set()), [feed]);
  // Rows that have gone meanwhile are no longer selected.
  const here = new Set(rows.map(({ id }) => id));
  const selected = [...picked].filter((id) => here.has(id));

  const toggle = (id: string) => {
    const next = new Set(picked);
    if (!next.delete(id)) next.add(id);
    setPicked(next);
  };
  const remove = (ids: readonly string[]) => {
    setAsking(false);
    setPicked(new Set());
    void removeRecords(feed.source, ids);
  };
  const onKey = (event: KeyboardEvent, at: number) => {
    const id = rows[at]?.id;
    if (id === undefined) return;
    if (event.key === "Enter") onOpen(id);
    else if (event.key === " ") toggle(id);
    else if (event.key === "Delete") remove([id]);
    else return;
    event.preventDefault();
  };

  const nothing = rows.length === 0 && feed.done.value && !feed.trouble.value;
  return (
    <section class="rows" data-testid="list" data-count-rows={rows.length} data-done={feed.done.value}>
      <div class="bulk">
        <span class="bulk-count" role="status" data-testid="list-status">
          {feed.loading.value && rows.length === 0 ? text.list.loading : statusText(feed, filtered)}
        </span>
        {feed.problems.value.length > 0 && <span class="is-wrong">{text.list.problems(feed.problems.value.length)}</span>}
        {rows.length > 0 && (
          <button
            type="button"
            class="link-button"
            data-testid="select-all"
            onClick={() => setPicked(selected.length > 0 ? new Set() : here)}
          >
            {selected.length > 0 ? text.list.selectNone : text.list.selectAll}
          </button>
        )}
        {selected.length > 0 && (
          <button type="button" class="button is-small is-danger" data-testid="delete-selected" onClick={() => setAsking(true)}>
            {text.list.removeSelected} ({text.number(selected.length)})
          </button>
        )}
      </div>
      {nothing && (filtered
        ? <Empty message={text.list.noMatch} testId="no-match" />
        : <Empty message={text.list.empty(known.name)} call={callOf(known)} testId="empty" />)}
      {!nothing && (
        <VirtualList
          label={text.list.label(known.name)}
          hint={text.list.keys}
          count={rows.length}
          rowHeight={ROW_HEIGHT}
          resetKey={feed}
          onNearEnd={() => void feed.more()}
          onKey={onKey}
          rowProps={(at) => {
            const id = rows[at]?.id ?? "";
            return { id, selected: picked.has(id), current: id === openId };
          }}
          row={(at, active) => {
            const row = rows[at];
            if (!row) return null;
            const { id, summary, chips, version, updated } = row;
            const tabIndex = active ? 0 : -1;
            return (
              <>
                <span role="gridcell" class="row-check">
                  <input type="checkbox" tabIndex={tabIndex} aria-label={text.list.select(id)} data-testid="row-select" checked={picked.has(id)} onChange={() => toggle(id)} />
                </span>
                <span role="gridcell" class="row-body" data-testid="row-open" onClick={() => onOpen(id)}>
                  <span class="row-text" dir="auto">{summary}</span>
                  <span class="row-meta"><bdi class="row-id">{id}</bdi> <Chips chips={chips} /></span>
                </span>
                <span role="gridcell" class="row-side">
                  <span class="row-version num">{text.list.version(version)}</span>
                  <time class="row-time" dateTime={isoOf(updated)}>{text.moment(updated)}</time>
                </span>
                <span role="gridcell" class="row-actions">
                  {onSimilar && (
                    <button type="button" class="icon-button" tabIndex={tabIndex} aria-label={text.search.similarTo(id)} title={text.search.similarAction} data-testid="row-similar" onClick={() => onSimilar(id)}>
                      <Icon name="similar" />
                    </button>
                  )}
                  <button type="button" class="icon-button" tabIndex={tabIndex} aria-label={`${text.list.remove} ${id}`} title={text.list.remove} data-testid="row-delete" onClick={() => remove([id])}>
                    <Icon name="trash" />
                  </button>
                </span>
              </>
            );
          }}
        />
      )}
      {asking && (
        <Confirm
          title={text.remove.title}
          body={text.remove.body(selected.length, known.name)}
          confirm={text.remove.confirm(selected.length)}
          testId="delete-dialog"
          onConfirm={() => remove(selected)}
          onClose={() => setAsking(false)}
        />
      )}
    </section>
  );
}

function statusText(feed: RowFeed, filtered: boolean): string {
  const shown = feed.rows.value.length;
  if (filtered) return text.list.matching(shown, feed.scanned.value, feed.done.value);
  return text.list.shown(shown, counts.value.get(keyOf(feed.source.known)), feed.done.value);
}

function callOf({ kind, name }: Known): string {
  return kind === "agents" ? text.calls.agents : text.calls[kind](name);
}

function isoOf(date: Date): string | undefined {
  return Number.isNaN(date.getTime()) ? undefined : date.toISOString();
}
