/** Events of a run: the closed union that `events.py` writes, as it arrives here. Images are links. */

export type Mode = "instant" | "thinking" | "contemplating";
export type Why = "finished" | "length" | "budget" | "cut";

export interface Usage {
  readonly tokens: number;
  readonly critical_path: number;
  readonly threads: number;
  readonly seconds: number;
  readonly usd: number;
  readonly prompt_tokens: number;
  readonly calls: number;
}

export const NOTHING: Usage = { tokens: 0, critical_path: 0, threads: 0, seconds: 0, usd: 0, prompt_tokens: 0, calls: 0 };

interface Happened {
  readonly seq: number;
  /** Seconds since the run started. */
  readonly at: number;
}

export interface Pictured extends Happened {
  readonly kind: "pictured";
  readonly agent: string;
  /** A link to a PNG on this server, or a `data:` URL in an exported run. */
  readonly picture: string;
  readonly caption: string;
  readonly width: number;
  readonly height: number;
}

export interface Changed extends Happened {
  readonly kind: "changed";
  readonly agent: string;
  readonly before: string;
  readonly after: string;
  readonly kept: boolean;
}

export interface Agreed extends Happened {
  readonly kind: "agreed";
  readonly groups: readonly (readonly string[])[];
  readonly answers: readonly string[];
  readonly enough: boolean;
  readonly reason: string;
}

export interface Judged extends Happened {
  readonly kind: "judged";
  readonly by: string;
  readonly winner: string;
  readonly loser: string;
  readonly reason: string;
}

export interface Decided extends Happened {
  readonly kind: "decided";
  readonly by: string;
  readonly winners: readonly string[];
  readonly reason: string;
}

export interface StageStarted extends Happened {
  readonly kind: "stage_started";
  readonly stage: string;
  readonly round: number;
}

export type Event =
  | (Happened & { readonly kind: "run_started"; readonly run: string; readonly mode: Mode; readonly model: string; readonly question: string })
  | (Happened & { readonly kind: "agent_started"; readonly agent: string; readonly parent: string | null; readonly task: string })
  | (Happened & { readonly kind: "thought"; readonly agent: string; readonly text: string })
  | Pictured
  | (Happened & { readonly kind: "agent_returned"; readonly agent: string; readonly text: string })
  | (Happened & { readonly kind: "agent_cancelled"; readonly agent: string; readonly reason: string })
  | (Happened & { readonly kind: "agent_failed"; readonly agent: string; readonly error: string; readonly message: string })
  | (Happened & { readonly kind: "noted"; readonly agent: string; readonly text: string })
  | (Happened & { readonly kind: "tool_called"; readonly agent: string; readonly call: string; readonly tool: string; readonly arguments: string })
  | (Happened & { readonly kind: "tool_returned"; readonly agent: string; readonly call: string; readonly text: string; readonly failed: boolean })
  | StageStarted
  | Agreed
  | Changed
  | Judged
  | Decided
  | (Happened & { readonly kind: "answer_delta"; readonly text: string })
  | (Happened & { readonly kind: "answer_dropped"; readonly reason: string })
  | (Happened & { readonly kind: "verified"; readonly ok: boolean; readonly by: string })
  | (Happened & { readonly kind: "abstained"; readonly reason: string })
  | (Happened & { readonly kind: "spent"; readonly agent: string; readonly usage: Usage })
  | (Happened & { readonly kind: "run_ended"; readonly answer: string; readonly verified: boolean; readonly usage: Usage; readonly why: Why; readonly reason: string })
  | (Happened & { readonly kind: "run_failed"; readonly error: string; readonly message: string });

type Check = (value: unknown) => boolean;

const text: Check = (value) => typeof value === "string";
const number: Check = (value) => typeof value === "number" && Number.isFinite(value);
const truth: Check = (value) => typeof value === "boolean";
const textOrNull: Check = (value) => value === null || text(value);
const texts: Check = (value) => Array.isArray(value) && value.every(text);
const groups: Check = (value) => Array.isArray(value) && value.every(texts);
const usage: Check = (value) => isRecord(value) && Object.keys(NOTHING).every((name) => number(value[name]));

/** The fields that each kind has to have. */
const FIELDS: Readonly<Record<Event["kind"], Readonly<Record<string, Check>>>> = {
  run_started: { run: text, mode: text, model: text, question: text },
  agent_started: { agent: text, parent: textOrNull, task: text },
  thought: { agent: text, text },
  pictured: { agent: text, picture: text, caption: text, width: number, height: number },
  agent_returned: { agent: text, text },
  agent_cancelled: { agent: text, reason: text },
  agent_failed: { agent: text, error: text, message: text },
  noted: { agent: text, text },
  tool_called: { agent: text, call: text, tool: text, arguments: text },
  tool_returned: { agent: text, call: text, text, failed: truth },
  stage_started: { stage: text, round: number },
  agreed: { groups, answers: texts, enough: truth, reason: text },
  changed: { agent: text, before: text, after: text, kept: truth },
  judged: { by: text, winner: text, loser: text, reason: text },
  decided: { by: text, winners: texts, reason: text },
  answer_delta: { text },
  answer_dropped: { reason: text },
  verified: { ok: truth, by: text },
  abstained: { reason: text },
  spent: { agent: text, usage },
  run_ended: { answer: text, verified: truth, usage, why: text, reason: text },
  run_failed: { error: text, message: text },
};

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The event that a server sent, or null for one that this page does not know. */
export function eventOf(value: unknown): Event | null {
  if (!isRecord(value) || !number(value["seq"]) || !number(value["at"]) || typeof value["kind"] !== "string") return null;
  if (!Object.hasOwn(FIELDS, value["kind"])) return null;
  const fields = FIELDS[value["kind"] as Event["kind"]];
  for (const name in fields) if (!fields[name]!(value[name])) return null;
  return value as unknown as Event;
}
