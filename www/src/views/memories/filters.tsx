/** The three filters of a list: id prefix, contained text, fields. */
import { useId } from "preact/hooks";
import { text } from "../../text.js";

export interface FilterTexts { prefix: string; contains: string; fields: string }
export const NO_FILTERS: FilterTexts = { prefix: "", contains: "", fields: "" };

interface Props {
  filters: FilterTexts;
  wrong: string | null;
  /** Whether they are shown where there is little room; with room they always are. */
  open: boolean;
  id: string;
  onChange: (filters: FilterTexts) => void;
}

export function Filters({ filters, wrong, open, id, onChange }: Props) {
  const hint = useId();
  const set = filters.prefix !== "" || filters.contains !== "" || filters.fields !== "";
  const input = (name: keyof FilterTexts, label: string, placeholder: string) => (
    <label class={`filter is-${name}`}>
      <span class="filter-label">{label}</span>
      <input
        class="input"
        type="text"
        autocomplete="off"
        spellcheck={false}
        placeholder={placeholder}
        data-testid={`filter-${name}`}
        value={filters[name]}
        aria-invalid={name === "fields" && wrong !== null}
        aria-describedby={name === "fields" ? hint : undefined}
        onInput={(event) => onChange({ ...filters, [name]: event.currentTarget.value })}
      />
    </label>
  );
  return (
    <div id={id} class={open ? "filters is-open" : "filters"} role="group" aria-label={text.filters.label}>
      {input("prefix", text.filters.prefix, "")}
      {input("contains", text.filters.contains, "")}
      {input("fields", text.filters.fields, text.filters.fieldsPlaceholder)}
      <p id={hint} class={wrong ? "hint is-wrong" : "hint filter-hint"} role={wrong ? "alert" : undefined} data-testid="filter-hint">
        {wrong ?? text.filters.hint}
        {set && <button type="button" class="link-button" data-testid="filter-clear" onClick={() => onChange(NO_FILTERS)}>{text.filters.clear}</button>}
      </p>
    </div>
  );
}
