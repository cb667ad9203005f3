/** A run that can be seen at any moment: its events, and the states on the way, which share nearly everything. */

import type { Event } from "./events";
import { BEGIN, folded, reduce, type Run } from "./run";

const APART = 200;

export class Film {
  readonly #snapshots: Run[] = [];

  constructor(readonly events: readonly Event[]) {
    let run = BEGIN;
    events.forEach((event, at) => {
      if (at % APART === 0) this.#snapshots.push(run);
      run = reduce(run, event);
    });
  }

  /** Seconds from the first event to the last. */
  get seconds(): number {
    return this.events.at(-1)?.at ?? 0;
  }

  /** The run after its first `count` events. */
  after(count: number): Run {
    const at = Math.floor(count / APART);
    const from = this.#snapshots[Math.min(at, this.#snapshots.length - 1)];
    return from === undefined ? BEGIN : folded(this.events.slice(Math.min(at, this.#snapshots.length - 1) * APART, count), from);
  }

  /** How many events had happened after so many seconds. */
  countAt(seconds: number): number {
    let low = 0;
    let high = this.events.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.events[middle]!.at <= seconds) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
