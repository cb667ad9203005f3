import { afterEach, describe, expect, it, vi } from "vitest";
import { inPieces, piece } from "../src/slices";

afterEach(() => vi.restoreAllMocks());

/** A clock on which every look at it takes that long. */
function slow(milliseconds: number): void {
  let now = 0;
  vi.spyOn(performance, "now").mockImplementation(() => (now += milliseconds));
}

function work(steps: number): { step: () => boolean; done: () => number } {
  let done = 0;
  return { step: () => (done < steps ? (done += 1, true) : false), done: () => done };
}

describe("long work", () => {
  it("makes way when its time is over, and goes on where it was", async () => {
    slow(10);
    const { step, done } = work(1000);
    expect(piece(step)).toBe(false);
    expect(done()).toBeLessThan(200);
    let others = 0;
    const timer = setInterval(() => { others += 1; }, 0);
    await inPieces(step);
    clearInterval(timer);
    expect(done()).toBe(1000);
    expect(others).toBeGreaterThan(2);
  });

  it("is done at once if it is short, or if the page is hidden", () => {
    expect(piece(work(20).step)).toBe(true);
    slow(10);
    vi.spyOn(document, "hidden", "get").mockReturnValue(true);
    const { step, done } = work(5000);
    expect(piece(step)).toBe(true);
    expect(done()).toBe(5000);
  });
});
