// Backend objects to test with: an honest one, and one that lies.

const compare = (a, b) => {
  const common = Math.min(a.length, b.length);
  for (let at = 0; at < common; at++) if (a[at] !== b[at]) return a[at] - b[at];
  return a.length - b.length;
};

/** The rows of a `MapHost`, in order of their keys. Several hosts may stand over the same rows. */
export class Rows {
  head = 0;
  sorted = [];

  /** The place of the first row whose key is `key` or later. */
  place(key) {
    let [low, high] = [0, this.sorted.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (compare(this.sorted[middle].key, key) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  at(key) {
    const row = this.sorted[this.place(key)];
    return row !== undefined && compare(row.key, key) === 0 ? row : null;
  }
}

/** The reference: a sorted array in memory. */
export class MapHost {
  constructor(rows = new Rows(), { shared = true, maxValueBytes = undefined } = {}) {
    Object.assign(this, { rows, shared, maxValueBytes, closed: false });
  }

  info() {
    return { name: "map", durability: "volatile", shared: this.shared, maxValueBytes: this.maxValueBytes };
  }

  async get(keys) {
    return keys.map((key) => this.rows.at(key));
  }

  async scan({ start, end, reverse, limit }) {
    const rows = this.rows.sorted.slice(this.rows.place(start), end === null ? undefined : this.rows.place(end));
    if (reverse) rows.reverse();
    return { records: rows.slice(0, limit), more: rows.length > limit };
  }

  async commit({ expectedHead, head, puts, deletes }) {
    const { rows } = this;
    if (rows.head !== expectedHead) return { committed: false, head: rows.head };
    for (const key of deletes) if (rows.at(key) !== null) rows.sorted.splice(rows.place(key), 1);
    for (const put of puts) rows.sorted.splice(rows.place(put.key), rows.at(put.key) === null ? 0 : 1, put);
    rows.head = head;
    return { committed: true, head };
  }

  async stats() {
    return { head: this.rows.head, keys: this.rows.sorted.length };
  }

  async close() {
    this.closed = true;
  }
}

/** An honest host over rows of its own. */
export const mapHost = () => new MapHost();

/** Gives two rows a page at the most, whatever it is asked for. */
export function slowHost() {
  const host = new MapHost();
  const { scan } = host;
  host.scan = (range) => scan.call(host, { ...range, limit: Math.min(range.limit, 2) });
  return host;
}

/** Another host over the same rows. */
export const besides = (host) => new MapHost(host.rows);

const never = () => new Promise(() => undefined);
const first = (page, change) => ({ ...page, records: page.records.map((row, at) => at === 0 ? { ...row, ...change } : row) });
const coded = (code) => Object.assign(new Error("in the object's own words"), { code });

/**
 * What an object may do wrong: the method that lies, the answer it gives in place of the honest one, and
 * the code that must come of it. `unknown`: the error must also say that the outcome is not known.
 */
export const LIES = {
  "get gives nothing": ["get", () => undefined, "ERR_CORRUPT"],
  "get gives an object": ["get", () => ({ length: 1 }), "ERR_CORRUPT"],
  "get gives too few": ["get", () => [], "ERR_CORRUPT"],
  "get gives too many": ["get", (honest) => [...honest, null], "ERR_CORRUPT"],
  "get gives a string for a record": ["get", () => ["record"], "ERR_CORRUPT"],
  "get leaves out the version": ["get", ([record]) => [{ value: record.value }], "ERR_CORRUPT"],
  "get leaves out the value": ["get", ([record]) => [{ version: record.version }], "ERR_CORRUPT"],
  "get gives half a version": ["get", ([record]) => [{ ...record, version: 1.5 }], "ERR_CORRUPT"],
  "get gives a negative version": ["get", ([record]) => [{ ...record, version: -1 }], "ERR_CORRUPT"],
  "get gives the version 0": ["get", ([record]) => [{ ...record, version: 0 }], "ERR_CORRUPT"],
  "get gives an unsafe version": ["get", ([record]) => [{ ...record, version: 2 ** 53 }], "ERR_CORRUPT"],
  "get gives NaN for a version": ["get", ([record]) => [{ ...record, version: NaN }], "ERR_CORRUPT"],
  "get gives a version as text": ["get", ([record]) => [{ ...record, version: "1" }], "ERR_CORRUPT"],
  "get gives a version as bigint": ["get", ([record]) => [{ ...record, version: 1n }], "ERR_CORRUPT"],
  "get gives a value as text": ["get", ([record]) => [{ ...record, value: "bytes" }], "ERR_CORRUPT"],
  "get gives a value as an array": ["get", ([record]) => [{ ...record, value: [1, 2] }], "ERR_CORRUPT"],
  "get gives a value of 16-bit numbers": ["get", ([record]) => [{ ...record, value: new Uint16Array(2) }], "ERR_CORRUPT"],
  "get gives a proxy for a value": ["get", ([record]) => [{ ...record, value: new Proxy(record.value, {}) }], "ERR_CORRUPT"],
  "get gives a forged value": ["get", ([record]) => [{ ...record, value: Object.create(Uint8Array.prototype) }], "ERR_CORRUPT"],
  "get gives a value that is too large": ["get", ([record]) => [{ ...record, value: new Uint8Array(1 << 30) }], "ERR_CORRUPT"],
  "get has a getter that throws": ["get", () => [{ get version() { throw new Error("getter"); } }], "ERR_UNAVAILABLE"],
  "get has a proxy that throws": ["get", () => new Proxy([], { get() { throw new Error("proxy"); } }), "ERR_UNAVAILABLE"],
  "get throws at once": ["get", () => { throw new Error("no"); }, "ERR_UNAVAILABLE"],
  "get throws nothing": ["get", () => { throw undefined; }, "ERR_UNAVAILABLE"],
  "get throws something that throws": ["get", () => { throw new Proxy({}, { get() { throw new Error("again"); } }); }, "ERR_UNAVAILABLE"],
  "get rejects": ["get", () => Promise.reject(new TypeError("socket closed")), "ERR_UNAVAILABLE"],
  "get rejects with a code of ours": ["get", () => Promise.reject(coded("ERR_CRYPTO")), "ERR_CRYPTO"],
  "get rejects with another code": ["get", () => Promise.reject(coded("ECONNRESET")), "ERR_UNAVAILABLE"],
  "get never answers": ["get", never, "ERR_UNAVAILABLE"],
  "get gives a thenable that never answers": ["get", () => ({ then() {} }), "ERR_UNAVAILABLE"],
  "scan gives nothing": ["scan", () => undefined, "ERR_CORRUPT"],
  "scan gives bare rows": ["scan", (honest) => honest.records, "ERR_CORRUPT"],
  "scan leaves out more": ["scan", ({ records }) => ({ records }), "ERR_CORRUPT"],
  "scan gives a word for more": ["scan", (honest) => ({ ...honest, more: "yes" }), "ERR_CORRUPT"],
  "scan has more, and nothing": ["scan", () => ({ records: [], more: true }), "ERR_CORRUPT"],
  "scan gives too many": ["scan", (honest, range) => ({ ...honest, records: Array(range.limit + 1).fill(honest.records[0]) }), "ERR_CORRUPT"],
  "scan is out of order": ["scan", (honest) => ({ ...honest, records: honest.records.toReversed() }), "ERR_CORRUPT"],
  "scan gives a key twice": ["scan", (honest) => ({ ...honest, records: [honest.records[0], honest.records[0]] }), "ERR_CORRUPT"],
  "scan leaves the range": ["scan", (honest) => first(honest, { key: new Uint8Array([1, 2, 97, 0]) }), "ERR_CORRUPT"],
  "scan gives a key of nobody's": ["scan", (honest, { start }) => first(honest, { key: new Uint8Array([...start, 255]) }), "ERR_CORRUPT"],
  "scan gives a key as text": ["scan", (honest) => first(honest, { key: "key" }), "ERR_CORRUPT"],
  "scan leaves out a key": ["scan", (honest) => first(honest, { key: undefined }), "ERR_CORRUPT"],
  "scan gives a wrong version": ["scan", (honest) => first(honest, { version: Infinity }), "ERR_CORRUPT"],
  "scan leaves a gap in the log": ["scan", (honest) => ({ ...honest, records: honest.records.filter((_, at) => at !== 1) }), "ERR_CORRUPT", "log"],
  "scan gives a log entry another number": ["scan", (honest) => first(honest, { version: 7_777 }), "ERR_CORRUPT", "log"],
  "scan rejects": ["scan", () => Promise.reject(new Error("no")), "ERR_UNAVAILABLE"],
  "scan never answers": ["scan", never, "ERR_UNAVAILABLE"],
  "commit gives nothing": ["commit", () => undefined, "ERR_UNAVAILABLE", "unknown"],
  "commit gives a word": ["commit", (honest) => ({ ...honest, committed: "true" }), "ERR_UNAVAILABLE", "unknown"],
  "commit gives no head": ["commit", () => ({ committed: true }), "ERR_UNAVAILABLE", "unknown"],
  "commit gives another head": ["commit", (honest) => ({ committed: true, head: honest.head + 1 }), "ERR_UNAVAILABLE", "unknown"],
  "commit rejects": ["commit", () => Promise.reject(new Error("socket closed")), "ERR_UNAVAILABLE", "unknown"],
  "commit rejects with a code of ours": ["commit", () => Promise.reject(coded("ERR_QUOTA")), "ERR_QUOTA"],
  "commit throws at once": ["commit", () => { throw new Error("no"); }, "ERR_UNAVAILABLE", "unknown"],
  "commit never answers": ["commit", never, "ERR_UNAVAILABLE", "unknown"],
  "commit refuses for no reason": ["commit", (_, write) => ({ committed: false, head: write.expectedHead }), "ERR_CORRUPT"],
  "commit goes back": ["commit", () => ({ committed: false, head: 0 }), "ERR_CORRUPT"],
  "commit always loses": ["commit", (_, write) => ({ committed: false, head: write.expectedHead + 1 }), "ERR_UNAVAILABLE", "faster"],
  "stats gives nothing": ["stats", () => null, "ERR_CORRUPT"],
  "stats gives half a head": ["stats", (honest) => ({ ...honest, head: 0.5 }), "ERR_CORRUPT"],
  "stats goes back": ["stats", (honest) => ({ ...honest, head: 0 }), "ERR_CORRUPT"],
  "stats counts less than nothing": ["stats", (honest) => ({ ...honest, keys: -1 }), "ERR_CORRUPT"],
  "stats counts too few": ["stats", (honest) => ({ ...honest, keys: 0 }), "ERR_CORRUPT"],
  "stats never answers": ["stats", never, "ERR_UNAVAILABLE"],
  "check gives a word": ["check", () => "fine", "ERR_CORRUPT"],
  "check gives numbers": ["check", () => [1], "ERR_CORRUPT"],
  "check never answers": ["check", never, "ERR_UNAVAILABLE"],
};

/** The names of all lies. */
export const lies = () => Object.keys(LIES);

/** `[method, code, word]` of a lie. */
export const lieOf = (name) => [LIES[name][0], LIES[name][2], LIES[name][3] ?? ""];

/** A host that is honest until its `lie` is set to a name. */
export class Liar extends MapHost {
  lie = undefined;

  #tell(method, honest, question) {
    const [where, answer] = LIES[this.lie] ?? [];
    if (where !== method) return honest();
    // A commit that lies may or may not have written; this one has, where it is not a refusal.
    if (method === "commit" && /refuses|back|loses|rejects with a code/.test(this.lie)) return answer({}, question);
    return honest().then((value) => answer(value, question));
  }

  get(keys) { return this.#tell("get", () => super.get(keys), keys); }
  scan(range) { return this.#tell("scan", () => super.scan(range), range); }
  commit(write) { return this.#tell("commit", () => super.commit(write), write); }
  stats() { return this.#tell("stats", () => super.stats()); }
  check() { return this.#tell("check", async () => []); }
}

/** A liar that is honest for now. */
export const liar = () => new Liar();
/** Makes it lie, or with nothing stop. */
export const tell = (host, lie) => { host.lie = lie; };
