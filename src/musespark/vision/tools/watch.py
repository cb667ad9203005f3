"""`watch`: look closer at a stretch of a video, frame by frame and full size."""

from __future__ import annotations

import io
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeGuard

from musespark.content import Image, ToolSpec, Video
from musespark.errors import MuseError
from musespark.tools.tool import Output
from musespark.vision.video.clip import Clip, Patience, opened
from musespark.vision.video.load import in_thread

if TYPE_CHECKING:
    from av import VideoFrame

FRAMES = 4
MOST = 8
"""Frames of one look."""
SIDE = 2048
"""Pixels of a frame's longer side, at most."""
SECONDS = 30.0
"""That one look may take."""

SPEC = ToolSpec.of(
    "watch",
    "Looks closer at a video: gives back frames between two times, evenly spaced and full size, each with its time. The contact "
    "sheet says what is where. Give the same time twice for one frame.",
    {
        "type": "object",
        "properties": {
            "from": {"type": "number", "minimum": 0, "description": "Seconds from the beginning."},
            "to": {"type": "number", "minimum": 0, "description": "Seconds from the beginning, not before `from`."},
            "frames": {"type": "integer", "minimum": 1, "maximum": MOST, "description": f"How many; {FRAMES} if left out."},
            "video": {"type": "integer", "minimum": 1, "description": "Which one, where there are several: 1 is the first."},
        },
        "required": ["from", "to"],
        "additionalProperties": False,
    },
)


@dataclass(frozen=True)
class Watch:
    """The tool `watch` for the videos of a question."""

    videos: Sequence[Video]

    spec = SPEC

    async def use(self, arguments: Mapping[str, Any]) -> Output:
        """Decode the frames in a worker thread. Times beyond the video are clamped, and that is said."""
        asked = _asked(arguments, self.videos)
        if isinstance(asked, str):
            return Output(asked, failed=True)
        try:
            found = await in_thread(lambda patience: looks(asked, patience), SECONDS)
        except MuseError as error:
            return Output(str(error), failed=True)
        if not found:
            return Output(f"No frame between {asked.begin:.2f} and {asked.end:.2f} s could be decoded.", failed=True)
        times = [f"{at:.2f} s" for at, _ in found]
        listed = " and ".join(filter(None, (", ".join(times[:-1]), times[-1])))
        told = f"{asked.remark}The frame{'s' if len(found) > 1 else ''} at {listed}, in order."
        if len(found) < asked.frames:
            told += " There are no others between these times."
        return Output(told, tuple(image for _, image in found), captions=tuple(f"frame at {time}" for time in times))


@dataclass(frozen=True)
class Asked:
    """What is to be looked at."""

    video: Video
    begin: float
    end: float
    """Seconds."""
    frames: int
    remark: str = ""
    """What was changed about it, in a sentence."""


def _asked(arguments: Mapping[str, Any], videos: Sequence[Video]) -> Asked | str:
    """What a model asked for, or one sentence that says what is wrong with it."""
    number, frames = arguments.get("video", 1), arguments.get("frames", FRAMES)
    begin, end = arguments.get("from"), arguments.get("to")
    if not videos:
        return "There is no video to watch."
    if isinstance(number, bool) or not isinstance(number, int) or not 1 <= number <= len(videos):
        return f"There is no video {number!r:.40}; there {_counted(len(videos))}."
    if isinstance(frames, bool) or not isinstance(frames, int) or not 1 <= frames <= MOST:
        return f"frames must be a whole number from 1 to {MOST}, not {frames!r:.40}."
    if not _is_time(begin) or not _is_time(end):
        return 'Say from when to when, in seconds: {"from": 1.5, "to": 3}.'
    if begin > end:
        return f"from ({begin:g}) is after to ({end:g}); give the earlier time first."
    last = videos[number - 1].seconds
    clamped = min(max(begin, 0.0), last), min(max(end, 0.0), last)
    remark = f"The video lasts from 0 to {last:.2f} s; times outside of it were moved there. " if clamped != (begin, end) else ""
    return Asked(videos[number - 1], *clamped, frames if clamped[0] < clamped[1] else 1, remark)


def _is_time(value: object) -> TypeGuard[float]:
    return not isinstance(value, bool) and isinstance(value, int | float) and math.isfinite(value)


def _counted(count: int) -> str:
    return "is only video 1" if count == 1 else f"are videos 1 to {count}"


def looks(asked: Asked, patience: Patience) -> list[tuple[float, Image]]:
    """The frames that are on screen at evenly spaced times, each once, with when they came on. Raises `BadVideo`."""
    steps = max(1, asked.frames - 1)
    wanted = [asked.begin + (asked.end - asked.begin) * step / steps for step in range(asked.frames)]
    with opened(asked.video.data) as clip:
        found = [(at, _jpeg(clip, frame)) for at, frame in _on_screen(clip, wanted, patience)] if clip.sought(asked.begin) else []
    if found and found[0][0] <= asked.begin + 1e-6:
        return found
    # Its index leads too far, or nowhere.
    with opened(asked.video.data) as clip:
        return [(at, _jpeg(clip, frame)) for at, frame in _on_screen(clip, wanted, patience)]


def _on_screen(clip: Clip, wanted: Sequence[float], patience: Patience) -> Iterator[tuple[float, VideoFrame]]:
    """At each time the frame that began last; frames last until the next one, however long that is."""
    left = list(wanted)
    shown: tuple[float, VideoFrame] | None = None
    for at, frame in clip.frames(patience):
        if shown is not None and left[0] < at - 1e-6:
            yield shown
            left = [time for time in left if time >= at - 1e-6]
            if not left:
                return
        shown = at, frame
    if shown is not None and left:
        yield shown


def _jpeg(clip: Clip, frame: VideoFrame) -> Image:
    """A frame as a model is shown it: codecs have lost more already than this loses."""
    file = io.BytesIO()
    clip.picture(frame, SIDE).save(file, "JPEG", quality=92, subsampling=0)
    return Image(file.getvalue(), "image/jpeg")
