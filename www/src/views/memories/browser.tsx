/** One source: its search, its filters, its rows or results, and the record that is open. */
import { useEffect, useId, useMemo, useRef, useState } from "preact/hooks";
import type { Memory } from "mnemora";
import { FilterError, readFilter, type Test } from "../../data/filter.js";
import { searchSimilar, searchText, type Found } from "../../data/search.js";
import type { Query, Source } from "../../data/source.js";
import { TroubleBox } from "../../parts/trouble.js";
import { describe, isAbort, type Trouble } from "../../state/errors.js";
import { onChange } from "../../state/feed.js";
import { keyOf } from "../../state/registry.js";
import { go } from "../../state/route.js";
import { RowFeed } from "../../state/rows.js";
import { text } from "../../text.js";
import { Filters, NO_FILTERS, type FilterTexts } from "./filters.js";
import { Panel } from "./panel.js";
import { Results } from "./results.js";
import { Rows } from "./rows.js";
import { SearchBox } from "./search-box.js";

/** How long typing must rest before the list is read anew. */
const REST_MS = 200;

type Search = { kind: "text"; query: string } | { kind: "similar"; id: string };

export function Browser({ memory, source, openId }: { memory: Memory; source: Source; openId: string | null }) {
  const [open, setOpen] = useState(false);
  const filtersId = useId();
  const [filters, setFilters] = useState<FilterTexts>(NO_FILTERS);
  const [search, setSearch] = useState<Search | null>(null);
  const [found, setFound] = useState<Found | null>(null);
  const [trouble, setTrouble] = useState<Trouble | null>(null);
  const { query, wrong } = useQuery(filters);
  const feed = useFeed(source, query);
  const openRecord = (id: string | undefined) => go("memories", { source: keyOf(source.known), id });

  useEffect(() => {
    setFound(null);
    setTrouble(null);
    if (!search) return;
    const abort = new AbortController();
    const { tests } = query;
    const run = search.kind === "text"
      ? searchText(memory, source.known, search.query, tests, abort.signal)
      : searchSimilar(memory, source.known, search.id, tests, abort.signal);
    run.then(
      (result) => {
        if (!abort.signal.aborted) setFound(result);
      },
      (error: unknown) => {
        if (!isAbort(error) && !abort.signal.aborted) setTrouble(describe(error));
      },
    );
    return () => abort.abort();
  }, [memory, source, search, query]);

  return (
    <div class={openId === null ? "browser" : "browser has-panel"}>
      <div class="browser-main">
        <SearchBox
          source={source}
          onSearch={(words) => setSearch(words.trim() === "" ? null : { kind: "text", query: words })}
        >
          <button
            type="button"
            class="button filter-toggle"
            aria-expanded={open}
            aria-controls={filtersId}
            data-testid="filter-toggle"
            onClick={() => setOpen(!open)}
          >
            {text.filters.toggle}
          </button>
        </SearchBox>
        <Filters id={filtersId} filters={filters} wrong={wrong} open={open} onChange={setFilters} />
        {search ? (
          <Results
            found={found}
            trouble={trouble}
            source={source}
            openId={openId}
            onOpen={openRecord}
            onSimilar={(id) => setSearch({ kind: "similar", id })}
            onClear={() => setSearch(null)}
          />
        ) : feed && (
          <>
            {feed.trouble.value && <TroubleBox trouble={feed.trouble.value} />}
            <Rows
              feed={feed}
              filtered={query.prefix !== "" || query.contains !== "" || query.tests.length > 0}
              openId={openId}
              onOpen={openRecord}
              onSimilar={source.known.kind === "collection" ? (id) => setSearch({ kind: "similar", id }) : null}
            />
          </>
        )}
      </div>
      {openId !== null && (
        <Panel
          key={openId}
          source={source}
          id={openId}
          onClose={() => openRecord(undefined)}
          onSimilar={source.known.kind === "collection" ? () => setSearch({ kind: "similar", id: openId }) : null}
        />
      )}
    </div>
  );
}

/** The query of the filters, once typing rests; what cannot be read leaves the last query standing. */
function useQuery(filters: FilterTexts): { query: Query; wrong: string | null } {
  const [rested, setRested] = useState(filters);
  useEffect(() => {
    const timer = setTimeout(() => setRested(filters), REST_MS);
    return () => clearTimeout(timer);
  }, [filters]);
  const { prefix, contains, fields } = rested;
  const last = useRef<readonly Test[]>([]);
  const read = useMemo((): { tests: readonly Test[]; wrong: string | null } => {
    try {
      last.current = readFilter(fields);
      return { tests: last.current, wrong: null };
    } catch (error) {
      if (!(error instanceof FilterError)) throw error;
      return { tests: last.current, wrong: text.filters.wrong(error.message) };
    }
  }, [fields]);
  const query = useMemo(() => ({ prefix, contains: contains.trim(), tests: read.tests }), [prefix, contains, read.tests]);
  return { query, wrong: read.wrong };
}

/** The rows of a query, followed as long as it is shown. */
function useFeed(source: Source, query: Query): RowFeed | null {
  const [feed, setFeed] = useState<RowFeed | null>(null);
  useEffect(() => {
    const next = new RowFeed(source, query);
    const stop = onChange((changed, { id }) => {
      if (keyOf(changed) === keyOf(source.known)) next.touch(id);
    });
    void next.more();
    setFeed(next);
    return () => {
      stop();
      next.dispose();
    };
  }, [source, query]);
  return feed;
}
