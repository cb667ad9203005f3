/** The choices of the form, stored from one question to the next. */

import { signal } from "@preact/signals";
import { store, stored } from "./stored";

export interface Manner {
  readonly mode: string;
  /** One model, or the mix that a team's agents take in turn; none: as configured. */
  readonly models: readonly string[];
  readonly tools: readonly string[];
  readonly effort: string;
  readonly aggregate: string;
  readonly refiner: string;
  readonly judge: string;
  readonly merger: string;
  /** Numbers as typed; empty if not given. */
  readonly agents: string;
  readonly first: string;
  readonly rounds: string;
  readonly threads: string;
  readonly usd: string;
  readonly seconds: string;
  readonly tokens: string;
  readonly calls: string;
}

export const MODES: Readonly<Record<string, string>> = {
  instant: "answers at once", thinking: "one agent thinks it through", contemplating: "a team tries, compares and agrees",
};

const SAVED = "musespark.manner";
export const PLAIN: Manner = {
  mode: "contemplating", models: [], tools: [], effort: "", aggregate: "", refiner: "", judge: "", merger: "",
  agents: "", first: "", rounds: "", threads: "", usd: "", seconds: "", tokens: "", calls: "",
};

export const manner = signal<Manner>(read(stored("localStorage", SAVED)));

/** Read stored choices, without fields that this version does not have. */
export function read(kept: string | null): Manner {
  let found: Readonly<Record<string, unknown>> = {};
  try {
    const value: unknown = JSON.parse(kept ?? "{}");
    if (typeof value === "object" && value !== null) found = value as Record<string, unknown>;
  } catch {
    return PLAIN;
  }
  const usable = Object.entries(PLAIN).map(([name, plain]) => [name, isAlike(found[name], plain) ? found[name] : plain]);
  const alike = Object.fromEntries(usable) as unknown as Manner;
  return Object.hasOwn(MODES, alike.mode) ? alike : { ...alike, mode: PLAIN.mode };
}

function isAlike(value: unknown, plain: unknown): boolean {
  return Array.isArray(plain) ? Array.isArray(value) && value.every((item) => typeof item === "string") : typeof value === typeof plain;
}

/** Change some choices. */
export function choose(change: Partial<Manner>): void {
  manner.value = { ...manner.value, ...change };
  store("localStorage", SAVED, JSON.stringify(manner.value));
}

/** The list with that item, or without it. */
export function toggled(list: readonly string[], item: string, there: boolean): readonly string[] {
  const others = list.filter((other) => other !== item);
  return there ? [...others, item] : others;
}
