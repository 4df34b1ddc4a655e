/** The entry of the page. */
import { render } from "preact";
import { App } from "./app.js";
import { boot } from "./boot.js";
import "./styles/tokens.css";
import "./styles/layout.css";
import "./styles/controls.css";
import "./styles/views.css";

const place = document.getElementById("app");
if (!place) throw new Error("the page has no element #app");
render(<App />, place);
void boot();
