/** Images and short videos for a question: pasted, dropped, chosen or photographed. */

import type { Attachment } from "./api";

export interface Attached {
  readonly file: Blob;
  readonly name: string;
  readonly isVideo: boolean;
  /** A `blob:` address for the preview. */
  readonly preview: string;
}

const TYPES = ["image/png", "image/jpeg", "image/gif", "image/webp", "image/bmp"];
/** Bytes of an image that is sent as it is; a larger one, as from a camera, is scaled down first. */
const PLAIN = 4_000_000;
const LARGEST = 2048;
const VIDEO = 18_000_000;

/** Prepare a file for sending. Raises an error whose message is a sentence. */
export async function attached(file: File): Promise<Attached> {
  const name = file.name || "image";
  if (file.type.startsWith("video/")) {
    if (file.size > VIDEO) throw new Error(`The video ${name} has ${Math.round(file.size / 1e6)} MB; at most ${VIDEO / 1e6} are sent. Cut it shorter.`);
    return { file, name, isVideo: true, preview: URL.createObjectURL(file) };
  }
  const ready = TYPES.includes(file.type) && file.size <= PLAIN ? file : await scaled(file, name);
  return { file: ready, name, isVideo: false, preview: URL.createObjectURL(ready) };
}

async function scaled(file: File, name: string): Promise<Blob> {
  let bitmap: ImageBitmap;
  try {
    bitmap = await createImageBitmap(file);
  } catch {
    throw new Error(`${name} is not an image that this browser reads; use PNG, JPEG, WebP, GIF or BMP.`);
  }
  const scale = Math.min(1, LARGEST / Math.max(bitmap.width, bitmap.height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(bitmap.width * scale));
  canvas.height = Math.max(1, Math.round(bitmap.height * scale));
  canvas.getContext("2d")!.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  bitmap.close();
  return snapshot(canvas, name);
}

/** Content of a canvas as a JPEG file. */
export function snapshot(canvas: HTMLCanvasElement, name: string): Promise<Blob> {
  return new Promise((resolve, reject) => {
    canvas.toBlob((blob) => (blob === null ? reject(new Error(`${name} is too large for this browser.`)) : resolve(blob)), "image/jpeg", 0.9);
  });
}

/** The image as it is sent. */
export function encoded({ file }: Attached): Promise<Attachment> {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve({ media_type: file.type, data: String(reader.result).replace(/^[^,]*,/, "") });
    reader.onerror = () => reject(new Error("The file could not be read."));
    reader.readAsDataURL(file);
  });
}
