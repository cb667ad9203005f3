/** One run as the page watches it: the fold of its events so far, and the state of the connection. */

import { type ReadonlySignal, signal } from "@preact/signals";
import type { Refused } from "./api";
import { Beat } from "./beat";
import { follow } from "./follow";
import type { Event } from "./fold/events";
import { BEGIN, brokenOff, isOver, reduce, type Run } from "./fold/run";
import { piece } from "./slices";

/** Milliseconds after which the folded part is shown, though there is more to fold. */
const PATIENCE = 250;

export type Connection = "connecting" | "live" | "lost" | "over" | "refused";

export class Watch {
  readonly #run = signal<Run>(BEGIN);
  readonly #connection = signal<Connection>("connecting");
  readonly #how = signal("");
  readonly #leave = new AbortController();
  readonly #beat = new Beat(() => this.#draw());
  #pending: Event[] = [];
  /** Number of them that were folded. */
  #done = 0;
  #ahead: Run = BEGIN;
  #shown = performance.now();
  #catching: ReturnType<typeof setTimeout> | undefined;
  #ending = "";
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

  /** End of the run, in a word; empty while it goes on. */
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
    clearTimeout(this.#catching);
  }

  #happened(events: readonly Event[]): void {
    if (events.length === 0) return;
    const at = events.at(-1)!.at;
    if (this.#first === null || at > this.clock()) this.#first = { clock: performance.now(), at };
    for (const event of events) this.#pending.push(event);
    this.#beat.wanted();
  }

  #over(how: string): void {
    this.#ending = how;
    this.#draw();
  }

  /** Fold the pending events and show them; of many, a piece at a time, so that the page responds meanwhile. */
  #draw(): void {
    clearTimeout(this.#catching);
    const there = piece(() => {
      const event = this.#pending[this.#done];
      if (event === undefined) return false;
      this.#ahead = reduce(this.#ahead, event);
      this.#done += 1;
      return true;
    });
    if (there) {
      this.#pending = [];
      this.#done = 0;
    } else this.#catching = setTimeout(() => this.#draw());
    const now = performance.now();
    if (there || now - this.#shown > PATIENCE) {
      this.#shown = now;
      this.#run.value = this.#ahead;
    }
    if (there && this.#ending !== "") this.#end();
  }

  #end(): void {
    if (!isOver(this.#ahead)) this.#run.value = brokenOff(this.#ahead, "the run was stopped");
    this.#how.value = this.#ending;
    this.#connection.value = "over";
  }
}
