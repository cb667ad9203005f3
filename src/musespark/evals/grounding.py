"""Grounding: how well `find` points at text and `read` reads it, on screens with labels.

Measures of `find`: click-in-box, true if the centre of its first box lies within the labelled one, and the overlap (intersection
over union) of the two, after Cheng et al., SeeClick (2024), and Rezatofighi et al. (2019). Measures of `read`: the share of right
characters (one less the edit distance over the length, after Levenshtein, 1966), and the overlap of the read box with the text's
own box. The baseline is the same OCR package with its defaults.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

from musespark.errors import NotInstalled
from musespark.evals.grounding_screens import LabelledScreen, ScreenItem
from musespark.vision.coordinates import SPAN, Box

if TYPE_CHECKING:
    import PIL.Image

BOOTSTRAP_DRAWS = 2000
"""Number of draws of the bootstrap."""


class Grounder(Protocol):
    """An implementation of `find` and `read`. Boxes are relative to the whole image, 0 to 1000 each way."""

    name: str

    def find(self, image: PIL.Image.Image, text: str) -> Box | None:
        """Return the first box found for a text; None if nothing is found."""

    def read(self, image: PIL.Image.Image, box: Box) -> tuple[str, Box | None]:
        """Read the text in a box; return it with its exact box."""


class ToolGrounder:
    """The tools `find` and `read`, as agents have them."""

    name = "find and read"

    def __init__(self) -> None:
        """Raises `NotInstalled`."""
        from musespark.vision.ocr.reader import shared_reader

        self._reader = shared_reader()

    def find(self, image: PIL.Image.Image, text: str) -> Box | None:
        from musespark.vision.tools.find import find_places

        places = find_places(
            f"“{text}”", image, self._reader.read(image)
        )  # in quotes `find` takes it as text, not as a description
        return places[0].box if places else None

    def read(self, image: PIL.Image.Image, box: Box) -> tuple[str, Box | None]:
        from musespark.vision.crop import crop_to_box

        cut, back, _ = crop_to_box(image, box)
        lines = self._reader.read(cut)
        return " ".join(line.text for line in lines), _around(
            [back.box(line.box) for line in lines]
        )


class OcrGrounder:
    """OCR alone: RapidOCR with its defaults. Finds the line that equals the text, else one that contains it; exact case first."""

    name = "OCR alone"

    def __init__(self) -> None:
        """Raises `NotInstalled`."""
        try:
            from rapidocr import RapidOCR
        except ImportError:
            raise NotInstalled("Measuring text recognition", "rapidocr", "vision") from None
        # The rest are the defaults; more threads would not change the readings, and would wait for each other.
        self._engine = RapidOCR(
            params={
                "Global.log_level": "critical",
                "EngineConfig.onnxruntime.intra_op_num_threads": 1,
            }
        )
        self._seen: tuple[PIL.Image.Image | None, list[tuple[str, Box]]] = (None, [])

    def find(self, image: PIL.Image.Image, text: str) -> Box | None:
        if self._seen[0] is not image:
            self._seen = image, self._lines(image)
        for same in (
            lambda line: line == text,
            lambda line: line.lower() == text.lower(),
            lambda line: text in line,
            lambda line: text.lower() in line.lower(),
        ):
            if found := next((box for line, box in self._seen[1] if same(line)), None):
                return found
        return None

    def read(self, image: PIL.Image.Image, box: Box) -> tuple[str, Box | None]:
        x, y = image.width / SPAN, image.height / SPAN
        left, top = int(box.left * x), int(box.top * y)
        cut = image.crop(
            (left, top, max(left + 1, round(box.right * x)), max(top + 1, round(box.bottom * y)))
        )
        lines = self._lines(cut)
        placed = [
            Box(
                (one.left * cut.width / SPAN + left) / x,
                (one.top * cut.height / SPAN + top) / y,
                (one.right * cut.width / SPAN + left) / x,
                (one.bottom * cut.height / SPAN + top) / y,
            )
            for _, one in lines
        ]
        return " ".join(text for text, _ in lines), _around(placed)

    def _lines(self, image: PIL.Image.Image) -> list[tuple[str, Box]]:
        import numpy as np

        result: Any = self._engine(
            np.ascontiguousarray(np.asarray(image.convert("RGB"))[..., ::-1])
        )
        if not getattr(result, "txts", None):
            return []
        x, y = SPAN / image.width, SPAN / image.height
        return [
            (text, Box.bounding([(float(at[0]) * x, float(at[1]) * y) for at in corners]))
            for text, corners in zip(result.txts, result.boxes, strict=True)
        ]


def _around(boxes: Sequence[Box]) -> Box | None:
    return Box.bounding(corner for box in boxes for corner in box.corners) if boxes else None


@dataclass(frozen=True)
class GroundingOutcome:
    """Result for one item."""

    by: str
    page: str
    seed: int
    scale: float
    kind: str
    text: str
    hit: bool
    overlap: float | None
    """Overlap of `find`; None if the text's own box is not known."""
    characters: float | None = None
    """Share of the characters that `read` has right; None if the item was not read."""
    reading: float | None = None
    """Overlap of the box that was read with the text's own box."""


def measure(
    screens: Iterable[LabelledScreen], grounders: Sequence[Grounder], reads: int = 6, seed: int = 0
) -> Iterator[GroundingOutcome]:
    """Measure every grounder on every item of every screen. reads: items of a screen that are read, chosen by the seed."""
    from PIL import Image as pillow

    for screen in screens:
        with pillow.open(screen.file) as file:
            image = file.convert("RGB")
        known = [item for item in screen.items if item.inks]
        chosen = random.Random(f"{seed} {screen.page} {screen.seed}").sample(
            known, min(reads, len(known))
        )
        for grounder in grounders:
            for item in screen.items:
                yield _measured(grounder, image, screen, item, item in chosen)


def _measured(
    grounder: Grounder,
    image: PIL.Image.Image,
    screen: LabelledScreen,
    item: ScreenItem,
    is_read: bool,
) -> GroundingOutcome:
    box = grounder.find(image, item.text)
    outcome = GroundingOutcome(
        grounder.name,
        screen.page,
        screen.seed,
        screen.scale,
        item.kind,
        item.text,
        hit=box is not None and any(_holds(one, box.centre) for one in item.boxes),
        overlap=max((box.iou(ink) if box else 0.0 for ink in item.inks), default=None),
    )
    if not is_read:
        return outcome
    text, place = grounder.read(image, item.inks[0])
    return replace(
        outcome,
        characters=character_accuracy(item.text, text),
        reading=place.iou(item.inks[0]) if place else 0.0,
    )


def _holds(box: Box, point: tuple[float, float]) -> bool:
    return box.left <= point[0] <= box.right and box.top <= point[1] <= box.bottom


def character_accuracy(wanted: str, read: str) -> float:
    """One less the edit distance over the length, 0 to 1; spaces do not count. Raises `NotInstalled`."""
    try:
        from rapidfuzz.distance import Levenshtein
    except ImportError:
        raise NotInstalled("Measuring text recognition", "rapidfuzz", "grounding") from None
    one, other = wanted.replace(" ", ""), read.replace(" ", "")
    return max(0.0, 1 - Levenshtein.distance(one, other) / len(one))


@dataclass(frozen=True)
class MeanInterval:
    """A mean with its 95% interval."""

    mean: float
    low: float
    high: float
    count: int

    def __str__(self) -> str:
        return f"{self.mean:.1%} ({self.low:.1%} to {self.high:.1%})"


def mean_interval(
    outcomes: Sequence[GroundingOutcome],
    value: Callable[[GroundingOutcome], float | None],
    seed: int = 0,
) -> MeanInterval | None:
    """Return the mean of a value with an interval that draws whole pages, whose items are alike; None if no outcome has it.

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
    drawn = sums[
        np.random.default_rng(seed).integers(0, len(sums), (BOOTSTRAP_DRAWS, len(sums)))
    ].sum(1)
    low, high = np.percentile(drawn[:, 0] / drawn[:, 1], [2.5, 97.5])
    total = sums.sum(0)
    return MeanInterval(float(total[0] / total[1]), float(low), float(high), int(total[1]))
