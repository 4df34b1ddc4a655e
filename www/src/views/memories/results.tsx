/** What a search has found, best first, and in which way. */
import { RESULTS, type Found } from "../../data/search.js";
import type { Source } from "../../data/source.js";
import { Chips } from "../../parts/chips.js";
import { TroubleBox } from "../../parts/trouble.js";
import type { Trouble } from "../../state/errors.js";
import { text } from "../../text.js";

interface Props {
  found: Found | null;
  trouble: Trouble | null;
  source: Source;
  openId: string | null;
  onOpen: (id: string) => void;
  onSimilar: (id: string) => void;
  onClear: () => void;
}

export function Results({ found, trouble, source, openId, onOpen, onSimilar, onClear }: Props) {
  return (
    <section class="results" aria-label={text.search.label} aria-busy={!found && !trouble} data-testid="results" data-how={found?.how} data-count={found?.hits.length}>
      <p class="results-head" role="status">
        {found && <strong>{text.search.results(found.hits.length)}</strong>}
        {!found && !trouble && text.list.loading}
        <button type="button" class="link-button" data-testid="search-clear" onClick={onClear}>{text.search.clear}</button>
      </p>
      {found && <p class="hint" data-testid="search-how">{howText(found)} {found.hits.length === RESULTS && text.search.limited(RESULTS)}</p>}
      {trouble && <TroubleBox trouble={trouble} />}
      {found?.hits.length === 0 && <p class="empty">{text.search.nothing}</p>}
      <ol class="hits">
        {found?.hits.map(({ id, summary, chips, score }) => (
          <li key={id} class={id === openId ? "hit is-current" : "hit"} data-testid="result" data-row-id={id} data-score={score ?? undefined}>
            <button type="button" class="hit-open" onClick={() => onOpen(id)}>
              <span class="hit-text" dir="auto">{summary}</span>
              <span class="hit-meta"><bdi class="row-id">{id}</bdi> <Chips chips={chips} /></span>
            </button>
            <span class="hit-side">
              {score !== null && (
                <span class="score">
                  <meter min={0} max={1} value={Math.max(0, Math.min(1, score))} aria-label={text.search.score} />
                  <span class="num">{score.toFixed(3)}</span>
                </span>
              )}
              {source.known.kind === "collection" && (
                <button type="button" class="button is-small" aria-label={text.search.similarTo(id)} data-testid="similar" onClick={() => onSimilar(id)}>
                  {text.search.similarAction}
                </button>
              )}
            </span>
          </li>
        ))}
      </ol>
    </section>
  );
}

function howText({ how, like }: Found): string {
  return how === "similar" ? text.search.similar(like ?? "") : text.search[how];
}
