/** The frame of the page: navigation, the view of the address, the status bar, the notices. */
import { signal } from "@preact/signals";
import { boot } from "./boot.js";
import { SEED } from "./data/podcast.js";
import { resetToSample } from "./data/sample.js";
import { Confirm } from "./parts/dialog.js";
import { Icon } from "./parts/icons.js";
import { Notices } from "./parts/notices.js";
import { StatusBar } from "./parts/status-bar.js";
import { TroubleBox } from "./parts/trouble.js";
import { attempt, notify } from "./state/errors.js";
import { link, route, VIEWS } from "./state/route.js";
import { databaseName, DEFAULT_NAME, memory, opened, phase, trouble } from "./state/session.js";
import { text } from "./text.js";
import { LiveView } from "./views/live.js";
import { LoadView } from "./views/load.js";
import { MemoriesView } from "./views/memories/view.js";

const BODIES = { memories: MemoriesView, load: LoadView, live: LiveView };

export function App() {
  const { view } = route.value;
  const View = BODIES[view];
  return (
    <div class="app">
      <a class="skip" href="#main" onClick={(event) => {
        event.preventDefault();
        document.getElementById("main")?.focus();
      }}>{text.app.skip}</a>
      <header class="side">
        <div class="brand">
          <span class="brand-name">{text.app.name}</span>
          <span class="brand-sub" data-testid="database"><bdi>{databaseName ?? text.app.subtitle}</bdi></span>
        </div>
        <nav class="nav" aria-label={text.app.nav}>
          {VIEWS.map((name) => (
            <a key={name} href={link(name)} aria-current={name === view ? "page" : undefined} data-testid={`nav-${name}`}>
              <Icon name={name} /> {text.views[name]}
            </a>
          ))}
        </nav>
        <SampleBox />
      </header>
      <main class="main" id="main" tabIndex={-1} aria-busy={phase.value === "opening"}>
        {phase.value === "opening" && <p class="opening" role="status">{text.open.opening}</p>}
        {phase.value === "failed" && <Failed />}
        {memory.value && <View memory={memory.value} />}
      </main>
      <StatusBar />
      <Notices />
    </div>
  );
}

function Failed() {
  return (
    <div class="failed">
      <h1>{text.open.failed}</h1>
      {trouble.value && (
        <TroubleBox trouble={trouble.value}>
          {databaseName === null
            ? <a class="button is-primary" href={location.pathname}>{text.open.useDefault}</a>
            : <button type="button" class="button is-primary" onClick={() => void boot()}>{text.open.retry}</button>}
        </TroubleBox>
      )}
    </div>
  );
}

const asking = signal(false);
const resetting = signal(false);

async function reset(): Promise<void> {
  resetting.value = true;
  const done = await attempt(() => resetToSample(opened(), databaseName ?? DEFAULT_NAME));
  resetting.value = false;
  asking.value = false;
  if (done) notify({ kind: "info", title: text.sample.resetDone });
}

function SampleBox() {
  return (
    <div class="sample">
      <span class="sample-label">{text.sample.label}</span>
      <span class="sample-seed" data-testid="seed">{text.sample.seed(SEED)}</span>
      <button
        type="button"
        class="button is-small"
        data-testid="reset"
        disabled={memory.value === null}
        onClick={() => {
          asking.value = true;
        }}
      >
        {text.sample.reset}
      </button>
      {asking.value && (
        <Confirm
          title={text.sample.resetTitle}
          body={text.sample.resetBody}
          confirm={text.sample.resetConfirm}
          busy={text.sample.resetting}
          working={resetting.value}
          testId="reset-dialog"
          onConfirm={() => void reset()}
          onClose={() => {
            asking.value = resetting.value;
          }}
        />
      )}
    </div>
  );
}
