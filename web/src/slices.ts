/** Long work in short pieces, so that the page responds meanwhile. */

/** Milliseconds that a piece may take: about as long as a frame or two. */
const PIECE = 24;
/** Steps between two looks at the clock. */
const STEPS = 32;

/** Do the steps of some work until it is done or a piece's time is over; true if it is done. A hidden page does all at once. */
export function piece(step: () => boolean): boolean {
  const end = document.hidden ? Infinity : performance.now() + PIECE;
  for (let count = 1; step(); count += 1) {
    if (count % STEPS === 0 && performance.now() > end) return false;
  }
  return true;
}

/** Do all of it, with time for everything else between the pieces. step: does a little; true if there is more. */
export async function inPieces(step: () => boolean): Promise<void> {
  while (!piece(step)) await new Promise((resolve) => { setTimeout(resolve); });
}
