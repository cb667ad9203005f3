"""A video file opened and decoded, with everything a stranger's file may do kept in bounds.

PyAV is FFmpeg's libraries. They know hundreds of formats, some of which are lists of other files to open: here a file is opened
as the one format that its first bytes declare, with the few decoders that cameras, telephones and screen recorders need, and
nothing that it refers to is opened.
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
    from av import VideoFrame
    from av.container import InputContainer
    from av.video.stream import VideoStream
    from PIL.Image import Image as Picture

MAX_BYTES = 100_000_000
MAX_PIXELS = 4096 * 4096
"""Of one frame."""
MAX_SECONDS = 600.0
MAX_FRAMES = 72_000
"""Ten minutes at 120 frames a second."""
_DECODERS = ("av1", "gif", "h264", "hevc", "libdav1d", "mjpeg", "mpeg4", "vp8", "vp9")
_QUICKTIME = (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip")
_STILLS = (b"avif", b"avis", b"heic", b"heix", b"heim", b"hevc", b"mif1", b"msf1")
"""Brands of pictures in the container of videos."""
_BAD_PACKETS = 200
"""Damaged packets in a row after which the rest is given up."""
_DEFAULT_RATE = 25.0
"""Frames a second of a file that says nothing about time."""


def media_type(data: bytes) -> str | None:
    """The media type that a file's first bytes declare; None where they belong to no video that is read here."""
    if data[4:8] in _QUICKTIME:
        brand = data[8:12] if data[4:8] == b"ftyp" else b"qt  "
        if brand in _STILLS:
            return None
        return "video/quicktime" if brand == b"qt  " else "video/3gpp" if brand[:2] == b"3g" else "video/mp4"
    if data.startswith(b"\x1aE\xdf\xa3"):
        return "video/webm" if b"webm" in data[:64] else "video/x-matroska"
    if data.startswith(b"RIFF") and data[8:12] == b"AVI ":
        return "video/x-msvideo"
    return "image/gif" if data.startswith((b"GIF87a", b"GIF89a")) else None


_FORMATS = {"video/quicktime": "mov", "video/3gpp": "mov", "video/mp4": "mov", "video/webm": "matroska",
            "video/x-matroska": "matroska", "video/x-msvideo": "avi", "image/gif": "gif"}


def file_bytes(path: str | Path) -> bytes:
    """What is in a video's file, and a byte more than is read where it is too large. Raises `MissingFile`."""
    try:
        with open(path, "rb") as file:
            return file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:  # ValueError: a name with a null character
        reason = "it does not exist" if isinstance(error, FileNotFoundError) else getattr(error, "strerror", None) or str(error)
        raise MissingFile(path, reason) from error


@dataclass
class Patience:
    """How long work may take in a worker thread, which nobody can stop from outside."""

    seconds: float
    stop: threading.Event = field(default_factory=threading.Event)
    _began: float = field(default_factory=time.monotonic)

    @property
    def over(self) -> bool:
        """Whether the time is up, or nobody waits any longer."""
        return self.stop.is_set() or time.monotonic() - self._began > self.seconds


@dataclass
class Clip:
    """A video that is open."""

    name: str
    container: InputContainer
    stream: VideoStream
    broken: bool = False
    """Whether a part of it could not be decoded, so far."""
    unfinished: bool = False
    """Whether patience ended before the video did."""
    size: tuple[int, int] = (0, 0)
    """Width and height of the last frame that was made a picture, before it was scaled."""
    _sought: bool = False

    @property
    def sound(self) -> bool:
        """Whether it has any."""
        return bool(self.container.streams.audio)

    @property
    def seconds(self) -> float | None:
        """How long it says it is."""
        return self.container.duration / 1e6 if self.container.duration else None

    @property
    def _start(self) -> float:
        """The time stamp that counts as 0, in seconds."""
        return (self.container.start_time or 0) / 1e6

    def frames(self, patience: Patience) -> Iterator[tuple[float, VideoFrame]]:
        """The frames with their times in seconds, ascending, one at a time. Damaged ones are left out.

        Raises `BadVideo` for what is larger or longer than is watched.
        """
        last = -1.0
        for count, frame in enumerate(self._decoded(patience)):
            if frame.width * frame.height > MAX_PIXELS:
                raise BadVideo(f"a frame has {frame.width}x{frame.height} pixels, more than {MAX_PIXELS:,}", self.name)
            stamp = frame.time
            if stamp is None and self._sought:  # then only counting from the beginning tells
                return
            at = count / float(self.stream.average_rate or _DEFAULT_RATE) if stamp is None else max(0.0, stamp - self._start)
            if count >= MAX_FRAMES:
                raise BadVideo(f"it has more than {MAX_FRAMES:,} frames; cut it to the part you mean", self.name)
            if at > MAX_SECONDS:
                raise too_long(at, self.name)
            if at > last:
                last = at
                yield at, frame

    def _decoded(self, patience: Patience) -> Iterator[VideoFrame]:
        from av.error import FFmpegError

        packets, bad = self.container.demux(self.stream), 0
        while bad < _BAD_PACKETS:
            if patience.over:
                self.unfinished = True
                return
            try:
                packet = next(packets)
                decoded = packet.decode()
            except StopIteration:
                return
            except FFmpegError:
                self.broken, bad = True, bad + 1
                continue
            bad = 0 if decoded else bad
            yield from decoded

    def sought(self, seconds: float) -> bool:
        """Whether its index leads to a time: then the next frame can be decoded by itself and is the one on screen, or one before.

        An index may be wrong: the frame's own time tells.
        """
        from av.error import FFmpegError

        self._sought = True
        try:
            self.container.seek(max(0, int((seconds + self._start) * 1e6)), backward=True)
        except FFmpegError:
            return False
        return True

    def picture(self, frame: VideoFrame, longest: int) -> Picture:
        """A frame as it is meant to be seen, upright and with square pixels, at most `longest` pixels a side."""
        ratio = float(self.stream.sample_aspect_ratio or 1)
        wide = frame.width * ratio if 0.1 < ratio < 10 else float(frame.width)
        scale = min(1.0, longest / max(wide, frame.height))
        size = max(1, round(wide * scale)), max(1, round(frame.height * scale))
        seen: Picture = frame.reformat(*size, "rgb24", interpolation="AREA").to_image()  # type: ignore[no-untyped-call]
        turned = round(frame.rotation / 90) % 4 * 90
        self.size = (frame.height, round(wide)) if turned in (90, 270) else (round(wide), frame.height)
        return seen.rotate(turned, expand=True) if turned else seen


def too_long(seconds: float, name: str) -> BadVideo:
    """The error of a video that goes on after the limit."""
    return BadVideo(f"it lasts {seconds:,.0f} seconds or more, and at most {MAX_SECONDS:g} are watched; cut it to the part you "
                    "mean", name)


@contextmanager
def opened(data: bytes, name: str = "") -> Iterator[Clip]:
    """Open a file's bytes. Raises `BadVideo`, also for whatever goes wrong with the file inside; `NotInstalled` without PyAV."""
    if find_spec("av") is None:
        raise NotInstalled("Watching a video", "av", "vision")
    kind = _checked(data, name)
    try:
        with _opened(data, kind) as container:
            yield Clip(name, container, _stream(container, name))
    except MuseError:
        raise
    except Exception as error:  # demuxers and decoders raise many types for a broken file
        raise BadVideo("it is broken or cut short", name) from error


def _checked(data: bytes, name: str) -> str:
    """The media type of a file that may be opened."""
    if not data:
        raise BadVideo("it is empty", name)
    if len(data) > MAX_BYTES:
        raise BadVideo(f"it has more than {MAX_BYTES:,} bytes; cut it to the part you mean, or make it smaller", name)
    kind = media_type(data)
    if kind is None:
        raise BadVideo("it is not an MP4, MOV, WebM, Matroska, AVI or GIF file", name)
    return kind


def _opened(data: bytes, kind: str) -> InputContainer:
    import av

    allowed = {"codec_whitelist": ",".join(_DECODERS), "max_pixels": str(MAX_PIXELS)}
    container: InputContainer = av.open(io.BytesIO(data), "r", format=_FORMATS[kind], options=allowed, metadata_errors="replace",
                                        io_open=_refuse)
    return container


def _refuse(url: str, *rest: Any) -> Any:
    """What a video refers to is never opened."""
    raise PermissionError(url)


def _stream(container: InputContainer, name: str) -> VideoStream:
    """The stream of pictures, ready to be decoded, if it is within the limits."""
    from av.stream import Disposition

    streams = [stream for stream in container.streams.video if not stream.disposition & Disposition.attached_pic]
    if not streams:
        raise BadVideo("it has no moving pictures", name)
    stream, context = streams[0], streams[0].codec_context
    if context is None or context.name not in _DECODERS:
        raise BadVideo(f"its coding, {context.name if context else 'unknown'}, is not read here; save it as H.264", name)
    if context.width * context.height > MAX_PIXELS:
        raise BadVideo(f"it has {context.width}x{context.height} pixels, more than {MAX_PIXELS:,}; make it smaller", name)
    if container.duration and container.duration / 1e6 > MAX_SECONDS:
        raise too_long(container.duration / 1e6, name)
    with suppress(TypeError, ValueError):  # a decoder without such options
        context.options = {"max_pixels": str(MAX_PIXELS)}
    context.thread_type, context.thread_count = "AUTO", min(4, os.cpu_count() or 1)
    return stream
