"""Reading text in a picture: RapidOCR with the models that its package brings (PP-OCRv6), on this machine; nothing is fetched.

One reader serves the whole process, one picture at a time and with few threads, and remembers what it read last: a team's agents
often look at the same picture. What one reading takes is bounded, for it cannot be interrupted: a large picture is read in bands,
a huge one is scaled down first.
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
from musespark.vision.coordinates import SPAN, Box, Unclear

if TYPE_CHECKING:
    import PIL.Image

_Result = TypeVar("_Result")

THREADS = 2
"""Of the processor, at most."""
REMEMBERED = 32
"""Pictures whose text is remembered."""
WIDEST = 4096
"""Pixels across that the detector is shown at once; what is wider is scaled down."""
BAND = 2_400_000
"""Pixels of a band: a large picture is read from the top down, in bands of its whole width, so that no line is cut across."""
OVERLAP = 128
"""Pixels that neighbouring bands share: a line that one cuts, the other has whole, unless it is higher than that."""
MOST = 9_000_000
"""Pixels that are read; a screen of 4K still is as it is."""
SMALL = 1100
"""Pixels of the longest side up to which a picture is enlarged: a screen's text is smaller than the detector likes."""
ENLARGED = 3.0
LEAST_SCORE = 0.5
"""What is read with less confidence is left out."""


@dataclass(frozen=True, slots=True)
class Word:
    """A word, and where it stands, in coordinates from 0 to 1000."""

    text: str
    box: Box


@dataclass(frozen=True, slots=True)
class Line:
    """A line of text, or what stands apart in one."""

    text: str
    box: Box
    score: float
    """How sure the reader is, 0 to 1."""
    words: tuple[Word, ...] = ()


class Reader:
    """Reads pictures, one at a time."""

    def __init__(self) -> None:
        """Raises `NotInstalled`."""
        if find_spec("rapidocr") is None or find_spec("onnxruntime") is None:
            raise NotInstalled("Reading text in pictures", "rapidocr", "vision")
        # A thread of its own: who waits for it does not keep others waiting for the threads that all share.
        self._thread = ThreadPoolExecutor(1, "reader")
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._engine: Any = None
        self._read: OrderedDict[bytes, tuple[Line, ...]] = OrderedDict()

    async def working(self, look: Callable[[Mapping[str, Any]], _Result], arguments: Mapping[str, Any]) -> _Result:
        """What `look`, which reads, makes of the arguments. Cancelled, it waits for nothing, and the reading ends with its band."""
        stop = threading.Event()

        def work() -> _Result:
            self._stop = stop
            return look(arguments)

        try:
            return await asyncio.wrap_future(self._thread.submit(work))
        except asyncio.CancelledError:
            stop.set()
            raise

    def read(self, pixels: PIL.Image.Image) -> tuple[Line, ...]:
        """The lines, from the top down. It takes seconds, in which other threads go on."""
        key = hashlib.sha256(b"%d " % pixels.width + pixels.tobytes()).digest()
        with self._lock:
            if key not in self._read:
                self._read[key] = tuple(self._lines(pixels))
                if len(self._read) > REMEMBERED:
                    self._read.popitem(last=False)
            self._read.move_to_end(key)
            return self._read[key]

    def _lines(self, pixels: PIL.Image.Image) -> list[Line]:
        from PIL import Image as pillow

        scale = _scale(pixels.width, pixels.height)
        size = max(1, round(pixels.width * scale)), max(1, round(pixels.height * scale))
        method = pillow.Resampling.BICUBIC if scale > 1 else pillow.Resampling.LANCZOS
        scaled = pixels.resize(size, method) if scale != 1 else pixels
        found: list[Line] = []
        for top, bottom in bands(*size):
            if self._stop.is_set():
                raise Unclear("The reading was stopped.")
            for line in self._recognised(scaled.crop((0, top, size[0], bottom))):
                cut = (line.box.top < 2 and top > 0) or (line.box.bottom > bottom - top - 2 and bottom < size[1])
                placed = _placed(line, top, size)
                if not cut and not any(_same(placed, other) for other in found):
                    found.append(placed)
        return in_order(found)

    def _recognised(self, band: PIL.Image.Image) -> Iterator[Line]:
        """The lines of one band, in its pixels."""
        import numpy as np

        self._engine = self._engine or _engine()
        result = self._engine(np.ascontiguousarray(np.asarray(band)[..., ::-1]), return_word_box=True)
        if not getattr(result, "txts", None):
            return
        words = result.word_results if len(result.word_results or ()) == len(result.txts) else ((),) * len(result.txts)
        for text, score, corners, parts in zip(result.txts, result.scores, result.boxes, words, strict=True):
            placed = tuple(Word(part, _box(place)) for part, _, place in parts if part.strip())
            yield Line(text.strip(), _box(corners), float(score), placed)


@cache
def shared_reader() -> Reader:
    """The one reader of this process: it takes some 350 MB, and twice that for the largest pictures. Raises `NotInstalled`."""
    return Reader()


def _box(corners: Any) -> Box:
    return Box.around([(float(x), float(y)) for x, y in corners])


def _engine() -> Any:
    from rapidocr import RapidOCR

    threads = min(THREADS, os.cpu_count() or 1)
    return RapidOCR(params={
        "Global.log_level": "critical", "Global.use_cls": False, "Global.text_score": LEAST_SCORE,
        "Global.max_side_len": MOST, "Det.limit_type": "max", "Det.limit_side_len": MOST,  # how large it is was decided above
        "EngineConfig.onnxruntime.intra_op_num_threads": threads, "EngineConfig.onnxruntime.inter_op_num_threads": 1})


def _scale(width: int, height: int) -> float:
    """How much larger or smaller a picture is read."""
    larger = min(ENLARGED, SMALL / max(width, height))
    return larger if larger > 1 else min(1.0, WIDEST / width, math.sqrt(MOST / (width * height)))


def bands(width: int, height: int) -> Iterator[tuple[int, int]]:
    """Top and bottom of each band."""
    high = max(2 * OVERLAP, BAND // width)
    for top in range(0, max(1, height - OVERLAP), high - OVERLAP):
        yield top, min(height, top + high)


def _placed(line: Line, top: int, size: tuple[int, int]) -> Line:
    """A line of a band in the coordinates of the picture."""
    x, y = SPAN / size[0], SPAN / size[1]

    def box(one: Box) -> Box:
        return Box(one.left * x, (one.top + top) * y, one.right * x, (one.bottom + top) * y).held

    return replace(line, box=box(line.box), words=tuple(Word(word.text, box(word.box)) for word in line.words))


def _same(line: Line, other: Line) -> bool:
    """Whether two bands saw the same line."""
    width = min(line.box.right, other.box.right) - max(line.box.left, other.box.left)
    height = min(line.box.bottom, other.box.bottom) - max(line.box.top, other.box.top)
    return width > 0 and height > 0 and width * height > 0.5 * min(line.box.area, other.box.area)


def in_order(lines: list[Line]) -> list[Line]:
    """As one reads: row by row from the top, each from the left. Lines are of one row where their middles overlap."""
    rows: list[list[Line]] = []
    for line in sorted(lines, key=lambda one: one.box.centre[1]):
        row = rows[-1] if rows else []
        if row and line.box.centre[1] < row[0].box.bottom - 0.25 * row[0].box.height and line.box.top < row[0].box.centre[1]:
            row.append(line)
        else:
            rows.append([line])
    return [line for row in rows for line in sorted(row, key=lambda one: one.box.left)]
