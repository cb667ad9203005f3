/** A run in words: plain sentences, the same in the live view, the replay and an exported file. */

import type { Decided, Judged } from "./events";
import { answerOf, isMember, isTeam, tally, triers } from "./rows";
import { isOver, type Lane, MAIN, type Run, whoOf } from "./run";

/** White space, line breaks too, made single spaces. */
export function oneLine(text: string): string {
  return text.replace(/\s+/g, " ").trim();
}

/** At most so many characters. */
export function cut(text: string, most: number): string {
  return text.length > most ? text.slice(0, most - 1).trimEnd() + "…" : text;
}

const NAMES: Readonly<Record<string, string>> = { agent: "Agent", thread: "Thread", judge: "Judge", same: "Comparison", merge: "Merger", refiner: "Refiner" };

/** Name of an agent. */
export function nameOf(run: Run, agent: string): string {
  const who = whoOf(agent);
  if (who === MAIN) return run.lanes.size > 1 ? "Lead" : "Muse";
  const own = who.slice(who.lastIndexOf("/") + 1);
  const parts = /^(.*?)(?:-(\d+))?(-again)?$/.exec(own);
  const kind = parts?.[1] ?? own;
  const name = kind === "thread" && !isTeam(run) ? "Agent" : NAMES[kind] ?? kind;
  return oneLine([name, parts?.[2], parts?.[3] === undefined ? undefined : "again"].filter(Boolean).join(" "));
}

/** Approach of an agent: its model, unless all have the same, and its task. */
export function wayOf(run: Run, lane: Lane): string {
  if (lane.agent === MAIN) return run.lanes.size > 1 ? "reads the question, hands out the work" : "";
  if (!isMember(run, lane)) {
    const task = oneLine(lane.task);
    return /^\S{1,16}$/.test(task) ? `tries ${task}` : task;
  }
  const first = run.lanes.get(whoOf(lane.agent)) ?? lane;
  const task = oneLine(first.task);
  const colon = task.indexOf(": ");
  const [model, way] = colon < 0 ? ["", task] : [task.slice(0, colon), task.slice(colon + 2)];
  return [model === run.model ? "" : model, way].filter(Boolean).join(" · ");
}

const CANCELLED: Readonly<Record<string, string>> = {
  finished: "it was not needed",
  length: "the token limit was reached",
  budget: "the budget ran out",
  cut: "the reply broke off",
};

/** Outcome of an agent that has ended. */
export function outcomeOf(run: Run, lane: Lane): string {
  if (lane.state === "cancelled") return `stopped: ${CANCELLED[lane.outcome] ?? oneLine(lane.outcome)}`;
  if (lane.state === "failed") return oneLine(lane.outcome.replace(/^The model '[^']*' failed( with|:) /, "")) || "it failed";
  return answerOf(run, lane).trim() || "no answer";
}

/** Arguments of a tool call; of a single one its value alone. */
export function argumentsOf(text: string): string {
  let given: unknown = null;
  try {
    given = text.length < 100_000 ? JSON.parse(text) : null;
  } catch {
    return oneLine(text); // A model wrote it.
  }
  if (typeof given !== "object" || given === null || Array.isArray(given)) return oneLine(text);
  const pairs = Object.entries(given).map(([name, value]) => [name, typeof value === "string" ? value : JSON.stringify(value)] as const);
  if (pairs.length === 1) return pairs[0]![1].trim();
  return oneLine(pairs.map(([name, value]) => `${name}=${value}`).join(", "));
}

/** `1 agent`, `2 agents`. */
export function counted(number: number, thing: string): string {
  return `${number.toLocaleString("en")} ${thing}${number === 1 ? "" : "s"}`;
}

/** `Agent 1, Agent 2 and 6 more`. */
export function listed(names: readonly string[], most = 3): string {
  const shown = names.length > most ? [...names.slice(0, most - 1), `${names.length - most + 1} more`] : [...names];
  return shown.length > 1 ? `${shown.slice(0, -1).join(", ")} and ${shown.at(-1)}` : shown[0] ?? "";
}

/** `0.4 s`, `1 min 5 s`. */
export function seconds(value: number): string {
  if (value < 99.95) return `${value.toFixed(1)} s`;
  const whole = Math.round(value);
  return whole < 3600 ? `${Math.floor(whole / 60)} min ${whole % 60} s` : `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}

/** Dollars; small amounts keep two significant digits. */
export function money(usd: number): string {
  if (usd === 0) return "$0";
  if (usd < 0.0001) return "under $0.0001";
  return usd >= 0.0995 ? `$${usd.toFixed(2)}` : `$${Number(usd.toPrecision(2))}`;
}

/** `950`, `1.2k`, `34k`, `5.6M`. */
export function short(number: number): string {
  for (const [scale, mark] of [[1e6, "M"], [1e3, "k"]] as const) {
    if (number >= scale) return number < 10 * scale ? `${(number / scale).toFixed(1)}${mark}` : `${Math.floor(number / scale)}${mark}`;
  }
  return String(number);
}

/** A judge's verdict in one sentence. */
export function verdictOf(run: Run, event: Judged): string {
  const found = event.winner === "" ? "The judge reached no verdict" : `The judge prefers ${nameOf(run, event.winner)} to ${nameOf(run, event.loser)}`;
  return sentence(found, event.reason);
}

const WAYS: Readonly<Record<string, string>> = {
  verified: "Verified", vote: "Decided by vote", weigh: "Decided by weighted vote", judge: "Decided by a judge", merge: "Merged",
};

/** Decision of a team, in a sentence. */
export function decisionOf(run: Run, event: Decided): string {
  const by = WAYS[event.by] ?? `Decided by ${oneLine(event.by)}`;
  const winners = listed(event.winners.map((who) => nameOf(run, who)));
  return sentence(winners === "" ? by : `${by} (${winners})`, event.reason);
}

function sentence(what: string, reason: string): string {
  const why = oneLine(reason);
  return (why === "" ? what : `${what}: ${why}`).replace(/\.?$/, ".");
}

const EARLY: Readonly<Record<string, string>> = {
  length: "the token limit ended the run", budget: "the budget ended the run", cut: "the model's reply broke off",
};

/** Status of the answer, in a word or two and in a sentence. */
export function standing(run: Run, stopped: boolean): { tone: "right" | "wrong" | "open" | "early" | "failed" | "running"; word: string; sentence: string } {
  if (run.failed !== null) return { tone: "failed", word: "Failed", sentence: oneLine(run.failed.message) };
  if (run.why === null && !stopped) return { tone: "running", word: "Thinking", sentence: "" };
  if (run.why === "budget" && run.reason === "it was stopped" && !run.verified) {
    return { tone: "early", word: "Stopped", sentence: run.answer === "" ? "No agent had an answer yet." : "The best answer until then." };
  }
  if (run.verified) return { tone: "right", word: "Verified", sentence: run.checkedBy === "" ? "" : `Checked by ${oneLine(run.checkedBy)}.` };
  if (run.why === null) return { tone: "early", word: "Stopped", sentence: run.answer === "" ? "It was stopped before an answer." : "Best answer so far: the run was stopped." };
  if (run.abstained !== "") return { tone: "open", word: "Abstained", sentence: `${oneLine(run.abstained)}.`.replace(/^./, (first) => first.toUpperCase()) };
  if (run.checkedBy !== "") return { tone: "wrong", word: "Refuted", sentence: `Refuted by ${oneLine(run.checkedBy)}.` };
  if (run.why !== "finished") return { tone: "early", word: "Best so far", sentence: `${EARLY[run.why] ?? "the run ended early"}.` };
  return { tone: "open", word: "Unchecked", sentence: "No verifier could check it." };
}

/** The run in one sentence, for a reader of nothing else. */
export function story(run: Run, stopped = false): string {
  const lanes = triers(run);
  const over = isOver(run) || stopped;
  if (lanes.length === 0) {
    if (over) return run.failed === null ? "A single agent answered." : "The run failed.";
    return run.lanes.size === 0 ? "Getting ready." : "Reading the question.";
  }
  const { running, answered, cancelled, failed } = tally(lanes);
  if (!over) {
    const parts = [`${counted(lanes.length, "agent")} ${lanes.length === 1 ? "is" : "are"} working`];
    if (running < lanes.length) parts.push([answered && `${answered} ${answered === 1 ? "has" : "have"} an answer`, failed && `${failed} failed`,
      cancelled && `${cancelled} stopped`].filter(Boolean).join(", "));
    return parts.filter(Boolean).join(": ") + ".";
  }
  const tried = `${counted(lanes.length, "agent")} tried`;
  const winners = lanes.filter((lane) => lane.state === "won").map((lane) => nameOf(run, lane.agent));
  const parts = [
    winners.length > 2 ? `${winners.length} of them agree on the answer` : winners.length > 0 && `${listed(winners)} found the answer`,
    answered > winners.length && `${answered - winners.length} answered differently`,
    failed > 0 && `${failed} failed`,
    cancelled > 0 && `${cancelled} ${cancelled === 1 ? "was" : "were"} stopped early`,
  ].filter(Boolean);
  return [tried, parts.join(", ")].filter(Boolean).join(": ") + ".";
}
