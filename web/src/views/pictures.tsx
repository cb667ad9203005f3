/** Images of agents and of questions, small and large. */

import { signal } from "@preact/signals";
import type { VNode } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { asked, hasKey } from "../api";
import { Mark } from "./marks";

export interface Seen {
  readonly link: string;
  readonly caption: string;
}

/** The image that is open large, among those that belong to it. */
const open = signal<{ readonly all: readonly Seen[]; readonly at: number } | null>(null);

/** Show an image large, its neighbours one key away. */
export function enlarge(all: readonly Seen[], at: number): void {
  open.value = { all, at };
}

/** True for an image of this server or of this very file: nothing else is ever fetched. */
export function isOurs(link: string): boolean {
  return /^\/v1\/runs\/[\w-]+\/(pictures|asked)\/\d+$/.test(link) || /^data:image\/(png|jpeg|gif|webp|bmp);base64,[\w+/=]*$/.test(link)
    || link.startsWith("blob:");
}

/** Address of an image that an <img> can load; with a key, one that was fetched with it. */
export function useLink(link: string): string {
  const [ready, setReady] = useState("");
  const plain = isOurs(link) && (!link.startsWith("/") || !hasKey());
  useEffect(() => {
    if (plain || !isOurs(link)) return undefined;
    let made = "";
    let gone = false;
    asked(link).then((response) => response.blob()).then((blob) => {
      if (gone) return;
      made = URL.createObjectURL(blob);
      setReady(made);
    }).catch(() => undefined); // Its place stays empty, beside its caption.
    return () => { gone = true; if (made !== "") URL.revokeObjectURL(made); };
  }, [link, plain]);
  return plain ? link : ready;
}

export function Img({ link, alt, lazy = true }: { link: string; alt: string; lazy?: boolean }): VNode {
  const address = useLink(link);
  return address === "" ? <span class="no-picture" role="img" aria-label={alt} />
    : <img src={address} alt={alt} loading={lazy ? "lazy" : "eager"} decoding="async" draggable={false} />;
}

/** Images in a row, each a button that opens it large. */
export function Thumbs({ pictures, most = 6, label }: { pictures: readonly Seen[]; most?: number; label: string }): VNode | null {
  if (pictures.length === 0) return null;
  const from = Math.max(0, pictures.length - most);
  return (
    <ul class="thumbs" aria-label={label}>
      {from > 0 && <li><button type="button" class="thumb more" onClick={() => enlarge(pictures, 0)} aria-label={`all ${pictures.length} images`}>+{from}</button></li>}
      {pictures.slice(from).map((picture, at) => (
        <li key={from + at}>
          <button type="button" class="thumb" onClick={() => enlarge(pictures, from + at)} aria-label={`Open large: ${picture.caption}`} title={picture.caption}>
            <Img link={picture.link} alt={picture.caption} />
          </button>
        </li>
      ))}
    </ul>
  );
}

/** The view of the image that is open large. */
export function Lightbox(): VNode {
  const dialog = useRef<HTMLDialogElement>(null);
  const shown = open.value;
  useEffect(() => {
    if (shown !== null && !dialog.current!.open) dialog.current!.showModal();
    if (shown === null) dialog.current!.close();
  }, [shown]);
  const turn = (by: number): void => {
    if (shown !== null) open.value = { ...shown, at: (shown.at + by + shown.all.length) % shown.all.length };
  };
  const key = (event: KeyboardEvent): void => {
    if (event.key === "ArrowRight") turn(1);
    if (event.key === "ArrowLeft") turn(-1);
  };
  const picture = shown?.all[shown.at];
  return (
    <dialog ref={dialog} class="lightbox" aria-label="Image" onClose={() => { open.value = null; }} onKeyDown={key}
      onClick={(event) => { if (event.target === dialog.current) open.value = null; }}>
      {picture !== undefined && (
        <figure>
          <Img link={picture.link} alt={picture.caption} lazy={false} />
          <figcaption>
            {shown!.all.length > 1 && <button type="button" class="icon back" onClick={() => turn(-1)} aria-label="Previous image"><Mark sign="right" /></button>}
            <span>{picture.caption}{shown!.all.length > 1 && <small> {shown!.at + 1} of {shown!.all.length}</small>}</span>
            {shown!.all.length > 1 && <button type="button" class="icon" onClick={() => turn(1)} aria-label="Next image"><Mark sign="right" /></button>}
            <button type="button" class="icon" onClick={() => { open.value = null; }} aria-label="Close"><Mark sign="cross" /></button>
          </figcaption>
        </figure>
      )}
    </dialog>
  );
}
