/**
 * The wire numbers that encoder and decoder share with the core: tags of values and kinds of binary
 * data. They are stored, so they are never given another meaning.
 */

export const TAG_NULL = 0;
export const TAG_BOOL = 1;
export const TAG_INT = 2;
export const TAG_FLOAT = 3;
export const TAG_STRING = 4;
export const TAG_BIGINT = 5;
export const TAG_DATE = 6;
export const TAG_BYTES = 7;
export const TAG_ARRAY = 8;
export const TAG_OBJECT = 9;
export const TAG_MAP = 10;
export const TAG_SET = 11;
export const TAG_UNDEFINED = 12;
export const TAG_UTF16 = 13;

/** The names of the types of binary data, by wire number. */
export const KINDS: readonly string[] = [
  "Uint8Array", "ArrayBuffer", "Int8Array", "Uint8ClampedArray", "Int16Array", "Uint16Array", "Int32Array",
  "Uint32Array", "Float32Array", "Float64Array", "BigInt64Array", "BigUint64Array", "DataView",
];
export const KIND_ARRAY_BUFFER = 1;
export const KIND_DATA_VIEW = 12;

/** Deepest nesting: a scalar has depth 0, a list of scalars 1. */
export const MAX_DEPTH = 256;
/** Largest encoded value, in bytes. */
export const MAX_VALUE_BYTES = 64 << 20;
