/** Backend objects to test with: see `host.js`. */
import type { HostBackend, HostRow } from "mnemora";

/** The rows of a `MapHost`. */
export declare class Rows {
  head: number;
  sorted: HostRow[];
}

/** The reference: a sorted array in memory. */
export declare class MapHost implements HostBackend {
  constructor(rows?: Rows, options?: { shared?: boolean; maxValueBytes?: number | undefined });
  readonly rows: Rows;
  closed: boolean;
  info: HostBackend["info"];
  get: HostBackend["get"];
  scan: HostBackend["scan"];
  commit: HostBackend["commit"];
  stats: HostBackend["stats"];
  close: HostBackend["close"];
  check?: HostBackend["check"];
}

/** A host that is honest until its `lie` is set to a name. */
export declare class Liar extends MapHost {
  lie: string | undefined;
}

export declare function mapHost(): MapHost;
export declare function lies(): string[];
export declare function lieOf(name: string): [method: string, code: string, word: string];
