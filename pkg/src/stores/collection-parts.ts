/** What a collection consists of, for the modules that do its long work. */
import type { Handle } from "../core/handle.js";

/** The core's handle of a collection. */
export type CoreCollection = ReturnType<Handle["core"]["collection"]>;

/** The inside of a collection's handle. */
export interface CollectionParts {
  readonly memory: Handle;
  readonly core: CoreCollection;
  /** Numbers a vector, as far as this handle was told. */
  readonly dimensions: number | undefined;
}
