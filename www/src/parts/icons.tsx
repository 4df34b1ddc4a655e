/** The few line drawings of the page, in the colour of the text around them. */
const PATHS = {
  close: "M5 5l10 10M15 5L5 15",
  memories: "M4 5h12M4 10h12M4 15h8",
  load: "M10 3v9m0 0l-4-4m4 4l4-4M4 16h12",
  live: "M2 10h4l2-6 4 12 2-6h4",
  trash: "M4 6h12M8 6V4h4v2m-6 0l1 10h6l1-10",
  search: "M9 14a5 5 0 1 0 0-10 5 5 0 0 0 0 10zm4-1l4 4",
  similar: "M7.5 12.5a4.5 4.5 0 1 0 0-9 4.5 4.5 0 0 0 0 9zM12.5 16.5a4.5 4.5 0 1 0 0-9 4.5 4.5 0 0 0 0 9z",
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name }: { name: IconName }) {
  return (
    <svg class="icon" viewBox="0 0 20 20" aria-hidden="true" focusable="false">
      <path d={PATHS[name]} />
    </svg>
  );
}
