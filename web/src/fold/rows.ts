/** Lanes that are shown, with order and parent: one row an agent, its rounds of refinement together. */

import type { Usage } from "./events";
import type { Group } from "./groups";
import { isOver, isRunning, type Lane, MAIN, type Run, whoOf } from "./run";

/** One agent as it is shown. */
export interface Row {
  readonly who: string;
  /** Its latest round. */
  readonly lane: Lane;
  /** All its rounds, the first one first. */
  readonly rounds: readonly Lane[];
  /** Indentation. */
  readonly level: number;
  /** Number of agents below it. */
  readonly below: number;
  /** True where a sibling follows, at each level from the outermost on. */
  readonly follows: readonly boolean[];
  readonly group: Group | null;
  readonly tokens: number;
}

/** Agents that compare answers; shown while they work. */
const ASIDE = /^(same|judge)-\d+(-again)?$/;
/** Agents of a team without an answer of their own. */
const OTHERS = /^((same|judge)-\d+|merge|.*-again)$/;

/** True if a team is at work, and not one model. */
export function isTeam(run: Run): boolean {
  return run.stages.length > 0;
}

/** True for an agent of the team, and not for a thread below one. */
export function isMember(run: Run, lane: Lane): boolean {
  return isTeam(run) && lane.agent !== MAIN && (lane.parent === MAIN || lane.parent === null);
}

/** The agents that try to answer: those of a team, or those that the first one spawned. */
export function triers(run: Run): Lane[] {
  const found = new Map<string, Lane>();
  for (const lane of run.lanes.values()) {
    const tries = isTeam(run) ? isMember(run, lane) && !OTHERS.test(lane.agent) : lane.depth > 0;
    if (tries) found.set(whoOf(lane.agent), lane);
  }
  return [...found.values()];
}

/** The group that an agent's answer is in. */
export function groupOf(run: Run, lane: Lane, groups: readonly Group[] = run.groups): Group | null {
  const who = whoOf(lane.agent);
  const own = groups.find((group) => group.agents.includes(lane.agent) || group.agents.includes(who)) ?? null;
  const changed = lane.changed;
  if (changed === null || changed.kept) return own;
  // Until all have reconsidered, the groups are those from before the round.
  const after = groups.find((group) => group.answer === changed.after);
  return after ?? (own !== null && own.answer !== changed.before ? own : null);
}

/** Answer of an agent: the short one if known, else its whole reply. */
export function answerOf(run: Run, lane: Lane): string {
  if (lane.agent !== whoOf(lane.agent)) return lane.changed?.after || lane.outcome;
  return groupOf(run, lane)?.answer || lane.outcome;
}

/** Groups of equal answers: those of the run, else by equal text. */
export function agreement(run: Run): readonly Group[] {
  if (run.groups.length > 0) return run.groups;
  const same = new Map<string, string[]>();
  for (const lane of triers(run)) {
    const answer = lane.outcome.trim();
    if ((lane.state === "returned" || lane.state === "won") && answer !== "") same.set(answer, [...(same.get(answer) ?? []), lane.agent]);
  }
  return [...same].map(([answer, agents], number) => ({ number, answer, agents }));
}

/** The group whose answer the run's is; null while that is open. */
export function winning(run: Run, groups: readonly Group[]): Group | null {
  if (run.decided === null && !isOver(run)) return null;
  return groups.find((group) => group.agents.some((agent) => [...run.lanes.values()].some((lane) => lane.state === "won"
    && (lane.agent === agent || whoOf(lane.agent) === agent)))) ?? null;
}

/** The rows of a run, depth first. Those below a closed agent are left out. */
export function rowsOf(run: Run, isClosed: (who: string) => boolean): Row[] {
  const groups = agreement(run);
  const rounds = present(run);
  const children = new Map<string | null, string[]>();
  for (const [who, lanes] of rounds) {
    const above = lanes[0]!.parent === null ? null : whoOf(lanes[0]!.parent);
    const parent = above !== null && rounds.has(above) ? above : null;
    children.set(parent, [...(children.get(parent) ?? []), who]);
  }
  const rows: Row[] = [];
  const visit = (parent: string | null, follows: readonly boolean[]): void => {
    const siblings = children.get(parent) ?? [];
    siblings.forEach((who, at) => {
      const lanes = rounds.get(who)!;
      const lane = lanes.at(-1)!;
      const path = parent === null ? [] : [...follows, at < siblings.length - 1];
      rows.push({ who, lane, rounds: lanes, level: path.length, below: descendants(children, who), follows: path,
        group: groupOf(run, lane, groups), tokens: lanes.reduce((sum, each) => sum + each.usage.tokens, 0) });
      if (!isClosed(who)) visit(who, path);
    });
  };
  visit(null, []);
  return rows;
}

function descendants(children: ReadonlyMap<string | null, readonly string[]>, who: string): number {
  const own = children.get(who) ?? [];
  return own.reduce((sum, child) => sum + 1 + descendants(children, child), 0);
}

/** The lanes worth a row, by agent: helpers that only compare answers are gone once they are done. */
function present(run: Run): Map<string, Lane[]> {
  const found = new Map<string, Lane[]>();
  for (const lane of run.lanes.values()) {
    const who = whoOf(lane.agent);
    found.set(who, [...(found.get(who) ?? []), lane]);
  }
  for (const [who, lanes] of found) {
    const lane = lanes.at(-1)!;
    const idle = who === MAIN && isTeam(run) && lane.log.size === 0;
    const done = ASIDE.test(who) && !isRunning(lane) && lane.state !== "failed";
    if (idle || done) found.delete(who);
  }
  return found;
}

/** Number of lanes by state. */
export function tally(lanes: readonly Lane[]): { running: number; answered: number; cancelled: number; failed: number } {
  const count = (...states: string[]): number => lanes.filter((lane) => states.includes(lane.state)).length;
  const empty = lanes.filter((lane) => lane.state === "returned" && lane.outcome.trim() === "").length;
  return { running: lanes.filter(isRunning).length, answered: count("returned", "won") - empty, cancelled: count("cancelled"), failed: count("failed") + empty };
}

/** Seconds, tokens and money so far. `clock`: seconds since the start where they are known better than by the latest event. */
export function spending(run: Run, clock: number | null): { seconds: number; usage: Usage } {
  const seconds = isOver(run) ? run.usage.seconds || run.at : Math.max(run.at, clock ?? 0);
  return { seconds, usage: run.usage };
}
