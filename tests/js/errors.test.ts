/** The error classes: one a code, told apart by their brand, rewrapped without loss. */
import { describe, expect, test, vi } from "vitest";
import * as errors from "../../pkg/src/errors.js";
import {
  ConflictError, CorruptError, type ErrorCode, InternalError, InvalidError, isMemoryError, MemoryError, toMemoryError,
} from "../../pkg/src/errors.js";

/** Each code, its class, and whether it can be retried: the table of the core's `ErrorKind`. */
const table: [ErrorCode, string, boolean][] = [
  ["ERR_INVALID", "InvalidError", false],
  ["ERR_NOT_FOUND", "NotFoundError", false],
  ["ERR_CONFLICT", "ConflictError", true],
  ["ERR_CLOSED", "ClosedError", false],
  ["ERR_BLOCKED", "BlockedError", true],
  ["ERR_UNAVAILABLE", "UnavailableError", true],
  ["ERR_QUOTA", "QuotaError", true],
  ["ERR_CORRUPT", "CorruptError", false],
  ["ERR_VERSION", "VersionError", false],
  ["ERR_CRYPTO", "CryptoError", false],
  ["ERR_UNSUPPORTED", "UnsupportedError", false],
  ["ERR_INTERNAL", "InternalError", false],
];

type AnyClass = new (message: string, options?: errors.MemoryErrorOptions) => MemoryError;

describe("each class", () => {
  test.each(table)("%s is %s", (code, name, retryable) => {
    const Class = errors[name as keyof typeof errors] as unknown as AnyClass;
    const cause = new TypeError("underneath");
    const error = new Class("what, where, how", { cause, key: "agents/a-1" });
    expect(error).toBeInstanceOf(MemoryError);
    expect(error).toBeInstanceOf(Error);
    expect(error).toMatchObject({ code, name, retryable, message: "what, where, how", key: "agents/a-1", cause });
    expect(error.stack).toContain("errors.test.ts");
    expect(String(error)).toBe(`${name}: what, where, how`);
    expect(isMemoryError(error)).toBe(true);
    for (const [other] of table) expect(isMemoryError(error, other)).toBe(other === code);
  });

  test("carries nothing that it was not given", () => {
    const error = new ConflictError("x");
    expect("key" in error).toBe(false);
    expect("cause" in error).toBe(false);
    expect(Object.keys(error).sort()).toEqual(["code", "retryable"]);
    expect("issues" in new InvalidError("x")).toBe(false);
    expect("problems" in new CorruptError("x")).toBe(false);
    // A cause of undefined is a cause: something was thrown.
    expect("cause" in new ConflictError("x", { cause: undefined })).toBe(true);
  });

  test("of invalid input and damage carries the findings", () => {
    const issues = [{ message: "too short", path: ["a", { key: "b" }] }];
    expect(new InvalidError("x", { issues }).issues).toBe(issues);
    const problems = [{ kind: "corrupt", key: "s/1", message: "checksum" }] as const;
    expect(new CorruptError("x", { problems }).problems).toBe(problems);
  });
});

describe("isMemoryError", () => {
  test("is false of everything else", () => {
    const others = [undefined, null, 0, "ERR_INVALID", new Error("x"), { code: "ERR_INVALID" }, () => 0, Object.create(null)];
    for (const other of others) {
      expect(isMemoryError(other)).toBe(false);
      expect(isMemoryError(other, "ERR_INVALID")).toBe(false);
    }
  });

  test("knows the errors of another copy of the package", async () => {
    vi.resetModules();
    const copy = await import("../../pkg/src/errors.js");
    const foreign = new copy.QuotaError("full");
    expect(foreign).not.toBeInstanceOf(MemoryError);
    expect(isMemoryError(foreign)).toBe(true);
    expect(isMemoryError(foreign, "ERR_QUOTA")).toBe(true);
    expect(isMemoryError(foreign, "ERR_CLOSED")).toBe(false);
    expect(toMemoryError(foreign)).toBe(foreign);
  });

  test("does not throw on a hostile value", () => {
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    expect(isMemoryError(proxy)).toBe(false);
    expect(isMemoryError(proxy, "ERR_INVALID")).toBe(false);
    expect(toMemoryError(proxy)).toBeInstanceOf(InternalError);
  });
});

describe("toMemoryError", () => {
  test.each(table)("rewraps what the core throws as %s", (code, name, retryable) => {
    const cause = new Error("underneath");
    const thrown = Object.assign(new Error("checksum differs"), { code, retryable, key: "agents/a-1", cause });
    const error = toMemoryError(thrown);
    expect(error).toBeInstanceOf(errors[name as keyof typeof errors]);
    expect(error).toMatchObject({ code, name, retryable, message: "checksum differs", key: "agents/a-1" });
    expect(error.cause).toBe(cause);
    expect(error.stack).toBe(thrown.stack);
    expect(Object.keys(error)).not.toContain("stack");
  });

  test("leaves out what was not there", () => {
    const error = toMemoryError(Object.assign(new Error("gone"), { code: "ERR_NOT_FOUND" }));
    expect("key" in error).toBe(false);
    expect("cause" in error).toBe(false);
  });

  test("keeps issues and problems", () => {
    const issues = [{ message: "too short" }];
    const problems = [{ kind: "corrupt", key: "s/1", message: "checksum" }];
    expect(toMemoryError({ code: "ERR_INVALID", message: "x", issues })).toMatchObject({ name: "InvalidError", issues });
    expect(toMemoryError({ code: "ERR_CORRUPT", message: "x", problems })).toMatchObject({ name: "CorruptError", problems });
  });

  test("returns an error of the package as it is", () => {
    const error = new ConflictError("newer");
    expect(toMemoryError(error)).toBe(error);
  });

  test("makes a defect of anything else, and keeps it as the cause", () => {
    const strange = [new TypeError("x is not a function"), "a string", 42, undefined, null, Symbol("s"), { code: "ENOENT" }, { code: "toString" }];
    for (const thrown of strange) {
      const error = toMemoryError(thrown);
      expect(error).toBeInstanceOf(InternalError);
      expect(error.cause).toBe(thrown);
      expect("cause" in error).toBe(true);
    }
    expect(toMemoryError(new TypeError("x is not a function")).message).toContain("x is not a function");
  });
});
