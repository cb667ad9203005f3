/** Follows a run: its stored events first, then the new ones as they come; a lost connection resumes where it was. */

import { asked, Refused } from "./api";
import { type Event, eventOf } from "./fold/events";
import { Reader } from "./sse";

/** Milliseconds before the first, second, ... try to connect again. */
const PAUSES = [250, 500, 1000, 2000, 5000];

export interface Follower {
  /** Events that came together. */
  happened(events: readonly Event[]): void;
  /** The run has ended in this way; nothing more will come. */
  over(how: string): void;
  /** The connection is lost (for good, if there is a reason), or is there again. */
  connection(there: boolean, refused?: Refused): void;
}

/** Follow until the run is over or the signal aborts. */
export async function follow(id: string, follower: Follower, signal: AbortSignal): Promise<void> {
  let last = "";
  let failures = 0;
  while (!signal.aborted) {
    try {
      const headers: Record<string, string> = last === "" ? {} : { "Last-Event-ID": last };
      const response = await asked(`/v1/runs/${encodeURIComponent(id)}/events`, { headers, signal, cache: "no-store" });
      follower.connection(true);
      for await (const messages of read(response)) {
        const events: Event[] = [];
        for (const message of messages) {
          if (message.event === "error") throw new Error("The server cannot read its store.");
          if (message.id !== "") last = message.id;
          failures = 0;
          const value: unknown = JSON.parse(message.data);
          if (message.event === "end") {
            follower.happened(events);
            follower.over((value as { how?: string }).how ?? "finished");
            return;
          }
          const event = eventOf(value);
          if (event !== null) events.push(event);
        }
        follower.happened(events);
      }
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof Refused && error.status >= 400 && error.status < 500 && error.status !== 429) {
        follower.connection(false, error);
        return;
      }
    }
    follower.connection(false);
    await pause(PAUSES[Math.min(failures++, PAUSES.length - 1)]!, signal);
  }
}

async function* read(response: Response): AsyncGenerator<ReturnType<Reader["read"]>> {
  const bytes = response.body!.getReader();
  const text = new TextDecoder();
  const reader = new Reader();
  try {
    for (;;) {
      const { done, value } = await bytes.read();
      if (done) return;
      yield reader.read(text.decode(value, { stream: true }));
    }
  } finally {
    await bytes.cancel().catch(() => undefined); // A broken one is closed already.
  }
}

function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener("abort", () => { clearTimeout(timer); resolve(); }, { once: true });
  });
}
