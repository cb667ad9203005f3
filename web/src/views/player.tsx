/** Replay: the same fold over the stored events, at any moment and any speed. */

import { type Signal, signal } from "@preact/signals";
import type { VNode } from "preact";
import { useEffect } from "preact/hooks";
import { Film } from "../fold/film";
import type { Run } from "../fold/run";
import { seconds } from "../fold/words";
import { Mark } from "./marks";

export const SPEEDS = [0.1, 0.25, 0.5, 1, 2, 4, 8, 16] as const;

/** Seconds that a replay should take at least to be followed, and at most not to bore. */
const SHORTEST = 5;
const LONGEST = 30;

/** A film that plays. */
export class Player {
  readonly time: Signal<number>;
  readonly speed: Signal<number>;
  readonly playing = signal(true);
  readonly run: Signal<Run>;
  #frame = 0;
  #before: number | null = null;

  /** calm: the whole of it is shown, and nothing moves by itself. */
  constructor(readonly film: Film, calm: boolean, private readonly onEnd: () => void = () => undefined) {
    this.time = signal(calm ? film.seconds : 0);
    this.speed = signal(fitting(film.seconds));
    this.run = signal(film.after(calm ? film.events.length : 0));
    this.playing.value = !calm;
    if (!calm) this.#next();
  }

  /** Show the run at a time in seconds. */
  seek(seconds: number): void {
    this.time.value = Math.min(this.film.seconds, Math.max(0, seconds));
    this.run.value = this.film.after(this.film.countAt(this.time.value));
  }

  toggle(): void {
    this.playing.value = !this.playing.value;
    this.#before = null;
    if (!this.playing.value) return;
    if (this.time.value >= this.film.seconds) this.seek(0);
    this.#next();
  }

  leave(): void {
    this.playing.value = false;
    cancelAnimationFrame(this.#frame);
  }

  #next(): void {
    this.#frame = requestAnimationFrame((now) => {
      if (!this.playing.value) return;
      const passed = this.#before === null ? 0 : (now - this.#before) / 1000;
      this.#before = now;
      this.seek(this.time.value + passed * this.speed.value);
      if (this.time.value < this.film.seconds) {
        this.#next();
        return;
      }
      this.playing.value = false;
      this.onEnd();
    });
  }
}

/** The speed at which a run of this length in seconds can be followed. */
export function fitting(length: number): number {
  if (length > LONGEST) return SPEEDS.find((speed) => length / speed <= LONGEST) ?? 16;
  return [...SPEEDS].reverse().find((speed) => speed <= 1 && length / speed >= SHORTEST) ?? Math.max(0.001, Number((length / SHORTEST).toPrecision(1)));
}

/** True if reduced motion is set in the system. */
export function isCalm(): boolean {
  return matchMedia("(prefers-reduced-motion: reduce)").matches;
}

export function Controls({ player, onClose, note }: { player: Player; onClose: (() => void) | null; note?: string }): VNode {
  useEffect(() => () => player.leave(), [player]);
  const playing = player.playing.value;
  const speeds = SPEEDS.some((speed) => speed === player.speed.value) ? SPEEDS : [player.speed.value, ...SPEEDS];
  return (
    <div class="player" role="group" aria-label="Replay">
      <button type="button" class="icon" onClick={() => player.toggle()} aria-label={playing ? "Pause" : "Play"}><Mark sign={playing ? "pause" : "play"} /></button>
      <input type="range" min={0} max={player.film.seconds} step="any" value={player.time.value} aria-label="Position in the run"
        aria-valuetext={`${seconds(player.time.value)} of ${seconds(player.film.seconds)}`}
        onInput={(event) => { if (player.playing.value) player.toggle(); player.seek(Number(event.currentTarget.value)); }} />
      <output class="time">{player.time.value.toFixed(2)} / {seconds(player.film.seconds)}</output>
      <label class="speed"><span class="sr">Speed</span>
        <select value={String(player.speed.value)} onChange={(event) => { player.speed.value = Number(event.currentTarget.value); }}>
          {speeds.map((speed) => <option key={speed} value={String(speed)}>{speed}×</option>)}
        </select>
      </label>
      {note !== undefined && <span class="player-note">{note}</span>}
      {onClose !== null && <button type="button" class="quiet-button" onClick={onClose}>{note === undefined ? "Close" : "Skip"}</button>}
    </div>
  );
}
