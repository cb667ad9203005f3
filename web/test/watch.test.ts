import { afterEach, describe, expect, it, vi } from "vitest";
import { folded } from "../src/fold/run";
import { Watch } from "../src/watch";
import { numbered, plain, threads } from "./runs";

afterEach(() => { vi.restoreAllMocks(); vi.unstubAllGlobals(); });

const long = numbered([
  { kind: "run_started", run: "r", mode: "contemplating", model: "m", question: "How long?" },
  { kind: "agent_started", agent: "main", parent: null, task: "How long?" },
  ...Array.from({ length: 4000 }, (_, at) => ({ kind: at % 3 === 0 ? "noted" : "thought", agent: "main", text: `step ${at} ` })),
]);

/** The server, with all of a run at once. */
function serving(events: readonly unknown[], how: string): void {
  const frames = [...events.map((event, seq) => `id: ${seq}\nevent: x\ndata: ${JSON.stringify(event)}\n\n`), `event: end\ndata: {"how": "${how}"}\n\n`];
  vi.stubGlobal("fetch", () => Promise.resolve(new Response(frames.join(""), { status: 200 })));
}

async function ended(watch: Watch): Promise<number> {
  let others = 0;
  while (watch.how.value === "") {
    await new Promise((resolve) => { setTimeout(resolve); });
    others += 1;
  }
  return others;
}

describe("a run that is watched", () => {
  it("is what its events fold to, and over once all of them are shown", async () => {
    serving(threads(), "finished");
    const watch = new Watch("r1");
    await ended(watch);
    expect(plain(watch.run.value)).toEqual(plain(folded(threads())));
    expect(watch.connection.value).toBe("over");
  });

  it("is folded in pieces where it is long, with time for others between them, and shown on the way", async () => {
    let now = 0;
    vi.spyOn(performance, "now").mockImplementation(() => (now += 5));
    serving(long, "cancelled");
    const watch = new Watch("r");
    const shown = new Set<number>();
    const leave = watch.run.subscribe((run) => shown.add(run.seq));
    expect(await ended(watch)).toBeGreaterThan(10);
    leave();
    expect(watch.run.value.seq).toBe(long.length - 1);
    expect(shown.size).toBeGreaterThan(2);
    expect([...watch.run.value.lanes.values()].map((lane) => lane.state)).toEqual(["cancelled"]);
  });

  it("stops once the page is left", async () => {
    let now = 0;
    vi.spyOn(performance, "now").mockImplementation(() => (now += 5));
    serving(long, "finished");
    const watch = new Watch("r");
    await vi.waitFor(() => expect(watch.run.value.seq).toBeGreaterThan(0), { interval: 1 });
    watch.leave();
    const seq = watch.run.value.seq;
    await new Promise((resolve) => { setTimeout(resolve, 30); });
    expect(watch.run.value.seq).toBe(seq);
    expect(seq).toBeLessThan(long.length - 1);
  });
});
