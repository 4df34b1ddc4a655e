/** The rules of the house for files of any language: their length and their names. */

/** A file: its path from the root of the repository, with slashes, and its text. */
export interface SourceFile {
  readonly path: string;
  readonly text: string;
}

const longest = 700;
const typical = 250;

const lines = (text: string): number => text.split("\n").length - (text.endsWith("\n") ? 1 : 0);

/** Files that are too long. */
export function lengthProblems(files: readonly SourceFile[]): string[] {
  return files.filter(({ text }) => lines(text) > longest).map(({ path, text }) => `${path}: ${lines(text)} lines, at most ${longest} are allowed`);
}

/** Whether the typical file is short. */
export function medianProblems(files: readonly SourceFile[]): string[] {
  const sorted = files.map(({ text }) => lines(text)).sort((a, b) => a - b);
  const middle = sorted[Math.floor((sorted.length - 1) / 2)] ?? 0;
  return middle > typical ? [`the median file has ${middle} lines, at most ${typical} are allowed`] : [];
}

/** Names that say nothing. */
export function nameProblems(files: readonly SourceFile[]): string[] {
  return files.filter(({ path }) => path.split("/").some((part) => /^(utils?|common)(\.|$)/.test(part)))
    .map(({ path }) => `${path}: a file or folder is named after what it holds, not "utils" or "common"`);
}
