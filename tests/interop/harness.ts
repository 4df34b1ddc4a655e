/**
 * What the tests of other readers and writers share: storages in files, a data set with every kind of value,
 * the native programs of `examples/`, and processes of Node that use the package.
 *
 * Invariants
 * - Nothing here knows the insides of the package: it is imported as users import it.
 * - Every process that was started here has ended, and every file is gone, when the tests of a file are through.
 */
import { type ChildProcess, spawn, spawnSync, type SpawnSyncReturns } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll } from "vitest";
import type { Memory } from "mnemora";

export const root = fileURLToPath(new URL("../../", import.meta.url));

/** Why SQLite is not in this build, if it is not. */
export const without = process.env["MNEMORA_WITHOUT_SQLITE"];

/** The storages in files that are in this build. */
export const KINDS: readonly Kind[] = without === undefined ? ["sqlite", "json"] : ["json"];
export type Kind = "sqlite" | "json";

/** The number that everything random in these tests follows from. Print it. */
export const seed = Number(process.env["MNEMORA_SEED"] ?? Math.floor(Math.random() * 2 ** 31));

let folder: string | undefined;
let made = 0;
const children: ChildProcess[] = [];

/** A path in a folder of its own. */
export function freshPath(): string {
  folder ??= mkdtempSync(join(tmpdir(), "mnemora-interop-"));
  return join(folder, String(made++));
}

afterAll(async () => {
  await Promise.all(children.splice(0).map((child) => ended(child, "SIGKILL")));
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 });
});

/** Waits until a process has ended, after it was sent `signal`, if one is given. Gives its code, or the signal. */
export async function ended(child: ChildProcess, signal?: NodeJS.Signals): Promise<number | string | null> {
  const outcome = (): number | string | null => child.exitCode ?? child.signalCode;
  if (outcome() !== null) return outcome();
  const exit = new Promise<void>((resolve) => { child.once("exit", () => resolve()); });
  if (signal !== undefined) child.kill(signal);
  await exit;
  return outcome();
}

/** Starts a program of Node in this folder: `tests/interop/<name>.mjs`. */
export function startNode(name: string, ...given: string[]): ChildProcess {
  const child = spawn(process.execPath, [join(root, "tests/interop", `${name}.mjs`), ...given], { stdio: ["ignore", "pipe", "pipe"] });
  children.push(child);
  return child;
}

/** Starts a native program, without waiting for it. */
export function startNative(example: string, ...given: string[]): ChildProcess {
  const child = spawn(nativeProgram(example), given, { stdio: "ignore" });
  children.push(child);
  return child;
}

/** Runs a native program to its end. */
export function runNative(example: string, ...given: string[]): SpawnSyncReturns<string> {
  return spawnSync(nativeProgram(example), given, { encoding: "utf8", timeout: 60_000, maxBuffer: 1 << 28 });
}

const programs = new Map<string, string>();

/** The path of an example of the crate, which is built if it is not yet. */
export function nativeProgram(example: string): string {
  const known = programs.get(example);
  if (known !== undefined) return known;
  const env = { ...process.env };
  // Flags of the caller's own would build everything anew.
  for (const name of ["RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS", "CARGO_BUILD_RUSTFLAGS", "CARGO_BUILD_TARGET"]) delete env[name];
  const { status, stdout, stderr } = spawnSync(
    "cargo", ["build", "--all-features", "--example", example, "--message-format=json"],
    { cwd: root, env, encoding: "utf8", maxBuffer: 1 << 28 },
  );
  if (status !== 0) throw new Error(`the example ${example} could not be built:\n${stderr}`);
  const path = stdout.split("\n").filter((line) => line.startsWith("{"))
    .map((line) => JSON.parse(line) as { executable?: string | null; target?: { name: string } })
    .find(({ executable, target }) => target?.name === example && typeof executable === "string")?.executable;
  if (path === undefined || path === null) throw new Error(`cargo does not say where it has put the example ${example}`);
  programs.set(example, path);
  return path;
}

/** A line of `read_file`. */
export interface NativeRecord {
  readonly id: string;
  readonly version: number;
  readonly value: unknown;
}

/** The records of a store, as the native program reads them. */
export function readNatively(url: string, store: string): NativeRecord[] {
  const { status, stdout, stderr } = runNative("read_file", url, store);
  if (status !== 0) throw new Error(`read_file ${url} ${store} ended with ${status}: ${stderr}`);
  return stdout.split("\n").filter((line) => line !== "").map((line) => JSON.parse(line) as NativeRecord);
}

/** Everything that an iteration gives. */
export async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}

/** Numbers from 0 to 1 (a linear congruential generator): the same seed, the same numbers. */
export function pseudoRandom(from: number): () => number {
  let state = from >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** One value of each kind, and how `read_file` writes it. */
export const VALUES: readonly (readonly [id: string, value: unknown, native: unknown])[] = [
  ["null", null, null],
  ["booleans", [true, false], [true, false]],
  ["whole", [0, -1, 2 ** 53 - 1, -(2 ** 53 - 1)], [0, -1, 2 ** 53 - 1, -(2 ** 53 - 1)]],
  ["fraction", [0.1, -1e300, 5e-324], [0.1, -1e300, 5e-324]],
  ["odd numbers", [-0, NaN, Infinity, -Infinity], [{ $number: "-0" }, { $number: "NaN" }, { $number: "inf" }, { $number: "-inf" }]],
  ["text", "Zürich 🚀 \"quoted\" \u0000 \u2028", "Zürich 🚀 \"quoted\" \u0000 \u2028"],
  ["half a character", "\ud800", { $utf16: [0xd800] }],
  ["date", new Date("2024-02-29T12:00:00.123Z"), { $date: 1_709_208_000_123 }],
  ["no date", new Date(NaN), { $date: null }],
  ["bigint", [0n, 255n, -(2n ** 70n)], [{ $bigint: "0x0" }, { $bigint: "0xff" }, { $bigint: "-0x400000000000000000" }]],
  ["bytes", new Uint8Array([0, 128, 255]), { $bytes: [0, 128, 255], type: "Uint8Array" }],
  ["buffer", new Uint8Array([1, 2]).buffer, { $bytes: [1, 2], type: "ArrayBuffer" }],
  ["floats", new Float32Array([1]), { $bytes: [0, 0, 128, 63], type: "Float32Array" }],
  ["map", new Map<unknown, unknown>([["a", 1], [2, new Date(0)]]), { $map: [["a", 1], [2, { $date: 0 }]] }],
  ["set", new Set<unknown>([1n, "x"]), { $set: [{ $bigint: "0x01" }, "x"] }],
  ["object", { b: [undefined, 1], a: { deep: new Uint8Array() } }, { b: [{ $undefined: true }, 1], a: { deep: { $bytes: [], type: "Uint8Array" } } }],
  ["nothing in them", [[], {}, "", new Map(), new Set()], [[], {}, "", { $map: [] }, { $set: [] }]],
];

/** What {@link fill} leaves in each of its stores: how many records. */
export const FILLED = { values: VALUES.length, many: 499, agents: 2, expiring: 1, notes: 3, past: 5 };

/** Writes something of everything: agents, stores, a collection, past versions, expiry, deletes. */
export async function fill(memory: Memory): Promise<void> {
  const values = memory.store("values");
  await values.saveMany(VALUES.map(([id, value]) => ({ id, value })));
  const past = memory.store("past", { history: 3 });
  for (let round = 0; round < 5; round++) await past.save("p", { round, at: new Date(round) });
  for (let n = 1; n < 5; n++) await past.save(`p${n}`, n);
  const many = memory.store<{ n: number; text: string }>("many");
  await Promise.all(Array.from({ length: 250 }, (_, n) => many.save(`ünï/${n}`, { n, text: "x".repeat(n) })));
  await many.saveMany(Array.from({ length: 250 }, (_, n) => ({ id: `two/${n}`, value: { n, text: "é".repeat(n) } })));
  await many.delete("two/7");
  await memory.agents.save("A", { name: "upper", big: 2n ** 64n });
  await memory.agents.save("a", { name: "lower", seen: new Date(1) });
  await memory.store("expiring").save("later", 1, { ttlMs: 1e10 });
  await memory.collection("notes", { dimensions: 3, metric: "l2" }).add([
    { id: "x", vector: [1, 2, 3], text: "text", metadata: { tags: ["t"], when: new Date(5) }, importance: 0.9 },
    { id: "y", vector: [0, 0, 0] },
    { id: "z", vector: [3, 2, 1], metadata: { big: 1n } },
  ]);
}

/** Everything of {@link fill}, to compare. Versions are left out where they may differ: copies begin anew. */
export async function content(memory: Memory, { versions = true } = {}): Promise<unknown> {
  const plain = <T extends { readonly version: number }>(records: readonly T[]): unknown =>
    versions ? records : records.map(({ version: _, ...rest }) => rest);
  const stores = ["values", "past", "many", "expiring", "stock", "orders"];
  return [
    ...await Promise.all(stores.map(async (name) => plain(await all(memory.store(name).list())))),
    plain(await memory.store("past", { history: 3 }).history("p")), plain(await all(memory.agents.list())),
    plain(await all(memory.collection("notes").list())), await memory.collection("notes").search([1, 2, 3]),
  ];
}
