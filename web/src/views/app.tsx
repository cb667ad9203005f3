/** The page: header, earlier questions, and the form or a run. */

import { signal } from "@preact/signals";
import type { VNode } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import maze from "../../../examples/maze.png";
import { pageInfo, type PageInfo, Refused, setKey, type Summary } from "../api";
import { BEGIN, type Run } from "../fold/run";
import { store, stored } from "../stored";
import { cut, oneLine } from "../fold/words";
import { Beside, Swap } from "./beside";
import { Composer } from "./composer";
import { Gone } from "./gone";
import { Ways } from "./hero";
import { History, known, refresh } from "./history";
import { Mark } from "./marks";
import { Lightbox } from "./pictures";
import { RunView } from "./run";

interface Place {
  readonly run: string;
  readonly beside: string;
  /** Id in an address that no run can have. */
  readonly unknown: string;
}

const place = signal<Place>(read());
const page = signal<PageInfo | null>(null);
const locked = signal("");
/** The run that this tab asked last. */
const fresh = signal("");

function read(): Place {
  const run = /^\/runs\/([\w-]{1,80})$/.exec(location.pathname)?.[1] ?? "";
  const beside = /^[\w-]{1,80}$/.exec(new URLSearchParams(location.search).get("beside") ?? "")?.[0] ?? "";
  const unknown = run === "" ? /^\/runs\/(.+)$/.exec(location.pathname)?.[1] ?? "" : "";
  return { run, beside: run === "" ? "" : beside, unknown: plain(unknown) };
}

function plain(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part; // It is not encoded text.
  }
}

function go(path: string): void {
  history.pushState(null, "", path);
  place.value = read();
  scrollTo({ top: 0 });
}

async function begin(): Promise<void> {
  try {
    page.value = await pageInfo();
    locked.value = "";
  } catch (error) {
    if (error instanceof Refused && error.status === 401) locked.value = error.message;
  }
}

export function App(): VNode {
  const [listed, setListed] = useState(false);
  useEffect(() => {
    void begin();
    const back = (): void => { place.value = read(); };
    addEventListener("popstate", back);
    return () => removeEventListener("popstate", back);
  }, []);
  const { run, beside, unknown } = place.value;
  const leave = (path: string): void => { setListed(false); go(path); };
  return (
    <div class={`page ${listed ? "listed" : ""}`}>
      <a class="skip" href="#main">To the question</a>
      <header class="top">
        <button type="button" class="icon list" aria-label="Earlier questions" aria-expanded={listed} onClick={() => setListed(!listed)}><Mark sign="history" /></button>
        <a class="brand" href="/" onClick={(event) => { event.preventDefault(); leave("/"); }}><Mark sign="spark" size={22} />Muse Spark</a>
        <span class="space" />
        <Theme />
        {run + unknown !== "" && <button type="button" class="quiet-button" onClick={() => leave("/")} aria-label="New question"><Mark sign="plus" size={16} /><span>New question</span></button>}
      </header>
      <aside><History key={locked.value} current={run} onGo={leave} onGone={(id) => { if (id === run) leave("/"); }} /></aside>
      <main id="main" tabIndex={-1}>
        {locked.value !== "" ? <Locked /> : unknown !== "" ? <Gone id={unknown} /> : run === "" ? <Idle /> : beside !== "" ? <Beside key={run + beside} first={beside} second={run} fresh={fresh.value} /> : <Talk key={run} id={run} />}
      </main>
      <Lightbox />
    </div>
  );
}

const EXAMPLES = [
  { name: "Solve a maze", text: "Which moves solve this maze?", picture: true },
  { name: "Reach a number", text: "Use 25, 3, 7 and 12 to make 66.", picture: false },
  { name: "Run a program", text: "What does this print?\n\nx = 3\nfor i in range(4):\n    x = x + i\nprint(x)", picture: false },
] as const;

function Idle(): VNode {
  const [draft, setDraft] = useState<{ text: string; file: File | null } | null>(null);
  const take = async (text: string, picture: boolean): Promise<void> => {
    const file = picture ? new File([await (await fetch(maze)).blob()], "maze.png", { type: "image/png" }) : null;
    setDraft({ text, file });
  };
  return (
    <div class="idle">
      <div class="hero">
        <Ways />
        <h1>One question, several agents.</h1>
        <p>A team of agents tries your question in parallel, partly in images, and agrees on one answer. You watch it work.</p>
      </div>
      <Composer page={page.value} follows={null} onAsked={(id) => begun(id)} draft={draft} />
      <ul class="examples" aria-label="Examples">
        {EXAMPLES.map(({ name, text, picture }) => (
          <li key={name}><button type="button" onClick={() => void take(text, picture)}>{picture && <img src={maze} alt="" />}<span><b>{name}</b><small>{cut(oneLine(text), 60)}</small></span></button></li>
        ))}
      </ul>
    </div>
  );
}

function begun(id: string, beside = ""): void {
  fresh.value = id;
  go(`/runs/${id}${beside === "" ? "" : `?beside=${beside}`}`);
  void refresh().catch(() => undefined); // The history says so itself when it is read.
}

/** A run, the turns before it, and what may follow. */
function Talk({ id }: { id: string }): VNode {
  const [swapping, setSwapping] = useState(false);
  const [about, setAbout] = useState<Summary | null>(null);
  const [over, setOver] = useState(false);
  const known = useRef<Run>(BEGIN);
  return (
    <>
      {about?.follows && <Earlier id={about.follows} />}
      <RunView id={id} fresh={fresh.value === id} onSwap={() => setSwapping(true)}
        onKnown={(run, how, found) => { known.current = run; setAbout(found); setOver(how !== ""); if (how !== "") void refresh().catch(() => undefined); }}>
        {swapping && <Swap id={id} run={known.current} about={about} page={page.value} onClose={() => setSwapping(false)}
          onAsked={(next) => begun(next, id)} />}
      </RunView>
      {over && <Composer page={page.value} follows={id} onAsked={(next) => begun(next)} />}
    </>
  );
}

/** The turns of a conversation before this one, the oldest first. */
function Earlier({ id, depth = 0 }: { id: string; depth?: number }): VNode | null {
  const [turn, setTurn] = useState<Summary | null>(null);
  useEffect(() => {
    known(id).then(setTurn).catch(() => setTurn(null)); // It may have been deleted.
  }, [id]);
  if (turn === null) return null;
  return (
    <>
      {turn.follows && depth < 20 && <Earlier id={turn.follows} depth={depth + 1} />}
      <section class="earlier-turn" aria-label="An earlier turn">
        <a href={`/runs/${id}`} onClick={(event) => { event.preventDefault(); go(`/runs/${id}`); }}>{cut(oneLine(turn.question), 200)}</a>
        <p>{turn.verified && <Mark sign="check" size={14} />}{cut(oneLine(turn.answer), 300)}</p>
      </section>
    </>
  );
}

function Locked(): VNode {
  const [key, write] = useState("");
  const [fault, setFault] = useState("");
  const open = async (): Promise<void> => {
    setKey(key.trim());
    await begin();
    setFault(locked.value === "" ? "" : locked.value);
  };
  return (
    <form class="locked" onSubmit={(event) => { event.preventDefault(); void open(); }}>
      <h1>This server requires an API key</h1>
      <label>Key<input type="password" autocomplete="off" value={key} onInput={(event) => write(event.currentTarget.value)} /></label>
      <button type="submit" class="primary">Open</button>
      <p class={fault === "" ? "nothing" : "fault"} role="status">{fault || "It is kept in this tab only."}</p>
    </form>
  );
}

const THEME = "musespark.theme";
const THEMES = ["auto", "light", "dark"] as const;

function Theme(): VNode {
  const [theme, setTheme] = useState(() => THEMES.find((each) => each === stored("localStorage", THEME)) ?? "auto");
  useEffect(() => {
    document.documentElement.dataset["theme"] = theme;
    store("localStorage", THEME, theme);
  }, [theme]);
  const next = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length]!;
  return <button type="button" class="icon" onClick={() => setTheme(next)} aria-label={`Colours: ${theme}. Change to ${next}.`} title={`Colours: ${theme}`}><Mark sign="theme" /></button>;
}

