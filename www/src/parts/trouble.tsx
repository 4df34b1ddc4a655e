/** An error in its place in the page: plain words, the engine's own words, and the code. */
import type { ComponentChildren } from "preact";
import type { Trouble } from "../state/errors.js";

export function TroubleBox({ trouble, children }: { trouble: Trouble; children?: ComponentChildren }) {
  return (
    <div class="trouble" role="alert" data-testid="trouble" data-code={trouble.code}>
      <strong>{trouble.title}</strong>
      <p>{trouble.detail}</p>
      <code class="code">{trouble.code}</code>
      {children && <div class="trouble-actions">{children}</div>}
    </div>
  );
}
