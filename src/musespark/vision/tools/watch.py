"""Watch: frames of a part of a video, in full size."""

from __future__ import annotations

import io
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeGuard

from musespark.content import Image, ToolSpec, Video
from musespark.errors import MuseError
from musespark.tools.arguments import pick_arguments, to_number, unwrap_arguments
from musespark.tools.tool import ToolOutput
from musespark.vision.video.clip import Clip, Deadline, open_video
from musespark.vision.video.load import run_in_thread

if TYPE_CHECKING:
    from av import VideoFrame

DEFAULT_FRAMES = 4
MAX_FRAMES = 8
"""Limit of frames of one call."""
LONGEST_SIDE = 2048
"""Limit of a frame's longer side, in pixels."""
TIMEOUT = 30.0
"""Seconds of one call."""

_NAMES = ("from", "to", "frames", "video")
ALIASES = {
    "from": ("start", "begin", "start_time", "from_seconds"),
    "to": ("end", "stop", "end_time", "until", "to_seconds"),
    "frames": ("count", "num_frames", "n_frames", "number_of_frames"),
    "video": ("number", "index", "video_number"),
}
"""Other names that models give to arguments."""
_CLOCK = re.compile(r"(?:(\d+):)?(\d+):(\d+(?:\.\d+)?)")

SPEC = ToolSpec.of(
    "watch",
    "Looks closer at a video: gives back frames between two times, evenly spaced and full size, each with its time. The contact "
    "sheet says what is where. Give the same time twice for one frame.",
    {
        "type": "object",
        "properties": {
            "from": {"type": "number", "minimum": 0, "description": "Seconds from the beginning."},
            "to": {
                "type": "number",
                "minimum": 0,
                "description": "Seconds from the beginning, not before `from`.",
            },
            "frames": {
                "type": "integer",
                "minimum": 1,
                "maximum": MAX_FRAMES,
                "description": f"How many; {DEFAULT_FRAMES} if left out.",
            },
            "video": {
                "type": "integer",
                "minimum": 1,
                "description": "Which one, where there are several: 1 is the first.",
            },
        },
        "required": ["from", "to"],
        "additionalProperties": False,
    },
)


@dataclass(frozen=True)
class WatchTool:
    """The tool `watch` for the videos of a question."""

    videos: Sequence[Video]

    spec = SPEC

    async def use(self, arguments: Mapping[str, Any]) -> ToolOutput:
        """Decode the frames in a worker thread. Times outside of the video are clamped, and the text says so."""
        request = _parse_request(arguments, self.videos)
        if isinstance(request, str):
            return ToolOutput(request, failed=True)
        try:
            frames = await run_in_thread(
                lambda deadline: extract_frames(request, deadline), TIMEOUT
            )
        except MuseError as error:
            return ToolOutput(str(error), failed=True)
        if not frames:
            return ToolOutput(
                f"No frame between {request.begin:.2f} and {request.end:.2f} s could be decoded.",
                failed=True,
            )
        times = [f"{time:.2f} s" for time, _ in frames]
        listed = " and ".join(filter(None, (", ".join(times[:-1]), times[-1])))
        text = f"{request.remark}The frame{'s' if len(frames) > 1 else ''} at {listed}, in order."
        if len(frames) < request.frames:
            text += " There are no others between these times."
        return ToolOutput(
            text,
            tuple(image for _, image in frames),
            captions=tuple(f"frame at {time}" for time in times),
        )


@dataclass(frozen=True)
class FrameRequest:
    """The checked arguments of a call."""

    video: Video
    begin: float
    """Seconds from the start of the video."""
    end: float
    """Seconds from the start of the video."""
    frames: int
    remark: str = ""
    """A sentence on how the times were changed; empty if they were not."""


def _parse_request(arguments: Mapping[str, Any], videos: Sequence[Video]) -> FrameRequest | str:
    """Check the arguments of a model; returns one sentence for the model if they are wrong."""
    arguments = pick_arguments(unwrap_arguments(arguments, _NAMES), _NAMES, ALIASES)
    number, frames = (
        _to_whole(arguments.get(name, default))
        for name, default in (("video", 1), ("frames", DEFAULT_FRAMES))
    )
    begin, end = (_to_seconds(arguments.get(name)) for name in ("from", "to"))
    if not videos:
        return "There is no video to watch."
    if isinstance(number, bool) or not isinstance(number, int) or not 1 <= number <= len(videos):
        return f"There is no video {number!r:.40}; there {_name_videos(len(videos))}."
    if isinstance(frames, bool) or not isinstance(frames, int) or not 1 <= frames <= MAX_FRAMES:
        return f"frames must be a whole number from 1 to {MAX_FRAMES}, not {frames!r:.40}."
    if not _is_time(begin) or not _is_time(end):
        return 'Say from when to when, in seconds: {"from": 1.5, "to": 3}.'
    if begin > end:
        return f"from ({begin:g}) is after to ({end:g}); give the earlier time first."
    last = videos[number - 1].seconds
    clamped = min(max(begin, 0.0), last), min(max(end, 0.0), last)
    remark = (
        f"The video lasts from 0 to {last:.2f} s; times outside of it were moved there. "
        if clamped != (begin, end)
        else ""
    )
    return FrameRequest(
        videos[number - 1], *clamped, frames if clamped[0] < clamped[1] else 1, remark
    )


def _to_whole(value: Any) -> Any:
    """A whole number, also from text."""
    number = to_number(value)
    return int(number) if number is not None and number.is_integer() else value


def _to_seconds(value: Any) -> Any:
    """Seconds, also from text: `"1.5"`, `"1.5s"`, `"0:03"`."""
    if isinstance(value, str) and (found := _CLOCK.fullmatch(value.strip())):
        hours, minutes, seconds = (float(each or 0) for each in found.groups())
        return 3600 * hours + 60 * minutes + seconds
    number = to_number(value)
    return value if number is None else number


def _is_time(value: object) -> TypeGuard[float]:
    return not isinstance(value, bool) and isinstance(value, int | float) and math.isfinite(value)


def _name_videos(count: int) -> str:
    return "is only video 1" if count == 1 else f"are videos 1 to {count}"


def extract_frames(request: FrameRequest, deadline: Deadline) -> list[tuple[float, Image]]:
    """Return the frames on screen at evenly spaced times, each once, with the second at which it came on. Raises `BadVideo`."""
    steps = max(1, request.frames - 1)
    times = [
        request.begin + (request.end - request.begin) * step / steps
        for step in range(request.frames)
    ]
    with open_video(request.video.data) as clip:
        frames = list(_encode_frames(clip, times, deadline)) if clip.seek(request.begin) else []
    if frames and frames[0][0] <= request.begin + 1e-6:
        return frames
    # The index leads to a later frame, or to none: decode from the start.
    with open_video(request.video.data) as clip:
        return list(_encode_frames(clip, times, deadline))


def _encode_frames(
    clip: Clip, times: Sequence[float], deadline: Deadline
) -> Iterator[tuple[float, Image]]:
    """Yield the frames on screen at these times, encoded as JPEG: video codecs have lost more already than this loses."""
    for time, frame in _on_screen(clip, times, deadline):
        file = io.BytesIO()
        clip.to_image(frame, LONGEST_SIDE).save(file, "JPEG", quality=92, subsampling=0)
        yield time, Image(file.getvalue(), "image/jpeg")


def _on_screen(
    clip: Clip, times: Sequence[float], deadline: Deadline
) -> Iterator[tuple[float, VideoFrame]]:
    """Yield the frame on screen at each time; a frame stays on screen until the next one."""
    left = list(times)
    current: tuple[float, VideoFrame] | None = None
    for time, frame in clip.frames(deadline):
        if current is not None and left[0] < time - 1e-6:
            yield current
            left = [one for one in left if one >= time - 1e-6]
            if not left:
                return
        current = time, frame
    if current is not None and left:
        yield current
