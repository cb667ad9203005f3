import { render } from "preact";
import "./style/page.css";
import { type Event, eventOf } from "./fold/events";
import { Film } from "./fold/film";
import { inPieces } from "./slices";
import { ExportedRun } from "./views/exported";

interface Stored {
  readonly run?: { readonly budget?: object | null; readonly asked?: { readonly images?: unknown } } | null;
  readonly events?: readonly unknown[];
}

const stored = JSON.parse(document.getElementById("run")!.textContent || "null") as Stored | null;
const events = (stored?.events ?? []).map(eventOf).filter((event): event is Event => event !== null);
const images = stored?.run?.asked?.images;
const asked = Array.isArray(images) ? images.filter((link): link is string => typeof link === "string") : [];
const app = document.getElementById("app")!;
const film = new Film(events);
if (events.length > 0) void inPieces(() => film.prepare()).then(() => render(<ExportedRun film={film} budget={stored?.run?.budget ?? null} asked={asked} />, app));
else app.textContent = "There is no run in this file.";
