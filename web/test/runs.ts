/** Runs to test with: two that are written out, and any number that are made up. */

import fc from "fast-check";
import type { Event } from "../src/fold/events";
import { items } from "../src/fold/list";
import type { Run } from "../src/fold/run";

type Loose = { readonly kind: string } & Readonly<Record<string, unknown>>;

export function numbered(events: readonly Loose[]): Event[] {
  return events.map((event, seq) => ({ seq, at: seq / 50, ...event }) as unknown as Event);
}

const USAGE = { tokens: 12, critical_path: 3, threads: 2, seconds: 1.5, usd: 0.01, prompt_tokens: 4, calls: 2 };

/** A native model with two threads. */
export function threads(): Event[] {
  return numbered([
    { kind: "run_started", run: "r1", mode: "contemplating", model: "nano", question: "Which way?" },
    { kind: "agent_started", agent: "main", parent: null, task: "Which way?" },
    { kind: "thought", agent: "main", text: "maze: " },
    { kind: "agent_started", agent: "thread-1", parent: "main", task: "D" },
    { kind: "agent_started", agent: "thread-2", parent: "main", task: "R" },
    { kind: "pictured", agent: "thread-2", picture: "/v1/runs/r1/pictures/1", caption: "what it imagines", width: 64, height: 64 },
    { kind: "thought", agent: "thread-2", text: "=18" },
    { kind: "thought", agent: "thread-2", text: ";12" },
    { kind: "spent", agent: "main", usage: USAGE },
    { kind: "agent_returned", agent: "thread-2", text: "RD" },
    { kind: "agent_cancelled", agent: "thread-1", reason: "another thread settled the question" },
    { kind: "answer_delta", text: "R" },
    { kind: "answer_delta", text: "D" },
    { kind: "verified", ok: true, by: "the verifier" },
    { kind: "agent_returned", agent: "main", text: "RD" },
    { kind: "run_ended", answer: "RD", verified: true, usage: USAGE, why: "finished", reason: "" },
  ]);
}

/** A team of three, a judge, and an answer that was begun twice. */
export function team(): Event[] {
  return numbered([
    { kind: "run_started", run: "r2", mode: "contemplating", model: "sonnet", question: "How many?" },
    { kind: "agent_started", agent: "main", parent: null, task: "How many?" },
    { kind: "stage_started", stage: "explore", round: 0 },
    ...[1, 2, 3].map((number) => ({ kind: "agent_started", agent: `agent-${number}`, parent: "main", task: "sonnet: from first principles" })),
    { kind: "tool_called", agent: "agent-1", call: "c1", tool: "python", arguments: "{\"code\": \"1+1\"}" },
    { kind: "tool_returned", agent: "agent-1", call: "c1", text: "2", failed: false },
    { kind: "agent_returned", agent: "agent-1", text: "It is 6." },
    { kind: "agreed", groups: [["agent-1"]], answers: ["6"], enough: false, reason: "" },
    { kind: "agent_returned", agent: "agent-2", text: "It is 4." },
    { kind: "agreed", groups: [["agent-2"], ["agent-1"]], answers: ["4", "6"], enough: false, reason: "" },
    { kind: "stage_started", stage: "refine", round: 1 },
    { kind: "agent_started", agent: "agent-2/round-1", parent: "main", task: "reconsiders" },
    { kind: "changed", agent: "agent-2", before: "4", after: "6", kept: false },
    { kind: "agent_returned", agent: "agent-2/round-1", text: "It is 6 after all." },
    { kind: "agent_returned", agent: "agent-3", text: "4" },
    { kind: "agent_started", agent: "judge-9", parent: "main", task: "judges" },
    { kind: "agent_returned", agent: "judge-9", text: "A" },
    { kind: "judged", by: "opus", winner: "agent-1", loser: "agent-3", reason: "it is right" },
    { kind: "agreed", groups: [["agent-1", "agent-2"], ["agent-3"]], answers: ["6", "4"], enough: true, reason: "two of three" },
    { kind: "decided", by: "vote", winners: ["agent-1", "agent-2"], reason: "two of three" },
    { kind: "answer_delta", text: "It is" },
    { kind: "answer_dropped", reason: "the writer failed" },
    { kind: "answer_delta", text: "6" },
    { kind: "run_ended", answer: "6", verified: false, usage: USAGE, why: "finished", reason: "" },
  ]);
}

const agent = fc.constantFrom("main", "agent-1", "agent-2", "agent-2/round-1", "agent-3", "agent-3/thread-1", "judge-1", "same-2", "merge", "thread-1", "__proto__");
const text = fc.string({ maxLength: 12 });
const any = (kind: string, fields: Record<string, fc.Arbitrary<unknown>>): fc.Arbitrary<Loose> => fc.record({ kind: fc.constant(kind), ...fields }) as fc.Arbitrary<Loose>;
const number = fc.nat(1000);

/** Anything at all: also what no run would do, for a stored run may be of another version. */
export const runs: fc.Arbitrary<Event[]> = fc.array(fc.oneof(
  any("run_started", { run: text, mode: fc.constant("contemplating"), model: text, question: text }),
  any("agent_started", { agent, parent: fc.option(agent), task: text }),
  any("thought", { agent, text }),
  any("pictured", { agent, picture: text, caption: text, width: number, height: number }),
  any("agent_returned", { agent, text }),
  any("agent_cancelled", { agent, reason: text }),
  any("agent_failed", { agent, error: text, message: text }),
  any("noted", { agent, text }),
  any("tool_called", { agent, call: fc.constantFrom("c1", "c2"), tool: text, arguments: text }),
  any("tool_returned", { agent, call: fc.constantFrom("c1", "c2"), text, failed: fc.boolean() }),
  any("stage_started", { stage: fc.constantFrom("explore", "refine"), round: fc.nat(3) }),
  any("agreed", { groups: fc.array(fc.array(agent)), answers: fc.array(text), enough: fc.boolean(), reason: text }),
  any("changed", { agent, before: text, after: text, kept: fc.boolean() }),
  any("judged", { by: text, winner: agent, loser: agent, reason: text }),
  any("decided", { by: text, winners: fc.array(agent), reason: text }),
  any("answer_delta", { text }),
  any("answer_dropped", { reason: text }),
  any("verified", { ok: fc.boolean(), by: text }),
  any("abstained", { reason: text }),
  any("spent", { agent, usage: fc.constant(USAGE) }),
  any("run_ended", { answer: text, verified: fc.boolean(), usage: fc.constant(USAGE), why: fc.constant("finished"), reason: text }),
  any("run_failed", { error: text, message: text }),
), { maxLength: 300 }).map(numbered);

/** A run as values that can be compared. */
export function plain(run: Run): unknown {
  return { ...run, lanes: [...run.lanes].map(([name, lane]) => [name, { ...lane, log: [lane.log.dropped, items(lane.log)] }]) };
}
