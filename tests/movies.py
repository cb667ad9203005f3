"""Small videos made with PyAV: frames of one colour each, with whatever times, format and faults a test needs."""

from __future__ import annotations

import io
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np

RED, GREEN, BLUE, WHITE, BLACK = (
    (220, 30, 30),
    (30, 180, 30),
    (30, 30, 220),
    (255, 255, 255),
    (0, 0, 0),
)
TIMES = Fraction(1, 1000)

Drawn = tuple[int, int, int] | np.ndarray


def movie(
    frames: Sequence[tuple[float, Drawn]],
    *,
    format: str = "mp4",
    codec: str = "libx264",
    size: tuple[int, int] = (96, 64),
    end: float | None = None,
    sound: bool = False,
    key: int = 12,
    ratio: Fraction | None = None,
    offset: float = 0.0,
) -> bytes:
    """A file's bytes. frames: when each comes on, in seconds, and its colour or its pixels; end: when the last goes."""
    import av

    file = io.BytesIO()
    with av.open(file, "w", format=format) as container:
        stream = container.add_stream(codec, rate=30)
        stream.width, stream.height = size
        stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "rgb8" if codec == "gif" else "yuv420p"
        stream.codec_context.gop_size = key
        stream.time_base = stream.codec_context.time_base = TIMES
        if codec == "libx264":
            stream.options = {"preset": "ultrafast", "crf": "10"}
        if ratio is not None:
            stream.codec_context.sample_aspect_ratio = ratio
        noise = container.add_stream("aac", rate=8000) if sound else None
        shown = [*frames, *([(end, frames[-1][1])] if end is not None else [])]
        for at, drawn in shown:
            frame = av.VideoFrame.from_ndarray(_pixels(drawn, size), format="rgb24")
            frame.pts, frame.time_base = round((at + offset) / TIMES), TIMES
            container.mux(stream.encode(frame.reformat(format="rgb8") if codec == "gif" else frame))
        container.mux(stream.encode())
        if noise is not None:
            silence = av.AudioFrame.from_ndarray(
                np.zeros((1, 8000), np.float32), format="fltp", layout="mono"
            )
            silence.sample_rate, silence.pts = 8000, 0
            container.mux([*noise.encode(silence), *noise.encode()])
    return file.getvalue()


def song() -> bytes:
    """A file with sound and no picture."""
    import av

    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as container:
        stream = container.add_stream("aac", rate=8000)
        silence = av.AudioFrame.from_ndarray(
            np.zeros((1, 8000), np.float32), format="fltp", layout="mono"
        )
        silence.sample_rate, silence.pts = 8000, 0
        container.mux([*stream.encode(silence), *stream.encode()])
    return file.getvalue()


def turned(data: bytes) -> bytes:
    """An MP4 that says that its picture lies on its side, as telephones write it: a quarter turn clockwise makes it upright."""
    one, w = 1 << 16, 1 << 30
    upright = b"".join(
        number.to_bytes(4, "big", signed=True) for number in (one, 0, 0, 0, one, 0, 0, 0, w)
    )
    lying = b"".join(
        number.to_bytes(4, "big", signed=True) for number in (0, one, 0, -one, 0, 0, 0, 0, w)
    )
    at = data.index(upright, data.index(b"tkhd"))
    return data[:at] + lying + data[at + len(upright) :]


def _pixels(drawn: Drawn, size: tuple[int, int]) -> np.ndarray:
    if isinstance(drawn, np.ndarray):
        return drawn
    return np.full((size[1], size[0], 3), drawn, np.uint8)


def kept(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path
