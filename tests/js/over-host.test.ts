/** The tests of stores, collections, transactions and watches once more, over a backend given as an object. */
import { useStorage } from "./harness.js";

useStorage("host");
await import("./every-store.js");
