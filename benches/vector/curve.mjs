/**
 * From passes over the queries to figures: recall, queries a second, and both at equal recall.
 *
 * What the machine does besides falls on single passes. So a query's latency is the least of all passes,
 * and a rate is that of the mean of those; a ratio is also taken within each round, where both were
 * measured one after the other.
 */

const sorted = (numbers) => [...numbers].sort((a, b) => a - b);
export const quantile = (numbers, q) => sorted(numbers)[Math.min(numbers.length - 1, Math.floor(numbers.length * q))];
const mean = (numbers) => numbers.reduce((sum, number) => sum + number, 0) / numbers.length;

/** The share of the true neighbours that were found. `truth` may hold fewer than `k` for a query. */
export function recall(found, truth, k) {
  let [hits, due] = [0, 0];
  found.forEach((labels, query) => {
    const right = new Set(truth[query].slice(0, k));
    due += right.size;
    hits += labels.slice(0, k).filter((label) => right.has(label)).length;
  });
  return due === 0 ? 1 : hits / due;
}

/** One point of a curve, of the passes with one `ef`: `{ ef, recall, rate, p50, p95, rates, distances }`. */
export function point(ef, passes, truth, k) {
  const least = passes[0].ms.map((_, query) => Math.min(...passes.map(({ ms }) => ms[query])));
  const { reports } = passes[0];
  return {
    ef,
    recall: recall(passes[0].found, truth, k),
    rate: 1_000 / mean(least),
    p50: quantile(least, 0.5),
    p95: quantile(least, 0.95),
    rates: passes.map(({ ms }) => 1_000 / mean(ms)),
    together: passes[0].together === undefined ? undefined : 1_000 * least.length / Math.min(...passes.map(({ together }) => together)),
    distances: reports.length === 0 ? undefined : mean(reports.map(({ distances }) => distances)),
  };
}

/** Recall, stretched so that curves of recall against the logarithm of a rate are nearly straight. */
const stretch = (recall) => -Math.log(Math.max(1 - recall, 1e-6));

/**
 * A curve's `value` (a function of its points) at `recall`, between the two points around it. `{ value,
 * atLeast }`; `atLeast` where even the lowest `ef` finds more; `null` where no `ef` finds as much.
 */
export function at(points, recall, value) {
  const rising = [...points].sort((a, b) => a.ef - b.ef);
  const above = rising.findIndex((point) => point.recall >= recall);
  if (above < 0) return null;
  if (above === 0) return { value: value(rising[0]), atLeast: rising[0].recall > recall };
  const [low, high] = [rising[above - 1], rising[above]];
  const share = (stretch(recall) - stretch(low.recall)) / (stretch(high.recall) - stretch(low.recall));
  return { value: Math.exp(Math.log(value(low)) * (1 - share) + Math.log(value(high)) * share), atLeast: false };
}

/** How many times the rate of `theirs` ours is at equal recall: of the least latencies, and round by round. */
export function ratio(ours, theirs, recall, median) {
  const [mine, other] = [at(ours, recall, ({ rate }) => rate), at(theirs, recall, ({ rate }) => rate)];
  if (mine === null || other === null) return null;
  const rounds = Math.min(ours[0].rates.length, theirs[0].rates.length);
  const byRound = Array.from({ length: rounds }, (_, round) => (
    at(ours, recall, ({ rates }) => rates[round]).value / at(theirs, recall, ({ rates }) => rates[round]).value
  ));
  return { value: mine.value / other.value, byRound: median(byRound), atMost: other.atLeast };
}
