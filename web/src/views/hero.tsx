/** A drawing of a team: several agents try a question, some fail, the others agree. */

import type { VNode } from "preact";

const WAYS = [
  { path: "M18 60 C60 60 60 14 104 14 H236 C282 14 282 60 322 60", lost: false },
  { path: "M18 60 C60 60 60 44 104 44 H236 C282 44 282 60 322 60", lost: false },
  { path: "M18 60 C60 60 60 76 104 76 H188", lost: true },
  { path: "M18 60 C60 60 60 106 104 106 H236 C282 106 282 60 322 60", lost: false },
] as const;

export function Ways(): VNode {
  return (
    <svg class="ways" viewBox="0 0 340 120" width="340" height="120" fill="none" aria-hidden="true" focusable="false">
      {WAYS.map(({ path, lost }, at) => <path key={path} class={lost ? "lost" : `way way-${at}`} d={path} pathLength={1} />)}
      <path class="lost end" d="m194 71 10 10M204 71l-10 10" />
      <circle class="start" cx="18" cy="60" r="7" />
      <circle class="goal" cx="322" cy="60" r="14" />
      <path class="check" d="m315.5 60.5 4.5 4.5 8.5-9" />
    </svg>
  );
}
