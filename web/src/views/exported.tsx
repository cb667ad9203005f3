/** A run in a file of its own: the same fold and the same lanes, and no server. */

import type { VNode } from "preact";
import { useMemo } from "preact/hooks";
import type { Budget } from "../api";
import type { Film } from "../fold/film";
import { Answer } from "./answer";
import { Mark } from "./marks";
import { Lightbox, Thumbs } from "./pictures";
import { Controls, Player } from "./player";
import { Body } from "./run";

export interface Exported {
  readonly film: Film;
  readonly budget: Budget | null;
  /** Images of the question, as `data:` URLs. */
  readonly asked: readonly string[];
}

export function ExportedRun({ film, budget, asked }: Exported): VNode {
  const player = useMemo(() => new Player(film, true), [film]);
  const run = player.run.value;
  const end = useMemo(() => film.after(film.events.length), [film]);
  return (
    <div class="page alone">
      <header class="top"><span class="brand"><Mark sign="spark" size={22} />Muse Spark</span></header>
      <main id="main">
        <article class="run" data-run={end.id} data-seq={run.seq} aria-label={end.question}>
          <header class="question">
            <Thumbs pictures={asked.map((link) => ({ link, caption: "Image of the question" }))} label="Images of the question" />
            <div><h1>{end.question}</h1><p class="manner">{[end.mode, end.model].filter(Boolean).join(" · ")}</p></div>
          </header>
          <Answer run={run} stopped={player.time.value >= player.film.seconds} budget={budget} clock={null} />
          <Controls player={player} onClose={null} />
          <Body run={run} />
        </article>
      </main>
      <Lightbox />
    </div>
  );
}
