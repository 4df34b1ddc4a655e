/**
 * The options of a collection, as the core takes them.
 */
import { checkCount, checkOptions, checkText, describe } from "../core/check.js";
import { InvalidError } from "../errors.js";
import type { CollectionOptions } from "../types.js";
import { Writer } from "../value/wire.js";
import { putOption } from "./pack.js";

/** In the order of their numbers. */
const METRICS = ["cosine", "dot", "l2"];
/** In the order of their numbers. */
const KEEPS = ["f32", "codes"];

/** The options, checked, and the model that embeds the texts. Empty if there is nothing to say. */
export function packSettings(options: CollectionOptions | undefined, model: string | undefined): Uint8Array {
  if (options !== undefined) {
    checkOptions(options, "options", ["dimensions", "metric", "language", "fields", "keep", "M", "efConstruction"]);
  }
  const { dimensions, metric, language, fields, keep, M, efConstruction } = options ?? {};
  const writer = new Writer(64);
  const count = (given: number | undefined, name: string, least: number, most: number): void => {
    putOption(writer, given, (wanted) => writer.varint(checkCount(wanted, `options.${name}`, least, most)));
  };
  const choice = (given: string | undefined, name: string, among: readonly string[]): void => {
    putOption(writer, given, (wanted) => {
      if (!among.includes(wanted)) throw new InvalidError(`options.${name} is ${describe(wanted)}; give one of ${among.join(", ")}`);
      writer.u8(among.indexOf(wanted));
    });
  };
  count(dimensions, "dimensions", 1, 4_096);
  choice(metric, "metric", METRICS);
  putOption(writer, language, (wanted) => writer.string(checkText(wanted, "options.language")));
  putOption(writer, fields, (wanted) => {
    if (typeof wanted !== "object" || wanted === null) {
      throw new InvalidError(`options.fields is ${describe(wanted)}; give an object of paths and weights`);
    }
    const entries = Object.entries(wanted);
    writer.varint(entries.length);
    for (const [path, weight] of entries) {
      writer.string(checkText(path, "a path of options.fields"));
      if (typeof weight !== "number") throw new InvalidError(`options.fields[${describe(path)}] is ${describe(weight)}; give a number`);
      writer.f64(weight);
    }
  });
  choice(keep, "keep", KEEPS);
  count(M, "M", 2, 64);
  count(efConstruction, "efConstruction", 8, 2_000);
  putOption(writer, model, (wanted) => writer.string(wanted));
  const packed = writer.finish();
  return packed.some((byte) => byte !== 0) ? packed : new Uint8Array(0);
}
