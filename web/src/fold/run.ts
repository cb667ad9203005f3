/**
 * The state of a run that the page shows, as a value: `reduce(state, event)` folds events into it one by one.
 *
 * Pure and alone: no clock, no page, no network. The live view, the replay, the comparison and an exported file all show what this
 * one function makes of the events so far, so they cannot differ. An event that was folded already changes nothing.
 */

import { type Agreed, type Changed, type Decided, type Event, type Judged, NOTHING, type StageStarted, type Usage, type Why } from "./events";
import { type Group, regrouped } from "./groups";
import { appended, EMPTY, latest, type List, replacedLast } from "./list";

/** The agent every run starts with; the agents it spawns descend from it. */
export const MAIN = "main";

/** Entries of a lane that are kept: the stored run has them all. */
const KEPT = 2000;
/** Characters after which a thought goes on in the next entry, at a line's end where there is one soon. */
const LONG = 1500;
const LONGEST = 3000;
/** Characters of an agent's latest thoughts that a lane shows while it thinks. */
const TAIL = 600;

export type LaneState = "thinking" | "waiting" | "returned" | "won" | "answered" | "cancelled" | "failed";

export interface Picture {
  readonly seq: number;
  readonly agent: string;
  readonly link: string;
  readonly caption: string;
  readonly width: number;
  readonly height: number;
}

/** One thing that an agent did. */
export type Entry =
  | { readonly kind: "thought"; readonly at: number; readonly text: string }
  | { readonly kind: "note"; readonly at: number; readonly text: string }
  | { readonly kind: "picture"; readonly at: number; readonly picture: Picture }
  | { readonly kind: "call"; readonly at: number; readonly call: string; readonly tool: string; readonly arguments: string }
  | { readonly kind: "result"; readonly at: number; readonly call: string; readonly text: string; readonly failed: boolean };

/** A tool at work for an agent. */
export interface Use {
  readonly call: string;
  readonly tool: string;
  readonly arguments: string;
}

/** One agent. */
export interface Lane {
  readonly agent: string;
  readonly parent: string | null;
  readonly task: string;
  /** Number of agents above it. */
  readonly depth: number;
  readonly state: LaneState;
  readonly log: List<Entry>;
  /** The latest of its thoughts. */
  readonly tail: string;
  /** A note since its latest thought. */
  readonly note: string;
  /** Tools it is using now. */
  readonly tools: readonly Use[];
  /** Returned text, or the reason why it was cancelled or failed. */
  readonly outcome: string;
  readonly changed: Changed | null;
  readonly pictures: readonly Picture[];
  readonly usage: Usage;
  readonly began: number;
  readonly ended: number | null;
}

/** A run so far. */
export interface Run {
  /** The number of the latest event; -1 before the first. */
  readonly seq: number;
  /** Seconds from the start to the latest event. */
  readonly at: number;
  readonly id: string;
  readonly question: string;
  readonly mode: string;
  readonly model: string;
  /** By agent, in the order in which they started. */
  readonly lanes: ReadonlyMap<string, Lane>;
  readonly answer: string;
  /** Reason why an answer that was shown before was dropped. */
  readonly dropped: string;
  readonly verified: boolean;
  /** Verifier of the answer; empty if there was none. */
  readonly checkedBy: string;
  /** Reason for abstaining; empty if the model did not abstain. */
  readonly abstained: string;
  readonly usage: Usage;
  /** Null until the run has ended with an answer. */
  readonly why: Why | null;
  readonly reason: string;
  readonly failed: { readonly error: string; readonly message: string } | null;
  readonly stages: readonly StageStarted[];
  /** Groups of equal answers, the leading group first. */
  readonly groups: readonly Group[];
  /** Reason why more answers would not change the winner; empty while they might. */
  readonly settled: string;
  readonly verdicts: readonly Judged[];
  readonly decided: Decided | null;
}

/** A run of which nothing is known yet. */
export const BEGIN: Run = {
  seq: -1, at: 0, id: "", question: "", mode: "", model: "", lanes: new Map(), answer: "", dropped: "", verified: false, checkedBy: "",
  abstained: "", usage: NOTHING, why: null, reason: "", failed: null, stages: [], groups: [], settled: "", verdicts: [], decided: null,
};

/** The run after one more event. */
export function reduce(run: Run, event: Event): Run {
  if (event.seq <= run.seq) return run;
  return after({ ...run, seq: event.seq, at: event.at }, event);
}

/** The run after all of them. */
export function folded(events: Iterable<Event>, run: Run = BEGIN): Run {
  for (const event of events) run = reduce(run, event);
  return run;
}

/** True if the run has ended. */
export function isOver(run: Run): boolean {
  return run.why !== null || run.failed !== null;
}

/** True if an agent has not ended. */
export function isRunning(lane: Lane): boolean {
  return lane.state === "thinking" || lane.state === "waiting";
}

/** The agent behind a lane; the same in every round of refinement. */
export function whoOf(agent: string): string {
  return agent.replace(/\/round-\d+$/, "");
}

/** The run as a watcher leaves it that learnt of its end from elsewhere: who still ran is cancelled. */
export function brokenOff(run: Run, reason: string): Run {
  const running = [...run.lanes.values()].filter(isRunning);
  return withLanes(run, ...running.map((lane): Lane => ({ ...lane, state: "cancelled", outcome: reason, ended: run.at })));
}

function after(run: Run, event: Event): Run {
  switch (event.kind) {
    case "run_started":
      return { ...run, id: event.run, question: event.question, mode: event.mode, model: event.model };
    case "agent_started":
      return withAgent(run, event.agent, event.parent, event.task);
    case "thought":
    case "pictured":
    case "noted":
    case "tool_called":
    case "tool_returned":
      return withLanes(run, lived(laneOf(run, event.agent), event));
    case "agent_returned":
      return ended(run, event.agent, event.agent === MAIN ? "answered" : "returned", event.text);
    case "agent_cancelled":
      return ended(run, event.agent, "cancelled", event.reason);
    case "agent_failed":
      return ended(run, event.agent, "failed", event.message);
    case "changed":
      return withLanes(run, ...allOf(run, event.agent).map((lane) => ({ ...lane, changed: event })));
    case "stage_started":
      return { ...run, stages: [...run.stages, event] };
    case "agreed":
      return agreed(run, event);
    case "judged":
      return { ...run, verdicts: [...run.verdicts, event] };
    case "decided":
      return won({ ...run, decided: event }, event.winners.flatMap((who) => allOf(run, who)));
    case "answer_delta":
      return { ...run, answer: run.answer + event.text };
    case "answer_dropped":
      return { ...run, answer: "", dropped: event.reason, verified: false, checkedBy: "", abstained: "" };
    case "verified":
      return { ...run, verified: event.ok, checkedBy: event.by, abstained: "" };
    case "abstained":
      return { ...run, verified: false, checkedBy: "", abstained: event.reason };
    case "spent":
      return spent(run, event.agent, event.usage);
    case "run_ended": {
      const over = { ...run, answer: event.answer, verified: event.verified, usage: event.usage, why: event.why, reason: event.reason };
      return run.stages.length > 0 ? over : won(over, [...run.lanes.values()].filter((lane) => isSame(lane.outcome, event.answer)));
    }
    case "run_failed":
      return { ...run, failed: { error: event.error, message: event.message } };
  }
}

/** A lane after something in the life of its agent. */
function lived(lane: Lane, event: Extract<Event, { kind: "thought" | "pictured" | "noted" | "tool_called" | "tool_returned" }>): Lane {
  switch (event.kind) {
    case "thought":
      return { ...lane, log: thought(lane.log, event.text, event.at), tail: (lane.tail + event.text).slice(-TAIL), note: "" };
    case "pictured": {
      const { seq, agent, caption, width, height } = event;
      const picture = { seq, agent, link: event.picture, caption, width, height };
      return { ...lane, log: appended(lane.log, { kind: "picture", at: event.at, picture }, KEPT), pictures: [...lane.pictures, picture] };
    }
    case "noted":
      return { ...lane, log: appended(lane.log, { kind: "note", at: event.at, text: event.text }, KEPT), note: event.text };
    case "tool_called": {
      const use = { call: event.call, tool: event.tool, arguments: event.arguments };
      return { ...lane, log: appended(lane.log, { kind: "call", at: event.at, ...use }, KEPT), tools: [...lane.tools, use], note: "" };
    }
    case "tool_returned": {
      const { at, call, text, failed } = event;
      const left = lane.tools.filter((use) => use.call !== call);
      return { ...lane, log: appended(lane.log, { kind: "result", at, call, text, failed }, KEPT), tools: left, note: gist(text, failed) };
    }
  }
}

/** Result of a tool, shortened; an error has its cause at the end. */
function gist(text: string, failed: boolean): string {
  const trimmed = text.trim();
  return "→ " + (failed ? trimmed.slice(trimmed.lastIndexOf("\n") + 1) : trimmed).slice(0, TAIL);
}

/** The log with more of a thought: it goes on in the latest entry until that is long. */
function thought(log: List<Entry>, text: string, at: number): List<Entry> {
  const last = latest(log);
  if (last?.kind !== "thought" || last.text.length + text.length > LONGEST) return appended(log, { kind: "thought", at, text }, KEPT);
  if (last.text.length > LONG && last.text.endsWith("\n")) return appended(log, { kind: "thought", at, text }, KEPT);
  return replacedLast(log, { ...last, text: last.text + text });
}

function laneOf(run: Run, agent: string): Lane {
  return run.lanes.get(agent) ?? newLane(run, agent, null, "", 0);
}

function newLane(run: Run, agent: string, parent: string | null, task: string, depth: number): Lane {
  return { agent, parent, task, depth, state: "thinking", log: EMPTY, tail: "", note: "", tools: [], outcome: "", changed: null, pictures: [],
    usage: NOTHING, began: run.at, ended: null };
}

function withLanes(run: Run, ...lanes: readonly Lane[]): Run {
  if (lanes.length === 0) return run;
  const all = new Map(run.lanes);
  for (const lane of lanes) all.set(lane.agent, lane);
  return { ...run, lanes: all };
}

function withAgent(run: Run, agent: string, parent: string | null, task: string): Run {
  const above = parent === null ? undefined : run.lanes.get(parent);
  if (above === undefined) return withLanes(run, newLane(run, agent, null, task, 0));
  return withLanes(run, { ...above, state: "waiting" }, newLane(run, agent, above.agent, task, above.depth + 1));
}

/** With an agent that has ended; a parent whose last child this was thinks on. */
function ended(run: Run, agent: string, state: LaneState, outcome: string): Run {
  const lane: Lane = { ...laneOf(run, agent), state, outcome, tools: [], ended: run.at };
  const next = withLanes(run, lane);
  const parent = lane.parent === null ? undefined : next.lanes.get(lane.parent);
  if (parent === undefined || parent.state !== "waiting") return next;
  const busy = [...next.lanes.values()].some((other) => other.parent === parent.agent && isRunning(other));
  return busy ? next : withLanes(next, { ...parent, state: "thinking" });
}

function agreed(run: Run, event: Agreed): Run {
  return { ...run, groups: regrouped(run.groups, event), settled: event.enough ? event.reason || "enough answers agree" : "" };
}

function spent(run: Run, agent: string, usage: Usage): Run {
  if (agent === MAIN) return { ...run, usage };
  const lane = run.lanes.get(agent);
  return lane === undefined ? run : withLanes(run, { ...lane, usage });
}

/** With those of the lanes as winners that had returned. */
function won(run: Run, lanes: readonly Lane[]): Run {
  return withLanes(run, ...lanes.filter((lane) => lane.state === "returned").map((lane): Lane => ({ ...lane, state: "won" })));
}

function isSame(outcome: string, answer: string): boolean {
  return outcome.trim() !== "" && outcome.trim() === answer.trim();
}

/** The lanes of an agent, one for each round. */
function allOf(run: Run, agent: string): Lane[] {
  return [...run.lanes.values()].filter((lane) => lane.agent === agent || whoOf(lane.agent) === agent);
}
