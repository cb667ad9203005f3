/** Where a question is asked: text, pictures, and how much thought it gets. */

import { signal } from "@preact/signals";
import type { VNode } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { ask, type Budget, type PageInfo, type Question } from "../api";
import { type Attached, attached, encoded } from "../attach";
import { Camera } from "./camera";
import { Mark } from "./marks";

/** How a question is asked; kept from one to the next. */
export interface Manner {
  readonly mode: string;
  readonly model: string;
  readonly agents: string;
  readonly seconds: string;
  readonly tokens: string;
  readonly usd: string;
  readonly tools: readonly string[];
}

const SAVED = "musespark.manner";
const PLAIN: Manner = { mode: "contemplating", model: "", agents: "", seconds: "", tokens: "", usd: "", tools: [] };
export const manner = signal<Manner>(remembered());

function remembered(): Manner {
  try {
    return { ...PLAIN, ...(JSON.parse(localStorage.getItem(SAVED) ?? "{}") as Partial<Manner>) };
  } catch {
    return PLAIN; // An older page wrote something else there.
  }
}

function choose(change: Partial<Manner>): void {
  manner.value = { ...manner.value, ...change };
  localStorage.setItem(SAVED, JSON.stringify(manner.value));
}

export const MODES: Readonly<Record<string, string>> = {
  instant: "answers at once", thinking: "one agent thinks it through", contemplating: "a team tries, compares and agrees",
};

/** The models that the server offers; one that cannot be asked says why. */
export function Models({ page, value, none, onChoose }: { page: PageInfo | null; value: string; none: string; onChoose: (model: string) => void }): VNode {
  return (
    <select value={value} onChange={(event) => onChoose(event.currentTarget.value)}>
      <option value="">{none}</option>
      {(page?.models ?? []).map(({ id, ready, why, pictures }) => (
        <option key={id} value={id} disabled={!ready} title={why}>{[id, !ready ? "not ready" : !pictures && "sees no pictures"].filter(Boolean).join(" · ")}</option>
      ))}
    </select>
  );
}

/** The fields of a question that its manner decides. */
export function asked(how: Manner, page: PageInfo | null): Partial<Question> {
  const number = (text: string): number | undefined => (Number(text) > 0 ? Number(text) : undefined);
  const budget: Record<string, number> = {};
  for (const name of ["seconds", "tokens", "usd"] as const) if (number(how[name]) !== undefined) budget[name] = number(how[name])!;
  const agents = number(how.agents);
  const models = page?.models.some((model) => model.id === how.model) === true ? [how.model] : [];
  return {
    mode: how.mode,
    ...(models.length > 0 ? { models } : {}),
    ...(agents !== undefined && how.mode === "contemplating" ? { agents: Math.round(agents) } : {}),
    ...(how.tools.length > 0 ? { tools: how.tools } : {}),
    ...(Object.keys(budget).length > 0 ? { budget: budget as Budget } : {}),
  };
}

interface ComposerProps {
  readonly page: PageInfo | null;
  readonly follows: string | null;
  readonly onAsked: (id: string) => void;
  /** What an example put here. */
  readonly draft?: { readonly text: string; readonly file: File | null } | null;
}

export function Composer({ page, follows, onAsked, draft = null }: ComposerProps): VNode {
  const [text, setText] = useState("");
  const [given, setGiven] = useState<readonly Attached[]>([]);
  const [fault, setFault] = useState("");
  const [busy, setBusy] = useState(false);
  const [over, setOver] = useState(false);
  const [more, setMore] = useState(false);
  const [camera, setCamera] = useState(false);
  const area = useRef<HTMLTextAreaElement>(null);

  const add = async (files: Iterable<File>): Promise<void> => {
    for (const file of files) {
      try {
        const one = await attached(file);
        // A question has one video at most: a new one takes its place.
        setGiven((before) => [...before.filter((other) => !(one.isVideo && other.isVideo)), one]);
        setFault("");
      } catch (error) {
        setFault((error as Error).message);
      }
    }
  };
  useAnywhere(add, setOver);
  useEffect(() => {
    if (draft === null) return;
    setText(draft.text);
    setGiven([]);
    if (draft.file !== null) void add([draft.file]);
    area.current?.focus();
  }, [draft]);

  const send = async (): Promise<void> => {
    if (busy || (text.trim() === "" && given.length === 0)) return;
    setBusy(true);
    setFault("");
    try {
      const images = await Promise.all(given.filter((one) => !one.isVideo).map(encoded));
      const film = given.find((one) => one.isVideo);
      const id = await ask({
        question: text.trim() || "What is in this picture?", ...asked(manner.value, page),
        ...(images.length > 0 ? { images } : {}), ...(film === undefined ? {} : { video: await encoded(film) }),
        ...(follows === null ? {} : { follows }),
      });
      given.forEach((one) => URL.revokeObjectURL(one.preview));
      setText("");
      setGiven([]);
      onAsked(id);
    } catch (error) {
      setFault((error as Error).message);
    } finally {
      setBusy(false);
    }
  };
  const key = (event: KeyboardEvent): void => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    void send();
  };
  return (
    <form class={`composer ${over ? "over" : ""}`} aria-label={follows === null ? "Ask" : "Ask further"} onSubmit={(event) => { event.preventDefault(); void send(); }}>
      <Given given={given} onDrop={(one) => setGiven(given.filter((other) => other !== one))} />
      <textarea ref={area} rows={1} value={text} aria-label="Your question" onInput={(event) => setText(event.currentTarget.value)} onKeyDown={key}
        placeholder={follows === null ? "Ask anything, or drop a picture here" : "Ask further"} />
      <div class="composer-foot">
        <Chooser onFiles={add} onCamera={() => setCamera(true)} />
        <Modes page={page} />
        <button type="button" class={`icon ${more ? "on" : ""}`} aria-expanded={more} aria-controls="more" onClick={() => setMore(!more)} aria-label="Model, team and budget"><Mark sign="sliders" /></button>
        <button type="submit" class="primary send" disabled={busy} aria-label="Ask"><Mark sign="send" /><span>Ask</span></button>
      </div>
      {more && <More page={page} />}
      {fault !== "" && <p class="fault" role="alert">{fault}</p>}
      {camera && <Camera onPicture={(file) => void add([file])} onClose={() => setCamera(false)} />}
    </form>
  );
}

/** Pictures that are pasted or dropped anywhere on the page are meant for the question. */
function useAnywhere(add: (files: Iterable<File>) => Promise<void>, setOver: (over: boolean) => void): void {
  const current = useRef(add);
  current.current = add;
  useEffect(() => {
    const leave = new AbortController();
    const on = <K extends keyof DocumentEventMap>(name: K, act: (event: DocumentEventMap[K]) => void): void => document.addEventListener(name, act, { signal: leave.signal });
    const carries = (event: DragEvent): boolean => event.dataTransfer?.types.includes("Files") ?? false;
    on("paste", (event) => {
      const files = [...(event.clipboardData?.files ?? [])];
      if (files.length > 0) { event.preventDefault(); void current.current(files); }
    });
    on("dragover", (event) => { if (carries(event)) { event.preventDefault(); setOver(true); } });
    on("dragleave", (event) => { if (event.relatedTarget === null) setOver(false); });
    on("drop", (event) => {
      if (!carries(event)) return;
      event.preventDefault();
      setOver(false);
      void current.current([...event.dataTransfer!.files]);
    });
    return () => leave.abort();
  }, []);
}

function Given({ given, onDrop }: { given: readonly Attached[]; onDrop: (one: Attached) => void }): VNode | null {
  if (given.length === 0) return null;
  return (
    <ul class="given" aria-label="What goes with the question">
      {given.map((one) => (
        <li key={one.preview}>
          {one.isVideo ? <span class="film"><Mark sign="play" />{one.name}</span> : <img src={one.preview} alt={one.name} />}
          <button type="button" class="icon small" onClick={() => onDrop(one)} aria-label={`Leave out ${one.name}`}><Mark sign="cross" size={14} /></button>
        </li>
      ))}
    </ul>
  );
}

function Chooser({ onFiles, onCamera }: { onFiles: (files: Iterable<File>) => Promise<void>; onCamera: () => void }): VNode {
  const file = useRef<HTMLInputElement>(null);
  const lens = useRef<HTMLInputElement>(null);
  const chosen = (event: Event): void => {
    const input = event.currentTarget as HTMLInputElement;
    void onFiles([...(input.files ?? [])]);
    input.value = "";
  };
  const photograph = (): void => (matchMedia("(pointer: coarse)").matches ? lens.current!.click() : onCamera());
  return (
    <>
      <input ref={file} class="sr" type="file" accept="image/*,video/*" multiple tabIndex={-1} aria-hidden="true" onChange={chosen} data-input="file" />
      <input ref={lens} class="sr" type="file" accept="image/*" capture="environment" tabIndex={-1} aria-hidden="true" onChange={chosen} />
      <button type="button" class="icon" onClick={() => file.current!.click()} aria-label="Add a picture or a video"><Mark sign="picture" /></button>
      <button type="button" class="icon" onClick={photograph} aria-label="Take a photograph"><Mark sign="camera" /></button>
    </>
  );
}

function Modes({ page }: { page: PageInfo | null }): VNode {
  const modes = page?.modes ?? Object.keys(MODES);
  return (
    <fieldset class="modes">
      <legend class="sr">How much thought</legend>
      {modes.map((mode) => (
        <label key={mode} title={MODES[mode] ?? ""}>
          <input type="radio" name="mode" value={mode} checked={manner.value.mode === mode} onChange={() => choose({ mode })} />
          <span>{mode.charAt(0).toUpperCase() + mode.slice(1)}</span>
        </label>
      ))}
    </fieldset>
  );
}

function More({ page }: { page: PageInfo | null }): VNode {
  const how = manner.value;
  const field = (name: "agents" | "seconds" | "tokens" | "usd", label: string, step: string, disabled = false): VNode => (
    <label>{label}<input type="number" min={0} step={step} value={how[name]} disabled={disabled} placeholder="any" onInput={(event) => choose({ [name]: event.currentTarget.value })} /></label>
  );
  return (
    <div class="more" id="more">
      <label class="wide">Model
        <Models page={page} value={how.model} none={`as configured${page === null ? "" : ` (${page.defaults.models.join(", ")})`}`} onChoose={(model) => choose({ model })} />
      </label>
      {field("agents", "Agents, at most", "1", how.mode !== "contemplating")}
      {field("seconds", "Seconds", "1")}
      {field("tokens", "Tokens", "1000")}
      {field("usd", "Dollars", "0.01")}
      {(page?.tools ?? []).length > 0 && (
        <fieldset class="tools"><legend>Tools</legend>
          {page!.tools.map((tool) => (
            <label key={tool}><input type="checkbox" checked={how.tools.includes(tool)} onChange={(event) => choose({ tools: event.currentTarget.checked ? [...how.tools, tool] : how.tools.filter((other) => other !== tool) })} />{tool}</label>
          ))}
        </fieldset>
      )}
    </div>
  );
}
