/**
 * Every text that the page shows, in English. Numbers and dates are formatted here too.
 */
const number = new Intl.NumberFormat("en-US");
const rate = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });
const day = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric", timeZone: "UTC" });
const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const moment = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "medium" });

const n = (value: number) => number.format(value);
const many = (count: number, one: string, more = `${one}s`) => `${n(count)} ${count === 1 ? one : more}`;
const valid = (date: Date, format: Intl.DateTimeFormat) => (Number.isNaN(date.getTime()) ? "invalid date" : format.format(date));

export const text = {
  number: n,
  date: (date: Date) => valid(date, day),
  time: (date: Date) => valid(date, clock),
  moment: (date: Date) => valid(date, moment),

  app: {
    name: "mnemora",
    subtitle: "Memory dashboard",
    skip: "Skip to content",
    nav: "Views",
    close: "Close",
    cancel: "Cancel",
    dismiss: "Dismiss",
    notices: "Notices",
  },
  views: { memories: "Memories", load: "Load data", live: "Live" },

  open: {
    opening: "Opening the memory...",
    failed: "The memory could not be opened",
    retry: "Try again",
    useDefault: "Open the default database",
    nameRule: "A name has 1 to 64 letters, digits, dots, dashes or underscores, and starts with a letter or digit. Change ?db= in the address.",
    notOpen: "The memory is not open.",
    state: { opening: "opening", ready: "open", failed: "not open" },
  },

  errors: {
    ERR_INVALID: "That is not valid",
    ERR_NOT_FOUND: "That does not exist",
    ERR_CONFLICT: "Somebody else changed this first",
    ERR_CLOSED: "The connection to the memory was closed. Reload the page to open it again",
    ERR_BLOCKED: "Another tab is holding this memory and does not let go. Close the other tabs of this page and try again",
    ERR_UNAVAILABLE: "The browser's storage cannot be used. In a private window, or with site data blocked, nothing can be stored",
    ERR_QUOTA: "The browser has no room left for this site. Nothing was lost; delete something and try again",
    ERR_CORRUPT: "A stored record is damaged",
    ERR_VERSION: "This memory was written by a newer version. Update the page to read it",
    ERR_CRYPTO: "This memory is encrypted and could not be opened with the given key",
    ERR_UNSUPPORTED: "This is not supported here",
    ERR_INTERNAL: "Something went wrong inside the engine",
    PAGE: "That did not work",
    name: "That is no name of a database",
  },

  status: {
    label: "Status",
    records: (count: number) => many(count, "record"),
    version: (version: number) => (version === 0 ? "no commit seen" : `commit ${n(version)}`),
    versionHint: "The highest commit number that this page has seen",
    durability: { volatile: "volatile", relaxed: "relaxed", strict: "strict" },
    durabilityHint: {
      volatile: "Nothing is kept after this page is closed",
      relaxed: "A saved record survives the kill of the tab, the browser or the process",
      strict: "A saved record also survives loss of power, as far as the disk obeys",
    },
    verify: "Verify",
    verifying: (done: number) => `Verifying... ${n(done)}`,
    verified: (checked: number) => `All is well: ${many(checked, "record")} read and checked.`,
    problems: (count: number, checked: number) => `${many(count, "problem")} in ${many(checked, "record")}.`,
    verifyTitle: "Verification",
    problemKey: "Record",
    problemKind: "Kind",
    problemMessage: "What is wrong",
  },

  sources: {
    label: "Source",
    collections: "Collections",
    stores: "Stores",
    other: "Another source...",
    otherTitle: "Show another store or collection",
    otherHint: "A memory does not list the stores in it. Type the name as the application that writes it does.",
    kind: "Kind",
    kinds: { store: "Store", collection: "Collection" },
    name: "Name",
    add: "Show",
    option: (name: string, count: number | undefined) => (count === undefined ? name : `${name} (${n(count)})`),
    notCollection: "There is no document in this collection yet, so its number of dimensions is not known. Load data into it first.",
    nameRule: "A name has 1 to 100 characters and no control characters.",
  },

  search: {
    label: "Search",
    placeholder: "Search by meaning, e.g. cut the slow intro",
    containsPlaceholder: "Search for a text",
    run: "Search",
    clear: "Clear search",
    results: (count: number) => many(count, "result"),
    hashing: "Ranked by similarity: the query was turned into a vector by the page's hashing embedder, as the texts of this collection were.",
    contains: "Found by their text: the vectors of this collection come from a model that is not here, so the query cannot be turned into one. Use \"Similar\" on a result to search by vector.",
    similar: (id: string) => `Ranked by similarity to the stored vector of "${id}".`,
    similarAction: "Similar",
    similarTo: (id: string) => `Find memories similar to ${id}`,
    nothing: "Nothing was found.",
    noWords: "There is nothing in the query to search for.",
    noVector: "This memory has no vector, so there is nothing to compare with.",
    score: "Similarity",
    limited: (count: number) => `The first ${n(count)} are shown.`,
  },

  filters: {
    label: "Filters",
    toggle: "Filters",
    prefix: "Id starts with",
    contains: "Text contains",
    fields: "Fields",
    fieldsPlaceholder: "kind = interview and importance >= 0.7",
    hint: "Conditions joined by \"and\": = != > >= < <=, in (a, b), exists, missing. Dates as 2026-01-31, nested fields as a.b.",
    clear: "Clear filters",
    wrong: (message: string) => `Cannot read the field filter: ${message}`,
  },

  list: {
    label: (name: string) => `Records of ${name}`,
    shown: (shown: number, total: number | undefined, done: boolean) =>
      done ? many(shown, "record") : `${n(shown)} loaded${total === undefined ? "" : ` of ${n(total)}`}, more as you scroll`,
    matching: (shown: number, scanned: number, done: boolean) =>
      `${n(shown)} matching${done ? "" : " so far"}, ${n(scanned)} read`,
    loading: "Reading...",
    noText: "(no text)",
    select: (id: string) => `Select ${id}`,
    selectAll: "Select all loaded",
    selectNone: "Select none",
    remove: "Delete",
    removeSelected: "Delete selected",
    empty: (name: string) => `Nothing is stored in "${name}" yet. This call fills it:`,
    noMatch: "No record matches the filters.",
    problems: (count: number) => `${many(count, "record")} could not be read`,
    version: (version: number) => `v${version}`,
    keys: "Arrow keys move, Enter opens, Space selects, Delete deletes.",
  },

  calls: {
    agents: 'await memory.agents.save("agent-123", { status: "working", lastUpdated: new Date() });',
    store: (name: string) => `await memory.store(${JSON.stringify(name)}).save("an-id", { any: "value" });`,
    collection: (name: string) =>
      `await memory.collection(${JSON.stringify(name)}, { dimensions: 384 })\n  .add({ id: "an-id", text: "...", vector, metadata: {} });`,
    watch: 'memory.agents.watch((change) => console.log(change.kind, change.id));',
  },

  panel: {
    label: "Record",
    loading: "Opening...",
    gone: "This record does not exist (any more).",
    changed: "This record has changed since it was opened.",
    reload: "Show the newest",
    version: "Version",
    created: "Created",
    updated: "Updated",
    expires: "Expires",
    source: "Source",
    edit: "Edit",
    remove: "Delete",
    vector: "Vector",
    content: "Content",
  },

  tree: {
    items: (count: number) => many(count, "item"),
    fields: (count: number) => many(count, "field"),
    entries: (count: number) => many(count, "entry", "entries"),
    bytes: (count: number) => many(count, "byte"),
    more: (count: number) => `Show ${n(count)} more`,
  },

  edit: {
    label: "Content as JSON",
    hint: 'Types without a JSON form have a tag: {"$date": "2026-01-31T12:00:00.000Z"}, {"$bigint": "1"}, {"$map": [[key, value]]}, {"$set": []}, {"$bytes": "Uint8Array", "base64": ""}.',
    save: "Save",
    saving: "Saving...",
    saved: (id: string) => `Saved ${id}`,
    reEmbed: "When the text changes, its vector is computed anew.",
    keepVector: "The vector comes from a model that is not here: it stays that of the old text when the text changes.",
    conflict: "Another tab or agent has changed this record since you opened it. Nothing was saved.",
    overwrite: "Save mine over it",
    discard: "Discard mine, show theirs",
    nothingToEmbed: "The text is empty: there is nothing to make a vector of.",
    documentShape: "A document is an object with text, metadata and importance.",
    unknownField: (name: string) => `A document has no field "${name}"; put it under metadata.`,
    textType: "text must be a string or null.",
    metadataType: "metadata must be an object or null.",
    importanceRange: "importance must be a number from 0 to 1.",
  },

  remove: {
    title: "Delete records?",
    body: (count: number, name: string) => `${many(count, "record")} of "${name}" will be deleted, in every open tab.`,
    confirm: (count: number) => `Delete ${n(count)}`,
    done: (count: number) => `Deleted ${many(count, "record")}`,
    one: (id: string) => `Deleted ${id}`,
    undo: "Undo",
    undone: "Put back",
  },

  load: {
    title: "Load data",
    intro: "Takes a file of JSON lines: one document a line. A document has an id, a text, a vector or both, and optional metadata.",
    example: '{"id": "note-1", "text": "The guest prefers mornings", "metadata": {"agent": "booker"}}',
    drop: "Drop a file here",
    choose: "Choose a file",
    or: "or",
    collection: "Into collection",
    collectionHint: "Lines with vectors set the number of dimensions; lines without are embedded by the page.",
    onBad: "When a line is bad",
    stop: "Stop there",
    skip: "Skip it and list it",
    start: "Load",
    cancel: "Cancel",
    noFile: "No file chosen",
    file: (name: string, bytes: number) => `${name} (${size(bytes)})`,
    progress: "Loading",
    stored: (count: number) => `${many(count, "document")} stored`,
    rate: (perSecond: number) => `${rate.format(perSecond)} a second`,
    read: (bytes: number, total: number) => `${size(bytes)} of ${size(total)}`,
    done: "Done: the file was loaded to its end.",
    cancelled: "Cancelled. What is counted as stored is stored; the rest is not.",
    stopped: "Stopped. What is counted as stored is stored; the rest is not.",
    replaced: (count: number) => `${many(count, "line")} had an id that came again within the same write; the later one is stored.`,
    inCollection: (name: string, count: number) => `The collection "${name}" now holds ${many(count, "document")}.`,
    show: "Show them",
    bad: (count: number) => many(count, "bad line"),
    badListed: (count: number) => `The first ${n(count)} are listed.`,
    line: (at: number) => `Line ${n(at)}`,
    badLine: (at: number, reason: string) => `line ${at} ${reason}`,
    nothingToEmbed: 'has a "text" with nothing in it to make a vector of',
    dimensions: (found: number, expected: number) => `has a vector of ${found} numbers where the collection has ${expected}`,
    mixed: (at: number, has: boolean) =>
      `Line ${at} has ${has ? "a vector, but the lines before it have none" : "no vector, but the lines before it have one"}. Vectors of two origins cannot be compared: a file has them on all lines or on none.`,
    foreignVectors: (at: number, name: string) =>
      `Line ${at} has a vector, but the collection "${name}" holds vectors of the page's own embedder. Choose another collection.`,
    noEmbedder: (at: number, name: string, dimensions: number) =>
      `Line ${at} has no vector, and the collection "${name}" holds vectors of ${dimensions} numbers from a model that is not here. Choose another collection.`,
  },

  live: {
    title: "Live",
    intro: "Counts and changes of this memory, from this and from all other tabs.",
    agents: "Simulate agent activity",
    agentsHint: "Writes about two decisions a second, with the state of the agent that took them. Open this page in a second tab to watch.",
    agentsWritten: (count: number, limit: number) => `${n(count)} of at most ${n(limit)} written by this tab`,
    changes: "Last changes",
    changesHint: (kept: number) => `The newest ${kept} in commit order, newest first.`,
    seen: (count: number) => `${many(count, "change")} since this page was opened`,
    empty: "No change has been seen since this page was opened. Every save and delete shows here, whichever tab makes it. This call sees them too:",
    columns: { kind: "Change", source: "Source", id: "Id", version: "Commit", time: "Time" },
    kinds: { save: "saved", delete: "deleted", expire: "expired" },
  },

  sample: {
    label: "Sample data",
    seed: (seed: number) => `Seed ${seed}`,
    reset: "Reset to sample data",
    resetTitle: "Reset to the sample data?",
    resetBody: "Everything in agents, episodes, decisions and memories will be deleted, in every open tab, and the sample stored anew. Collections that you loaded yourself stay.",
    resetConfirm: "Delete and reset",
    resetting: "Resetting...",
    resetDone: "The sample data is back.",
  },
};

function size(bytes: number): string {
  if (bytes < 1_000) return `${bytes} B`;
  if (bytes < 1_000_000) return `${(bytes / 1_000).toFixed(1)} kB`;
  return `${(bytes / 1_000_000).toFixed(1)} MB`;
}
