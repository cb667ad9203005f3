/** Attachments of a question: images and a video, chosen, photographed, pasted or dropped anywhere on the page. */

import type { VNode } from "preact";
import { useEffect, useRef } from "preact/hooks";
import type { Attached } from "../attach";
import { Mark } from "./marks";

/** Images that are pasted or dropped anywhere on the page are attached to the question. */
export function useAnywhere(add: (files: Iterable<File>) => Promise<void>, setOver: (over: boolean) => void): void {
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

export function Given({ given, onDrop }: { given: readonly Attached[]; onDrop: (one: Attached) => void }): VNode | null {
  if (given.length === 0) return null;
  return (
    <ul class="given" aria-label="Attachments">
      {given.map((one) => (
        <li key={one.preview}>
          {one.isVideo ? <span class="film"><Mark sign="play" />{one.name}</span> : <img src={one.preview} alt={one.name} />}
          <button type="button" class="icon small" onClick={() => onDrop(one)} aria-label={`Remove ${one.name}`}><Mark sign="cross" size={14} /></button>
        </li>
      ))}
    </ul>
  );
}

/** The buttons that add an image. why: the reason why none can be sent. */
export function Chooser({ onFiles, onCamera, videos, why }: { onFiles: (files: Iterable<File>) => Promise<void>; onCamera: () => void; videos: boolean; why: string }): VNode {
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
      <input ref={file} class="sr" type="file" accept={videos ? "image/*,video/*" : "image/*"} multiple tabIndex={-1} aria-hidden="true" onChange={chosen} data-input="file" />
      <input ref={lens} class="sr" type="file" accept="image/*" capture="environment" tabIndex={-1} aria-hidden="true" onChange={chosen} />
      <button type="button" class="icon" disabled={why !== ""} title={why} onClick={() => file.current!.click()} aria-label={videos ? "Add an image or a video" : "Add an image"}><Mark sign="picture" /></button>
      <button type="button" class="icon" disabled={why !== ""} title={why} onClick={photograph} aria-label="Take a photograph"><Mark sign="camera" /></button>
    </>
  );
}
