/** The tests of stores, collections, transactions and watches once more, over JSON files. */
import { useStorage } from "./harness.js";

useStorage("json");
await import("./store.test.js");
await import("./list.test.js");
await import("./history.test.js");
await import("./expiry.test.js");
await import("./transaction.test.js");
await import("./watch.test.js");
await import("./collection.test.js");
await import("./agents.test.js");
await import("./model.test.js");
