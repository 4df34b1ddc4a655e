/**
 * Upkeep from time to time, while there is something to keep up.
 *
 * Invariants
 * - Without writes there is no timer, and no timer keeps a process alive.
 * - A run that fails does not fail a user's call; the next write makes for another.
 */

/** How long after a write the next run is, in milliseconds. */
const PAUSE_MS = 60_000;
/** The same, when a run has left something to do. */
const SOON_MS = 1_000;

/** Runs `maintain` some time after writes. It gives whether there is more to do. */
export class Upkeep {
  private timer: ReturnType<typeof setTimeout> | undefined;
  private ended = false;

  constructor(private readonly maintain: () => Promise<boolean>) {}

  /** Something was written. */
  written(): void {
    if (this.timer === undefined) this.schedule(PAUSE_MS);
  }

  end(): void {
    this.ended = true;
    clearTimeout(this.timer);
  }

  private schedule(ms: number): void {
    if (this.ended) return;
    this.timer = setTimeout(() => {
      this.timer = undefined;
      this.maintain().then(
        (more) => { if (more && this.timer === undefined) this.schedule(SOON_MS); },
        // What has expired is not shown in any case, and the next run finds it again.
        () => undefined,
      );
    }, ms);
    (this.timer as { unref?: () => void }).unref?.();
  }
}
