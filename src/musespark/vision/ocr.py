"""Reading text in a picture: RapidOCR with the models that its package brings (PP-OCRv6), on this machine; nothing is fetched.

One reader serves the whole process, one picture at a time and with few threads, and remembers what it read last: a team's agents
often look at the same picture. What one reading takes is bounded, for it cannot be interrupted: a large picture is read in tiles,
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
from musespark.vision.coordinates import SPAN, Box

if TYPE_CHECKING:
    import PIL.Image

_Result = TypeVar("_Result")

THREADS = 2
"""Of the processor, at most."""
REMEMBERED = 32
"""Pictures whose text is remembered."""
TILE = 1536
"""Pixels of a tile's longer side, as the detector sees it."""
OVERLAP = 192
"""Pixels that neighbouring tiles share: a line of text that one cuts, the other has whole."""
MOST_TILES = 12
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
        self._engine: Any = None
        self._read: OrderedDict[bytes, tuple[Line, ...]] = OrderedDict()

    async def working(self, look: Callable[[Mapping[str, Any]], _Result], arguments: Mapping[str, Any]) -> _Result:
        """What `look`, which reads, makes of the arguments; who is cancelled waits for nothing more."""
        return await asyncio.wrap_future(self._thread.submit(look, arguments))

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
        found: list[Line] = []
        for tile, left, top, scale in _tiles(pixels):
            for line in self._recognised(tile):
                placed = _placed(line, left, top, scale, pixels.size)
                if not any(_same(placed, other) for other in found):
                    found.append(placed)
        return in_order(found)

    def _recognised(self, tile: PIL.Image.Image) -> Iterator[Line]:
        """The lines of one tile, in its pixels."""
        import numpy as np

        self._engine = self._engine or _engine()
        result = self._engine(np.ascontiguousarray(np.asarray(tile)[..., ::-1]), return_word_box=True)
        if not getattr(result, "txts", None):
            return
        words = result.word_results if len(result.word_results or ()) == len(result.txts) else ((),) * len(result.txts)
        for text, score, corners, parts in zip(result.txts, result.scores, result.boxes, words, strict=True):
            placed = tuple(Word(part, _box(place)) for part, _, place in parts if part.strip())
            yield Line(text.strip(), _box(corners), float(score), placed)


@cache
def shared_reader() -> Reader:
    """The one reader of this process: its models take 100 MB. Raises `NotInstalled`."""
    return Reader()


def _box(corners: Any) -> Box:
    return Box.around([(float(x), float(y)) for x, y in corners])


def _engine() -> Any:
    from rapidocr import RapidOCR

    threads = min(THREADS, os.cpu_count() or 1)
    return RapidOCR(params={
        "Global.log_level": "critical", "Global.use_cls": False, "Global.text_score": LEAST_SCORE,
        "Global.max_side_len": 4 * TILE, "Det.limit_type": "max", "Det.limit_side_len": 2 * TILE,
        "EngineConfig.onnxruntime.intra_op_num_threads": threads, "EngineConfig.onnxruntime.inter_op_num_threads": 1})


def _tiles(pixels: PIL.Image.Image) -> Iterator[tuple[PIL.Image.Image, int, int, float]]:
    """What the detector is shown: each tile, where it stands in the scaled picture, and the scale."""
    from PIL import Image as pillow

    longest = max(pixels.size)
    scale = max(1.0, min(ENLARGED, SMALL / longest))
    step = TILE - OVERLAP
    while _count(pixels.width * scale, step) * _count(pixels.height * scale, step) > MOST_TILES:
        scale *= 0.9
    width, height = max(1, round(pixels.width * scale)), max(1, round(pixels.height * scale))
    if scale != 1.0:
        pixels = pixels.resize((width, height), pillow.Resampling.BICUBIC if scale > 1 else pillow.Resampling.LANCZOS)
    for top in range(0, max(1, height - OVERLAP), step):
        for left in range(0, max(1, width - OVERLAP), step):
            yield pixels.crop((left, top, min(width, left + TILE), min(height, top + TILE))), left, top, scale


def _count(length: float, step: int) -> int:
    return max(1, math.ceil((length - OVERLAP) / step))


def _placed(line: Line, left: int, top: int, scale: float, size: tuple[int, int]) -> Line:
    """A line of a tile in the coordinates of the picture."""
    def box(one: Box) -> Box:
        x, y = SPAN / scale / size[0], SPAN / scale / size[1]
        return Box((one.left + left) * x, (one.top + top) * y, (one.right + left) * x, (one.bottom + top) * y).held

    return replace(line, box=box(line.box), words=tuple(Word(word.text, box(word.box)) for word in line.words))


def _same(line: Line, other: Line) -> bool:
    """Whether two tiles saw the same line: of the second, only what the first has not."""
    within = Box(max(line.box.left, other.box.left), max(line.box.top, other.box.top),
                 min(line.box.right, other.box.right), min(line.box.bottom, other.box.bottom))
    if within.width <= 0 or within.height <= 0:
        return False
    return within.area > 0.5 * min(line.box.area, other.box.area)


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
