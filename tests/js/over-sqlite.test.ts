/** The tests of stores, collections, transactions and watches once more, over SQLite files. */
import { useStorage } from "./harness.js";

useStorage("sqlite");
await import("./every-store.js");
