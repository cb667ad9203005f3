/** An image from the camera of a computer; a phone's own camera is opened by the file chooser. */

import type { VNode } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { snapshot } from "../attach";

export function Camera({ onPicture, onClose }: { onPicture: (file: File) => void; onClose: () => void }): VNode {
  const dialog = useRef<HTMLDialogElement>(null);
  const video = useRef<HTMLVideoElement>(null);
  const [fault, setFault] = useState("");
  useEffect(() => {
    dialog.current!.showModal();
    let stream: MediaStream | null = null;
    let gone = false;
    navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } }).then((opened) => {
      stream = opened;
      if (gone) opened.getTracks().forEach((track) => track.stop());
      else video.current!.srcObject = opened;
    }).catch(() => setFault("No camera could be opened. Allow it in the browser, or choose a file."));
    return () => { gone = true; stream?.getTracks().forEach((track) => track.stop()); };
  }, []);
  const snap = async (): Promise<void> => {
    const canvas = document.createElement("canvas");
    canvas.width = video.current!.videoWidth;
    canvas.height = video.current!.videoHeight;
    canvas.getContext("2d")!.drawImage(video.current!, 0, 0);
    onPicture(new File([await snapshot(canvas, "The photograph")], "photograph.jpg", { type: "image/jpeg" }));
    onClose();
  };
  return (
    <dialog ref={dialog} class="camera" aria-label="Camera" onClose={onClose}>
      {fault === "" ? <video ref={video} autoPlay muted playsInline aria-label="What the camera sees" /> : <p class="fault" role="alert">{fault}</p>}
      <div class="actions">
        {fault === "" && <button type="button" class="primary" onClick={() => void snap()}>Take the picture</button>}
        <button type="button" class="quiet-button" onClick={onClose}>Close</button>
      </div>
    </dialog>
  );
}
