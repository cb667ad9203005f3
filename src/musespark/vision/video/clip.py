"""Opening and decoding of untrusted video files, within limits.

PyAV wraps FFmpeg's libraries. They know hundreds of formats, some of which are lists of other files to open: here a file is opened
only as the format that its first bytes declare, with the few decoders that cameras, phones and screen recorders need, and no file
that it refers to is opened.
"""

from __future__ import annotations

import io
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from musespark.errors import BadVideo, MissingFile, MuseError, NotInstalled

if TYPE_CHECKING:
    import PIL.Image
    from av import VideoFrame
    from av.container import InputContainer
    from av.video.stream import VideoStream

MAX_BYTES = 100_000_000
MAX_PIXELS = 4096 * 4096
"""Limit of pixels of a frame."""
MAX_SECONDS = 600.0
MAX_FRAMES = 72_000
"""Ten minutes at 120 frames a second."""
_DECODERS = ("av1", "gif", "h264", "hevc", "libdav1d", "mjpeg", "mpeg4", "vp8", "vp9")
_QUICKTIME = (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip")
_STILLS = (b"avif", b"avis", b"heic", b"heix", b"heim", b"hevc", b"mif1", b"msf1")
"""Brands of still images in the container format of videos."""
_BAD_PACKETS = 200
"""Damaged packets in a row after which decoding stops."""
_DEFAULT_RATE = 25.0
"""Frames a second of a file without time stamps and rate."""


def media_type(data: bytes) -> str | None:
    """Return the media type that a file's first bytes declare; None if it is not a supported video format."""
    if data[4:8] in _QUICKTIME:
        brand = data[8:12] if data[4:8] == b"ftyp" else b"qt  "
        if brand in _STILLS:
            return None
        return (
            "video/quicktime"
            if brand == b"qt  "
            else "video/3gpp"
            if brand[:2] == b"3g"
            else "video/mp4"
        )
    if data.startswith(b"\x1aE\xdf\xa3"):
        return "video/webm" if b"webm" in data[:64] else "video/x-matroska"
    if data.startswith(b"RIFF") and data[8:12] == b"AVI ":
        return "video/x-msvideo"
    return "image/gif" if data.startswith((b"GIF87a", b"GIF89a")) else None


_FORMATS = {
    "video/quicktime": "mov",
    "video/3gpp": "mov",
    "video/mp4": "mov",
    "video/webm": "matroska",
    "video/x-matroska": "matroska",
    "video/x-msvideo": "avi",
    "image/gif": "gif",
}


def file_bytes(path: str | Path) -> bytes:
    """Read a video file, at most a byte more than `MAX_BYTES`. Raises `MissingFile`."""
    try:
        with open(path, "rb") as file:
            return file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:  # ValueError: a name with a null character
        reason = (
            "it does not exist"
            if isinstance(error, FileNotFoundError)
            else getattr(error, "strerror", None) or str(error)
        )
        raise MissingFile(path, reason) from error


@dataclass
class Deadline:
    """Time limit and cancellation of work in a worker thread, which cannot be stopped from outside: the work has to ask."""

    seconds: float
    cancelled: threading.Event = field(default_factory=threading.Event)
    _start: float = field(default_factory=time.monotonic)

    @property
    def passed(self) -> bool:
        """True if the time is up or the work was cancelled."""
        return self.cancelled.is_set() or time.monotonic() - self._start > self.seconds


@dataclass
class Clip:
    """An open video file."""

    name: str
    container: InputContainer
    stream: VideoStream
    is_damaged: bool = False
    """True if a part of it could not be decoded, so far."""
    is_unfinished: bool = False
    """True if the deadline passed before the end of the video."""
    size: tuple[int, int] = (0, 0)
    """Width and height of the last frame that was converted, before scaling."""
    _has_seeked: bool = False

    @property
    def has_sound(self) -> bool:
        """True if it has an audio stream."""
        return bool(self.container.streams.audio)

    @property
    def seconds(self) -> float | None:
        """Duration that the file declares, in seconds."""
        return self.container.duration / 1e6 if self.container.duration else None

    @property
    def _origin(self) -> float:
        """Time stamp of the first frame, in seconds."""
        return (self.container.start_time or 0) / 1e6

    def frames(self, deadline: Deadline) -> Iterator[tuple[float, VideoFrame]]:
        """Yield the frames with their times in seconds, ascending. Damaged frames are left out.

        Raises `BadVideo` if the video exceeds a limit.
        """
        last = -1.0
        for count, frame in enumerate(self._decode(deadline)):
            if frame.width * frame.height > MAX_PIXELS:
                raise BadVideo(
                    f"a frame has {frame.width}x{frame.height} pixels, more than {MAX_PIXELS:,}",
                    self.name,
                )
            stamp = frame.time
            if stamp is None and self._has_seeked:  # times could only be counted from the beginning
                return
            at = (
                count / float(self.stream.average_rate or _DEFAULT_RATE)
                if stamp is None
                else max(0.0, stamp - self._origin)
            )
            if count >= MAX_FRAMES:
                raise BadVideo(
                    f"it has more than {MAX_FRAMES:,} frames; cut it to the part you mean",
                    self.name,
                )
            if at > MAX_SECONDS:
                raise too_long(at, self.name)
            if at > last:
                last = at
                yield at, frame

    def _decode(self, deadline: Deadline) -> Iterator[VideoFrame]:
        from av.error import FFmpegError

        packets, bad = self.container.demux(self.stream), 0
        while bad < _BAD_PACKETS:
            if deadline.passed:
                self.is_unfinished = True
                return
            try:
                packet = next(packets)
                decoded = packet.decode()
            except StopIteration:
                return
            except FFmpegError:
                self.is_damaged, bad = True, bad + 1
                continue
            bad = 0 if decoded else bad
            yield from decoded

    def seek(self, seconds: float) -> bool:
        """Go to the last key frame at or before a time; returns False if the file's index does not lead there.

        An index may be wrong: check the time of the next frame.
        """
        from av.error import FFmpegError

        self._has_seeked = True
        try:
            self.container.seek(max(0, int((seconds + self._origin) * 1e6)), backward=True)
        except FFmpegError:
            return False
        return True

    def to_image(self, frame: VideoFrame, longest_side: int) -> PIL.Image.Image:
        """Convert a frame to an upright image with square pixels, at most `longest_side` pixels a side."""
        ratio = float(self.stream.sample_aspect_ratio or 1)
        wide = frame.width * ratio if 0.1 < ratio < 10 else float(frame.width)
        scale = min(1.0, longest_side / max(wide, frame.height))
        size = max(1, round(wide * scale)), max(1, round(frame.height * scale))
        image: PIL.Image.Image = frame.reformat(*size, "rgb24", interpolation="AREA").to_image()  # type: ignore[no-untyped-call]
        rotation = round(frame.rotation / 90) % 4 * 90
        self.size = (
            (frame.height, round(wide)) if rotation in (90, 270) else (round(wide), frame.height)
        )
        return image.rotate(rotation, expand=True) if rotation else image


def too_long(seconds: float, name: str) -> BadVideo:
    """Return the error for a video that is longer than the limit."""
    return BadVideo(
        f"it lasts {seconds:,.0f} seconds or more, and at most {MAX_SECONDS:g} are watched; cut it to the part you "
        "mean",
        name,
    )


@contextmanager
def open_video(data: bytes, name: str = "") -> Iterator[Clip]:
    """Open a file's bytes. Raises `BadVideo`, also for any error with the file in the `with` block; `NotInstalled` without PyAV."""
    if find_spec("av") is None:
        raise NotInstalled("Watching a video", "av", "vision")
    kind = _check_file(data, name)
    try:
        with _open_container(data, kind) as container:
            yield Clip(name, container, _video_stream(container, name))
    except MuseError:
        raise
    except Exception as error:  # demuxers and decoders raise many types for a broken file
        raise BadVideo("it is broken or cut short", name) from error


def _check_file(data: bytes, name: str) -> str:
    """Return the media type of a file within the limits. Raises `BadVideo`."""
    if not data:
        raise BadVideo("it is empty", name)
    if len(data) > MAX_BYTES:
        raise BadVideo(
            f"it has more than {MAX_BYTES:,} bytes; cut it to the part you mean, or make it smaller",
            name,
        )
    kind = media_type(data)
    if kind is None:
        raise BadVideo("it is not an MP4, MOV, WebM, Matroska, AVI or GIF file", name)
    return kind


def _open_container(data: bytes, kind: str) -> InputContainer:
    import av

    allowed = {"codec_whitelist": ",".join(_DECODERS), "max_pixels": str(MAX_PIXELS)}
    container: InputContainer = av.open(
        io.BytesIO(data),
        "r",
        format=_FORMATS[kind],
        options=allowed,
        metadata_errors="replace",
        io_open=_refuse_open,
    )
    return container


def _refuse_open(url: str, *rest: Any) -> Any:
    """Refuse to open a file that a video refers to."""
    raise PermissionError(url)


def _video_stream(container: InputContainer, name: str) -> VideoStream:
    """Return the video stream, prepared for decoding. Raises `BadVideo` if it exceeds a limit."""
    from av.stream import Disposition

    streams = [
        stream
        for stream in container.streams.video
        if not stream.disposition & Disposition.attached_pic
    ]
    if not streams:
        raise BadVideo("it has no moving pictures", name)
    stream, context = streams[0], streams[0].codec_context
    if context is None or context.name not in _DECODERS:
        raise BadVideo(
            f"its coding, {context.name if context else 'unknown'}, is not read here; save it as H.264",
            name,
        )
    if context.width * context.height > MAX_PIXELS:
        raise BadVideo(
            f"it has {context.width}x{context.height} pixels, more than {MAX_PIXELS:,}; make it smaller",
            name,
        )
    if container.duration and container.duration / 1e6 > MAX_SECONDS:
        raise too_long(container.duration / 1e6, name)
    with suppress(TypeError, ValueError):  # a decoder without such options
        context.options = {"max_pixels": str(MAX_PIXELS)}
    context.thread_type, context.thread_count = "AUTO", min(4, os.cpu_count() or 1)
    return stream
