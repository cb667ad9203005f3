/** The lanes: one row an agent, below its parent; equal answers join on the right. */

import type { VNode } from "preact";
import { useMemo, useState } from "preact/hooks";
import { type Group, letter } from "../fold/groups";
import { agreement, isMember, isTeam, type Row, rowsOf, winning } from "../fold/rows";
import { isRunning, type Run } from "../fold/run";
import { counted, cut, oneLine } from "../fold/words";
import { LaneCard } from "./lane";

/** Groups that have a line of their own; the others share the last. */
const LINES = 4;
/** Answers that are named above the lanes. */
const NAMED = 12;
const APART = 22;
const INDENT = 18;

/** A line as it is drawn: one column. The last one is shared. */
interface Track {
  readonly column: number;
  readonly last: number;
  readonly tone: string;
  readonly groups: ReadonlySet<number>;
}

/** Line of a group, and the row up to which it reaches. */
interface Line {
  readonly group: Group;
  readonly column: number;
  readonly last: number;
  readonly tone: string;
}

export function toneOf(run: Run, group: Group | null, winner: Group | null): string {
  if (group === null) return "";
  if (winner !== null && run.verified && group.number === winner.number) return "tone-right";
  return `tone-${group.number % 6}`;
}

export function Lanes({ run, onOpen }: { run: Run; onOpen: (who: string) => void }): VNode {
  const [toggled, setToggled] = useState<ReadonlyMap<string, boolean>>(new Map());
  const closed = (who: string): boolean => toggled.get(who) ?? isDone(run, who);
  const rows = rowsOf(run, closed);
  const groups = agreement(run);
  const winner = winning(run, groups);
  const lines = linesOf(run, rows, groups, winner);
  const tracks = tracksOf(lines);
  const width = lines.length === 0 ? 0 : APART * (Math.min(lines.length, LINES) + 0.75);
  const toggle = (who: string): void => setToggled(new Map(toggled).set(who, !closed(who)));
  return (
    <section class="lanes" aria-label="Agents">
      <Agreement run={run} lines={lines} winner={winner} width={width} />
      <ol class="rows">
        {rows.map((row, at) => (
          <LaneRow key={row.who} run={run} row={row} at={at} tracks={tracks} width={width} closed={closed(row.who)} onOpen={onOpen} onToggle={toggle}
            tone={toneOf(run, row.group, winner)} />
        ))}
      </ol>
    </section>
  );
}

/** Threads of a team's agent are folded away once it has ended. */
function isDone(run: Run, who: string): boolean {
  const lane = run.lanes.get(who);
  return lane !== undefined && isTeam(run) && isMember(run, lane) && !isRunning(lane);
}

function linesOf(run: Run, rows: readonly Row[], groups: readonly Group[], winner: Group | null): Line[] {
  const ends = new Map(rows.map((row, at) => [row.group?.number ?? -1, at]));
  return [...groups].sort((a, b) => Number(b === winner) - Number(a === winner)).map((group, at) => ({
    group, column: Math.min(at, LINES - 1), tone: toneOf(run, group, winner),
    last: ends.get(group.number) ?? -1,
  })).filter((line) => line.last >= 0);
}

function tracksOf(lines: readonly Line[]): Track[] {
  const columns = [...new Set(lines.map((line) => line.column))];
  return columns.map((column) => {
    const own = lines.filter((line) => line.column === column);
    return { column, last: Math.max(...own.map((line) => line.last)), tone: own[0]!.tone, groups: new Set(own.map((line) => line.group.number)) };
  });
}

const place = (column: number): number => APART * (column + 0.75);

/** Answers of the groups, at the ends of their lines. */
function Agreement({ run, lines, winner, width }: { run: Run; lines: readonly Line[]; winner: Group | null; width: number }): VNode | null {
  if (lines.length === 0) return null;
  return (
    <div class="agreement">
      <div class="saying"><ul aria-label="Answers so far">
        {lines.slice(0, NAMED).map(({ group, tone }) => (
          <li key={group.number} class={`said ${tone} ${group === winner ? "winner" : ""}`}>
            <b class="letter" aria-hidden="true">{letter(group)}</b>
            <span class="what">{cut(oneLine(group.answer), 60) || "nothing"}</span>
            <small>{counted(group.agents.length, "agent")}</small>
          </li>
        ))}
        {lines.length > NAMED && <li class="others">and {lines.length - NAMED} more</li>}
      </ul>
      {run.settled !== "" && <p class="settled">{run.settled}</p>}
      </div>
      <div class="joins heads" style={{ width: `${width}px` }} aria-hidden="true">
        {lines.map((line) => line.column === (lines[lines.indexOf(line) - 1]?.column ?? -1) ? null
          : <b key={line.group.number} class={`letter ${line.tone}`} style={{ left: `${place(line.column)}px` }}>{letter(line.group)}</b>)}
      </div>
    </div>
  );
}

interface RowProps {
  readonly run: Run;
  readonly row: Row;
  readonly at: number;
  readonly tracks: readonly Track[];
  readonly width: number;
  readonly tone: string;
  readonly closed: boolean;
  readonly onOpen: (who: string) => void;
  readonly onToggle: (who: string) => void;
}

/** Redrawn only if its lane has changed. */
function LaneRow({ run, row, at, tracks, width, tone, closed, onOpen, onToggle }: RowProps): VNode {
  const joins = tracks.map((track) => `${at > track.last ? 0 : at < track.last ? 1 : 2}${holds(track, row)}${track.tone}`).join();
  return useMemo(() => (
    <li class="row">
      <Branches row={row} />
      <LaneCard run={run} row={row} tone={tone} closed={closed} onOpen={onOpen} onToggle={onToggle} />
      {width > 0 && <Joins row={row} at={at} tracks={tracks} width={width} tone={tone} />}
    </li>
  ), [row.lane, row.below, row.follows.join(), row.group?.answer, tone, joins, width, closed, isTeam(run), run.lanes.size > 1, row.lane.state === "waiting" ? run.at : 0]);
}

/** The way from the agent above to this one. */
function Branches({ row }: { row: Row }): VNode | null {
  if (row.level === 0) return null;
  return (
    <div class="branches" style={{ width: `${row.level * INDENT}px` }} aria-hidden="true">
      {row.follows.map((follows, at) => (
        <i key={at} class={at < row.level - 1 ? (follows ? "bar" : "none") : follows ? "fork" : "bend"} style={{ left: `${at * INDENT + 8}px` }} />
      ))}
    </div>
  );
}

/** The lines that pass this row, and its own that joins one of them. */
function Joins({ row, at, tracks, width, tone }: { row: Row; at: number; tracks: readonly Track[]; width: number; tone: string }): VNode {
  return (
    <div class="joins" style={{ width: `${width}px` }} aria-hidden="true">
      {tracks.map((track) => [
        at < track.last && <i key={`p${track.column}`} class={`pass ${track.tone}`} style={{ left: `${place(track.column)}px` }} />,
        holds(track, row) && <i key={`j${track.column}`} class={`join ${tone}`} style={{ width: `${place(track.column) + 2}px` }} />,
      ])}
    </div>
  );
}

function holds(track: Track, row: Row): boolean {
  return row.group !== null && track.groups.has(row.group.number);
}
