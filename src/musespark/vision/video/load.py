"""A short video as a part of a message: its file, and for models that take only pictures a contact sheet of what happens in it."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias, TypeVar

from musespark.content import Image, Video
from musespark.errors import BadVideo
from musespark.vision.video.clip import Clip, Patience, file_bytes, media_type, opened
from musespark.vision.video.key_frames import GRID, Scene, Scenes
from musespark.vision.video.contact_sheet import drawn

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

VideoLike: TypeAlias = "str | Path | bytes | Video"
"""A path, a file's bytes, or a `Video`."""

SECONDS = 60.0
"""That looking through a video may take; what came until then is shown, and said to be a part."""
_THUMB = 768
"""Pixels of the longer side of a frame that is kept for the sheet."""

_Result = TypeVar("_Result")


async def seen(source: VideoLike) -> Video:
    """`as_video` in a worker thread; cancelling it stops the thread."""
    return await in_thread(lambda patience: as_video(source, patience), SECONDS)


def as_video(source: VideoLike, patience: Patience | None = None) -> Video:
    """The video as a checked part of a message, looked through once.

    Raises `MissingFile`, `NotInstalled`, or `BadVideo` where it is broken, huge, too long, or no video.
    """
    if isinstance(source, Video):
        return source
    name = str(source) if isinstance(source, str | Path) else ""
    if isinstance(source, str | Path):
        data = file_bytes(source)
    elif isinstance(source, bytes | bytearray | memoryview):
        data = bytes(source)
    else:
        raise BadVideo(f"a {type(source).__name__} is neither a path nor a file's bytes")
    with opened(data, name) as clip:
        scenes, end = looked_through(clip, patience or Patience(SECONDS))
        frames = [(scene.time, scene.picture) for scene in scenes.chosen]
        caption = _caption(clip, scenes, end)
    return Video(data, media_type(data) or "", Image(_png(drawn(frames)), "image/png"), caption, end)


def looked_through(clip: Clip, patience: Patience, most: int | None = None) -> tuple[Scenes, float]:
    """What happens in an open video, and its length in seconds. Raises `BadVideo` where there is nothing to see."""
    scenes, end, latest = Scenes(most) if most else Scenes(), 0.0, 0.0
    for at, frame in clip.frames(patience):
        blocks = frame.reformat(GRID, GRID, "rgb24", interpolation="AREA").to_ndarray()
        scenes.offer(at, blocks, lambda frame=frame: clip.picture(frame, _THUMB))  # type: ignore[misc]
        latest, end = at, at + float((frame.duration or 0) * (frame.time_base or 0))
    if not scenes.chosen:
        reason = "not one frame of it could be decoded in time" if clip.unfinished else "it is broken or cut short"
        raise BadVideo(reason, clip.name)
    return scenes, end if clip.broken or clip.unfinished else max(end, latest, min(clip.seconds or 0.0, end + 1.0))


def _caption(clip: Clip, scenes: Scenes, end: float) -> str:
    """What a model is told of the video, above the sheet."""
    chosen = scenes.chosen
    size = "x".join(map(str, clip.size))
    told = [f"A video of {end:.2f} seconds, {size} pixels, " + ("with sound, which is not heard." if clip.sound else "silent.")]
    if clip.unfinished:
        told.append("There was no time to look at more of it; it goes on.")
    elif clip.broken:
        told.append("Parts of its file are damaged, and were left out.")
    if len(chosen) == 1:
        told.append("Nothing changes in it: its sheet shows the one frame.")
    else:
        which = "the most different frames" if scenes.dropped else "each frame where the picture has changed"
        told.append(f"Its sheet shows {which}, in order: {_listed(chosen)}.")
    return " ".join(told) + "\n"


def _listed(chosen: list[Scene]) -> str:
    return ", ".join(f"{number} at {scene.time:.2f} s" for number, scene in enumerate(chosen, 1))


def _png(picture: Picture) -> bytes:
    file = io.BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()


async def in_thread(work: Callable[[Patience], _Result], seconds: float) -> _Result:
    """Work in a worker thread for so long. Who cancels it waits until it has stopped, a frame later: nothing is left running."""
    patience = Patience(seconds)
    running = asyncio.get_running_loop().run_in_executor(None, work, patience)
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        patience.stop.set()
        await asyncio.wait([running])
        raise
