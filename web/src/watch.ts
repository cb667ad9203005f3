/** One run as the page watches it: the fold of what has come so far, and how the connection stands. */

import { type ReadonlySignal, signal } from "@preact/signals";
import type { Refused } from "./api";
import { Beat } from "./beat";
import { follow } from "./follow";
import type { Event } from "./fold/events";
import { BEGIN, brokenOff, folded, isOver, type Run } from "./fold/run";

export type Connection = "connecting" | "live" | "lost" | "over" | "refused";

export class Watch {
  readonly #run = signal<Run>(BEGIN);
  readonly #connection = signal<Connection>("connecting");
  readonly #how = signal("");
  readonly #leave = new AbortController();
  readonly #beat = new Beat(() => this.#draw());
  #pending: Event[] = [];
  #began = performance.now();
  #first: { readonly clock: number; readonly at: number } | null = null;
  refused: Refused | null = null;

  constructor(readonly id: string) {
    void follow(id, {
      happened: (events) => this.#happened(events),
      over: (how) => this.#over(how),
      connection: (there, refused) => {
        this.refused = refused ?? null;
        this.#connection.value = refused !== undefined ? "refused" : there ? "live" : "lost";
      },
    }, this.#leave.signal);
  }

  get run(): ReadonlySignal<Run> {
    return this.#run;
  }

  get connection(): ReadonlySignal<Connection> {
    return this.#connection;
  }

  /** How the run ended; empty while it goes on. */
  get how(): ReadonlySignal<string> {
    return this.#how;
  }

  /** Seconds since the run's start, by the latest event and the time since it came. */
  clock(): number {
    return this.#first === null ? 0 : this.#first.at + (performance.now() - this.#first.clock) / 1000;
  }

  /** Seconds during which this page has watched. */
  watched(): number {
    return (performance.now() - this.#began) / 1000;
  }

  leave(): void {
    this.#leave.abort();
    this.#beat.end();
  }

  #happened(events: readonly Event[]): void {
    if (events.length === 0) return;
    const at = events.at(-1)!.at;
    if (this.#first === null || at > this.clock()) this.#first = { clock: performance.now(), at };
    for (const event of events) this.#pending.push(event);
    this.#beat.wanted();
  }

  #over(how: string): void {
    this.#draw();
    if (!isOver(this.#run.value)) this.#run.value = brokenOff(this.#run.value, "the run was stopped");
    this.#how.value = how;
    this.#connection.value = "over";
  }

  #draw(): void {
    const pending = this.#pending;
    this.#pending = [];
    if (pending.length > 0) this.#run.value = folded(pending, this.#run.value);
  }
}
