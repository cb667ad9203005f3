"""Grounding: whether `find` points at what is meant, and `read` reads what is there, on screens whose truth is known.

Measures: click-in-box, whether the middle of the first box that `find` gives lies within the true one, and the overlap
(intersection over union) of the two, after Cheng et al., SeeClick (2024), and Rezatofighi et al. (2019); of `read`, the share of
characters that are right (one less the edit distance over the length, after Levenshtein, 1966) and the overlap of what was read
with the text's own box. The baseline is the same reader as its package comes, and nothing else.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

from musespark.errors import NotInstalled
from musespark.evals.grounding_screens import Item, Screen
from musespark.vision.coordinates import SPAN, Box

if TYPE_CHECKING:
    import numpy as np
    import PIL.Image

DRAWS = 2000
"""Of the bootstrap behind an interval."""


class Grounder(Protocol):
    """Something that finds and reads. Boxes are of the whole picture, 0 to 1000 each way."""

    name: str

    def find(self, image: PIL.Image.Image, text: str) -> Box | None:
        """The box that it points at first; None where it finds nothing."""

    def read(self, image: PIL.Image.Image, box: Box) -> tuple[str, Box | None]:
        """What is written in a box, and where exactly."""


class Tools:
    """The tools `find` and `read`, as agents have them."""

    name = "find and read"

    def __init__(self) -> None:
        """Raises `NotInstalled`."""
        from musespark.vision.ocr.reader import shared_reader

        self._reader = shared_reader()

    def find(self, image: PIL.Image.Image, text: str) -> Box | None:
        from musespark.vision.tools.find import find_places

        places = find_places(f"“{text}”", image, self._reader.read(image))  # quotes: it means the text and no description
        return places[0].box if places else None

    def read(self, image: PIL.Image.Image, box: Box) -> tuple[str, Box | None]:
        from musespark.vision.crop import crop_to_box

        cut, back, _ = crop_to_box(image, box)
        lines = self._reader.read(cut)
        return " ".join(line.text for line in lines), _around([back.box(line.box) for line in lines])


class Reader:
    """OCR alone: RapidOCR as its package comes. It finds the line that is the text, else one that holds it, case first."""

    name = "OCR alone"

    def __init__(self) -> None:
        """Raises `NotInstalled`."""
        try:
            from rapidocr import RapidOCR
        except ImportError:
            raise NotInstalled("Measuring what is read", "rapidocr", "vision") from None
        # All else is as it comes; more threads would change no reading, and wait for each other.
        self._engine = RapidOCR(params={"Global.log_level": "critical", "EngineConfig.onnxruntime.intra_op_num_threads": 1})
        self._seen: tuple[PIL.Image.Image | None, list[tuple[str, Box]]] = (None, [])

    def find(self, image: PIL.Image.Image, text: str) -> Box | None:
        if self._seen[0] is not image:
            self._seen = image, self._lines(image)
        for same in (lambda line: line == text, lambda line: line.lower() == text.lower(), lambda line: text in line,
                     lambda line: text.lower() in line.lower()):
            if found := next((box for line, box in self._seen[1] if same(line)), None):
                return found
        return None

    def read(self, image: PIL.Image.Image, box: Box) -> tuple[str, Box | None]:
        x, y = image.width / SPAN, image.height / SPAN
        left, top = int(box.left * x), int(box.top * y)
        cut = image.crop((left, top, max(left + 1, round(box.right * x)), max(top + 1, round(box.bottom * y))))
        lines = self._lines(cut)
        placed = [Box((one.left * cut.width / SPAN + left) / x, (one.top * cut.height / SPAN + top) / y,
                      (one.right * cut.width / SPAN + left) / x, (one.bottom * cut.height / SPAN + top) / y) for _, one in lines]
        return " ".join(text for text, _ in lines), _around(placed)

    def _lines(self, image: PIL.Image.Image) -> list[tuple[str, Box]]:
        import numpy as np

        result: Any = self._engine(np.ascontiguousarray(np.asarray(image.convert("RGB"))[..., ::-1]))
        if not getattr(result, "txts", None):
            return []
        x, y = SPAN / image.width, SPAN / image.height
        return [(text, Box.bounding([(float(at[0]) * x, float(at[1]) * y) for at in corners]))
                for text, corners in zip(result.txts, result.boxes, strict=True)]


def _around(boxes: Sequence[Box]) -> Box | None:
    return Box.bounding(corner for box in boxes for corner in box.corners) if boxes else None


@dataclass(frozen=True)
class Outcome:
    """How one item went."""

    by: str
    page: str
    seed: int
    scale: float
    kind: str
    text: str
    hit: bool
    overlap: float | None
    """Of `find`; None where the text's own box is not known."""
    characters: float | None = None
    """Share of the characters that `read` has right; None where it was not asked."""
    reading: float | None = None
    """Overlap of what was read with the text's own box."""


def measure(screens: Iterable[Screen], grounders: Sequence[Grounder], reads: int = 6, seed: int = 0) -> Iterator[Outcome]:
    """Ask everybody for every item of every screen. reads: items of a screen that are read, chosen by the seed."""
    from PIL import Image as pillow

    for screen in screens:
        with pillow.open(screen.file) as file:
            image = file.convert("RGB")
        known = [item for item in screen.items if item.inks]
        chosen = random.Random(f"{seed} {screen.page} {screen.seed}").sample(known, min(reads, len(known)))
        for grounder in grounders:
            for item in screen.items:
                yield _asked(grounder, image, screen, item, item in chosen)


def _asked(grounder: Grounder, image: PIL.Image.Image, screen: Screen, item: Item, is_read: bool) -> Outcome:
    box = grounder.find(image, item.text)
    outcome = Outcome(grounder.name, screen.page, screen.seed, screen.scale, item.kind, item.text,
                      hit=box is not None and any(_holds(one, box.centre) for one in item.boxes),
                      overlap=max((box.iou(ink) if box else 0.0 for ink in item.inks), default=None))
    if not is_read:
        return outcome
    text, place = grounder.read(image, item.inks[0])
    return replace(outcome, characters=right_characters(item.text, text), reading=place.iou(item.inks[0]) if place else 0.0)


def _holds(box: Box, point: tuple[float, float]) -> bool:
    return box.left <= point[0] <= box.right and box.top <= point[1] <= box.bottom


def right_characters(wanted: str, read: str) -> float:
    """One less the edit distance over the length, 0 to 1; spaces do not count."""
    one, other = wanted.replace(" ", ""), read.replace(" ", "")
    row = list(range(len(other) + 1))
    for line, left in enumerate(one, 1):
        before, row[0] = row[0], line
        for column, right in enumerate(other, 1):
            before, row[column] = row[column], min(row[column] + 1, row[column - 1] + 1, before + (left != right))
    return max(0.0, 1 - row[-1] / len(one))


@dataclass(frozen=True)
class Share:
    """A mean with its 95% interval."""

    mean: float
    low: float
    high: float
    count: int

    def __str__(self) -> str:
        return f"{self.mean:.1%} ({self.low:.1%} to {self.high:.1%})"


def share(outcomes: Sequence[Outcome], value: Callable[[Outcome], float | None], seed: int = 0) -> Share | None:
    """The mean of what is there, with an interval that draws whole pages: what is on one is alike. None where there is nothing.

    The percentile bootstrap over clusters, after Efron and Tibshirani (1993).
    """
    import numpy as np

    pages: dict[str, list[float]] = {}
    for outcome in outcomes:
        if (found := value(outcome)) is not None:
            pages.setdefault(outcome.page, []).append(float(found))
    if not pages:
        return None
    sums = np.array([[sum(values), len(values)] for values in pages.values()])
    drawn = sums[np.random.default_rng(seed).integers(0, len(sums), (DRAWS, len(sums)))].sum(1)
    low, high = np.percentile(drawn[:, 0] / drawn[:, 1], [2.5, 97.5])
    total: np.ndarray = sums.sum(0)
    return Share(float(total[0] / total[1]), float(low), float(high), int(total[1]))
