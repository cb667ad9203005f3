/** Requests to the server: every call of the page, with its errors as sentences. */

import { store, stored } from "./stored";

/** An option of the form; one that is not ready has the reason. */
export interface Offered {
  readonly id: string;
  readonly ready: boolean;
  readonly why: string;
}

/** A model and its abilities; unknown while it is not ready. */
export interface OfferedModel extends Offered {
  readonly pictures?: boolean;
  readonly draws?: boolean;
  readonly tools?: boolean;
  readonly conversation?: boolean;
  readonly effort?: boolean;
  /** True if it spawns threads of its own. */
  readonly team?: boolean;
  /** Dollars for a million tokens; null if unknown. */
  readonly price?: { readonly prompt: number; readonly written: number } | null;
}

export type Role = "refiner" | "judge" | "merger";

interface Sizes {
  readonly agents: number;
  readonly first: number;
  readonly rounds: number;
}

export interface PageInfo {
  readonly version: string;
  readonly modes: readonly string[];
  readonly models: readonly OfferedModel[];
  readonly tools: readonly Offered[];
  readonly aggregates: readonly string[];
  /** Each with the team that it means. */
  readonly efforts: readonly (Sizes & { readonly id: string })[];
  readonly roles: readonly Role[];
  readonly limits: { readonly agents: number; readonly rounds: number; readonly threads: number; readonly models: number; readonly images: number; readonly videos: number };
  readonly defaults: Sizes & { readonly models: readonly string[]; readonly threads: number; readonly aggregate: string; readonly budget: Budget; /** True if a team is configured, and not only models. */ readonly team: boolean } & { readonly [role in Role]: string | null };
}

export interface Summary {
  readonly id: string;
  readonly question: string;
  readonly mode: string;
  readonly models: readonly string[];
  readonly how: string;
  readonly answer: string;
  readonly verified: boolean;
  /** Seconds since 1970. */
  readonly began: number;
  readonly seconds: number;
  readonly tokens: number;
  readonly usd: number;
  /** Options of the request, with the number of its images. */
  readonly asked?: { readonly pictures?: number; readonly tools?: readonly string[]; readonly effort?: string };
  readonly follows: string | null;
  readonly budget: Budget | null;
}

export interface Budget {
  readonly usd?: number | null;
  readonly seconds?: number | null;
  readonly tokens?: number | null;
  readonly calls?: number | null;
}

export interface Attachment {
  readonly media_type: string;
  /** Base64. */
  readonly data: string;
}

export interface Question {
  readonly question?: string;
  readonly images?: readonly Attachment[];
  readonly video?: Attachment;
  readonly mode?: string;
  readonly models?: readonly string[];
  readonly effort?: string;
  readonly agents?: number;
  readonly first?: number;
  readonly rounds?: number;
  readonly aggregate?: string;
  readonly refiner?: string;
  readonly judge?: string;
  readonly merger?: string;
  readonly threads?: number;
  readonly tools?: readonly string[];
  readonly budget?: Budget;
  readonly follows?: string;
  readonly again?: string;
}

/** A refusal of the server, in one sentence. */
export class Refused extends Error {
  constructor(message: string, readonly status: number) {
    super(message);
  }
}

const KEY = "musespark.key";

/** Set the key that this tab sends, if the server requires one. */
export function setKey(key: string): void {
  store("sessionStorage", KEY, key);
}

export function hasKey(): boolean {
  return stored("sessionStorage", KEY) !== null;
}

/** A response that is good; raises `Refused`. */
export async function asked(path: string, options: RequestInit = {}): Promise<Response> {
  const headers = new Headers(options.headers);
  const key = stored("sessionStorage", KEY);
  if (key !== null) headers.set("authorization", `Bearer ${key}`);
  let response: Response;
  try {
    response = await fetch(path, { ...options, headers, credentials: "same-origin", redirect: "error" });
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new Refused("The server does not answer; is muse serve still running?", 0);
  }
  if (!response.ok) throw new Refused(await sentenceOf(response), response.status);
  return response;
}

async function sentenceOf(response: Response): Promise<string> {
  try {
    const body: unknown = await response.json();
    const error = (body as { error?: { message?: unknown } }).error;
    if (typeof error?.message === "string") return error.message;
  } catch {
    // The body is not from this server: the status has to do.
  }
  return `The server answered ${response.status} ${response.statusText}.`;
}

async function json<T>(path: string, options?: RequestInit): Promise<T> {
  return (await asked(path, options)).json() as Promise<T>;
}

export const pageInfo = (): Promise<PageInfo> => json("/v1/page");

/** The newest runs, or those that began before that one. */
export async function runs(before?: string, limit = 30): Promise<readonly Summary[]> {
  const query = new URLSearchParams({ limit: String(limit), ...(before === undefined ? {} : { before }) });
  return (await json<{ data: readonly Summary[] }>(`/v1/runs?${query}`)).data;
}

export const summary = (id: string): Promise<Summary> => json(`/v1/runs/${encodeURIComponent(id)}`);

/** Ask; returns the run's id. */
export async function ask(question: Question): Promise<string> {
  const body = JSON.stringify(question);
  return (await json<{ id: string }>("/v1/runs", { method: "POST", body, headers: { "content-type": "application/json" } })).id;
}

export const stop = (id: string): Promise<Response> => asked(`/v1/runs/${encodeURIComponent(id)}/stop`, { method: "POST" });
export const forget = (id: string): Promise<Response> => asked(`/v1/runs/${encodeURIComponent(id)}`, { method: "DELETE" });

/** The exported run, as a file to keep. */
export async function exported(id: string): Promise<Blob> {
  return (await asked(`/v1/runs/${encodeURIComponent(id)}/export`)).blob();
}

/** Address of the n-th image of a question, from 1. */
export const askedPicture = (id: string, number: number): string => `/v1/runs/${encodeURIComponent(id)}/asked/${number}`;
