import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Film } from "../src/fold/film";
import { NOTHING, type Event, eventOf } from "../src/fold/events";
import { items } from "../src/fold/list";
import { BEGIN, brokenOff, folded, isOver, isRunning, reduce } from "../src/fold/run";
import { agreement, rowsOf, tally, triers, winning } from "../src/fold/rows";
import { standing } from "../src/fold/words";
import { plain, runs, team, threads } from "./runs";

describe("how sure an answer is", () => {
  const ended = (...events: readonly object[]) => folded([...events, { kind: "run_ended", answer: "RD", verified: false, usage: NOTHING, why: "finished", reason: "" }]
    .map((event, seq) => ({ ...event, seq, at: seq }) as unknown as Event));

  it("is one word of four", () => {
    expect(standing(ended({ kind: "verified", ok: false, by: "the verifier" }), false)).toMatchObject({ tone: "wrong", word: "Refuted" });
    expect(standing(ended(), false)).toMatchObject({ tone: "open", word: "Unchecked" });
    const abstained = standing(ended({ kind: "abstained", reason: "the maze has 8x8 cells" }), false);
    expect(abstained).toEqual({ tone: "open", word: "Abstained", sentence: "The maze has 8x8 cells." });
    expect(standing(folded(threads()), false)).toMatchObject({ tone: "right", word: "Verified" });
  });

  it("begins anew with an answer that is dropped", () => {
    const run = ended({ kind: "abstained", reason: "the maze has 8x8 cells" }, { kind: "answer_dropped", reason: "its writer failed" });
    expect(standing(run, false).word).toBe("Unchecked");
  });
});

describe("the fold", () => {
  it("makes the same of a run at once, in pieces, and again", () => {
    fc.assert(fc.property(runs, fc.array(fc.nat(300)), (events, cuts) => {
      const whole = folded(events);
      const pieces = [...cuts, events.length].map((cut) => cut % (events.length + 1)).sort((a, b) => a - b);
      let run = BEGIN;
      let from = 0;
      for (const to of pieces) {
        run = folded(events.slice(from, to), run);
        from = to;
      }
      expect(plain(folded(events.slice(from), run))).toEqual(plain(whole));
      expect(plain(folded(events, whole))).toEqual(plain(whole));
    }));
  });

  it("never changes a state it was given", () => {
    fc.assert(fc.property(runs, (events) => {
      let run = BEGIN;
      const seen: { run: typeof run; was: unknown }[] = [];
      for (const event of events) {
        seen.push({ run, was: plain(run) });
        run = reduce(run, event);
      }
      for (const { run: before, was } of seen) expect(plain(before)).toEqual(was);
    }), { numRuns: 30 });
  });

  it("has a state for every beginning of a run, and shows it", () => {
    fc.assert(fc.property(runs, fc.nat(300), (events, count) => {
      const run = folded(events.slice(0, count));
      const rows = rowsOf(run, () => false);
      expect(new Set(rows.map((row) => row.who)).size).toBe(rows.length);
      const counts = tally(triers(run));
      expect(counts.running + counts.answered + counts.cancelled + counts.failed).toBe(triers(run).length);
      winning(run, agreement(run));
    }));
  });

  it("takes what a connection repeats once", () => {
    fc.assert(fc.property(runs, fc.nat(300), fc.nat(50), (events, at, back) => {
      const from = Math.max(0, Math.min(at, events.length) - back);
      expect(plain(folded([...events.slice(0, at), ...events.slice(from)]))).toEqual(plain(folded(events)));
    }));
  });

  it("joins the pieces of thoughts and of the answer", () => {
    const events = threads();
    const run = folded(events);
    const said = events.filter((event) => event.kind === "answer_delta").map((event) => (event as { text: string }).text).join("");
    expect(folded(events.filter((event) => event.kind !== "run_ended")).answer).toBe(said);
    for (const lane of run.lanes.values()) {
      const thought = events.filter((event) => event.kind === "thought" && event.agent === lane.agent).map((event) => (event as { text: string }).text).join("");
      expect(items(lane.log).map((entry) => (entry.kind === "thought" ? entry.text : "")).join("")).toBe(thought);
    }
  });

  it("says who won, who was cancelled and who waits", () => {
    const run = folded(threads());
    expect([...run.lanes.values()].map((lane) => [lane.agent, lane.state])).toEqual([["main", "answered"], ["thread-1", "cancelled"], ["thread-2", "won"]]);
    expect(isOver(run)).toBe(true);
    const before = folded(threads().slice(0, 5));
    expect(before.lanes.get("main")!.state).toBe("waiting");
    const left = brokenOff(before, "the run was stopped");
    expect([...left.lanes.values()].some(isRunning)).toBe(false);
  });

  it("keeps the letters of groups that grow, and drops an answer that is void", () => {
    const events = team();
    const letters = new Map<string, number>();
    for (let count = 0; count <= events.length; count += 1) {
      for (const group of folded(events.slice(0, count)).groups) {
        if (letters.has(group.answer)) expect(group.number).toBe(letters.get(group.answer));
        letters.set(group.answer, group.number);
      }
    }
    expect([...letters]).toEqual([["6", 0], ["4", 1]]);
    const run = folded(events);
    expect(run.answer).toBe("6");
    expect(winning(run, agreement(run))?.answer).toBe("6");
    expect(rowsOf(run, () => false).map((row) => row.who)).toEqual(["agent-1", "agent-2", "agent-3", "judge-9"].filter((who) => who !== "judge-9"));
  });

  it("keeps of a lane that never ends only the latest", () => {
    let run = folded([event(0, { kind: "agent_started", agent: "main", parent: null, task: "" })]);
    for (let seq = 1; seq < 6000; seq += 1) run = reduce(run, event(seq, { kind: "noted", agent: "main", text: String(seq) }));
    const log = run.lanes.get("main")!.log;
    expect(log.size).toBeLessThan(2200);
    expect(log.size + log.dropped).toBe(5999);
    expect(items(log).at(-1)).toMatchObject({ text: "5999" });
  });
});

describe("a film", () => {
  it("shows at every moment what the fold makes of the events so far", () => {
    fc.assert(fc.property(runs, fc.nat(400), (events, count) => {
      const film = new Film(events);
      const shown = Math.min(count, events.length);
      expect(plain(film.after(shown))).toEqual(plain(folded(events.slice(0, shown))));
      expect(film.countAt(film.seconds)).toBe(events.length);
      expect(film.countAt(-1)).toBe(0);
    }), { numRuns: 50 });
  });

  it("shows the same, however far it was prepared, and wherever one looks first", () => {
    fc.assert(fc.property(runs, fc.nat(400), fc.array(fc.nat(300), { maxLength: 4 }), (events, steps, counts) => {
      const film = new Film(events);
      for (let step = 0; step < steps && film.prepare(); step += 1);
      for (const count of counts.map((each) => Math.min(each, events.length))) expect(plain(film.after(count))).toEqual(plain(folded(events.slice(0, count))));
    }), { numRuns: 50 });
  });
});

describe("events from outside", () => {
  it("are taken only with all their fields", () => {
    for (const one of threads()) {
      expect(eventOf(JSON.parse(JSON.stringify(one)))).toEqual(one);
      for (const name of Object.keys(one)) expect(eventOf({ ...one, [name]: undefined })).toBeNull();
    }
    for (const value of [null, 1, "thought", [], { kind: "constructor", seq: 1, at: 0 }, { kind: "thought", seq: NaN, at: 0, agent: "a", text: "b" }]) expect(eventOf(value)).toBeNull();
  });

  it("may name agents after anything an object has", () => {
    const run = folded([event(0, { kind: "agent_started", agent: "__proto__", parent: null, task: "" }), event(1, { kind: "thought", agent: "constructor", text: "x" })]);
    expect([...run.lanes.keys()]).toEqual(["__proto__", "constructor"]);
    expect(run.usage).toEqual(NOTHING);
  });
});

function event(seq: number, rest: object): Event {
  return { seq, at: seq / 10, ...rest } as Event;
}
