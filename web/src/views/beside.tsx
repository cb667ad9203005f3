/** Two runs of the same question beside each other: answers and costs. */

import { useSignal } from "@preact/signals";
import type { VNode } from "preact";
import { useState } from "preact/hooks";
import { ask, type PageInfo, type Summary } from "../api";
import { spending, triers } from "../fold/rows";
import { BEGIN, type Run } from "../fold/run";
import { counted, money, seconds, standing } from "../fold/words";
import { notAgain } from "../fits";
import { MODES } from "../manner";
import { Models } from "./composer";
import { refresh } from "./history";
import { RunView } from "./run";

export function Beside({ first, second, fresh }: { first: string; second: string; fresh: string }): VNode {
  const one = useSignal<Run>(BEGIN);
  const two = useSignal<Run>(BEGIN);
  return (
    <div class="two-runs">
      <Costs runs={[one.value, two.value]} />
      <div class="beside">
        <RunView id={first} fresh={false} onSwap={null} onKnown={(run) => { one.value = run; }} />
        <RunView id={second} fresh={fresh === second} onSwap={null} onKnown={(run, how) => { two.value = run; if (how !== "") void refresh().catch(() => undefined); }} />
      </div>
    </div>
  );
}

function Costs({ runs }: { runs: readonly Run[] }): VNode | null {
  if (runs.some((run) => run.seq < 0)) return null;
  const row = (name: string, of: (run: Run) => string): VNode => <tr><th scope="row">{name}</th>{runs.map((run) => <td key={run.id}>{of(run)}</td>)}</tr>;
  return (
    <div class="table" tabIndex={0} role="group" aria-label="Both runs">
      <table class="costs">
        <thead><tr><td />{runs.map((run) => <th key={run.id} scope="col">{[run.model, run.mode].join(" · ")}</th>)}</tr></thead>
        <tbody>
          {row("Answer", (run) => (run.answer.length > 80 ? run.answer.slice(0, 79) + "…" : run.answer) || "none")}
          {row("Checked", (run) => standing(run, true).word)}
          {row("Agents", (run) => counted(Math.max(1, triers(run).length), "agent"))}
          {row("Time", (run) => seconds(spending(run, null).seconds))}
          {row("Tokens", (run) => run.usage.tokens.toLocaleString("en"))}
          {row("Money", (run) => money(run.usage.usd))}
        </tbody>
      </table>
    </div>
  );
}

/** Choose another model for the same question. */
export function Swap({ id, run, about, page, onAsked, onClose }: { id: string; run: Run; about: Summary | null; page: PageInfo | null; onAsked: (id: string) => void; onClose: () => void }): VNode {
  const [model, setModel] = useState("");
  const [mode, setMode] = useState(run.mode || "contemplating");
  const [fault, setFault] = useState("");
  const send = (): void => {
    ask({ again: id, mode, ...(model === "" ? {} : { models: [model] }) }).then(onAsked).catch((error: Error) => setFault(error.message));
  };
  return (
    <form class="swap" aria-label="Ask another model the same" onSubmit={(event) => { event.preventDefault(); send(); }}>
      <label>Model
        <select value={model} onChange={(event) => setModel(event.currentTarget.value)}>
          <option value="">the same</option>
          <Models page={page} lacking={(other) => notAgain(other, about?.asked, mode)} />
        </select>
      </label>
      <label>Mode
        <select value={mode} onChange={(event) => setMode(event.currentTarget.value)}>
          {(page?.modes ?? Object.keys(MODES)).map((name) => <option key={name} value={name}>{name}</option>)}
        </select>
      </label>
      <button type="submit" class="primary">Ask the same</button>
      <button type="button" class="quiet-button" onClick={onClose}>Close</button>
      {fault !== "" && <p class="fault" role="alert">{fault}</p>}
    </form>
  );
}
