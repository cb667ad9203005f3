/** A run that can be shown at any moment: its events, and the states between, which share nearly everything. */

import type { Event } from "./events";
import { BEGIN, folded, reduce, type Run } from "./run";

const APART = 200;

export class Film {
  /** The run after none of its events, after `APART`, after twice as many: as far as it was folded. */
  readonly #snapshots: Run[] = [BEGIN];
  #ahead: Run = BEGIN;
  #count = 0;

  constructor(readonly events: readonly Event[]) {}

  /** Seconds from the first event to the last. */
  get seconds(): number {
    return this.events.at(-1)?.at ?? 0;
  }

  /** Fold one more event, in advance; true if there are more. */
  prepare(): boolean {
    const event = this.events[this.#count];
    if (event === undefined) return false;
    this.#ahead = reduce(this.#ahead, event);
    this.#count += 1;
    if (this.#count % APART === 0) this.#snapshots.push(this.#ahead);
    return this.#count < this.events.length;
  }

  /** The run after its first `count` events. */
  after(count: number): Run {
    while (this.#count < count && this.prepare());
    const at = Math.min(Math.floor(count / APART), this.#snapshots.length - 1);
    return folded(this.events.slice(at * APART, count), this.#snapshots[at]);
  }

  /** Number of events up to a time in seconds. */
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
