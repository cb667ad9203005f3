/** The form of a question: text, images, mode, model and options. */

import type { VNode } from "preact";
import { useEffect, useId, useRef, useState } from "preact/hooks";
import { ask, type OfferedModel, type PageInfo } from "../api";
import { type Attached, attached, encoded } from "../attach";
import { explorers, fields, noPictures, notReady, noTurns, summary, TEAM } from "../fits";
import { choose, manner, MODES } from "../manner";
import { Chooser, Given, useAnywhere } from "./attachments";
import { Camera } from "./camera";
import { Mark } from "./marks";
import { TeamPart } from "./team";

/** The models that the server offers, as options; one that is not ready has the reason. */
export function Models({ page, lacking }: { page: PageInfo | null; lacking: (model: OfferedModel) => string }): VNode {
  return (
    <>
      {(page?.models ?? []).map((model) => {
        const why = model.ready ? lacking(model) : "not ready";
        return <option key={model.id} value={model.id} disabled={why !== ""} title={model.why}>{[model.id, why].filter(Boolean).join(" · ")}</option>;
      })}
    </>
  );
}

interface ComposerProps {
  readonly page: PageInfo | null;
  readonly follows: string | null;
  readonly onAsked: (id: string) => void;
  /** Text of an example. */
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
  const part = useId();

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

  const blind = page === null ? "" : noPictures(manner.value, page);
  const refused = blind !== "" && given.length > 0;
  const send = async (): Promise<void> => {
    if (busy || refused || (text.trim() === "" && given.length === 0)) return;
    setBusy(true);
    setFault("");
    try {
      const images = await Promise.all(given.filter((one) => !one.isVideo).map(encoded));
      const film = given.find((one) => one.isVideo);
      const id = await ask({
        question: text.trim() || "What is in this image?", ...fields(manner.value, page),
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
    <form class={`composer ${over ? "over" : ""}`} aria-label={follows === null ? "Ask" : "Ask a follow-up"} noValidate onSubmit={(event) => { event.preventDefault(); void send(); }}>
      <Given given={given} onDrop={(one) => setGiven(given.filter((other) => other !== one))} />
      <textarea ref={area} rows={1} value={text} aria-label="Your question" onInput={(event) => setText(event.currentTarget.value)} onKeyDown={key}
        placeholder={follows !== null ? "Ask a follow-up" : blind === "" ? "Ask anything, or drop an image here" : "Ask anything"} />
      <div class="composer-foot">
        <Chooser onFiles={add} onCamera={() => setCamera(true)} videos={page?.limits.videos !== 0} why={blind} />
        <Modes page={page} />
        <Model page={page} />
        <button type="button" class={`quiet-button steer ${more ? "on" : ""}`} aria-expanded={more} aria-controls={part} disabled={page === null}
          onClick={() => setMore(!more)} aria-label="Team, tools and budget"><Mark sign="sliders" size={16} /><span>Team</span></button>
        <button type="submit" class="primary send" disabled={busy || refused} aria-label="Ask"><Mark sign="send" /><span>Ask</span></button>
      </div>
      {page !== null && !more && <Chosen page={page} />}
      {page !== null && <Unfit text={notReady(manner.value, page) || blind || (follows === null ? "" : noTurns(manner.value, page))} />}
      {page !== null && more && <TeamPart page={page} id={part} />}
      {fault !== "" && <p class="fault" role="alert">{fault}</p>}
      {camera && <Camera onPicture={(file) => void add([file])} onClose={() => setCamera(false)} />}
    </form>
  );
}

function Modes({ page }: { page: PageInfo | null }): VNode {
  const modes = page?.modes ?? Object.keys(MODES);
  return (
    <fieldset class="modes">
      <legend class="sr">Mode</legend>
      {modes.map((mode) => (
        <label key={mode} title={MODES[mode] ?? ""}>
          <input type="radio" name="mode" value={mode} checked={manner.value.mode === mode} onChange={() => choose({ mode })} />
          <span>{mode.charAt(0).toUpperCase() + mode.slice(1)}</span>
        </label>
      ))}
    </fieldset>
  );
}

/** One model, or the number of a team's models. */
function Model({ page }: { page: PageInfo | null }): VNode | null {
  if (page === null) return null;
  const how = manner.value;
  const now = explorers(how, page);
  const usual = how.mode === TEAM ? page.defaults.models : page.defaults.models.slice(0, 1);
  const offered = usual.length === 1 && page.models.some((model) => model.id === usual[0]);
  const isUsual = now.join() === usual.join();
  const value = isUsual && !offered ? "" : now.length > 1 ? MIX : now[0]!;
  return (
    <select class="one-model" aria-label="Model" value={value} onChange={(event) => choose({ models: event.currentTarget.value === "" ? [] : [event.currentTarget.value] })}>
      {!offered && <option value="">{usual.join(", ")}</option>}
      {value === MIX && <option value={MIX}>{now.length} models</option>}
      <Models page={page} lacking={() => ""} />
    </select>
  );
}

/** No model's name: names have no spaces around them. */
const MIX = " ";

/** Summary of the folded options, which apply to the next question as well. */
function Chosen({ page }: { page: PageInfo }): VNode | null {
  const text = summary(manner.value, page);
  return text === "" ? null : <p class="chosen">{text}</p>;
}

/** Warnings about the chosen models. */
function Unfit({ text }: { text: string }): VNode {
  return <p class={text === "" ? "sr" : "chosen"} role="status">{text}</p>;
}
