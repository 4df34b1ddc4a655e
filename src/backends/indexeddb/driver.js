// The three hot calls, each handed over in one call: request by request from wasm they cost up to a
// fifth of a save (measured; see ARCHITECTURE.md, Decisions).
//
// Each answers exactly once through `answer(token, error, value)`, unless it throws at once; then
// nothing of it was stored.

const DURABILITY = [{ durability: "relaxed" }, { durability: "strict" }];

/** Kinds of writes in a layout. The same numbers stand in driver.rs. */
const PUT = 0, ADD = 1, DELETE = 2;

/**
 * Writes rows in one turn and answers when the transaction has ended. `layout` is four numbers a
 * write: its kind, and where in `bytes` its key begins, its row begins, and its row ends.
 *
 * `bytes` lies in the memory of wasm. Keys are copied by IndexedDB before the call returns; rows get
 * a buffer of their own, since cloning a view clones all of its buffer.
 */
export function writeRows(database, strict, bytes, layout, answer, token) {
  const transaction = database.transaction("records", "readwrite", DURABILITY[strict ? 1 : 0]);
  try {
    const records = transaction.objectStore("records");
    for (let at = 0; at < layout.length; at += 4) {
      const kind = layout[at];
      const key = bytes.subarray(layout[at + 1], layout[at + 2]);
      if (kind === DELETE) {
        records.delete(key);
        continue;
      }
      const row = bytes.slice(layout[at + 2], layout[at + 3]);
      if (kind === ADD) records.add(row, key);
      else records.put(row, key);
    }
    transaction.oncomplete = () => answer(token, undefined, undefined);
    transaction.onabort = () => answer(token, transaction.error ?? new DOMException("aborted", "AbortError"), undefined);
    transaction.commit?.();
  } catch (error) {
    transaction.oncomplete = transaction.onabort = null;
    transaction.abort();
    throw error;
  }
}

/** Reads one row; answers with it, or undefined. */
export function readRow(database, key, answer, token) {
  const request = database.transaction("records").objectStore("records").get(key);
  request.onsuccess = () => answer(token, undefined, request.result);
  request.onerror = () => answer(token, request.error, undefined);
}

/**
 * Reads up to `count` rows from `lower` to before `upper`, in order of their keys, and answers with
 * one buffer: the length of each row in 4 bytes, little-endian, and the row.
 */
export function readRows(database, lower, upper, count, answer, token) {
  const range = upper === undefined ? IDBKeyRange.lowerBound(lower) : IDBKeyRange.bound(lower, upper, false, true);
  const request = database.transaction("records").objectStore("records").getAll(range, count);
  request.onsuccess = () => answer(token, undefined, pack(request.result));
  request.onerror = () => answer(token, request.error, undefined);
}

const NOTHING = new Uint8Array(0);

function pack(rows) {
  let size = 0;
  for (let index = 0; index < rows.length; index++) {
    // What was never written by this package is passed on as empty, and found damaged there.
    if (!(rows[index] instanceof Uint8Array)) rows[index] = NOTHING;
    size += 4 + rows[index].length;
  }
  const packed = new Uint8Array(size);
  const view = new DataView(packed.buffer);
  let at = 0;
  for (const row of rows) {
    view.setUint32(at, row.length, true);
    packed.set(row, at + 4);
    at += 4 + row.length;
  }
  return packed;
}
