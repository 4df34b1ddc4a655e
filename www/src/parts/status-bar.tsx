/** The bar at the foot: records, last commit, durability, backend, and the check of everything. */
import { signal } from "@preact/signals";
import type { VerifyReport } from "mnemora";
import { attempt } from "../state/errors.js";
import { lastVersion, total } from "../state/feed.js";
import { info, opened, phase } from "../state/session.js";
import { text } from "../text.js";
import { Dialog } from "./dialog.js";

const report = signal<VerifyReport | null>(null);
/** How many records are checked so far; `null` when nothing is being checked. */
const verifying = signal<number | null>(null);

async function verify(): Promise<void> {
  verifying.value = 0;
  await attempt(async () => {
    report.value = await opened().verify({
      onProgress: ({ done }) => {
        verifying.value = done;
      },
    });
  });
  verifying.value = null;
}

export function StatusBar() {
  const open = info.value;
  return (
    <footer class="status" aria-label={text.status.label} data-testid="status" data-state={phase.value} data-count-records={total.value}>
      <span class={`dot is-${phase.value}`} aria-hidden="true" />
      <span data-testid="state">{text.open.state[phase.value]}</span>
      {open && (
        <>
          <span data-testid="backend">{open.backend}</span>
          <span data-testid="durability" title={text.status.durabilityHint[open.durability]}>{text.status.durability[open.durability]}</span>
          <span data-testid="records">{text.status.records(total.value)}</span>
          <span data-testid="version" data-version={lastVersion.value} title={text.status.versionHint}>{text.status.version(lastVersion.value)}</span>
          <button type="button" class="button is-small status-action" data-testid="verify" disabled={verifying.value !== null} onClick={() => void verify()}>
            {verifying.value === null ? text.status.verify : text.status.verifying(verifying.value)}
          </button>
        </>
      )}
      {report.value && <Report report={report.value} />}
    </footer>
  );
}

function Report({ report: { ok, checked, problems } }: { report: VerifyReport }) {
  return (
    <Dialog
      title={text.status.verifyTitle}
      testId="verify-report"
      wide={!ok}
      onClose={() => {
        report.value = null;
      }}
    >
      <p data-ok={ok}>{ok ? text.status.verified(checked) : text.status.problems(problems.length, checked)}</p>
      {problems.length > 0 && (
        <div class="scroll-x" tabIndex={0}>
          <table class="table">
            <thead><tr><th>{text.status.problemKey}</th><th>{text.status.problemKind}</th><th>{text.status.problemMessage}</th></tr></thead>
            <tbody>
              {problems.slice(0, 500).map(({ key, kind, message }) => (
                <tr key={key}><td><bdi>{key}</bdi></td><td>{kind}</td><td>{message}</td></tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </Dialog>
  );
}
