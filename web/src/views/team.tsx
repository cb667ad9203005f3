/** The folded part of the form: explorers, stages, roles, tools and budget of a team. */

import type { ComponentChildren, VNode } from "preact";
import type { OfferedModel, PageInfo, Role } from "../api";
import { canAnyRefine, canPlay, explorers, hasThreads, noEffort, noRoleModel, noPrice, noTools, plan, TEAM } from "../fits";
import { choose, type Manner, manner, PLAIN, toggled } from "../manner";

type Written = "agents" | "first" | "rounds" | "threads" | "usd" | "seconds" | "tokens" | "calls";

export function TeamPart({ page, id }: { page: PageInfo; id: string }): VNode {
  const how = manner.value;
  const team = how.mode === TEAM;
  const able = canAnyRefine(how, page);
  return (
    <div class="more" id={id}>
      {team && page.models.length > 1 && <Mix how={how} page={page} />}
      <Part name={team ? "Team" : "Thought"} notes={[
        team ? plan(how, page) : "Agents, rounds and roles need a team: choose Contemplating.",
        team && !able ? "None of these models takes a conversation, so none can refine, judge or merge." : noRoleModel(how, page),
        noEffort(how, page),
      ]}>
        {team && (
          <>
            <Count how={how} name="agents" label="Maximum agents" most={page.limits.agents} usual={page.defaults.agents} />
            <Count how={how} name="first" label="First wave" most={page.limits.agents} usual={page.defaults.first} />
            <Count how={how} name="rounds" label="Maximum rounds" least={0} most={page.limits.rounds} usual={page.defaults.rounds} />
          </>
        )}
        {hasThreads(how, page) && <Count how={how} name="threads" label="Maximum threads" most={page.limits.threads} usual={page.defaults.threads} />}
        <Effort how={how} page={page} />
        {team && <Aggregate how={how} page={page} able={able} />}
        {team && able && page.roles.map((role) => <Player key={role} how={how} page={page} role={role} />)}
      </Part>
      <Tools how={how} page={page} />
      <Part name="Budget" notes={[how.usd === "" ? "" : noPrice(how, page)]}>
        <Limit how={how} page={page} name="usd" label="Dollars" step="0.01" />
        <Limit how={how} page={page} name="seconds" label="Seconds" step="1" />
        <Limit how={how} page={page} name="tokens" label="Tokens" step="1000" />
        <Limit how={how} page={page} name="calls" label="Calls" step="1" />
      </Part>
      {JSON.stringify({ ...how, mode: "" }) !== JSON.stringify({ ...PLAIN, mode: "" }) && (
        <p class="reset"><button type="button" class="quiet-button" onClick={() => choose({ ...PLAIN, mode: how.mode })}>Reset to defaults</button></p>
      )}
    </div>
  );
}

/** Fields that belong together. notes: consequences and conflicts; empty ones are left out. */
function Part({ name, notes, children }: { name: string; notes: readonly string[]; children: ComponentChildren }): VNode {
  return (
    <fieldset class="part">
      <legend>{name}</legend>
      <div class="fields">{children}</div>
      <div class="notes" role="status">{notes.filter(Boolean).map((note) => <p key={note} class="why">{note}</p>)}</div>
    </fieldset>
  );
}

/** Models that the agents take in turn. */
function Mix({ how, page }: { how: Manner; page: PageInfo }): VNode {
  const now = explorers(how, page);
  const most = page.limits.models;
  return (
    <fieldset class="part">
      <legend>Explorers</legend>
      <ul class="mix">
        {page.models.map((model) => {
          const there = now.includes(model.id);
          const can = [model.pictures && "images in", model.draws && "images out", model.tools && "tools"].filter(Boolean).join(" · ") || "text only";
          return (
            <li key={model.id}>
              <label>
                <input type="checkbox" checked={there} disabled={!model.ready || (!there && now.length >= most)}
                  onChange={(event) => choose({ models: toggled(now, model.id, event.currentTarget.checked) })} />
                <span><b>{model.id}</b><small>{model.ready ? `${can} · ${price(model)}` : model.why}</small></span>
              </label>
            </li>
          );
        })}
      </ul>
    </fieldset>
  );
}

/** Dollars for a million tokens, read and written. */
function price({ price: known }: OfferedModel): string {
  if (known == null) return "price unknown";
  return known.prompt === 0 && known.written === 0 ? "free" : `$${Number(known.prompt.toPrecision(3))} / $${Number(known.written.toPrecision(3))} a million`;
}

function Count({ how, name, label, least = 1, most, usual }: { how: Manner; name: Written; label: string; least?: number; most: number; usual: number }): VNode {
  return (
    <label>{label}
      <input type="number" inputMode="numeric" min={least} max={most} step="1" value={how[name]} placeholder={String(usual)}
        onInput={(event) => choose({ [name]: event.currentTarget.value })} />
    </label>
  );
}

function Limit({ how, page, name, label, step }: { how: Manner; page: PageInfo; name: "usd" | "seconds" | "tokens" | "calls"; label: string; step: string }): VNode {
  return (
    <label>{label}
      <input type="number" inputMode="decimal" min={0} step={step} value={how[name]} placeholder={String((how.mode === TEAM && page.defaults.budget[name]) || "any")}
        onInput={(event) => choose({ [name]: event.currentTarget.value })} />
    </label>
  );
}

function Effort({ how, page }: { how: Manner; page: PageInfo }): VNode {
  const why = noEffort(how, page);
  const size = (agents: number, id: string): string => (how.mode !== TEAM || why !== "" ? "" : id === "none" ? " · at once" : ` · up to ${agents}`);
  return (
    <label>Effort
      <select value={page.efforts.some(({ id }) => id === how.effort) ? how.effort : ""} disabled={why !== ""} title={why} onChange={(event) => choose({ effort: event.currentTarget.value })}>
        <option value="">default</option>
        {page.efforts.map(({ id, agents }) => <option key={id} value={id}>{id}{size(agents, id)}</option>)}
      </select>
    </label>
  );
}

/** able: true if a model could judge or merge. */
function Aggregate({ how, page, able }: { how: Manner; page: PageInfo; able: boolean }): VNode {
  const usual = page.defaults.aggregate;
  return (
    <label>Aggregate
      <select value={page.aggregates.includes(how.aggregate) && how.aggregate !== usual ? how.aggregate : ""} onChange={(event) => choose({ aggregate: event.currentTarget.value })}>
        <option value="">{usual}</option>
        {page.aggregates.filter((name) => name !== usual).map((name) => <option key={name} value={name} disabled={!able && ["judge", "merge"].includes(name)}>{name}</option>)}
      </select>
    </label>
  );
}

const USUAL: Readonly<Record<Role, string>> = { refiner: "each agent", judge: "an explorer", merger: "an explorer" };

/** Model of a role: one that reads conversations. */
function Player({ how, page, role }: { how: Manner; page: PageInfo; role: Role }): VNode {
  return (
    <label>{role.charAt(0).toUpperCase() + role.slice(1)}
      <select value={canPlay(page, how[role]) ? how[role] : ""}
        onChange={(event) => choose({ [role]: event.currentTarget.value })}>
        <option value="">{page.defaults[role] ?? USUAL[role]}</option>
        {page.models.map(({ id }) => <option key={id} value={id} disabled={!canPlay(page, id)}>{id}</option>)}
      </select>
    </label>
  );
}

const TOOLS: Readonly<Record<string, string>> = { python: "runs Python", spawn: "starts sub-agents", look: "vision tools: zoom, read, mark and more" };

function Tools({ how, page }: { how: Manner; page: PageInfo }): VNode {
  const why = noTools(how, page);
  const missing = page.tools.filter((tool) => !tool.ready).map((tool) => tool.why);
  return (
    <fieldset class="part">
      <legend>Tools</legend>
      <div class="tools">
        {page.tools.map((tool) => (
          <label key={tool.id}>
            <input type="checkbox" checked={why === "" && tool.ready && how.tools.includes(tool.id)} disabled={why !== "" || !tool.ready}
              onChange={(event) => choose({ tools: toggled(how.tools, tool.id, event.currentTarget.checked) })} />
            <span>{tool.id} <small>{TOOLS[tool.id]}</small></span>
          </label>
        ))}
      </div>
      {why !== "" ? <p class="why">{why}</p> : missing.map((each) => <p key={each} class="why">{each}</p>)}
    </fieldset>
  );
}
