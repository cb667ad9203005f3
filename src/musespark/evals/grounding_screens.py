"""Labelled screens: images of pages with their texts and boxes, stored as a folder that can be read without a browser."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from musespark.errors import MissingFile
from musespark.vision.coordinates import Box

INDEX = "screens.json"
LEAST_CONTRAST = 40
"""Least difference (of 255) between the pixels of a visible text."""
LAST_LATIN = "\u0250"


@dataclass(frozen=True)
class ScreenItem:
    """A text on a screen."""

    text: str
    kind: str
    """`button`, `link`, `label`, `input` or `text`."""
    boxes: tuple[Box, ...]
    """Boxes in which a click hits the item; several if the same text stands in several places."""
    inks: tuple[Box, ...] = ()
    """Boxes of the text itself, in the same order; empty if the browser does not report them, as within an input."""


@dataclass(frozen=True)
class LabelledScreen:
    """An image of a page with its items. Coordinates run from 0 to 1000 each way."""

    page: str
    seed: int
    scale: float
    """Pixels of the image per pixel of the page."""
    file: Path
    items: tuple[ScreenItem, ...]


def items_of(page: Mapping[str, Any], width: float, height: float) -> tuple[ScreenItem, ...]:
    """Return the items that `grounding_page.js` found on a page of that size, without the ambiguous ones.

    Equal texts in several places are one item with several boxes. A link within a line is left out if its words stand anywhere
    else, since only the surrounding line tells them apart; so is text in other than Latin letters, for which this machine may have
    no font.
    """
    lines = [_plain(line) for line in page["lines"]]
    groups: dict[str, list[Mapping[str, Any]]] = {}
    for found in page["items"]:
        plain = _plain(found["text"])
        told_apart = not found["inline"] or sum(line.count(plain) for line in lines) == 1
        if plain.strip() and max(found["text"]) < LAST_LATIN and told_apart:
            groups.setdefault(found["text"], []).append(found)
    return tuple(_item(same, width, height) for same in groups.values())


def _item(same: Sequence[Mapping[str, Any]], width: float, height: float) -> ScreenItem:
    def box(edges: Sequence[float]) -> Box:
        return Box(
            *(
                round(edge * 1000 / size, 2)
                for edge, size in zip(edges, (width, height) * 2, strict=True)
            )
        )

    inks = tuple(box(found["ink"]) for found in same if found["ink"] is not None)
    exact = inks if len(inks) == len(same) else ()
    return ScreenItem(
        same[0]["text"], same[0]["kind"], tuple(box(found["box"]) for found in same), exact
    )


def _plain(text: str) -> str:
    """Return the words of a text in lower case, with a space at either end."""
    return " ".join(("", *re.findall(r"[^\W_]+", text.casefold()), ""))


def visible(item: ScreenItem, file: Path) -> bool:
    """Return True if the pixels of an item differ enough to be seen."""
    import numpy as np
    from PIL import Image as pillow

    with pillow.open(file) as image:
        grey = np.asarray(image.convert("L")).astype(int)
    x, y = grey.shape[1] / 1000, grey.shape[0] / 1000
    parts = [
        grey[round(box.top * y) : round(box.bottom * y), round(box.left * x) : round(box.right * x)]
        for box in item.boxes
    ]
    return all(part.size and part.max() - part.min() >= LEAST_CONTRAST for part in parts)


def write_screens(
    directory: Path, screens: Sequence[LabelledScreen], about: Mapping[str, Any]
) -> None:
    """Write the index of a folder of images."""
    told = [
        {
            "page": screen.page,
            "seed": screen.seed,
            "scale": screen.scale,
            "file": screen.file.name,
            "items": [
                {
                    "text": item.text,
                    "kind": item.kind,
                    "boxes": [_edges(box) for box in item.boxes],
                    "inks": [_edges(box) for box in item.inks],
                }
                for item in screen.items
            ],
        }
        for screen in screens
    ]
    (directory / INDEX).write_text(
        json.dumps({**about, "screens": told}, indent=1, ensure_ascii=False) + "\n",
        encoding="utf-8",
    )


def read_screens(directory: Path) -> list[LabelledScreen]:
    """Read the screens of a folder. Raises `MissingFile`."""
    path = directory / INDEX
    try:
        told = json.loads(path.read_text(encoding="utf-8"))["screens"]
        return [
            LabelledScreen(
                one["page"],
                one["seed"],
                one["scale"],
                directory / one["file"],
                tuple(
                    ScreenItem(
                        item["text"],
                        item["kind"],
                        tuple(Box(*edges) for edges in item["boxes"]),
                        tuple(Box(*edges) for edges in item["inks"]),
                    )
                    for item in one["items"]
                ),
            )
            for one in told
        ]
    except OSError as error:
        raise MissingFile(path, error.strerror or str(error)) from error
    except (ValueError, KeyError, TypeError) as error:
        raise MissingFile(path, f"it is not an index of screens: {error!r}") from error


def _edges(box: Box) -> list[float]:
    return [box.left, box.top, box.right, box.bottom]
