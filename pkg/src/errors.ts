/**
 * The error classes: sorted by what the caller can do about an error, not by where it came from.
 *
 * Invariants:
 * - Every rejection of the public API is a {@link MemoryError}, except an abort, which rejects with
 *   the signal's own reason.
 * - `code` is stable; `retryable` follows from it. Both tables are those of the core.
 * - The brand, not `instanceof`, says what an error is, so that two copies of the package in one
 *   program understand each other.
 */
/** Whether the same call may succeed later without a change of its input, by code. */
const RETRYABLE = {
  ERR_INVALID: false,
  ERR_NOT_FOUND: false,
  ERR_CONFLICT: true,
  ERR_CLOSED: false,
  ERR_BLOCKED: true,
  ERR_UNAVAILABLE: true,
  ERR_QUOTA: true,
  ERR_CORRUPT: false,
  ERR_VERSION: false,
  ERR_CRYPTO: false,
  ERR_UNSUPPORTED: false,
  ERR_INTERNAL: false,
} as const;

/** What a {@link MemoryError} is about, for a program. */
export type ErrorCode = keyof typeof RETRYABLE;

/** What a {@link MemoryError} may carry beside its message. */
export interface MemoryErrorOptions {
  /** The error underneath. */
  cause?: unknown;
  /** The record it is about, as `store/id`. */
  key?: string | undefined;
}

/** A stored record that can not be read. It does not stop a scan. */
export interface Problem {
  /** What is wrong; `"corrupt"` = the checksum differs or the bytes make no sense. */
  readonly kind: "corrupt" | "version";
  /** The record, as `store/id`. */
  readonly key: string;
  readonly message: string;
}

/** One finding of a schema, in the form of Standard Schema. */
export interface Issue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/** Marks the errors of every copy of this package. */
const BRAND = Symbol.for("mnemora.error");

// Optional fields are declared only: a field that is not set is not there, and does not clutter a log.

/** The one error of this package: a code to act on, a message to read. */
export class MemoryError extends Error {
  /** What the caller can do about it. */
  readonly code: ErrorCode;
  /** Whether the same call may succeed later without a change of its input. */
  readonly retryable: boolean;
  /** The record it is about, as `store/id`, if it is about one. */
  declare readonly key?: string;

  constructor(code: ErrorCode, message: string, options: MemoryErrorOptions = {}) {
    super(message, "cause" in options ? { cause: options.cause } : undefined);
    this.code = code;
    this.retryable = RETRYABLE[code];
    if (options.key !== undefined) this.key = options.key;
  }
}
Object.defineProperty(MemoryError.prototype, BRAND, { value: true });

/** The input breaks a documented rule. Mend the input; nothing was written. */
export class InvalidError extends MemoryError {
  declare readonly code: "ERR_INVALID";
  /** What the store's schema found, if it was the schema that refused. */
  declare readonly issues?: readonly Issue[];

  constructor(message: string, options: MemoryErrorOptions & { issues?: readonly Issue[] | undefined } = {}) {
    super("ERR_INVALID", message, options);
    if (options.issues !== undefined) this.issues = options.issues;
  }
}

/** A target that must exist does not. */
export class NotFoundError extends MemoryError {
  declare readonly code: "ERR_NOT_FOUND";
  constructor(message: string, options?: MemoryErrorOptions) {
    super("ERR_NOT_FOUND", message, options);
  }
}

/** A precondition did not hold. Read again and retry. */
export class ConflictError extends MemoryError {
  declare readonly code: "ERR_CONFLICT";
  constructor(message: string, options?: MemoryErrorOptions) {
    super("ERR_CONFLICT", message, options);
  }
}

/** The handle was closed. Open a new one. */
export class ClosedError extends MemoryError {
  declare readonly code: "ERR_CLOSED";
  constructor(message: string, options?: MemoryErrorOptions) {
    super("ERR_CLOSED", message, options);
  }
}

/** Another holder stands in the way. Close it, or wait and retry. */
export class BlockedError extends MemoryError {
  declare readonly code: "ERR_BLOCKED";
  constructor(message: string, options?: MemoryErrorOptions) {
    super("ERR_BLOCKED", message, options);
  }
}

/** The storage can not be reached at the moment. Retry later. */
export class UnavailableError extends MemoryError {
  declare readonly code: "ERR_UNAVAILABLE";
  constructor(message: string, options?: MemoryErrorOptions) {
    super("ERR_UNAVAILABLE", message, options);
  }
}

/** The storage is full. Free space and retry; stored data is intact. */
export class QuotaError extends MemoryError {
  declare readonly code: "ERR_QUOTA";
  constructor(message: string, options?: MemoryErrorOptions) {
    super("ERR_QUOTA", message, options);
  }
}

/** Stored bytes are damaged. Restore the record; the others stay readable. */
export class CorruptError extends MemoryError {
  declare readonly code: "ERR_CORRUPT";
  /** The records that a scan could not read. */
  declare readonly problems?: readonly Problem[];

  constructor(message: string, options: MemoryErrorOptions & { problems?: readonly Problem[] | undefined } = {}) {
    super("ERR_CORRUPT", message, options);
    if (options.problems !== undefined) this.problems = options.problems;
  }
}

/** Stored data was written by a newer release. Upgrade. */
export class VersionError extends MemoryError {
  declare readonly code: "ERR_VERSION";
  constructor(message: string, options?: MemoryErrorOptions) {
    super("ERR_VERSION", message, options);
  }
}

/** A key or passphrase is wrong, or sealed data was tampered with. */
export class CryptoError extends MemoryError {
  declare readonly code: "ERR_CRYPTO";
  constructor(message: string, options?: MemoryErrorOptions) {
    super("ERR_CRYPTO", message, options);
  }
}

/** This build, engine or backend can not do that. */
export class UnsupportedError extends MemoryError {
  declare readonly code: "ERR_UNSUPPORTED";
  constructor(message: string, options?: MemoryErrorOptions) {
    super("ERR_UNSUPPORTED", message, options);
  }
}

/** A defect of this package. */
export class InternalError extends MemoryError {
  declare readonly code: "ERR_INTERNAL";
  constructor(message: string, options?: MemoryErrorOptions) {
    super("ERR_INTERNAL", message, options);
  }
}

/** The class of each code. */
const CLASSES = {
  ERR_INVALID: InvalidError,
  ERR_NOT_FOUND: NotFoundError,
  ERR_CONFLICT: ConflictError,
  ERR_CLOSED: ClosedError,
  ERR_BLOCKED: BlockedError,
  ERR_UNAVAILABLE: UnavailableError,
  ERR_QUOTA: QuotaError,
  ERR_CORRUPT: CorruptError,
  ERR_VERSION: VersionError,
  ERR_CRYPTO: CryptoError,
  ERR_UNSUPPORTED: UnsupportedError,
  ERR_INTERNAL: InternalError,
} as const;

// A name is data of its own, so that it outlives a minifier that renames the classes.
const NAMES: Record<ErrorCode, string> = {
  ERR_INVALID: "InvalidError",
  ERR_NOT_FOUND: "NotFoundError",
  ERR_CONFLICT: "ConflictError",
  ERR_CLOSED: "ClosedError",
  ERR_BLOCKED: "BlockedError",
  ERR_UNAVAILABLE: "UnavailableError",
  ERR_QUOTA: "QuotaError",
  ERR_CORRUPT: "CorruptError",
  ERR_VERSION: "VersionError",
  ERR_CRYPTO: "CryptoError",
  ERR_UNSUPPORTED: "UnsupportedError",
  ERR_INTERNAL: "InternalError",
};
const named = (prototype: object, value: string): void => {
  Object.defineProperty(prototype, "name", { value, configurable: true, writable: true });
};
named(MemoryError.prototype, "MemoryError");
for (const code of Object.keys(NAMES) as ErrorCode[]) named(CLASSES[code].prototype, NAMES[code]);

/** The class that carries a code. */
export type ErrorOf<C extends ErrorCode> = InstanceType<(typeof CLASSES)[C]>;

/** Whether `code` is one of the codes of {@link MemoryError}. */
function isCode(code: unknown): code is ErrorCode {
  return typeof code === "string" && Object.hasOwn(RETRYABLE, code);
}

/**
 * Whether `error` is a {@link MemoryError}, of this or another copy of the package; with a code, of
 * that code.
 *
 * @example
 * if (isMemoryError(error, "ERR_CONFLICT")) retry();
 */
export function isMemoryError(error: unknown): error is MemoryError;
export function isMemoryError<C extends ErrorCode>(error: unknown, code: C): error is ErrorOf<C>;
export function isMemoryError(error: unknown, code?: ErrorCode): boolean {
  return read(error, BRAND) === true && (code === undefined || read(error, "code") === code);
}

/**
 * The same error as a {@link MemoryError}.
 *
 * - A `MemoryError`, of any copy of the package, is returned as it is.
 * - An error that carries a `code` of this package, as the core throws it or as it crossed a
 *   `postMessage`, becomes the class of that code, with its message, stack, `key`, `cause`, `issues`
 *   and `problems`.
 * - Anything else is a defect: an {@link InternalError} with it as its `cause`.
 */
export function toMemoryError(error: unknown): MemoryError {
  if (isMemoryError(error)) return error;
  const code = read(error, "code");
  const message = read(error, "message");
  if (!isCode(code)) {
    const text = typeof message === "string" ? message : typeof error === "string" ? error : `a thrown ${typeof error}`;
    return new InternalError(`unexpected failure: ${text}`, { cause: error });
  }
  const options: MemoryErrorOptions & { issues?: readonly Issue[]; problems?: readonly Problem[] } = {};
  const key = read(error, "key");
  if (typeof key === "string") options.key = key;
  const cause = read(error, "cause");
  if (cause !== undefined) options.cause = cause;
  const issues = read(error, "issues");
  if (Array.isArray(issues)) options.issues = issues;
  const problems = read(error, "problems");
  if (Array.isArray(problems)) options.problems = problems;
  const rewrapped = new CLASSES[code](typeof message === "string" ? message : code, options);
  // Where it was first thrown tells more than where it was rewrapped.
  const stack = read(error, "stack");
  if (typeof stack === "string") {
    Object.defineProperty(rewrapped, "stack", { value: stack, configurable: true, writable: true });
  }
  return rewrapped;
}

/** Reads a property of anything. A caught value may be hostile: a getter of it that throws reads as
 * `undefined`, since the error at hand must not be replaced by another. */
function read(from: unknown, property: PropertyKey): unknown {
  if ((typeof from !== "object" && typeof from !== "function") || from === null) return undefined;
  try {
    return (from as Record<PropertyKey, unknown>)[property];
  } catch {
    return undefined;
  }
}
