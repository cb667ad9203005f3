"""Text recognition by RapidOCR with the models in its package (PP-OCRv6), on this machine; nothing is downloaded.

One reader serves the whole process, one image at a time and with few threads, and caches its last results: the agents of a team
often read the same image. A recognition call cannot be interrupted, so its size is bounded: a large image is read in bands, a huge
one is scaled down first.
"""

from __future__ import annotations

import asyncio
import hashlib
import math
import os
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cache
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, TypeVar

from musespark.errors import NotInstalled
from musespark.vision.coordinates import SPAN, Box, InvalidToolArguments
from musespark.vision.ocr.strips import is_strip, put_on_ground, split_columns, strip_scale

if TYPE_CHECKING:
    import PIL.Image

_Result = TypeVar("_Result")

MAX_THREADS = 2
"""Limit of processor threads for recognition."""
CACHE_SIZE = 32
"""Images whose text is cached."""
MAX_WIDTH = 4096
"""Limit of the width in pixels; wider images are scaled down."""
BAND_PIXELS = 2_400_000
"""Pixels of a band: a large image is read from the top down in bands of its whole width, so that lines are not split."""
OVERLAP = 128
"""Pixels that neighbouring bands share: a line cut by one is whole in the other, unless it is higher than that."""
MAX_PIXELS = 9_000_000
"""Pixels above which an image is scaled down; a 4K screen is read in full."""
ENLARGE_TO = 1100
"""Pixels of the longest side to which a smaller image is enlarged: the detector misses small text, such as on a screen."""
MAX_ENLARGEMENT = 3.0
MIN_CONFIDENCE = 0.5
"""Confidence below which text is left out."""


@dataclass(frozen=True, slots=True)
class Word:
    """A recognised word with its box, in coordinates from 0 to 1000."""

    text: str
    box: Box


@dataclass(frozen=True, slots=True)
class TextLine:
    """A recognised line of text, or a separate part of one."""

    text: str
    box: Box
    confidence: float
    """Confidence of the recognition, 0 to 1."""
    words: tuple[Word, ...] = ()


class TextReader:
    """Recognises text, one image at a time."""

    def __init__(self) -> None:
        """Prepare the worker thread; the models are loaded at the first use. Raises `NotInstalled`."""
        if find_spec("rapidocr") is None or find_spec("onnxruntime") is None:
            raise NotInstalled("Reading text in images", "rapidocr", "vision")
        # A thread of its own: tasks that queue for it do not occupy the threads of the shared pool.
        self._thread = ThreadPoolExecutor(1, "reader")
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._engine: Any = None
        self._cache: OrderedDict[bytes, tuple[TextLine, ...]] = OrderedDict()

    async def run(
        self, work: Callable[[Mapping[str, Any]], _Result], arguments: Mapping[str, Any]
    ) -> _Result:
        """Call `work(arguments)`, which reads, in the reader's thread.

        Cancelling returns at once; the recognition stops after its current band.
        """
        stop = threading.Event()

        def call() -> _Result:
            self._stop = stop
            return work(arguments)

        try:
            return await asyncio.wrap_future(self._thread.submit(call))
        except asyncio.CancelledError:
            stop.set()
            raise

    def read(self, pixels: PIL.Image.Image) -> tuple[TextLine, ...]:
        """Recognise the lines of an image, from the top down. Takes seconds; call it in the reader's thread (`run`)."""
        key = hashlib.sha256(b"%d " % pixels.width + pixels.tobytes()).digest()
        with self._lock:
            if key not in self._cache:
                self._cache[key] = tuple(self._recognize(pixels))
                if len(self._cache) > CACHE_SIZE:
                    self._cache.popitem(last=False)
            self._cache.move_to_end(key)
            return self._cache[key]

    def _recognize(self, pixels: PIL.Image.Image) -> list[TextLine]:
        recognize = (
            self._recognize_strip
            if is_strip(pixels.width, pixels.height)
            else self._recognize_in_bands
        )
        return reading_order(recognize(pixels))

    def _recognize_strip(self, pixels: PIL.Image.Image) -> list[TextLine]:
        """Recognise the lines of a strip, piece by piece."""
        from PIL import Image as pillow

        scale = min(
            strip_scale(pixels.height), math.sqrt(MAX_PIXELS / (pixels.width * pixels.height))
        )
        size = max(1, round(pixels.width * scale)), max(1, round(pixels.height * scale))
        scaled = pixels.resize(size, pillow.Resampling.BICUBIC) if scale != 1 else pixels
        found: list[TextLine] = []
        for left, right in split_columns(scaled):
            self._require_going_on()
            canvas, x, y = put_on_ground(scaled.crop((left, 0, right, size[1])))
            found += [_to_image(line, left - x, -y, size) for line in self._recognize_band(canvas)]
        return found

    def _recognize_in_bands(self, pixels: PIL.Image.Image) -> list[TextLine]:
        from PIL import Image as pillow

        scale = _scale(pixels.width, pixels.height)
        size = max(1, round(pixels.width * scale)), max(1, round(pixels.height * scale))
        method = pillow.Resampling.BICUBIC if scale > 1 else pillow.Resampling.LANCZOS
        scaled = pixels.resize(size, method) if scale != 1 else pixels
        found: list[TextLine] = []
        for top, bottom in split_bands(*size):
            self._require_going_on()
            for line in self._recognize_band(scaled.crop((0, top, size[0], bottom))):
                is_cut = (line.box.top < 2 and top > 0) or (
                    line.box.bottom > bottom - top - 2 and bottom < size[1]
                )
                placed = _to_image(line, 0, top, size)
                if not is_cut and not any(_is_same(placed, other) for other in found):
                    found.append(placed)
        return found

    def _require_going_on(self) -> None:
        if self._stop.is_set():
            raise InvalidToolArguments("The reading was stopped.")

    def _recognize_band(self, band: PIL.Image.Image) -> Iterator[TextLine]:
        """Recognise the lines of one band, in pixels of the band."""
        import numpy as np

        self._engine = self._engine or _load_engine()
        result = self._engine(
            np.ascontiguousarray(np.asarray(band)[..., ::-1]), return_word_box=True
        )
        if not getattr(result, "txts", None):
            return
        words = (
            result.word_results
            if len(result.word_results or ()) == len(result.txts)
            else ((),) * len(result.txts)
        )
        for text, score, corners, parts in zip(
            result.txts, result.scores, result.boxes, words, strict=True
        ):
            placed = tuple(Word(part, _box(place)) for part, _, place in parts if part.strip())
            yield TextLine(text.strip(), _box(corners), float(score), placed)


@cache
def shared_reader() -> TextReader:
    """Return the one reader of this process: it uses some 350 MB, and twice that for the largest images. Raises `NotInstalled`."""
    return TextReader()


def _box(corners: Any) -> Box:
    return Box.bounding([(float(x), float(y)) for x, y in corners])


def _load_engine() -> Any:
    from rapidocr import RapidOCR

    threads = min(MAX_THREADS, os.cpu_count() or 1)
    return RapidOCR(
        params={
            "Global.log_level": "critical",
            "Global.use_cls": False,
            "Global.text_score": MIN_CONFIDENCE,
            "Global.max_side_len": MAX_PIXELS,
            "Det.limit_type": "max",
            "Det.limit_side_len": MAX_PIXELS,  # _scale has set the size
            "EngineConfig.onnxruntime.intra_op_num_threads": threads,
            "EngineConfig.onnxruntime.inter_op_num_threads": 1,
        }
    )


def _scale(width: int, height: int) -> float:
    """Return the factor by which an image is scaled before it is read."""
    larger = min(MAX_ENLARGEMENT, ENLARGE_TO / max(width, height))
    return (
        larger
        if larger > 1
        else min(1.0, MAX_WIDTH / width, math.sqrt(MAX_PIXELS / (width * height)))
    )


def split_bands(width: int, height: int) -> Iterator[tuple[int, int]]:
    """Yield the top and bottom of each band, in pixels."""
    high = max(2 * OVERLAP, BAND_PIXELS // width)
    for top in range(0, max(1, height - OVERLAP), high - OVERLAP):
        yield top, min(height, top + high)


def _to_image(line: TextLine, left: int, top: int, size: tuple[int, int]) -> TextLine:
    """Convert a line from pixels of a part to the coordinates of the image; left, top: where the part begins."""
    x, y = SPAN / size[0], SPAN / size[1]

    def box(one: Box) -> Box:
        return Box(
            (one.left + left) * x,
            (one.top + top) * y,
            (one.right + left) * x,
            (one.bottom + top) * y,
        ).clamped

    return replace(
        line, box=box(line.box), words=tuple(Word(word.text, box(word.box)) for word in line.words)
    )


def _is_same(line: TextLine, other: TextLine) -> bool:
    """Return True if two bands have the same line."""
    width = min(line.box.right, other.box.right) - max(line.box.left, other.box.left)
    height = min(line.box.bottom, other.box.bottom) - max(line.box.top, other.box.top)
    return width > 0 and height > 0 and width * height > 0.5 * min(line.box.area, other.box.area)


def reading_order(lines: list[TextLine]) -> list[TextLine]:
    """Sort lines row by row from the top, each from the left. Lines are in one row if their middles overlap."""
    rows: list[list[TextLine]] = []
    for line in sorted(lines, key=lambda one: one.box.centre[1]):
        row = rows[-1] if rows else []
        if (
            row
            and line.box.centre[1] < row[0].box.bottom - 0.25 * row[0].box.height
            and line.box.top < row[0].box.centre[1]
        ):
            row.append(line)
        else:
            rows.append([line])
    return [line for row in rows for line in sorted(row, key=lambda one: one.box.left)]
