/** Everything an agent did, however long: only the part near the view exists in the page. */

import type { VNode } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { items, type List } from "../fold/list";
import type { Entry } from "../fold/run";
import { argumentsOf, seconds } from "../fold/words";
import { Markdown } from "../text/markdown";
import { enlarge, Img } from "./pictures";

/** Pixels above and below the part in view that are drawn as well. */
const MARGIN = 600;
/** Pixels that an entry is taken for until it has been seen. */
const GUESS = 72;

export function Log({ log, running, label }: { log: List<Entry>; running: boolean; label: string }): VNode {
  const box = useRef<HTMLDivElement>(null);
  const heights = useRef<number[]>([]);
  const follows = useRef(running);
  const [view, setView] = useState({ top: 0, height: 600 });
  const places: number[] = [0];
  for (let at = 0; at < log.size; at += 1) places.push(places[at]! + (heights.current[at + log.dropped] ?? GUESS));
  const total = places[log.size]!;
  let from = 0;
  while (from < log.size && places[from + 1]! < view.top - MARGIN) from += 1;
  let to = from;
  while (to < log.size && places[to]! < view.top + view.height + MARGIN) to += 1;

  const look = (): void => {
    const { scrollTop, clientHeight, scrollHeight } = box.current!;
    follows.current = scrollTop + clientHeight > scrollHeight - 40;
    if (Math.abs(scrollTop - view.top) > MARGIN / 3 || clientHeight !== view.height) setView({ top: scrollTop, height: clientHeight });
  };
  useLayoutEffect(() => {
    const observer = new ResizeObserver(() => setView({ top: box.current!.scrollTop, height: box.current!.clientHeight }));
    observer.observe(box.current!);
    return () => observer.disconnect();
  }, []);
  useLayoutEffect(() => {
    let grew = false;
    for (const child of box.current!.querySelectorAll<HTMLElement>("[data-entry]")) {
      const at = Number(child.dataset["entry"]);
      const height = child.offsetHeight;
      // Nothing has a height before the dialog around it opens.
      if (height > 0 && heights.current[at] !== height) { heights.current[at] = height; grew = true; }
    }
    if (follows.current) box.current!.scrollTop = box.current!.scrollHeight;
    const { scrollTop, clientHeight } = box.current!;
    if (grew || Math.abs(scrollTop - view.top) > MARGIN / 3) setView({ top: scrollTop, height: clientHeight });
  }, [log, from, to, total, view.height]);

  return (
    <div class="log" ref={box} onScroll={look} tabIndex={0} role="group" aria-label={label}>
      {log.dropped > 0 && <p class="earlier">The run has {log.dropped} earlier entries that are not shown here.</p>}
      {log.size === 0 && <p class="earlier">Nothing was written.</p>}
      <div style={{ height: `${places[from]}px` }} />
      {items(log, from, to).map((entry, at) => (
        <div key={from + at + log.dropped} data-entry={from + at + log.dropped} class={`entry ${entry.kind}`}><Shown entry={entry} /></div>
      ))}
      <div style={{ height: `${total - places[to]!}px` }} />
    </div>
  );
}

/** Prose may be Markdown; a native model's own notation is shown as it is. */
const PROSE = /\p{L}+ \p{L}+ \p{L}+/u;

function Shown({ entry }: { entry: Entry }): VNode {
  const at = <time>{seconds(entry.at)}</time>;
  switch (entry.kind) {
    case "thought": return <>{at}{PROSE.test(entry.text) ? <Markdown text={entry.text} /> : <p class="notation">{entry.text}</p>}</>;
    case "note": return <>{at}<p class="note">{entry.text}</p></>;
    case "call": return <>{at}<p class="call"><span class="chip tool">{entry.tool}</span></p><pre tabIndex={0}>{argumentsOf(entry.arguments)}</pre></>;
    case "result": return <>{at}<pre tabIndex={0} class={entry.failed ? "failed" : ""}>{entry.text.slice(0, 20_000) || "nothing"}</pre></>;
    case "picture": {
      const seen = { link: entry.picture.link, caption: entry.picture.caption };
      return (
        <>{at}<figure>
          <button type="button" class="thumb large" onClick={() => enlarge([seen], 0)} aria-label={`Open large: ${seen.caption}`}><Img link={seen.link} alt={seen.caption} /></button>
          <figcaption>{seen.caption}</figcaption>
        </figure></>
      );
    }
  }
}
