/** Groups of equal answers, with letters that stay: a group keeps its letter while answers come, groups merge and leaders change. */

import type { Agreed } from "./events";

export interface Group {
  /** From 0, in the order in which groups appeared. */
  readonly number: number;
  /** Short answer. */
  readonly answer: string;
  readonly agents: readonly string[];
}

/** Letter of a group. */
export function letter(group: Group): string {
  return group.number < 26 ? String.fromCharCode(65 + group.number) : "*";
}

/** The groups as they are now, in the order of the event. Each takes the letter of the earlier group that it has most in common with. */
export function regrouped(before: readonly Group[], now: Agreed): readonly Group[] {
  const fresh = now.groups.map((agents, at) => ({ agents, answer: now.answers[at] ?? "" }));
  const pairs = before.flatMap((old) => fresh.map((group, at) => ({ old, at, common: common(old, group) })))
    .filter((pair) => pair.common > 0)
    .sort((a, b) => b.common - a.common || a.old.number - b.old.number || a.at - b.at);
  const numbers = new Map<number, number>();
  const taken = new Set<number>();
  for (const { old, at } of pairs) {
    if (numbers.has(at) || taken.has(old.number)) continue;
    numbers.set(at, old.number);
    taken.add(old.number);
  }
  const used = new Set(before.map((group) => group.number));
  let unused = 0;
  return fresh.map((group, at) => {
    let number = numbers.get(at);
    if (number === undefined) {
      while (used.has(unused)) unused += 1;
      number = unused;
      used.add(number);
    }
    return { number, answer: group.answer, agents: group.agents };
  });
}

/** Similarity of two groups: shared agents, and above all an equal answer. */
function common(old: Group, fresh: { agents: readonly string[]; answer: string }): number {
  const shared = fresh.agents.filter((agent) => old.agents.includes(agent)).length;
  return shared + (old.answer === fresh.answer && fresh.answer !== "" ? 100 : 0);
}
