/**
 * The public types: everything a caller gives or gets, apart from the error classes.
 *
 * All of it is structured-cloneable except functions (`embed`, `now`, watch handlers) and
 * `AbortSignal`, which stay on the caller's side.
 */
export type * from "./types/call.js";
export type * from "./types/collection.js";
export type * from "./types/embed.js";
export type * from "./types/host.js";
export type * from "./types/memory.js";
export type * from "./types/search.js";
export type * from "./types/store.js";
