import type { Collection, DocumentInput, Memory } from "mnemora";

export interface Metadata {
  readonly number: number;
  readonly revision: number;
  readonly even: boolean;
}

export const DOCUMENTS: number;
export function numbers(seed: number): () => number;
export function document(number: number, revision: number): DocumentInput<Metadata> & { vector: Float32Array };
export function collection(memory: Memory): Collection<Metadata>;
export function write(memory: Memory, seed: number, tell: (round: number) => void): Promise<never>;
export function examine(memory: Memory, seed: number): Promise<{ problems: string[]; documents: number; missed: number }>;
