/**
 * Who hears of commits: watchers in this context, and other tabs.
 *
 * Other tabs are told only how far the log has reached; each reads on from its own cursor. So a
 * message that is lost, late or doubled does no harm.
 *
 * Invariants
 * - A waiter is woken by every commit of this context, and of others at the latest after `POLL_MS`.
 * - The last commit before a pause, or before `close`, is always told.
 * - After `close`, nothing keeps the process or the channel alive, and waiters are woken for good.
 */

/** Least time between two messages, in milliseconds. */
const QUIET_MS = 20;
/** How often a waiter looks for itself, should a message have been lost. */
const POLL_MS = 1_000;

interface Message {
  readonly head: number;
}

/** The commits of one opened memory. */
export class Hub {
  private readonly channel: BroadcastChannel | undefined;
  private readonly waiters = new Set<() => void>();
  private readonly closers = new Set<() => void>();
  private announced = 0;
  private posted = 0;
  private posting: ReturnType<typeof setTimeout> | undefined;
  private ended = false;

  /** `name` is that of the data if other contexts share it; `reached` hears of their commits. */
  constructor(name: string | undefined, private readonly reached: (head: number) => void) {
    if (name === undefined || typeof BroadcastChannel === "undefined") return;
    this.channel = new BroadcastChannel(`mnemora:${name}`);
    this.channel.onmessage = ({ data }: MessageEvent<unknown>) => {
      // Any page of the origin can post here: a number is all that is believed, and only as a hint.
      const head = (data as Partial<Message> | null)?.head;
      if (typeof head === "number" && Number.isSafeInteger(head) && head > 0) {
        this.reached(head);
        this.wake();
      }
    };
    (this.channel as { unref?: () => void }).unref?.();
  }

  /** Whether `close` was called. */
  get closed(): boolean {
    return this.ended;
  }

  /** This context has committed up to `head`. */
  committed(head: number): void {
    this.wake();
    this.announced = Math.max(this.announced, head);
    if (this.channel === undefined || this.posting !== undefined) return;
    // A message costs about as much as a commit, so a burst of commits is told of at its beginning
    // and then every now and then.
    this.posting = setTimeout(() => {
      this.posting = undefined;
      if (this.announced > this.posted) this.post();
    }, QUIET_MS);
    (this.posting as { unref?: () => void }).unref?.();
    this.post();
  }

  private post(): void {
    this.posted = this.announced;
    this.channel?.postMessage({ head: this.posted } satisfies Message);
  }

  /** Waits until there may be something new. */
  next(): Promise<void> {
    if (this.ended) return Promise.resolve();
    return new Promise((resolve) => {
      let timer: ReturnType<typeof setTimeout> | undefined;
      const woken = (): void => {
        this.waiters.delete(woken);
        clearTimeout(timer);
        resolve();
      };
      this.waiters.add(woken);
      if (this.channel !== undefined) {
        timer = setTimeout(woken, POLL_MS);
        (timer as { unref?: () => void }).unref?.();
      }
    });
  }

  /** Wakes everyone who waits. */
  wake(): void {
    for (const woken of [...this.waiters]) woken();
  }

  /** Calls `closed` when the memory is closed. Gives a function that takes this back. */
  onClose(closed: () => void): () => void {
    this.closers.add(closed);
    return () => { this.closers.delete(closed); };
  }

  close(): void {
    this.ended = true;
    clearTimeout(this.posting);
    if (this.announced > this.posted) this.post();
    for (const closed of this.closers) closed();
    this.channel?.close();
    this.wake();
  }
}
