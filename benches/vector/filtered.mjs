/**
 * Searches with a filter, from one label in a thousand to all of them, at default settings: once with labels
 * drawn at random, once with those that lie nearest to the row farthest from the query, so that nothing
 * that the filter accepts is where the walk arrives.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { OURS, CODES, HNSWLIB_WASM } from "./contenders.mjs";
import { quantile, recall } from "./curve.mjs";
import { best, floats, generator, similarities } from "./data.mjs";
import { K } from "./measure.mjs";

const SHARES = [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1];
const ASKED = 100;
const SEED = 4;
/** The product takes its default; hnswlib-wasm, whose default is 10, is given the same. */
const DEFAULT = 0;
const PEER_EF = 64;
const LEAST = 0.95;

/** For each query, which labels are accepted and which of them are nearest. */
function drawn(kind, share, { count, scores, base, dimensions }) {
  const wanted = Math.max(1, Math.round(share * count));
  const next = generator(SEED + wanted);
  const all = new Uint8Array(count * scores.length);
  const aside = new Float64Array(count);
  const truth = scores.map((ofQuery, query) => {
    const accepted = all.subarray(query * count, (query + 1) * count);
    if (wanted === count) {
      accepted.fill(1);
    } else if (kind === "at random") {
      for (let left = wanted; left > 0;) {
        const label = Math.floor(next() * count);
        if (accepted[label] === 0) left--;
        accepted[label] = 1;
      }
    } else {
      const far = ofQuery.reduce((least, score, row) => (score < ofQuery[least] ? row : least), 0);
      similarities(base, base.subarray(far * dimensions, (far + 1) * dimensions), aside);
      const bar = Float64Array.from(aside).sort()[count - wanted];
      for (let row = 0; row < count; row++) if (aside[row] >= bar) accepted[row] = 1;
    }
    return best(ofQuery, K, accepted);
  });
  return { all, truth };
}

/** A table, and the targets of the product. */
export async function filteredSearches({ set, running, scratch }) {
  const asked = Math.min(ASKED, set.asked);
  const { count, dimensions } = set;
  const [base, queries] = [floats(set.base), floats(set.queries)];
  const scores = Array.from({ length: asked }, (_, query) => (
    similarities(base, queries.subarray(query * dimensions, (query + 1) * dimensions), new Float64Array(count))));
  const file = join(scratch, "filters");
  const rows = [];
  const worst = new Map();
  for (const kind of ["at random", "far from the query"]) {
    for (const share of SHARES) {
      const { all, truth } = drawn(kind, share, { count, scores, base, dimensions });
      writeFileSync(file, all);
      const row = { accepted: `${share * 100} %`, labels: kind };
      for (const [name, ef] of [[OURS, DEFAULT], [CODES, DEFAULT], [HNSWLIB_WASM, PEER_EF]]) {
        const process = running.find((one) => one.name === name)?.process;
        if (process === undefined) continue;
        const { ms, found, reports } = await process.ask({ action: "filtered", k: K, ef, asked, file });
        found.forEach((labels, query) => {
          const stranger = labels.find((label) => all[query * count + label] === 0);
          if (stranger !== undefined) throw new Error(`${name}: label ${stranger} was found, which the filter refuses`);
        });
        const share = recall(found, truth, K);
        row[`${name}: recall@10`] = Number(share.toFixed(4));
        row[`${name}: p50 us`] = Number((quantile(ms, 0.5) * 1_000).toPrecision(3));
        if (name === OURS) row.scans = `${reports.filter(({ path }) => path === "scan").length} of ${asked}`;
        if (name !== HNSWLIB_WASM) worst.set(name, Math.min(worst.get(name) ?? 1, share));
      }
      rows.push(row);
    }
  }
  return {
    table: { title: `${set.title}: filtered searches at default settings`, rows },
    targets: [...worst].map(([name, value]) => ({
      what: `${set.title}, least recall@10 of filtered searches: ${name}`, value: Number(value.toFixed(4)), target: LEAST, met: value >= LEAST,
    })),
  };
}
