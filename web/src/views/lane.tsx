/** One lane: name and state of its agent, its latest thoughts or its outcome, and its images. */

import type { VNode } from "preact";
import { answerOf, isMember, type Row } from "../fold/rows";
import { isRunning, type Lane, MAIN, type Run } from "../fold/run";
import { argumentsOf, counted, nameOf, oneLine, outcomeOf, seconds, short, wayOf } from "../fold/words";
import { Mark, type Sign } from "./marks";
import { Thumbs } from "./pictures";

const SIGNS: Readonly<Record<Lane["state"], Sign>> = {
  thinking: "dot", waiting: "dot", returned: "check", won: "check", answered: "check", cancelled: "cross", failed: "alert",
};

const WORDS: Readonly<Record<Lane["state"], string>> = {
  thinking: "thinking", waiting: "waiting", returned: "done", won: "its answer won", answered: "done", cancelled: "stopped", failed: "failed",
};

interface CardProps {
  readonly run: Run;
  readonly row: Row;
  readonly tone: string;
  readonly closed: boolean;
  readonly onOpen: (who: string) => void;
  readonly onToggle: (who: string) => void;
}

export function LaneCard({ run, row, tone, closed, onOpen, onToggle }: CardProps): VNode {
  const { lane, who } = row;
  const name = nameOf(run, who);
  const empty = !isRunning(lane) && lane.state === "returned" && lane.outcome.trim() === "";
  const pictures = row.rounds.flatMap((round) => round.pictures);
  // An agent without an outcome or an image takes a single line.
  const slight = (lane.state === "cancelled" || empty) && pictures.length === 0;
  return (
    <article class={`lane ${lane.state} ${empty ? "empty" : ""} ${tone}`} data-agent={who} data-state={lane.state}>
      <div class="lane-head">
        <button type="button" class="lane-open" onClick={() => onOpen(who)} aria-haspopup="dialog">
          <span class="state"><Mark sign={empty ? "cross" : SIGNS[lane.state]} size={14} /></span>
          <span class="name">{name}</span>
          <span class="sr">, {empty ? "no answer" : WORDS[lane.state]}. Open all of it.</span>
        </button>
        <span class="way">{wayOf(run, lane)}</span>
        {slight && <span class="slight">{outcomeOf(run, lane)}</span>}
        {row.rounds.length > 1 && <span class="chip">round {row.rounds.length - 1}</span>}
        {row.below > 0 && who !== MAIN && (
          <button type="button" class="fold" aria-expanded={!closed} onClick={() => onToggle(who)}>
            <Mark sign={closed ? "right" : "down"} size={14} />{counted(row.below, "thread")}
          </button>
        )}
        <Used row={row} />
      </div>
      {!slight && <Said run={run} lane={lane} />}
      <Thumbs pictures={pictures} label={`Images of ${name}`} most={4} />
    </article>
  );
}

/** Usage, as far as it is known. */
function Used({ row }: { row: Row }): VNode | null {
  const took = row.lane.ended === null ? "" : seconds(row.lane.ended - row.rounds[0]!.began);
  const parts = [row.tokens > 0 && `${short(row.tokens)} tokens`, took].filter(Boolean);
  return parts.length === 0 ? null : <span class="used">{parts.join(" · ")}</span>;
}

function Said({ run, lane }: { run: Run; lane: Lane }): VNode {
  if (run.lanes.size === 1 && lane.tail.trim() !== "" && lane.tools.length === 0) return <p class="tail alone"><span>{lane.tail.trimStart()}</span></p>;
  if (isRunning(lane)) return <Doing run={run} lane={lane} />;
  if (lane.state === "answered") return <p class="outcome quiet">{run.lanes.size > 1 ? "handed the answer over" : "answered"}</p>;
  const outcome = outcomeOf(run, lane);
  const whole = isMember(run, lane) && answerOf(run, lane) === lane.outcome;
  return (
    <p class="outcome">
      {/* What a team's agent returns is a whole reply: it comes to its point at the end. */}
      <span>{whole && outcome.length > 300 ? "…" + oneLine(outcome.slice(-300)) : oneLine(outcome.slice(0, 400))}</span>
      {lane.changed !== null && <small>{lane.changed.kept ? "kept its answer" : `was ${oneLine(lane.changed.before) || "nothing"} before`}</small>}
    </p>
  );
}

/** Current activity of an agent: a tool, a note, or its latest thoughts. */
function Doing({ run, lane }: { run: Run; lane: Lane }): VNode {
  const use = lane.tools.at(-1);
  if (use !== undefined) return <p class="doing"><span class="chip tool">{use.tool}</span> <code>{argumentsOf(use.arguments).slice(0, 400)}</code></p>;
  if (lane.note.trim() !== "") return <p class="doing note">{oneLine(lane.note)}</p>;
  if (lane.tail.trim() !== "") return <p class={`tail ${lane.tail.length < 60 ? "brief" : ""}`}><span>{lane.tail}</span></p>;
  if (lane.state === "waiting") return <p class="doing note">waits for {counted([...run.lanes.values()].filter((other) => other.parent === lane.agent && isRunning(other)).length, "agent")}</p>;
  return <p class="doing note">thinking</p>;
}
