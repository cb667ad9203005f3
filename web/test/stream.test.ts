import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { items, appended, EMPTY, type List } from "../src/fold/list";
import { fitting } from "../src/views/player";
import { money, seconds, short } from "../src/fold/words";
import { Reader } from "../src/sse";

describe("server-sent events", () => {
  it("are the same however the stream is cut", () => {
    const line = fc.string({ maxLength: 20 }).map((text) => text.replace(/[\r\n]/g, " "));
    const messages = fc.array(fc.record({ id: fc.nat(), data: line }), { maxLength: 10 });
    fc.assert(fc.property(messages, fc.array(fc.nat(500)), fc.constantFrom("\n", "\r\n"), (sent, cuts, end) => {
      const stream = sent.map(({ id, data }) => `: pulse${end}id: ${id}${end}event: thought${end}data: ${data}${end}${end}`).join("");
      const places = [0, ...cuts.map((cut) => cut % (stream.length + 1)).sort((a, b) => a - b), stream.length];
      const reader = new Reader();
      const read = places.slice(1).flatMap((place, at) => reader.read(stream.slice(places[at]!, place)));
      expect(read).toEqual(sent.map(({ id, data }) => ({ id: String(id), event: "thought", data })));
    }));
  });
});

describe("a list", () => {
  it("has every item in order, and old ones stay what they were", () => {
    fc.assert(fc.property(fc.array(fc.nat(), { maxLength: 300 }), fc.nat(300), fc.nat(300), (all, from, to) => {
      let list: List<number> = EMPTY;
      const before = all.map((item) => { const old = list; list = appended(list, item); return old; });
      expect(items(list)).toEqual(all);
      expect(items(list, from, to)).toEqual(all.slice(from, Math.max(from, to)));
      before.forEach((old, at) => {
        expect(items(appended(old, -1))).toEqual([...all.slice(0, at), -1]);
        expect(items(old)).toEqual(all.slice(0, at));
      });
      expect(items(list)).toEqual(all);
    }));
  });
});

describe("words", () => {
  it("say amounts as people do", () => {
    expect([money(0), money(0.00001), money(0.0171), money(1.5)]).toEqual(["$0", "under $0.0001", "$0.017", "$1.50"]);
    expect([seconds(0.44), seconds(75.2), seconds(125), seconds(3720)]).toEqual(["0.4 s", "75.2 s", "2 min 5 s", "1 h 2 min"]);
    expect([short(950), short(1234), short(34_500), short(5_600_000)]).toEqual(["950", "1.2k", "34k", "5.6M"]);
  });

  it("choose a speed at which a run can be followed", () => {
    for (const length of [0.05, 0.4, 1.2, 5, 20, 100, 4000]) expect(length / fitting(length)).toBeGreaterThan(3);
    expect([fitting(0.4), fitting(10), fitting(100)]).toEqual([0.08, 1, 4]);
  });
});
