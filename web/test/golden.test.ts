/** The page's fold on the golden runs. The terminal's fold replays the same files in `tests/cli/test_golden.py`. */

import { describe, expect, it } from "vitest";
import { eventOf, type Event } from "../src/fold/events";
import { folded, type Run } from "../src/fold/run";

interface Golden {
  readonly events: readonly unknown[];
  readonly state: unknown;
}

const FILES = import.meta.glob<Golden>("../../tests/golden/*.json", { eager: true, import: "default" });
const RUNS = Object.entries(FILES).map(([path, golden]) => [path.slice(path.lastIndexOf("/") + 1), golden] as const);

/** The state that both folds have in common; `tests/golden/state.py` has the same function for the terminal. */
function stateOf(run: Run): unknown {
  const status = run.abstained !== "" ? "abstained" : run.verified ? "verified" : run.checkedBy !== "" ? "refuted" : "unchecked";
  return {
    question: run.question, mode: run.mode, model: run.model, at: run.at,
    answer: run.answer, status, checked_by: run.checkedBy, abstained: run.abstained,
    why: run.why, reason: run.reason, failed: run.failed !== null, usage: run.usage,
    stages: run.stages.map((stage) => [stage.stage, stage.round]),
    groups: run.groups.map((group) => [group.number, group.answer, group.agents]),
    settled: run.settled,
    verdicts: run.verdicts.map((verdict) => [verdict.winner, verdict.loser]),
    decided: run.decided === null ? null : [run.decided.by, run.decided.winners],
    lanes: [...run.lanes.values()].map((lane) => ({
      agent: lane.agent, parent: lane.parent, task: lane.task, depth: lane.depth, state: lane.state,
      thoughts: lane.tail, note: lane.note, tools: lane.tools.map((use) => use.call), outcome: lane.outcome,
      changed: lane.changed === null ? null : [lane.changed.before, lane.changed.after, lane.changed.kept],
      images: lane.pictures.length, tokens: lane.usage.tokens,
    })),
  };
}

describe("the golden runs", () => {
  it("are one for each way to end, at least", () => expect(RUNS.length).toBeGreaterThanOrEqual(12));

  it.each(RUNS)("%s folds into its state", (_, golden) => {
    const events = golden.events.map((value) => eventOf(value)).filter((event): event is Event => event !== null);
    expect(events).toHaveLength(golden.events.length);
    expect(stateOf(folded(events))).toEqual(golden.state);
  });
});
