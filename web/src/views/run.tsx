/** One run: question, answer, agents and actions. */

import { useComputed, useSignal } from "@preact/signals";
import type { ComponentChildren, VNode } from "preact";
import { useEffect, useMemo, useState } from "preact/hooks";
import { askedPicture, exported, Refused, stop, type Summary } from "../api";
import { Film } from "../fold/film";
import type { Event } from "../fold/events";
import type { Run } from "../fold/run";
import { cut, decisionOf, oneLine, verdictOf } from "../fold/words";
import { follow } from "../follow";
import { inPieces } from "../slices";
import { Watch } from "../watch";
import { Agents } from "./agents";
import { Answer } from "./answer";
import { Gone } from "./gone";
import { known } from "./history";
import { Lanes } from "./lanes";
import { Mark, type Sign } from "./marks";
import { Thumbs } from "./pictures";
import { Controls, isCalm, Player } from "./player";

/** Seconds below which a run that was just asked is shown once more, slowly. */
const TOO_QUICK = 3;

interface RunProps {
  readonly id: string;
  /** True if this tab has just started it. */
  readonly fresh: boolean;
  readonly children?: ComponentChildren;
  readonly onSwap: (() => void) | null;
  readonly onKnown?: (run: Run, how: string, summary: Summary | null) => void;
}

export function RunView({ id, fresh, onSwap, onKnown, children }: RunProps): VNode {
  const watch = useMemo(() => new Watch(id), [id]);
  useEffect(() => () => watch.leave(), [watch]);
  const [about, setAbout] = useState<Summary | null>(null);
  const how = watch.how.value;
  useEffect(() => {
    if (about === null) known(id).then(setAbout).catch(() => undefined); // Its events are enough.
  }, [id, how]);
  const player = useSignal<{ readonly player: Player; readonly whole: boolean } | null>(null);
  const play = async (whole: boolean): Promise<void> => {
    const film = new Film(await eventsOf(id));
    await inPieces(() => film.prepare());
    player.value = { player: new Player(film, whole && isCalm(), whole ? undefined : () => { player.value = null; }), whole };
  };
  useEffect(() => {
    if (fresh && how === "finished" && watch.run.value.at < TOO_QUICK && watch.run.value.lanes.size > 1 && !isCalm()) play(false).catch(() => undefined); // It can be replayed later.
  }, [how]);
  const live = watch.run.value;
  useEffect(() => {
    document.title = live.question === "" ? "Muse Spark" : `${cut(oneLine(live.question), 60)} · Muse Spark`;
    return () => { document.title = "Muse Spark"; };
  }, [live.question]);
  useEffect(() => onKnown?.(live, how, about), [how, about]);
  const replayed = useComputed(() => player.value?.player.run.value ?? null).value;
  const whole = player.value?.whole === true;
  const shown = whole ? replayed! : live;
  const lanes = replayed ?? live;
  const over = how !== "";
  if (watch.refused?.status === 404) return <Gone id={id} />;
  if (watch.connection.value === "refused") return <p class="fault refused" role="alert">{watch.refused?.message}</p>;
  return (
    <article class="run" data-run={id} data-how={how} data-seq={shown.seq} aria-label={shown.question}>
      <Question run={live} about={about} id={id} />
      <Answer run={shown} stopped={over && !whole} budget={about?.budget ?? null} clock={over || whole ? null : () => watch.clock()}>
        {whole ? null : over ? <After id={id} onReplay={player.value === null ? () => play(true) : null} onSwap={onSwap} />
          : <Stop id={id} />}
      </Answer>
      {watch.connection.value === "lost" && <p class="lost" role="status">The connection is lost; trying again.</p>}
      {player.value !== null && (
        <Controls player={player.value.player} onClose={() => { player.value = null; }} {...(whole ? {} : { note: `That took ${live.at.toFixed(1)} s. Once more, slowly.` })} />
      )}
      <Body run={lanes} />
      {children}
    </article>
  );
}

/** Ends the run with the best answer so far. */
function Stop({ id }: { id: string }): VNode {
  const [said, setSaid] = useState("");
  const press = (): void => {
    setSaid("Stopping…");
    // One that has ended meanwhile needs no stopping.
    stop(id).catch((error: Refused) => setSaid(error.status === 409 ? "" : error.message));
  };
  return (
    <>
      <span class="said-so" role="status">{said}</span>
      <button type="button" class="stop" onClick={press}><Mark sign="stop" />Stop</button>
    </>
  );
}

/** The agents and their decision. */
export function Body({ run }: { run: Run }): VNode {
  const [opened, setOpened] = useState<string | null>(null);
  return (
    <>
      <Lanes run={run} onOpen={setOpened} />
      <Settled run={run} />
      <Agents run={run} who={opened} onClose={() => setOpened(null)} />
    </>
  );
}

function Settled({ run }: { run: Run }): VNode | null {
  if (run.decided === null && run.verdicts.length === 0) return null;
  return (
    <section class="settled-by" aria-label="Decision">
      {run.decided !== null && <p>{decisionOf(run, run.decided)}</p>}
      {run.verdicts.slice(-3).map((verdict) => <p key={verdict.seq} class="verdict">{verdictOf(run, verdict)}</p>)}
    </section>
  );
}

function Question({ run, about, id }: { run: Run; about: Summary | null; id: string }): VNode {
  const pictures = Array.from({ length: about?.asked?.pictures ?? 0 }, (_, at) => ({ link: askedPicture(id, at + 1), caption: "Image of the question" }));
  return (
    <header class="question">
      <Thumbs pictures={pictures} label="Images of the question" />
      <div>
        <h1>{run.question || about?.question || "…"}</h1>
        <p class="manner">{[run.mode, run.model].filter(Boolean).join(" · ")}</p>
      </div>
    </header>
  );
}

function After({ id, onReplay, onSwap }: { id: string; onReplay: (() => Promise<void>) | null; onSwap: (() => void) | null }): VNode {
  const [said, setSaid] = useState("");
  const say = (text: string): void => { setSaid(text); setTimeout(() => setSaid(""), 2500); };
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(`${location.origin}/runs/${id}`);
      say("The link is copied.");
    } catch {
      say(`${location.origin}/runs/${id}`);
    }
  };
  const save = async (): Promise<void> => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(await exported(id));
    link.download = `muse-${id.slice(0, 8)}.html`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  };
  const action = (sign: Sign, name: string, act: () => void): VNode => <button type="button" class="action" onClick={act}><Mark sign={sign} size={16} />{name}</button>;
  return (
    <>
      <span class="sr" role="status">{said}</span>
      {said !== "" && <span class="said-so" aria-hidden="true">{said}</span>}
      {onReplay !== null && action("play", "Replay", () => void onReplay().catch((error: Error) => say(error.message)))}
      {onSwap !== null && action("swap", "Another model", onSwap)}
      {action("link", "Copy link", () => void copy())}
      {action("save", "Export", () => void save().catch((error: Error) => say(error.message)))}
    </>
  );
}

/** Every event of a run that is over. Raises `Refused` if they cannot be read now. */
async function eventsOf(id: string): Promise<readonly Event[]> {
  const events: Event[] = [];
  const leave = new AbortController();
  let fault: Refused | null = null;
  const connection = (there: boolean, refused?: Refused): void => {
    if (there) return;
    fault = refused ?? new Refused("The server does not answer; is muse serve still running?", 0);
    leave.abort();
  };
  await follow(id, { happened: (more) => { for (const event of more) events.push(event); }, over: () => undefined, connection }, leave.signal);
  if (fault !== null) throw fault;
  return events;
}
