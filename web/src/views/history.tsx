/** Stored runs, the newest first. */

import { signal } from "@preact/signals";
import type { VNode } from "preact";
import { useEffect, useState } from "preact/hooks";
import { forget, runs, summary, type Summary } from "../api";
import { cut, money, oneLine, seconds } from "../fold/words";
import { Mark } from "./marks";

const PAGE = 30;

export const kept = signal<readonly Summary[]>([]);
const more = signal(false);

let reading: Promise<void> | null = null;

/** Read the newest runs again. */
export function refresh(): Promise<void> {
  const now = runs(undefined, PAGE).then((found) => {
    kept.value = found;
    more.value = found.length === PAGE;
  });
  reading = now;
  now.catch(() => { reading = null; }); // Its caller reports it.
  return now;
}

/** Summary of a run, from the list: a request for the run alone returns every event. Raises `Refused`. */
export async function known(id: string): Promise<Summary> {
  await (reading ?? refresh()).catch(() => undefined);
  return kept.value.find((row) => row.id === id) ?? summary(id);
}

async function older(): Promise<void> {
  const found = await runs(kept.value.at(-1)?.id, PAGE);
  kept.value = [...kept.value, ...found];
  more.value = found.length === PAGE;
}

export function History({ current, onGo, onGone }: { current: string; onGo: (path: string) => void; onGone: (id: string) => void }): VNode {
  const [fault, setFault] = useState("");
  const tried = (work: Promise<unknown>): void => { work.then(() => setFault("")).catch((error: Error) => setFault(error.message)); };
  useEffect(() => tried(reading ?? refresh()), []);
  return (
    <nav class="history" aria-label="Earlier questions">
      <h2>Earlier</h2>
      {fault !== "" && <p class="fault">{fault}</p>}
      {kept.value.length === 0 && fault === "" && <p class="nothing">Nothing yet.</p>}
      <ul>
        {kept.value.map((row) => <Entry key={row.id} row={row} current={row.id === current} onGo={onGo}
          onForget={() => tried(forget(row.id).then(() => { onGone(row.id); return refresh(); }))} />)}
      </ul>
      {more.value && <button type="button" class="quiet-button" onClick={() => tried(older())}>Older</button>}
    </nav>
  );
}

const HOW: Readonly<Record<string, string>> = { running: "running", failed: "failed", cancelled: "stopped", interrupted: "interrupted" };

function Entry({ row, current, onGo, onForget }: { row: Summary; current: boolean; onGo: (path: string) => void; onForget: () => void }): VNode {
  const [sure, setSure] = useState(false);
  const path = `/runs/${row.id}`;
  const cost = [row.how !== "running" && seconds(row.seconds ?? 0), row.usd > 0 && money(row.usd)].filter(Boolean).join(" · ");
  return (
    <li class={current ? "current" : ""}>
      <a href={path} aria-current={current ? "page" : undefined} onClick={(event) => { if (!event.metaKey && !event.ctrlKey) { event.preventDefault(); onGo(path); } }}>
        <span class="asked">{cut(oneLine(row.question ?? ""), 90) || "a question"}</span>
        <span class="got">
          {row.verified && <span class="right"><Mark sign="check" size={12} /><span class="sr">verified: </span></span>}
          {HOW[row.how] ?? cut(oneLine(row.answer ?? ""), 40)}<small>{cost}</small>
        </span>
      </a>
      {sure ? <span class="sure"><button type="button" class="quiet-button" onClick={onForget}>Delete</button><button type="button" class="quiet-button" onClick={() => setSure(false)}>Keep</button></span>
        : <button type="button" class="icon small" onClick={() => setSure(true)} aria-label={`Delete: ${cut(oneLine(row.question ?? ""), 60)}`}><Mark sign="trash" size={14} /></button>}
    </li>
  );
}
