/** The tests of stores, collections, transactions and watches once more, over JSON files. */
import { useStorage } from "./harness.js";

useStorage("json");
await import("./every-store.js");
