/** One agent in full, or two beside each other. */

import type { VNode } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { type Row, rowsOf } from "../fold/rows";
import { isRunning, type Run } from "../fold/run";
import { nameOf, outcomeOf, seconds, short, wayOf } from "../fold/words";
import { Markdown } from "../text/markdown";
import { Log } from "./log";
import { Mark } from "./marks";

export function Agents({ run, who, onClose }: { run: Run; who: string | null; onClose: () => void }): VNode {
  const dialog = useRef<HTMLDialogElement>(null);
  const [other, setOther] = useState("");
  useEffect(() => {
    if (who !== null && !dialog.current!.open) dialog.current!.showModal();
    if (who === null && dialog.current!.open) dialog.current!.close();
    setOther("");
  }, [who]);
  const rows = who === null ? [] : rowsOf(run, () => false);
  const first = rows.find((row) => row.who === who);
  const second = rows.find((row) => row.who === other);
  return (
    <dialog ref={dialog} class={`agents ${second ? "two" : ""}`} aria-label="Agent" onClose={onClose}
      onClick={(event) => { if (event.target === dialog.current) onClose(); }}>
      {first !== undefined && (
        <div class="agents-inside">
          <header>
            <label>Compare with{" "}
              <select value={other} onChange={(event) => setOther(event.currentTarget.value)}>
                <option value="">none</option>
                {rows.filter((row) => row.who !== who).map((row) => <option key={row.who} value={row.who}>{nameOf(run, row.who)}</option>)}
              </select>
            </label>
            <button type="button" class="icon" onClick={onClose} aria-label="Close"><Mark sign="cross" /></button>
          </header>
          <div class="beside">
            <Agent key={first.who} run={run} row={first} />
            {second !== undefined && <Agent key={second.who} run={run} row={second} />}
          </div>
        </div>
      )}
    </dialog>
  );
}

function Agent({ run, row }: { run: Run; row: Row }): VNode {
  const [round, setRound] = useState(-1);
  const lane = row.rounds.at(Math.min(round, row.rounds.length - 1)) ?? row.lane;
  const took = lane.ended === null ? "" : seconds(lane.ended - lane.began);
  const name = nameOf(run, row.who);
  return (
    <section class="agent" aria-label={name}>
      <h2>{name} <small>{wayOf(run, lane)}</small></h2>
      <p class="used">{[row.tokens > 0 && `${short(row.tokens)} tokens`, took, lane.state].filter(Boolean).join(" · ")}</p>
      {row.rounds.length > 1 && (
        <div class="rounds" role="group" aria-label="Rounds">
          {row.rounds.map((each, at) => (
            <button key={each.agent} type="button" class="quiet-button" aria-pressed={each === lane} onClick={() => setRound(at)}>{at === 0 ? "First" : `Round ${at}`}</button>
          ))}
        </div>
      )}
      <Log key={lane.agent} log={lane.log} running={isRunning(lane)} label={`Log of ${name}`} />
      {!isRunning(lane) && (
        <div class={`returned ${lane.state}`}>
          {lane.state === "returned" || lane.state === "won" || lane.state === "answered" ? <Markdown text={lane.outcome || "nothing"} /> : <p>{outcomeOf(run, lane)}</p>}
        </div>
      )}
    </section>
  );
}
