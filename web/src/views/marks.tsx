/** Icons of the page, drawn in the colour of the text. */

import type { VNode } from "preact";

const PATHS = {
  spark: "M12 3v18M5 7.5 12 12l-7 4.5M19 7.5 12 12l7 4.5",
  check: "m5 12.5 4.5 4.5L19 7.5",
  cross: "m7 7 10 10M17 7 7 17",
  alert: "M12 6v8M12 17.5v.5",
  dot: "M12 11.5v1",
  play: "M8 5.5v13l10-6.5z",
  pause: "M9 6v12M15 6v12",
  stop: "M7 7h10v10H7z",
  link: "M10 14 14 10M11 7l1.5-1.5a3.9 3.9 0 0 1 5.5 5.5L16.5 12.5M13 17l-1.5 1.5a3.9 3.9 0 0 1-5.5-5.5L7.5 11.5",
  file: "M7 4h7l4 4v12H7zM14 4v4h4",
  picture: "M4 6h16v12H4zM4 15l4.5-4 4 4 3-2.5L20 16M9 9.5v.1",
  camera: "M4 8h4l1.5-2h5L16 8h4v11H4zM12 16.2a3 3 0 1 0 0-6 3 3 0 0 0 0 6",
  save: "M12 4v11M7.5 11 12 15.5 16.5 11M5 19.5h14",
  swap: "M5 9h13l-3.5-3.5M19 15H6l3.5 3.5",
  down: "m7 10 5 5 5-5",
  right: "m10 7 5 5-5 5",
  send: "M12 19V5.5M6 11.5 12 5.5l6 6",
  history: "M12 7.5V12l3 2M4.5 12a7.5 7.5 0 1 0 2.2-5.3L4.5 9M4.5 5v4h4",
  plus: "M12 5v14M5 12h14",
  theme: "M12 4a8 8 0 1 0 0 16zM12 4a8 8 0 0 1 0 16",
  trash: "M5 7.5h14M9.5 7V5h5v2M7 7.5 8 19.5h8l1-12",
  columns: "M4.5 5.5h6v13h-6zM13.5 5.5h6v13h-6z",
  sliders: "M5 8h8M17 8h2M5 16h2M11 16h8M15 6v4M9 14v4",
} as const;

export type Sign = keyof typeof PATHS;

/** An icon; its meaning is in the words beside it, or in the label of its button. */
export function Mark({ sign, size = 18 }: { sign: Sign; size?: number }): VNode {
  return (
    <svg class="mark" width={size} height={size} viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="1.75"
      stroke-linecap="round" stroke-linejoin="round" aria-hidden="true" focusable="false">
      <path d={PATHS[sign]} />
    </svg>
  );
}
