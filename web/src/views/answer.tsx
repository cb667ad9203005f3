/** The answer, at the top from its first character on, with its status and cost. */

import type { ComponentChildren, VNode } from "preact";
import { useState } from "preact/hooks";
import type { Budget } from "../api";
import type { Run } from "../fold/run";
import { standing, story } from "../fold/words";
import { Markdown } from "../text/markdown";
import { Mark, type Sign } from "./marks";
import { Meters } from "./meters";

const SIGNS: Readonly<Record<string, Sign>> = { right: "check", wrong: "cross", failed: "alert", early: "stop", open: "dot", running: "spark" };

interface AnswerProps {
  readonly run: Run;
  /** True if the run was stopped before its last event. */
  readonly stopped: boolean;
  readonly budget: Budget | null;
  readonly clock: (() => number) | null;
  readonly children?: ComponentChildren;
}

export function Answer({ run, stopped, budget, clock, children }: AnswerProps): VNode {
  const [whole, setWhole] = useState(false);
  const { tone, word, sentence } = standing(run, stopped);
  const long = run.answer.length > 900 || run.answer.split("\n").length > 12;
  return (
    <section class={`answer ${tone} ${whole ? "whole" : ""}`} aria-label="Answer" data-tone={tone}>
      <div class="answer-head">
        <span class={`standing ${tone}`} role="status"><Mark sign={SIGNS[tone]!} size={15} />{word}</span>
        {sentence !== "" && tone !== "failed" && <span class="why">{sentence}</span>}
      </div>
      <div class="answer-body" {...(long && !whole ? { tabIndex: 0 } : {})}>
        {tone === "failed" ? <p class="fault">{sentence}</p> : <Said run={run} over={tone !== "running"} />}
      </div>
      {long && <button type="button" class="quiet-button" onClick={() => setWhole(!whole)}>{whole ? "Show less" : "Show all of it"}</button>}
      <p class="story" role="status" aria-live="polite">{story(run, stopped)}</p>
      <div class="answer-foot">
        <Meters run={run} budget={budget} clock={clock} />
        <div class="actions">{children}</div>
      </div>
    </section>
  );
}

function Said({ run, over }: { run: Run; over: boolean }): VNode {
  const text = run.answer.trim();
  if (text === "") return over ? <p class="nothing">{run.reason || "There is no answer."}</p> : <p class="nothing">No answer yet.</p>;
  // A word, a number, a way through a maze: shown large.
  const brief = text.length <= 60 && !text.includes("\n");
  return <div class={brief ? "brief" : "prose"}><Markdown text={run.answer} /></div>;
}
