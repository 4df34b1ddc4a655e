/** Deleting records with a way back. */
import type { Source } from "../../data/source.js";
import { attempt, notify } from "../../state/errors.js";
import { text } from "../../text.js";

/** Deletes records and offers to put them back; resolves to whether it went well. */
export async function removeRecords(source: Source, ids: readonly string[]): Promise<boolean> {
  return attempt(async () => {
    const { count, restore } = await source.remove(ids);
    const [only] = ids;
    notify({
      kind: "info",
      title: ids.length === 1 && only !== undefined ? text.remove.one(only) : text.remove.done(count),
      action: {
        label: text.remove.undo,
        run: async () => {
          await restore();
          notify({ kind: "info", title: text.remove.undone });
        },
      },
    });
  });
}
