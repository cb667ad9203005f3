"""A video as a part of a message: its file, and a caption with a contact sheet for models that take images only."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias, TypeVar

from musespark.content import Image, Video
from musespark.errors import BadVideo
from musespark.vision.video.clip import Clip, Deadline, file_bytes, media_type, open_video
from musespark.vision.video.contact_sheet import draw_contact_sheet
from musespark.vision.video.key_frames import GRID, KeyFrame, KeyFrameSelector

if TYPE_CHECKING:
    import PIL.Image

VideoLike: TypeAlias = "str | Path | bytes | Video"
"""A path, a file's bytes, or a `Video`."""

TIMEOUT = 60.0
"""Seconds after which the summary of a video stops; it then covers the part up to there, and says so."""
_THUMBNAIL = 768
"""Pixels of the longer side of a frame on the contact sheet."""

_Result = TypeVar("_Result")


async def load_video(source: VideoLike) -> Video:
    """Call `as_video` in a worker thread; cancelling stops the thread."""
    return await run_in_thread(lambda deadline: as_video(source, deadline), TIMEOUT)


def as_video(source: VideoLike, deadline: Deadline | None = None) -> Video:
    """Read, check and summarise a video for a message, decoding it once.

    Raises `MissingFile`, `NotInstalled`, or `BadVideo` if it is broken, too large, too long, or not a video.
    """
    if isinstance(source, Video):
        return source
    name = str(source) if isinstance(source, str | Path) else ""
    if isinstance(source, str | Path):
        data = file_bytes(source)
    elif isinstance(source, bytes | bytearray | memoryview):
        data = bytes(source)
    else:
        raise BadVideo(
            f"a value of type {type(source).__name__} is neither a path nor a file's bytes"
        )
    with open_video(data, name) as clip:
        key_frames, end = select_key_frames(clip, deadline or Deadline(TIMEOUT))
        frames = [(frame.time, frame.image) for frame in key_frames.selected]
        caption = _caption(clip, key_frames, end)
    return Video(
        data,
        media_type(data) or "",
        Image(_encode_png(draw_contact_sheet(frames)), "image/png"),
        caption,
        end,
    )


def select_key_frames(clip: Clip, deadline: Deadline) -> tuple[KeyFrameSelector, float]:
    """Select the key frames of an open video; returns its length in seconds, too. Raises `BadVideo` if no frame can be decoded."""
    key_frames, end, latest = KeyFrameSelector(), 0.0, 0.0
    for at, frame in clip.frames(deadline):
        blocks = frame.reformat(GRID, GRID, "rgb24", interpolation="AREA").to_ndarray()
        key_frames.add(at, blocks, lambda frame=frame: clip.to_image(frame, _THUMBNAIL))  # type: ignore[misc]
        latest, end = at, at + float((frame.duration or 0) * (frame.time_base or 0))
    if not key_frames.selected:
        reason = (
            "not one frame of it could be decoded in time"
            if clip.is_unfinished
            else "it is broken or cut short"
        )
        raise BadVideo(reason, clip.name)
    return key_frames, end if clip.is_damaged or clip.is_unfinished else max(
        end, latest, min(clip.seconds or 0.0, end + 1.0)
    )


def _caption(clip: Clip, key_frames: KeyFrameSelector, end: float) -> str:
    """Describe the video to a model; the text precedes the contact sheet."""
    selected = key_frames.selected
    size = "x".join(map(str, clip.size))
    sound = "with sound, which is not heard" if clip.has_sound else "silent"
    sentences = [f"A video of {end:.2f} seconds, {size} pixels, {sound}."]
    if clip.is_unfinished:
        sentences.append("There was no time to look at more of it; it goes on.")
    elif clip.is_damaged:
        sentences.append("Parts of its file are damaged, and were left out.")
    if len(selected) == 1:
        sentences.append("Nothing changes in it: its sheet shows the one frame.")
    else:
        which = (
            "the most different frames"
            if key_frames.dropped
            else "each frame where the picture has changed"
        )
        sentences.append(f"Its sheet shows {which}, in order: {_list_times(selected)}.")
    return " ".join(sentences) + "\n"


def _list_times(selected: list[KeyFrame]) -> str:
    return ", ".join(f"{number} at {frame.time:.2f} s" for number, frame in enumerate(selected, 1))


def _encode_png(image: PIL.Image.Image) -> bytes:
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


async def run_in_thread(work: Callable[[Deadline], _Result], seconds: float) -> _Result:
    """Run work in a worker thread with a deadline.

    Cancelling waits until the work has stopped, a frame later: no thread is left at work.
    """
    deadline = Deadline(seconds)
    running = asyncio.get_running_loop().run_in_executor(None, work, deadline)
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        deadline.cancelled.set()
        await asyncio.wait([running])
        raise
