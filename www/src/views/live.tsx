/** What is happening: counts and the last changes, from every tab. */
import type { Memory } from "mnemora";
import { LIMIT, running, startAgents, stopAgents, written } from "../data/simulate.js";
import { Empty } from "../parts/empty.js";
import { changes, counts, KEPT, seenTotal } from "../state/feed.js";
import { isBuiltIn, keyOf, known } from "../state/registry.js";
import { link } from "../state/route.js";
import { text } from "../text.js";

export function LiveView({ memory }: { memory: Memory }) {
  const exact = Object.fromEntries(known.value.filter(isBuiltIn).map((item) => [`data-count-${item.name}`, counts.value.get(keyOf(item))]));
  return (
    <div class="view">
      <header class="view-head"><h1>{text.live.title}</h1><p class="lead">{text.live.intro}</p></header>
      <ul class="cards" data-testid="counts" {...exact}>
        {known.value.map((item) => {
          const count = counts.value.get(keyOf(item));
          return (
            <li key={keyOf(item)}>
              <a class="card" href={link("memories", { source: keyOf(item) })} data-testid="count" data-source={keyOf(item)} data-count={count}>
                <span class="card-number">{count === undefined ? "-" : text.number(count)}</span>
                <span class="card-label"><bdi>{item.name}</bdi></span>
              </a>
            </li>
          );
        })}
      </ul>
      <section class="panel-box">
        <label class="switch">
          <input
            type="checkbox"
            role="switch"
            data-testid="simulate"
            checked={running.value}
            onChange={(event) => (event.currentTarget.checked ? startAgents(memory) : stopAgents())}
          />
          <span class="switch-track" aria-hidden="true" />
          <span>{text.live.agents}</span>
        </label>
        <p class="hint">{text.live.agentsHint}</p>
        {written.value > 0 && <p class="hint" data-testid="simulated" data-count={written.value}>{text.live.agentsWritten(written.value, LIMIT)}</p>}
      </section>
      <Changes />
    </div>
  );
}

function Changes() {
  const { columns, kinds } = text.live;
  return (
    <section class="panel-box">
      <h2>{text.live.changes}</h2>
      <p class="hint" data-testid="seen" data-count={seenTotal.value}>{text.live.changesHint(KEPT)} {text.live.seen(seenTotal.value)}</p>
      {changes.value.length === 0 ? (
        <Empty message={text.live.empty} call={text.calls.watch} testId="no-changes" />
      ) : (
        <div class="scroll-x" tabIndex={0} role="region" aria-label={text.live.changes}>
          <table class="table" data-testid="changes">
            <thead>
              <tr><th>{columns.version}</th><th>{columns.kind}</th><th>{columns.source}</th><th>{columns.id}</th><th>{columns.time}</th></tr>
            </thead>
            <tbody>
              {changes.value.map(({ source, kind, id, version, time }) => (
                <tr key={`${version} ${keyOf(source)} ${id}`} data-testid="change" data-id={id} data-version={version} data-kind={kind}>
                  <td class="num">{text.number(version)}</td>
                  <td><span class={`tag is-${kind}`}>{kinds[kind]}</span></td>
                  <td><bdi>{source.name}</bdi></td>
                  <td class="wrap"><a href={link("memories", { source: keyOf(source), id })}><bdi>{id}</bdi></a></td>
                  <td class="num">{text.time(time)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}
