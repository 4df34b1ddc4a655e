/**
 * Copying from one storage to another: see {@link copy}.
 *
 * The two may live in two wasm instances, so a copy goes by steps, and what passes from one to the other is
 * bytes.
 *
 * Invariants
 * - Where a copy stands is stored in the target with each page; nothing here has to survive for it to go on.
 * - What was opened here is closed here.
 */
import { checkCall, checkCount, checkFlag, checkFunction } from "../core/check.js";
import { Handle } from "../core/handle.js";
import { checkOpening } from "../core/options.js";
import { ConflictError, InvalidError } from "../errors.js";
import type { CopyOptions, CopyReport, HostBackend, Memory } from "../types.js";
import { MemoryHandle } from "./memory.js";

/** How often the source may have changed again after the copy has caught up with it. */
const ROUNDS = 64;

const OPENING = ["durability", "openTimeoutMs", "timeoutMs"] as const;

/** Copies everything. */
export async function copyAll(
  from: Memory | string | HostBackend, to: Memory | string | HostBackend, options: CopyOptions,
): Promise<CopyReport> {
  checkCall(options, ["replace", "pageBytes", "onProgress", ...OPENING]);
  const { signal, replace = false, onProgress } = options;
  checkFlag(replace, "options.replace");
  checkFunction(onProgress, "options.onProgress");
  const pageBytes = checkCount(options.pageBytes ?? 1 << 20, "options.pageBytes", 1, 2 ** 31 - 1);
  if (from === to) throw new InvalidError("the two sides of a copy are the same; give another target");
  const opened: Handle[] = [];
  const side = async (given: Memory | string | HostBackend): Promise<Handle> => {
    if (given instanceof MemoryHandle) return given.handle;
    const { durability, openTimeoutMs, timeoutMs } = options;
    const handle = await Handle.open(checkOpening(given, {
      ...durability !== undefined && { durability }, ...openTimeoutMs !== undefined && { openTimeoutMs },
      ...timeoutMs !== undefined && { timeoutMs }, ...signal !== undefined && { signal },
    }), undefined);
    opened.push(handle);
    return handle;
  };
  try {
    const source = await side(from);
    const report = await steps(source, await side(to), { signal, replace, pageBytes, onProgress });
    for (const handle of opened) await handle.close();
    return report;
  } finally {
    // A second close does nothing; after a failure, that of the copy is the one to tell.
    await Promise.allSettled(opened.map((handle) => handle.close()));
  }
}

interface Steps {
  readonly signal: AbortSignal | undefined;
  readonly replace: boolean;
  readonly pageBytes: number;
  readonly onProgress: CopyOptions["onProgress"];
}

async function steps(source: Handle, target: Handle, { signal, replace, pageBytes, onProgress }: Steps): Promise<CopyReport> {
  const began = await target.read(signal, () => target.core.copyBegin(replace) as Promise<[Uint8Array, boolean]>);
  let cursor = began[0];
  for (let round = 0; round < ROUNDS; round++) {
    let [settled, records, bytes] = [false, 0, 0];
    do {
      const asked = cursor;
      const page = await source.read(signal, () => source.core.copyPage(asked, pageBytes) as Promise<Uint8Array>);
      const taken = await target.read(
        signal, () => target.core.copyAccept(page) as Promise<[Uint8Array, boolean, number, number]>,
      );
      [cursor, settled, records, bytes] = taken;
      onProgress?.({ phase: "copy", records, bytes });
    } while (!settled);
    onProgress?.({ phase: "verify", records, bytes });
    const reached = cursor;
    const expected = await source.read(signal, () => source.core.copyDigest(reached) as Promise<string | undefined>);
    if (expected === undefined) continue;
    const digest = await target.read(signal, () => target.core.copyFinish(expected) as Promise<string>);
    target.written(target.head());
    return { records, bytes, digest, resumed: began[1] };
  }
  throw new ConflictError("the source changes faster than it can be copied; copy again at a quieter time, and it goes on from here");
}
