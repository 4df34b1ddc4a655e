/**
 * The word lists from which the sample data is composed. Everything here is made up for this page.
 */
export const SHOW = "Second Draft";

export const AGENTS = [
  { id: "researcher", name: "Ines", role: "Researcher", skills: ["archives", "papers", "summaries"] },
  { id: "booker", name: "Milo", role: "Guest booker", skills: ["outreach", "calendars"] },
  { id: "writer", name: "Aiko", role: "Script writer", skills: ["outlines", "dialogue", "cold opens"] },
  { id: "fact-checker", name: "Bela", role: "Fact checker", skills: ["sources", "numbers", "corrections"] },
  { id: "interviewer", name: "Noor", role: "Interviewer", skills: ["follow-up questions", "listening"] },
  { id: "editor", name: "Theo", role: "Editor", skills: ["pacing", "cuts", "structure"] },
  { id: "sound-designer", name: "Runa", role: "Sound designer", skills: ["mixing", "music beds", "room tone"] },
  { id: "producer", name: "Sol", role: "Producer", skills: ["budget", "schedule", "quality"] },
] as const;

export const TOPICS = [
  { id: "night-trains", title: "The return of night trains", words: ["sleeper cars", "timetables", "border stops", "ticket prices"] },
  { id: "city-bees", title: "Bees on the roof", words: ["rooftop hives", "linden honey", "swarm season", "wild pollinators"] },
  { id: "tide-clocks", title: "Clocks that follow the tide", words: ["tide tables", "harbour pilots", "brass gears", "moon phases"] },
  { id: "lost-fonts", title: "Typefaces we lost", words: ["lead type", "foundry drawers", "street signs", "revival projects"] },
  { id: "deep-wells", title: "Heat from deep wells", words: ["geothermal drilling", "district heating", "rock temperature", "permit delays"] },
  { id: "seed-vaults", title: "What seed vaults are for", words: ["barley strains", "cold storage", "germination tests", "farm archives"] },
  { id: "bridge-songs", title: "Bridges that sing", words: ["wind resonance", "cable dampers", "night recordings", "engineers"] },
  { id: "map-errors", title: "Errors on purpose", words: ["trap streets", "map makers", "copyright cases", "survey teams"] },
  { id: "quiet-rooms", title: "The quietest room", words: ["anechoic chambers", "heartbeat sounds", "foam wedges", "hearing tests"] },
  { id: "salt-roads", title: "Along the salt roads", words: ["salt caravans", "toll stations", "brine springs", "medieval ledgers"] },
  { id: "repair-shops", title: "The last radio repair shop", words: ["vacuum tubes", "spare parts", "solder joints", "repair rights"] },
  { id: "cloud-names", title: "Who names the clouds", words: ["cloud atlas", "weather diaries", "satellite images", "amateur observers"] },
] as const;

export const PHASES = ["research", "booking", "script", "fact check", "recording", "editing", "sound", "review"] as const;

export const SOURCES = [
  "a museum catalogue", "two peer-reviewed papers", "the ministry's open data", "an oral history archive",
  "a retired engineer's notebook", "the trade association", "a local newspaper from 1974", "our own field recording",
] as const;

export const GUESTS = [
  "Dr. Marta Quill", "Joren Vask", "Prof. Adaeze Lind", "Tam Orrin", "Sister Ulla Brandt", "Kenji Morrow",
  "Petra Solheim", "Omar Delane", "Lucie Ferrand", "Gil Aster",
] as const;

export const MOODS = ["curious", "warm", "dry", "urgent", "playful", "calm"] as const;

/** Who writes which kind of memory, and its sentences; `{...}` is filled from the lists above and the generator. */
export const PATTERNS: Readonly<Record<string, { authors: readonly string[]; sentences: readonly string[] }>> = {
  research: {
    authors: ["researcher"],
    sentences: [
      "Research on {word}: {source} gives a figure of {number}, which is {compare} the one we had in the outline.",
      "Found {source} about {word}. Worth a segment of {minutes} minutes in \"{title}\".",
      "The history of {word} starts earlier than we thought; {source} dates it to {year}.",
      "Open question for \"{title}\": how do {word} and {other} depend on each other? Nobody has asked {guest} yet.",
      "Collected {number} pages on {word}; the three best are summarised in the research folder.",
    ],
  },
  interview: {
    authors: ["interviewer", "booker"],
    sentences: [
      "{guest} explained {word} with a story from {year}; use it as the cold open of \"{title}\".",
      "Interview with {guest}: {mood} tone, {minutes} minutes of usable tape about {word}.",
      "{guest} does not want to be quoted on {other}, but agrees to everything about {word}.",
      "Follow-up question for {guest}: what would change if {word} disappeared tomorrow?",
      "{guest} prefers morning recordings and needs the questions on {word} two days ahead.",
    ],
  },
  editing: {
    authors: ["editor", "writer"],
    sentences: [
      "Cut {minutes} minutes of {word} from \"{title}\"; the pacing was slow before the second break.",
      "The edit works better when {other} comes before {word}; moved the quote of {guest}.",
      "Listeners of the test group lost the thread at {word}. Added one sentence of narration.",
      "Version {version} of \"{title}\" runs {minutes} minutes; the target length stays at {target}.",
      "Keep the pause after {guest} mentions {word}. It says more than the script.",
    ],
  },
  "fact check": {
    authors: ["fact-checker"],
    sentences: [
      "Checked: the number {number} for {word} is confirmed by {source}.",
      "Correction: {word} was introduced in {year}, not two years later. {source} is clear about it.",
      "Could not confirm the claim about {other}; the script now says \"reported\".",
      "{guest} confirmed the spelling of all names in the part about {word}.",
    ],
  },
  sound: {
    authors: ["sound-designer"],
    sentences: [
      "Room tone of the {word} recording is too bright; a low shelf at {number} hertz helps.",
      "Music bed for \"{title}\": {mood}, under the part about {word}, out before {guest} speaks.",
      "Loudness of the mix is at -16 LUFS; the tape about {other} needed {minutes} decibels more.",
      "Recorded {minutes} minutes of ambience for {word}; usable without noise reduction.",
    ],
  },
  planning: {
    authors: ["producer"],
    sentences: [
      "Budget of \"{title}\": {number} dollars spent, most of it on {word} research.",
      "The release of \"{title}\" moves by one week because {guest} is travelling.",
      "Next time, book the studio before asking about {word}; the change cost {number} dollars.",
      "Quality review of \"{title}\": the part on {word} is strong, the ending about {other} needs one more pass.",
    ],
  },
};

export const DECISIONS = [
  { topic: "Opening of the episode", options: ["cold open with the guest", "narrated scene", "question to the listener"] },
  { topic: "Order of the segments", options: ["by time", "by place", "by conflict"] },
  { topic: "Length of the interview part", options: ["12 minutes", "18 minutes", "24 minutes"] },
  { topic: "Use of the disputed figure", options: ["leave it out", "quote both sides", "explain the dispute"] },
  { topic: "Music under the narration", options: ["none", "strings", "field recording"] },
  { topic: "Title of the episode", options: ["plain", "question", "quote of the guest"] },
  { topic: "Second guest", options: ["invite", "do without", "use archive tape"] },
] as const;

export const REASONS = [
  "the test group understood it at once",
  "it keeps the promise of the title",
  "the budget allows it",
  "the fact check is complete for this version only",
  "it is what the guest agreed to",
  "the other versions were tried and felt slow",
] as const;
