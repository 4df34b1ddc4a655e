/** The tests of stores, collections, transactions and watches, to be run once more over another storage. */
import "./store.test.js";
import "./list.test.js";
import "./history.test.js";
import "./expiry.test.js";
import "./transaction.test.js";
import "./watch.test.js";
import "./collection.test.js";
import "./search.test.js";
import "./text-search.test.js";
import "./hybrid.test.js";
import "./load.test.js";
import "./agents.test.js";
import "./model.test.js";
