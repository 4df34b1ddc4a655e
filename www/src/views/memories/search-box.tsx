/** The search box of a source. */
import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import type { Source } from "../../data/source.js";
import { Icon } from "../../parts/icons.js";
import { text } from "../../text.js";

interface Props { source: Source; onSearch: (words: string) => void; children: ComponentChildren }

export function SearchBox({ source, onSearch, children }: Props) {
  const [words, setWords] = useState("");
  const byMeaning = source.known.embedder !== null;
  return (
    <form
      class="search"
      role="search"
      onSubmit={(event) => {
        event.preventDefault();
        onSearch(words);
      }}
    >
      <Icon name="search" />
      <input
        class="input"
        type="search"
        aria-label={text.search.label}
        placeholder={byMeaning ? text.search.placeholder : text.search.containsPlaceholder}
        data-testid="search"
        value={words}
        onInput={(event) => {
          setWords(event.currentTarget.value);
          if (event.currentTarget.value === "") onSearch("");
        }}
      />
      <button type="submit" class="button is-primary" data-testid="search-run">{text.search.run}</button>
      {children}
    </form>
  );
}
