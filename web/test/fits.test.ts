import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { OfferedModel, PageInfo } from "../src/api";
import { canAnyRefine, fields, hasThreads, noEffort, noPictures, noRoleModel, noPrice, noTools, notAgain, notReady, noTurns, plan, summary } from "../src/fits";
import { type Manner, PLAIN, read, toggled } from "../src/manner";

const ABLE = { ready: true, why: "", pictures: true, tools: true, conversation: true, effort: true, team: false, price: { prompt: 1, written: 2 } };
const MODELS: readonly OfferedModel[] = [
  { ...ABLE, id: "opus" },
  { ...ABLE, id: "blind", pictures: false, price: null },
  { ...ABLE, id: "mute", pictures: false, tools: false, effort: false },
  { id: "keyless", ready: false, why: "It needs a key." },
  { ...ABLE, id: "nano", tools: false, conversation: false, effort: false, team: true, price: { prompt: 0, written: 0 } },
];
const PAGE: PageInfo = {
  version: "1", modes: ["instant", "thinking", "contemplating"], models: MODELS, tools: ["python", "spawn", "look"].map((id) => ({ id, ready: id !== "spawn", why: "" })),
  aggregates: ["auto", "vote", "judge", "merge"], roles: ["refiner", "judge", "merger"],
  efforts: [{ id: "none", agents: 1, first: 1, rounds: 0 }, { id: "low", agents: 4, first: 2, rounds: 0 }],
  limits: { agents: 64, rounds: 8, threads: 64, models: 16, images: 16, videos: 1 },
  defaults: { models: ["nano"], agents: 8, first: 2, rounds: 1, threads: 12, aggregate: "auto", budget: {}, team: false, refiner: null, judge: null, merger: null },
};
const how = (change: Partial<Manner>): Manner => ({ ...PLAIN, ...change });

describe("what is asked", () => {
  it("is only what was chosen", () => {
    expect(fields(PLAIN, PAGE)).toEqual({ mode: "contemplating" });
    expect(fields(how({ models: ["opus", "blind"], agents: "12", rounds: "0", judge: "opus", aggregate: "judge", tools: ["python"], usd: "0.5", threads: "3" }), PAGE)).toEqual({
      mode: "contemplating", models: ["opus", "blind"], agents: 12, rounds: 0, judge: "opus", aggregate: "judge", tools: ["python"], budget: { usd: 0.5 }, threads: 3 });
  });

  it("leaves out what only a team has, and what no model can", () => {
    const chosen = how({ mode: "thinking", models: ["opus", "nano"], agents: "12", judge: "opus", aggregate: "vote", effort: "low", tools: ["python", "spawn"] });
    expect(fields(chosen, PAGE)).toEqual({ mode: "thinking", models: ["opus"], effort: "low", tools: ["python"] });
    expect(fields({ ...chosen, models: ["nano"] }, PAGE)).toEqual({ mode: "thinking", models: ["nano"] });
    expect(fields(how({ models: ["gone", "keyless"], judge: "nano", aggregate: "gone", effort: "gone" }), PAGE)).toEqual({ mode: "contemplating" });
  });

  it("never holds a tool, a role or a model that is not there, whatever was chosen", () => {
    const name = fc.constantFrom("", "opus", "blind", "mute", "nano", "keyless", "gone");
    const some = fc.record({ mode: fc.constantFrom(...PAGE.modes), models: fc.array(name, { maxLength: 4 }), judge: name, merger: name, refiner: name,
      tools: fc.subarray(["python", "spawn", "look", "gone"]), effort: fc.constantFrom("", "low", "gone"), agents: fc.constantFrom("", "3", "x") });
    fc.assert(fc.property(some, (change) => {
      const asked = fields(how(change), PAGE);
      const can = (id: string): OfferedModel => MODELS.find((model) => model.id === id)!;
      for (const id of asked.models ?? []) expect(can(id).ready).toBe(true);
      for (const role of PAGE.roles) if (asked[role] !== undefined) expect(can(asked[role]).conversation).toBe(true);
      if (asked.tools !== undefined) for (const id of asked.models ?? ["nano"]) expect(can(id).tools).toBe(true);
      if (asked.mode !== "contemplating") expect(Object.keys(asked).filter((field) => ["agents", "first", "rounds", "aggregate", ...PAGE.roles].includes(field))).toEqual([]);
      if (asked.mode !== "contemplating") expect(asked.models?.length ?? 1).toBe(1);
    }));
  });
});

describe("what does not fit is said", () => {
  it("of tools, pictures, conversations, prices and efforts", () => {
    expect(noTools(PLAIN, PAGE)).toBe("nano cannot use tools.");
    expect(noTools(how({ models: ["opus", "mute", "nano"] }), PAGE)).toBe("mute and nano cannot use tools.");
    expect(noTools(how({ models: ["opus"] }), PAGE)).toBe("");
    expect(noPictures(PLAIN, PAGE)).toBe("");
    expect(noPictures(how({ models: ["blind"] }), PAGE)).toBe("blind cannot take images; with the tool look it gets their text.");
    expect(noPictures(how({ models: ["blind"], tools: ["look"] }), PAGE)).toBe("");
    expect(noPictures(how({ models: ["mute"], tools: ["look"] }), PAGE)).toBe("mute cannot take images.");
    expect(noPictures(how({ models: ["opus"], merger: "blind", tools: ["look"] }), PAGE)).toBe("blind cannot take images.");
    expect(noTurns(PLAIN, PAGE)).toBe("nano cannot take a conversation; it gets only this question.");
    expect(noPrice(how({ models: ["blind"] }), PAGE)).toContain("The price of blind is unknown");
    expect(noEffort(PLAIN, PAGE)).toBe("");
    expect(noEffort(how({ agents: "4" }), PAGE)).toContain("nano cannot take a reasoning effort");
    expect(noEffort(how({ mode: "thinking", models: ["mute"] }), PAGE)).toBe("mute cannot take a reasoning effort.");
    expect(noRoleModel(how({ aggregate: "judge" }), PAGE)).toBe("nano cannot judge; without a judge the vote decides.");
    expect(noRoleModel(how({ aggregate: "judge", judge: "opus" }), PAGE)).toBe("");
    expect(noRoleModel(how({ aggregate: "merge" }), PAGE)).toBe("nano cannot merge; without a merger the vote decides.");
    expect(canAnyRefine(PLAIN, PAGE)).toBe(true);
    const alone = { ...PAGE, models: MODELS.slice(3) };
    expect(canAnyRefine(PLAIN, alone)).toBe(false);
    expect(canAnyRefine(PLAIN, { ...alone, defaults: { ...PAGE.defaults, models: ["openai:gpt-5"] } })).toBe(true);
  });

  it("of a model that is not ready, though it is the configured one", () => {
    expect(notReady(PLAIN, PAGE)).toBe("");
    expect(notReady(PLAIN, { ...PAGE, defaults: { ...PAGE.defaults, models: ["keyless"] } })).toBe("It needs a key.");
    const judged = { ...PAGE, defaults: { ...PAGE.defaults, judge: "keyless" } };
    expect(notReady(PLAIN, judged)).toBe("It needs a key.");
    expect(notReady(how({ judge: "opus" }), judged)).toBe("");
    expect(notReady(how({ mode: "thinking" }), judged)).toBe("");
  });

  it("of what was chosen and is no longer there, nothing", () => {
    const gone = how({ judge: "gone", aggregate: "gone", agents: "x" });
    expect(noEffort(gone, PAGE)).toBe(noEffort(PLAIN, PAGE));
    expect(plan(gone, PAGE)).toBe(plan(PLAIN, PAGE));
    expect(plan(how({ models: ["opus"], aggregate: "gone" }), PAGE)).toBe(plan(how({ models: ["opus"] }), PAGE));
    expect(noRoleModel(how({ aggregate: "gone" }), { ...PAGE, defaults: { ...PAGE.defaults, aggregate: "judge" } })).toContain("nano cannot judge");
  });

  it("of a model that the server does not list, nothing", () => {
    const page = { ...PAGE, defaults: { ...PAGE.defaults, models: ["openai:gpt-5"] } };
    for (const lacking of [noTools, noPictures, noTurns, noPrice, noEffort]) expect(lacking(how({ agents: "2", usd: "1" }), page)).toBe("");
  });

  it("of a run that is asked again", () => {
    const [opus, blind, mute] = MODELS as [OfferedModel, OfferedModel, OfferedModel];
    const before = { pictures: 1, tools: ["python"], effort: "low" };
    expect([opus, blind, mute].map((model) => notAgain(model, before, "thinking"))).toEqual(["", "takes no images", "cannot use tools"]);
    expect(notAgain(blind, { pictures: 1, tools: ["look"] }, "thinking")).toBe("");
    expect(notAgain(mute, { effort: "low" }, "thinking")).toBe("has no efforts");
    expect(notAgain(mute, { effort: "low" }, "contemplating")).toBe("");
  });
});

describe("threads", () => {
  it("can be limited where there may be any", () => {
    expect(hasThreads(PLAIN, PAGE)).toBe(true);
    const spawning = { ...PAGE, tools: [{ id: "spawn", ready: true, why: "" }] };
    expect(hasThreads(how({ mode: "thinking", models: ["opus"], tools: ["spawn"] }), spawning)).toBe(true);
    expect(hasThreads(how({ mode: "thinking", models: ["opus"], tools: ["spawn"] }), PAGE)).toBe(false);
  });
});

describe("what was chosen, in words", () => {
  it("tells the team, and what it may cost", () => {
    expect(plan(PLAIN, PAGE)).toContain("nano contemplates by itself, in up to 12 threads");
    expect(plan(how({ models: ["opus", "nano"], agents: "12", rounds: "2", aggregate: "vote" }), PAGE)).toBe(
      "Up to 12 agents of opus and nano, 2 at first; they refine up to 2 times if they disagree; the vote decides.");
    expect(plan(how({ models: ["opus"], effort: "low" }), PAGE)).toBe("Up to 4 agents of opus, 2 at first; a verified answer wins, else the vote, else a judge.");
    expect(plan(how({ models: ["opus"], effort: "none" }), PAGE)).toBe("opus answers at once.");
    expect(plan(how({ effort: "none" }), { ...PAGE, defaults: { ...PAGE.defaults, models: ["opus", "blind"] } })).toBe("opus answers at once.");
    expect(summary(PLAIN, PAGE)).toBe("");
    expect(summary(how({ models: ["opus", "blind"], agents: "1", judge: "opus", tools: ["python"], usd: "0.5", tokens: "20000" }), PAGE)).toBe(
      "2 models · 1 agent · judge opus · python · at most $0.50, 20k tokens");
  });
});

describe("what was kept", () => {
  it("is taken as far as this page would have kept it", () => {
    fc.assert(fc.property(fc.oneof(fc.string(), fc.json(), fc.constant(null)), (kept) => {
      const found = read(kept);
      expect(Object.keys(found).sort()).toEqual(Object.keys(PLAIN).sort());
      fields(found, PAGE);
    }));
    expect(read('{"mode": "pondering", "effort": "low"}')).toEqual({ ...PLAIN, effort: "low" });
    expect(read('{"mode": "constructor"}')).toEqual(PLAIN);
    expect(read('{"mode": "thinking", "model": "old", "models": [1], "agents": 3, "usd": "1"}')).toEqual({ ...PLAIN, mode: "thinking", usd: "1" });
    expect(toggled(["a", "b"], "a", false)).toEqual(["b"]);
    expect(toggled(["a", "b"], "a", true)).toEqual(["b", "a"]);
  });
});
