/**
 * Validation by the user's own library, through Standard Schema (https://standardschema.dev).
 */
import { InvalidError, type Issue } from "./errors.js";

/** The part of Standard Schema, version 1, that is used here. Zod, Valibot, ArkType and others speak it. */
export interface StandardSchemaV1<Input = unknown, Output = Input> {
  readonly "~standard": {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => SchemaResult<Output> | Promise<SchemaResult<Output>>;
    readonly types?: { readonly input: Input; readonly output: Output } | undefined;
  };
}

/** What a schema says of a value. */
export type SchemaResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly Issue[] };

/** The value as the schema gives it back. Rejects with {@link InvalidError}, which carries the issues. */
export function validate<T>(schema: StandardSchemaV1<unknown, T>, value: unknown, key: string): T | Promise<T> {
  const result = schema["~standard"].validate(value);
  return result instanceof Promise ? result.then((settled) => accept(settled, key)) : accept(result, key);
}

function accept<T>(result: SchemaResult<T>, key: string): T {
  if (result.issues === undefined) return result.value;
  const first = result.issues[0];
  const at = (first?.path ?? []).map((step) => String(typeof step === "object" ? step.key : step)).join(".");
  const where = at === "" ? "" : ` at ${at}`;
  throw new InvalidError(`the schema refuses the value${where}: ${first?.message ?? "no reason given"}`, {
    key,
    issues: result.issues,
  });
}

/** Whether `schema` has the shape of a Standard Schema. */
export function isStandardSchema(schema: unknown): schema is StandardSchemaV1 {
  if ((typeof schema !== "object" && typeof schema !== "function") || schema === null) return false;
  const standard = (schema as Partial<StandardSchemaV1>)["~standard"];
  return standard?.version === 1 && typeof standard.validate === "function";
}
