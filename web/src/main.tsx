import { render } from "preact";
import "./style/page.css";
import { App } from "./views/app";

render(<App />, document.getElementById("app")!);
