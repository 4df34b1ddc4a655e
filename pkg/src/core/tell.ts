/** Telling a user's function something: what it throws is its owner's business, and stops nothing here. */
export function tell<T>(handler: (news: T) => void, news: T): void {
  try {
    handler(news);
  } catch (error) {
    if (typeof reportError === "function") reportError(error);
    else queueMicrotask(() => { throw error; });
  }
}
