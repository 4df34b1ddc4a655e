/**
 * The field filter of the page: a short text such as `kind = interview and importance >= 0.7`, read into the
 * filter operators of the package, and a matcher for stores, whose lists take no filter.
 *
 * Grammar: conditions joined by `and`; a condition is `path op value`, `path in (a, b)`, `path not in (a, b)`,
 * `path exists` or `path missing`; op is one of = != > >= < <=. A value is a number, true, false, null, a date
 * (2026-01-05 or a full ISO time), or text; text in double quotes is always text.
 */
import type { Filter } from "mnemora";

/** What cannot be read, with the text at which it stops. */
export class FilterError extends Error {
  override readonly name = "FilterError";
}

type Scalar = null | boolean | number | string | Date;
type Operator = "$eq" | "$ne" | "$gt" | "$gte" | "$lt" | "$lte" | "$in" | "$nin" | "$exists";

/** One condition of a field filter. */
export interface Test { path: string; operator: Operator; operand: Scalar | Scalar[] }

const OPERATORS: Record<string, Operator> = { "=": "$eq", "==": "$eq", "!=": "$ne", ">": "$gt", ">=": "$gte", "<": "$lt", "<=": "$lte" };
const TOKEN = /\s*(?:("(?:[^"\\]|\\.)*")|(!=|>=|<=|==|=|>|<|\(|\)|,)|([^\s"=!<>(),]+))/y;

interface Token { text: string; quoted: boolean; sign: boolean }

/** Reads a field filter; an empty text gives no tests. Throws {@link FilterError}. */
export function readFilter(text: string): Test[] {
  const tokens = tokenise(text);
  const tests: Test[] = [];
  let at = 0;
  const take = (what: string): Token => {
    const token = tokens[at];
    if (!token) throw new FilterError(`expected ${what} at the end`);
    at += 1;
    return token;
  };
  const word = (what: string): Token => {
    const token = take(what);
    if (token.sign) throw new FilterError(`expected ${what} instead of "${token.text}"`);
    return token;
  };
  const list = (): Scalar[] => {
    if (take("(").text !== "(") throw new FilterError('expected "(" after "in"');
    const items = [scalar(words("a value"))];
    for (;;) {
      const next = take('"," or ")"');
      if (next.text === ")") return items;
      if (next.text !== ",") throw new FilterError(`expected "," or ")" instead of "${next.text}"`);
      items.push(scalar(words("a value")));
    }
  };
  // Unquoted values may have several words, up to the next sign or "and".
  const words = (what: string): Token => {
    const first = word(what);
    if (first.quoted) return first;
    const parts = [first.text];
    for (let next = tokens[at]; next && !next.sign && !next.quoted && !isAnd(next); next = tokens[at]) {
      parts.push(next.text);
      at += 1;
    }
    return { ...first, text: parts.join(" ") };
  };
  while (at < tokens.length) {
    if (tests.length > 0 && !isAnd(take("and"))) throw new FilterError(`expected "and" before "${tokens[at - 1]?.text ?? ""}"`);
    const path = word("a field").text;
    const verb = take('an operator such as "="');
    const known = verb.sign ? OPERATORS[verb.text] : undefined;
    const named = verb.quoted ? "" : verb.text.toLowerCase();
    if (known) tests.push({ path, operator: known, operand: scalar(words("a value")) });
    else if (named === "exists" || named === "missing") tests.push({ path, operator: "$exists", operand: named === "exists" });
    else if (named === "in") tests.push({ path, operator: "$in", operand: list() });
    else if (named === "not" && tokens[at]?.text.toLowerCase() === "in") {
      at += 1;
      tests.push({ path, operator: "$nin", operand: list() });
    } else throw new FilterError(`"${verb.text}" is no operator; use = != > >= < <= in, exists or missing`);
  }
  return tests;
}

/** The same as a filter of the package; `undefined` if there is nothing to test. */
export function toFilter(tests: readonly Test[]): Filter | undefined {
  if (tests.length === 0) return undefined;
  return { $and: tests.map(({ path, operator, operand }): Filter => ({ [path]: { [operator]: operand } })) };
}

/** Whether `value` passes all tests. A field that is not there passes only `!=`, `not in` and `missing`. */
export function passes(value: unknown, tests: readonly Test[]): boolean {
  return tests.every(({ path, operator, operand }) => {
    const found = lookUp(value, path);
    const equal = (other: unknown) => isDate(found) === isDate(other) && comparable(found) === comparable(other);
    const ordered = (accept: (left: number | string, right: number | string) => boolean) => {
      const [left, right] = [comparable(found), comparable(operand)];
      return isDate(found) === isDate(operand) && ((typeof left === "number" && typeof right === "number") || (typeof left === "string" && typeof right === "string"))
        && accept(left, right);
    };
    switch (operator) {
      case "$eq": return equal(operand);
      case "$ne": return !equal(operand);
      case "$in": return (operand as Scalar[]).some(equal);
      case "$nin": return !(operand as Scalar[]).some(equal);
      case "$exists": return (found !== undefined) === operand;
      case "$gt": return ordered((left, right) => left > right);
      case "$gte": return ordered((left, right) => left >= right);
      case "$lt": return ordered((left, right) => left < right);
      case "$lte": return ordered((left, right) => left <= right);
    }
  });
}

function lookUp(value: unknown, path: string): unknown {
  let at = value;
  for (const step of path.split(".")) {
    if (at instanceof Map) at = at.get(step);
    else if (typeof at === "object" && at !== null && Object.hasOwn(at, step)) at = (at as Record<string, unknown>)[step];
    else return undefined;
  }
  return at;
}

function comparable(value: unknown): unknown {
  return isDate(value) ? value.getTime() : value;
}

function isDate(value: unknown): value is Date {
  return value instanceof Date;
}

function isAnd(token: Token): boolean {
  return !token.quoted && token.text.toLowerCase() === "and";
}

function tokenise(text: string): Token[] {
  const tokens: Token[] = [];
  TOKEN.lastIndex = 0;
  const end = text.trimEnd().length;
  while (TOKEN.lastIndex < end) {
    const from = TOKEN.lastIndex;
    const match = TOKEN.exec(text);
    if (!match) throw new FilterError(`cannot read "${text.slice(from).trim()}"`);
    const [, quoted, sign, word] = match;
    if (quoted !== undefined) tokens.push({ text: quoted.slice(1, -1).replace(/\\(.)/g, "$1"), quoted: true, sign: false });
    else tokens.push({ text: sign ?? word ?? "", quoted: false, sign: sign !== undefined });
  }
  return tokens;
}

function scalar({ text, quoted }: Token): Scalar {
  if (quoted) return text;
  if (text === "true" || text === "false") return text === "true";
  if (text === "null") return null;
  if (/^-?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text)) return Number(text);
  if (/^\d{4}-\d\d-\d\d(T[\d:.]+(Z|[+-]\d\d:\d\d)?)?$/.test(text) && !Number.isNaN(Date.parse(text))) return new Date(text);
  return text;
}
