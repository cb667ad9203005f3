/** Cost of a run so far: seconds, tokens and money, with the budget if there is one. */

import type { VNode } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { Budget } from "../api";
import { spending } from "../fold/rows";
import type { Run } from "../fold/run";
import { counted, money, seconds, short } from "../fold/words";

interface MeterProps {
  readonly name: string;
  readonly value: string;
  readonly of: string | null;
  readonly part: number | null;
  readonly exact?: string;
}

function Meter({ name, value, of, part, exact }: MeterProps): VNode {
  const full = part === null ? 0 : Math.min(1, part);
  return (
    <div class={`meter ${part !== null && part > 0.9 ? "near" : ""}`}>
      <dt>{name}</dt>
      <dd title={exact}>{value}{of !== null && <small> of {of}</small>}</dd>
      {part !== null && <span class="bar" aria-hidden="true"><i style={{ transform: `scaleX(${full})` }} /></span>}
    </div>
  );
}

/** clock: seconds since the start, while the run is in progress. */
export function Meters({ run, budget, clock }: { run: Run; budget: Budget | null; clock: (() => number) | null }): VNode {
  const [, tick] = useState(0);
  useEffect(() => {
    if (clock === null) return undefined;
    const timer = setInterval(() => tick((count) => count + 1), 200);
    return () => clearInterval(timer);
  }, [clock === null]);
  const { seconds: waited, usage } = spending(run, clock?.() ?? null);
  const part = (value: number, limit: number | null | undefined): number | null => (limit ? value / limit : null);
  return (
    <dl class="meters" aria-label="Cost">
      <Meter name="Time" value={seconds(waited)} of={budget?.seconds ? seconds(budget.seconds) : null} part={part(waited, budget?.seconds)} />
      <Meter name="Tokens" value={usage.tokens < 10_000 ? usage.tokens.toLocaleString("en") : short(usage.tokens)} exact={counted(usage.tokens, "token")}
        of={budget?.tokens ? short(budget.tokens) : null} part={part(usage.tokens, budget?.tokens)} />
      <Meter name="Money" value={money(usage.usd)} of={budget?.usd ? money(budget.usd) : null} part={part(usage.usd, budget?.usd)} />
    </dl>
  );
}
