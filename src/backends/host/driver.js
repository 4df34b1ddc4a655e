// A backend given as an object: every call of it, and a look at the shape of every answer.
//
// The object is foreign code. It may throw, never answer, answer twice, hand out getters and proxies,
// or change what it has handed over. So each answer is read here, once, inside `try`, and what goes on
// to wasm is plain: numbers, booleans, strings, and byte arrays of our own. What the numbers and bytes
// mean (order, ranges, versions) is judged in Rust.
//
// A call that fails rejects with a `Fault`, and with nothing else.

/** Why a call failed. The same words stand in driver.rs. */
class Fault {
  constructor(kind, message, cause, code = "") {
    Object.assign(this, { kind, message, cause, code });
  }
}

const wrong = (message) => new Fault("wrong", message);
const DURABILITIES = ["volatile", "relaxed", "strict"];
const METHODS = ["info", "get", "scan", "commit", "stats", "close"];
const MOST_PROBLEMS = 1_000;
/** Most characters of what the object says in words. */
const LONGEST_TEXT = 1_000;

/** What a value is, in a word. */
const kindOf = (value) => value === null ? "null" : Array.isArray(value) ? "an array" : `of type ${typeof value}`;

/** The name of a typed array's own class: a proxy or a forged prototype does not pass for one. */
const tagOf = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(Uint8Array.prototype), Symbol.toStringTag).get;

function object(value, what) {
  if (typeof value !== "object" || value === null) throw wrong(`${what} is ${kindOf(value)}, where an object is due`);
  return value;
}

function array(value, what) {
  if (!Array.isArray(value)) throw wrong(`${what} is ${kindOf(value)}, where an array is due`);
  return value;
}

function flag(value, what) {
  if (typeof value !== "boolean") throw wrong(`${what} is ${kindOf(value)}, where true or false is due`);
  return value;
}

function whole(value, what) {
  if (!Number.isSafeInteger(value) || value < 0) {
    throw wrong(`${what} is ${typeof value === "number" ? value : kindOf(value)}, where a whole number up to 2^53 - 1 is due`);
  }
  return value;
}

/** A copy of its bytes. */
function bytes(value, what, most) {
  if (tagOf.call(value) !== "Uint8Array") throw wrong(`${what} is ${kindOf(value)}, where a Uint8Array is due`);
  const copy = new Uint8Array(value);
  if (copy.length > most) throw wrong(`${what} has ${copy.length} bytes, and the limit is ${most}`);
  return copy;
}

/** What can be read of something that was thrown, whatever it is. */
function text(thrown, field) {
  try {
    const value = thrown[field];
    return typeof value === "string" ? value.slice(0, LONGEST_TEXT) : "";
  } catch {
    return "";
  }
}

function failed(method, thrown) {
  const said = text(thrown, "message") || (typeof thrown === "string" ? thrown : "");
  return new Fault("failed", `${method}() failed: ${said.slice(0, LONGEST_TEXT) || "no reason given"}`, thrown, text(thrown, "code"));
}

/** One backend object. */
export class Host {
  #object;
  #timeoutMs;
  #running = new Set();

  constructor(object, timeoutMs) {
    this.#object = object;
    this.#timeoutMs = timeoutMs;
  }

  /** `[name, durability, shared, maxValueBytes or undefined]` */
  info() {
    return this.#call("info", [], (info) => {
      for (const method of METHODS) {
        if (typeof this.#object[method] !== "function") throw wrong(`it has no method ${method}()`);
      }
      const { name, durability, shared = false, maxValueBytes } = object(info, "info()");
      if (typeof name !== "string" || name.length === 0 || name.length > 64 || /[\s\p{C}]/u.test(name)) {
        throw wrong("info().name is not a word of 1 to 64 characters");
      }
      const level = DURABILITIES.indexOf(durability);
      if (level < 0) throw wrong(`info().durability is none of ${DURABILITIES.join(", ")}`);
      const most = maxValueBytes === undefined ? undefined : whole(maxValueBytes, "info().maxValueBytes");
      return [name, level, flag(shared, "info().shared"), most];
    });
  }

  /** For each key a version and the value, or two times undefined. */
  get(keys, most) {
    const asked = keys.length;
    return this.#call("get", [keys], (records) => {
      if (array(records, "get()").length !== asked) throw wrong(`get() gave ${records.length} records for ${asked} keys`);
      const found = [];
      for (let at = 0; at < asked; at++) {
        const record = records[at];
        if (record === null || record === undefined) found.push(undefined, undefined);
        else found.push(...versioned(record, `get()[${at}]`, most));
      }
      return found;
    });
  }

  /** Whether there is more, and then a key, a version and the value for each record. */
  scan(start, end, reverse, limit, most) {
    return this.#call("scan", [{ start, end: end ?? null, reverse, limit }], (page) => {
      const { records, more } = object(page, "scan()");
      const count = array(records, "scan().records").length;
      if (count > limit) throw wrong(`scan() gave ${count} records, where ${limit} at the most were asked for`);
      const found = [flag(more, "scan().more")];
      for (let at = 0; at < count; at++) {
        const record = object(records[at], `scan().records[${at}]`);
        found.push(bytes(record.key, `scan().records[${at}].key`, most), ...versioned(record, `scan().records[${at}]`, most));
      }
      return found;
    });
  }

  /** `[committed, head]`. `puts` has a key, a version and a value for each record. */
  commit(expectedHead, head, puts, deletes) {
    const records = [];
    for (let at = 0; at < puts.length; at += 3) records.push({ key: puts[at], version: puts[at + 1], value: puts[at + 2] });
    return this.#call("commit", [{ expectedHead, head, puts: records, deletes }], (outcome) => {
      const { committed, head: reached } = object(outcome, "commit()");
      return [flag(committed, "commit().committed"), whole(reached, "commit().head")];
    });
  }

  /** `[head, keys]` */
  stats() {
    return this.#call("stats", [], (stats) => {
      const { head, keys } = object(stats, "stats()");
      return [whole(head, "stats().head"), whole(keys, "stats().keys")];
    });
  }

  /** What the object finds wrong; nothing if it has no such method. */
  check() {
    return this.#call("check", [], (problems) => {
      if (problems === undefined) return [];
      const count = Math.min(array(problems, "check()").length, MOST_PROBLEMS);
      const found = [];
      for (let at = 0; at < count; at++) {
        // Not by the array's own methods: they too may be foreign.
        const problem = problems[at];
        if (typeof problem !== "string") throw wrong(`check()[${at}] is ${kindOf(problem)}, where a string is due`);
        found.push(problem.slice(0, LONGEST_TEXT));
      }
      return found;
    }, true);
  }

  /** Waits for what is in flight, and closes the object. */
  async close() {
    await Promise.allSettled([...this.#running]);
    await this.#call("close", [], () => undefined);
  }

  /** Calls a method and reads its answer, within the time limit. */
  #call(method, args, read, optional = false) {
    const ask = async () => {
      // No call comes from inside a call of the core, so the object may itself use an opened memory.
      await undefined;
      const target = this.#object;
      if (optional && target[method] === undefined) return read(undefined);
      if (typeof target?.[method] !== "function") throw wrong(`it has no method ${method}()`);
      // Read as soon as it is there: what the object does to it afterwards does not count.
      return read(await target[method](...args));
    };
    let timer;
    const late = new Promise((_, reject) => {
      timer = setTimeout(() => reject(new Fault("late", `${method}() did not answer within ${this.#timeoutMs} ms`)), this.#timeoutMs);
    });
    const answer = Promise.race([ask(), late]).finally(() => clearTimeout(timer)).catch((thrown) => {
      throw thrown instanceof Fault ? thrown : failed(method, thrown);
    });
    this.#running.add(answer);
    const done = () => this.#running.delete(answer);
    answer.then(done, done);
    return answer;
  }
}

/** The version and the value of a record. */
function versioned(record, what, most) {
  const { version, value } = object(record, what);
  if (version === 0) throw wrong(`${what}.version is 0, and the first is 1`);
  return [whole(version, `${what}.version`), bytes(value, `${what}.value`, most)];
}
