/** The view of a link whose run does not exist. */

import type { VNode } from "preact";
import { cut, oneLine, seconds } from "../fold/words";
import { kept } from "./history";

const NEWEST = 5;

export function Gone({ id }: { id: string }): VNode {
  const newest = kept.value.slice(0, NEWEST);
  return (
    <section class="gone" aria-labelledby="gone">
      <div role="alert"><h1 id="gone">There is no run {cut(oneLine(id), 60)} here; it was not stored, or has been deleted.</h1></div>
      {newest.length > 0 && (
        <>
          <h2>The newest runs</h2>
          <ul>
            {newest.map((row) => (
              <li key={row.id}><a href={`/runs/${row.id}`}><span>{cut(oneLine(row.question ?? ""), 90) || "a question"}</span><small>{row.how === "running" ? "running" : seconds(row.seconds ?? 0)}</small></a></li>
            ))}
          </ul>
        </>
      )}
      <p><a href="/">Ask a question</a></p>
    </section>
  );
}
