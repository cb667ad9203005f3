/**
 * The choices of the form that fit the chosen models: the fields of the question, and a sentence for each that does not fit.
 *
 * The server checks all of it again; here the form avoids offering options that it would refuse.
 */

import type { Budget, OfferedModel, PageInfo, Question, Role } from "./api";
import { counted, listed, money, short } from "./fold/words";
import type { Manner } from "./manner";

/** The mode that has a team. */
export const TEAM = "contemplating";
const SIZES = ["agents", "first", "rounds"] as const;
const LIMITS = ["usd", "seconds", "tokens", "calls"] as const;
const ROLES: readonly Role[] = ["refiner", "judge", "merger"];

type Ability = "pictures" | "tools" | "conversation" | "effort";

/** The model of that name, if it is offered and ready. */
function ready(page: PageInfo, id: string): OfferedModel | undefined {
  return page.models.find((model) => model.id === id && model.ready);
}

/** True if a model is known to lack an ability: of one that is configured and not listed nothing is known. */
function lacks(page: PageInfo, id: string, ability: Ability): boolean {
  return page.models.find((model) => model.id === id)?.[ability] === false;
}

function chosenModels(how: Manner, page: PageInfo): readonly string[] {
  return how.models.filter((id) => ready(page, id) !== undefined);
}

/** The names of the models that a question goes to: the mix of a team, or one. */
export function explorers(how: Manner, page: PageInfo): readonly string[] {
  const chosen = chosenModels(how, page);
  const named = chosen.length > 0 ? chosen : page.defaults.models;
  return how.mode === TEAM ? named : named.slice(0, 1);
}

/** Model of a role: the chosen one if it can, else the configured one; empty for one of the explorers. */
export function roleModel(how: Manner, page: PageInfo, role: Role): string {
  if (how.mode !== TEAM) return "";
  return canPlay(page, how[role]) ? how[role] : page.defaults[role] ?? "";
}

/** True if a model can refine, judge or merge: it has to read conversations. */
export function canPlay(page: PageInfo, id: string): boolean {
  return ready(page, id) !== undefined && !lacks(page, id, "conversation");
}

/** The reason why a chosen model is not ready; empty if all are. */
export function notReady(how: Manner, page: PageInfo): string {
  const asked = allModels(how, page);
  return page.models.find((model) => !model.ready && asked.includes(model.id))?.why ?? "";
}

/** Explorers and the models of roles. */
function allModels(how: Manner, page: PageInfo): readonly string[] {
  return [...explorers(how, page), ...ROLES.map((role) => roleModel(how, page, role))];
}

/** The chosen aggregate, if it exists, else the configured one. */
function aggregateOf(how: Manner, page: PageInfo): string {
  return page.aggregates.includes(how.aggregate) ? how.aggregate : page.defaults.aggregate;
}

/** True if any model could refine, judge or merge. */
export function canAnyRefine(how: Manner, page: PageInfo): boolean {
  const unlisted = explorers(how, page).some((id) => !page.models.some((model) => model.id === id));
  return unlisted || page.models.some((model) => canPlay(page, model.id));
}

/** Tools of the agents: the chosen ones that are ready, if every explorer can use tools. */
export function toolsOf(how: Manner, page: PageInfo): readonly string[] {
  if (noTools(how, page) !== "") return [];
  return how.tools.filter((id) => page.tools.some((tool) => tool.id === id && tool.ready));
}

/** The reason why no tools can be used; otherwise empty. */
export function noTools(how: Manner, page: PageInfo): string {
  return cannot(explorers(how, page).filter((id) => lacks(page, id, "tools")), "use tools");
}

/** The reason why no image can be sent; otherwise empty. */
export function noPictures(how: Manner, page: PageInfo): string {
  const looks = toolsOf(how, page).includes("look");
  const blind = (id: string): boolean => id !== "" && lacks(page, id, "pictures");
  const merger = roleModel(how, page, "merger");
  const others = [...explorers(how, page), roleModel(how, page, "refiner"), roleModel(how, page, "judge")].filter((id) => id !== merger);
  const unable = [...others.filter((id) => blind(id) && (!looks || lacks(page, id, "tools"))), ...(blind(merger) ? [merger] : [])];
  const helped = unable.length > 0 && !looks && !blind(merger) && page.tools.some((tool) => tool.id === "look" && tool.ready)
    && noTools(how, page) === "" && !unable.some((id) => lacks(page, id, "tools"));
  return cannot(unable, "take images", helped ? "with the tool look it gets their text" : undefined);
}

/** The reason why an effort has no effect; otherwise empty. Without any other choice it sets the size of a team. */
export function noEffort(how: Manner, page: PageInfo): string {
  if (how.mode === TEAM && !isSteered(how, page)) return "";
  return cannot(explorers(how, page).filter((id) => lacks(page, id, "effort")), "take a reasoning effort",
    how.mode === TEAM ? "the team is as large as you chose" : undefined);
}

/** A warning if a follow-up loses the conversation. */
export function noTurns(how: Manner, page: PageInfo): string {
  return cannot(explorers(how, page).filter((id) => lacks(page, id, "conversation")), "take a conversation", "it gets only this question");
}

/** A warning if a limit in dollars may not hold. */
export function noPrice(how: Manner, page: PageInfo): string {
  const unknown = allModels(how, page).filter((id) => page.models.some((model) => model.id === id && model.price === null));
  return unknown.length === 0 ? "" : `The price of ${named(unknown)} is unknown, so a limit in dollars may not hold.`;
}

const WRITERS: Readonly<Record<string, Role>> = { judge: "judge", merge: "merger" };

/** The reason why no model can judge or merge, if that was chosen; otherwise empty. */
export function noRoleModel(how: Manner, page: PageInfo): string {
  const aggregate = aggregateOf(how, page);
  const role = WRITERS[aggregate];
  if (how.mode !== TEAM || role === undefined || roleModel(how, page, role) !== "") return "";
  const able = explorers(how, page).some((id) => !lacks(page, id, "conversation"));
  return able ? "" : cannot(explorers(how, page), aggregate, `without a ${role} the vote decides`);
}

function unique(names: readonly string[]): string[] {
  return [...new Set(names)];
}

function named(names: readonly string[]): string {
  return listed(unique(names));
}

function cannot(names: readonly string[], what: string, instead?: string): string {
  return names.length === 0 ? "" : `${named(names)} cannot ${what}${instead === undefined ? "" : `; ${instead}`}.`;
}

/** True if more than an effort was chosen for a team, as far as it fits. */
function isSteered(how: Manner, page: PageInfo): boolean {
  return how.mode === TEAM && (chosenModels(how, page).length > 1 || Object.keys(ofTeam(how, page)).length > 0);
}

/** The fields that only a team has, beside its models. */
function ofTeam(how: Manner, page: PageInfo): Partial<Question> {
  if (how.mode !== TEAM) return {};
  return {
    ...Object.fromEntries(SIZES.flatMap((name) => number(name, how[name]))),
    ...(page.aggregates.includes(how.aggregate) ? { aggregate: how.aggregate } : {}),
    ...Object.fromEntries(ROLES.filter((role) => canPlay(page, how[role])).map((role) => [role, how[role]])),
  };
}

/** True if a limit on threads applies: to a native team, and to agents that may start sub-agents. */
export function hasThreads(how: Manner, page: PageInfo): boolean {
  return how.mode === TEAM || toolsOf(how, page).includes("spawn");
}

/** The fields of a question that were chosen and that fit. */
export function fields(how: Manner, page: PageInfo | null): Partial<Question> {
  if (page === null) return { mode: how.mode };
  const tools = toolsOf(how, page);
  const budget = Object.fromEntries(LIMITS.flatMap((name) => number(name, how[name]))) as Budget;
  return {
    mode: how.mode,
    ...(chosenModels(how, page).length > 0 ? { models: explorers(how, page) } : {}),
    ...ofTeam(how, page),
    ...(hasThreads(how, page) ? Object.fromEntries(number("threads", how.threads)) : {}),
    ...(page.efforts.some((effort) => effort.id === how.effort) && noEffort(how, page) === "" ? { effort: how.effort } : {}),
    ...(tools.length > 0 ? { tools } : {}),
    ...(Object.keys(budget).length > 0 ? { budget } : {}),
  };
}

function number(name: string, text: string): [string, number][] {
  return text.trim() === "" || !Number.isFinite(Number(text)) ? [] : [[name, Number(text)]];
}

/** Choices beside the mode and one model, in a few words. */
export function summary(how: Manner, page: PageInfo): string {
  const chosen = fields(how, page);
  const { usd, seconds, tokens, calls } = chosen.budget ?? {};
  const limits = [
    usd != null && money(usd),
    seconds != null && `${seconds} s`,
    tokens != null && `${short(tokens)} tokens`,
    calls != null && counted(calls, "call"),
  ].filter((part) => part !== false);
  return [
    (chosen.models?.length ?? 0) > 1 && counted(chosen.models!.length, "model"),
    chosen.agents !== undefined && counted(chosen.agents, "agent"),
    chosen.first !== undefined && `${chosen.first} at first`,
    chosen.rounds !== undefined && counted(chosen.rounds, "round"),
    chosen.threads !== undefined && counted(chosen.threads, "thread"),
    chosen.effort !== undefined && `${chosen.effort} effort`,
    chosen.aggregate !== undefined && `aggregate ${chosen.aggregate}`,
    ...ROLES.map((role) => chosen[role] !== undefined && `${role} ${chosen[role]}`),
    ...(chosen.tools ?? []),
    limits.length > 0 && `at most ${limits.join(", ")}`,
  ].filter((part) => typeof part === "string").join(" · ");
}

const SETTLED: Readonly<Record<string, string>> = {
  auto: "a verified answer wins, else the vote, else a judge", vote: "the vote decides", weigh: "the vote decides, weighted by reliability",
  judge: "a judge compares the best in pairs", merge: "all answers are merged into one",
};

/** Plan of the team, in a sentence. */
export function plan(how: Manner, page: PageInfo): string {
  const meant = isSteered(how, page) ? undefined : page.efforts.find((effort) => effort.id === how.effort);
  const size = (name: (typeof SIZES)[number]): number => number(name, how[name])[0]?.[1] ?? meant?.[name] ?? page.defaults[name];
  const agents = size("agents");
  const who = explorers(how, page);
  const own = !page.defaults.team && who.length === 1 && meant === undefined && !isSteered(how, page) && page.models.some((model) => model.id === who[0] && model.team === true);
  if (own) return `${named(who)} contemplates by itself, in up to ${counted(number("", how.threads)[0]?.[1] ?? page.defaults.threads, "thread")}; numbers or roles here make a team of it.`;
  if (meant?.id === "none") return `${named(who.slice(0, 1))} answers at once.`;
  const rounds = size("rounds");
  return [
    `Up to ${counted(agents, "agent")} of ${named(who)}, ${Math.min(size("first"), agents)} at first`,
    rounds > 0 && `they refine ${rounds === 1 ? "once" : `up to ${rounds} times`} if they disagree`,
    SETTLED[aggregateOf(how, page)] ?? aggregateOf(how, page),
  ].filter(Boolean).join("; ") + ".";
}

/** The reason why a model cannot repeat a question with images, tools or an effort; otherwise empty. */
export function notAgain(model: OfferedModel, asked: { readonly pictures?: number; readonly tools?: readonly string[]; readonly effort?: string } | undefined, mode: string): string {
  const tools = asked?.tools ?? [];
  if (tools.length > 0 && model.tools === false) return "cannot use tools";
  if ((asked?.pictures ?? 0) > 0 && model.pictures === false && !tools.some((tool) => ["look", "read", "find"].includes(tool))) return "takes no images";
  if (asked?.effort !== undefined && mode !== TEAM && model.effort === false) return "has no efforts";
  return "";
}
