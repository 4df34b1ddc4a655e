/** What a view shows when there is nothing to show, with the call that changes it. */
export function Empty({ message, call, testId }: { message: string; call?: string; testId: string }) {
  return (
    <div class="empty" data-testid={testId}>
      <p>{message}</p>
      {call && <pre><code>{call}</code></pre>}
    </div>
  );
}
