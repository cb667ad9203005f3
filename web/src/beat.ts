/** Draws at most once a frame, and less often if drawing is slow, so that the main thread stays free. */

/** Drawing takes at most about this part of the time. */
const SHARE = 0.3;
/** Milliseconds between two drawings at least: faster than a person reads. */
const APART = 50;
/** Milliseconds between two drawings of a hidden page. */
const HIDDEN = 1000;

/** Calls `draw` soon after `wanted()`, however often that is called. */
export class Beat {
  #waiting = false;
  #cost = 0;
  #drawn = -Infinity;
  #ended = false;

  constructor(private readonly draw: () => void) {}

  wanted(): void {
    if (this.#waiting || this.#ended) return;
    this.#waiting = true;
    const wait = Math.max(0, this.#drawn + Math.max(APART, this.#cost / SHARE) - performance.now());
    if (document.hidden) setTimeout(this.#now, HIDDEN);
    else setTimeout(() => requestAnimationFrame(this.#now), wait);
  }

  end(): void {
    this.#ended = true;
  }

  readonly #now = (): void => {
    if (this.#ended) return;
    const began = performance.now();
    this.#waiting = false;
    this.#drawn = began;
    this.draw();
    // The next task runs once this frame's scripts, styles and layout are done.
    setTimeout(() => { this.#cost = performance.now() - began; }, 0);
  };
}
