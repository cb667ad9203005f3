"""The pictures of one agent's conversation: numbered from 1 in the order they came, with the views that its tools made of them.

A view keeps no pixels but how to make them from the picture it was made from, so that a long look costs no more memory than a
short one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from musespark.content import Image, Message, Part, Text, ToolResult
from musespark.errors import BadPicture
from musespark.images import head, looked_at
from musespark.vision.coordinates import HERE, Affine, Unclear
from musespark.vision.resize import encoded

if TYPE_CHECKING:
    import PIL.Image

KEPT_PIXELS = 12_000_000
"""Pixels that an album keeps decoded, newest first; more are decoded again when they are looked at."""
MOST = 256
"""Pictures of one album; every turn of an agent may add some."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture of the conversation, or a view of one."""

    number: int
    width: int
    height: int
    """Pixels of the picture itself; what a model is shown may be scaled."""
    caption: str
    make: Callable[[], PIL.Image.Image] = field(repr=False, compare=False)
    """Its pixels, made anew. Raises `BadPicture`."""
    original: int = 0
    """The number of the picture that its coordinates lead back to; its own where it is no view."""
    to_original: Affine = HERE
    remarks: tuple[str, ...] = ()
    """What of the file it does not show."""

    @property
    def size(self) -> str:
        """Width and height, in pixels."""
        return f"{self.width}x{self.height} pixels"


@dataclass(frozen=True, slots=True)
class View:
    """A view as a tool makes it."""

    pixels: PIL.Image.Image
    shown: Image
    """What the model is shown of it."""
    caption: str
    make: Callable[..., PIL.Image.Image]
    """The pixels anew, from those of the picture that it is a view of; of nothing, where it is none."""
    of: Picture | None = None
    back: Affine = HERE
    """From its coordinates to that picture's."""


class Album:
    """One agent's pictures. Its lock is held while one of its tools works, so that views are numbered in the order of the calls."""

    def __init__(self, *, sees: bool = True, side: int | None = None) -> None:
        """sees: whether the model is shown pictures; side: the longest side, in pixels, of one that it takes."""
        self.sees, self.side = sees, side
        self.lock = asyncio.Lock()
        self._pictures: list[Picture] = []
        self._known: dict[Image, int] = {}
        self._kept: dict[int, PIL.Image.Image] = {}
        self._whole: dict[int, Image] = {}
        self._first = 1

    @property
    def pictures(self) -> Sequence[Picture]:
        """All of them, by number."""
        return tuple(self._pictures)

    @property
    def default(self) -> int:
        """The number of the picture that is meant where none is named: the first of the last message with pictures."""
        return self._first

    def picture(self, number: object = None) -> Picture:
        """The picture of that number, or the default one. Raises `Unclear` where there is none, or it cannot be opened."""
        if not self._pictures:
            raise Unclear("There is no picture in this conversation to look at.")
        if number is None:
            number = self._first
        if isinstance(number, float) and number.is_integer():
            number = int(number)
        if isinstance(number, bool) or not isinstance(number, int) or not 1 <= number <= len(self._pictures):
            there = f"are pictures 1 to {len(self._pictures)}" if len(self._pictures) > 1 else "is only picture 1"
            raise Unclear(f"There is no picture {number!r:.40}; there {there}.")
        picture = self._pictures[number - 1]
        if not picture.width:
            raise Unclear(picture.remarks[0])
        return picture

    def pixels(self, picture: Picture) -> PIL.Image.Image:
        """What it shows, in RGB; not to be changed. Raises `BadPicture`."""
        found = self._kept.pop(picture.number, None) or picture.make()
        self._kept[picture.number] = found
        while sum(one.width * one.height for one in self._kept.values()) > KEPT_PIXELS and self._kept:
            del self._kept[next(iter(self._kept))]
        return found

    def add(self, made: View) -> tuple[Picture, Image]:
        """A view becomes part of the album; it comes back with its number, and as the model is shown it. Raises `Unclear` where
        there is no room.
        """
        if len(self._pictures) >= MOST:
            raise Unclear(f"There are {MOST} pictures already, and no more can be made; answer from those.")
        of, number = made.of, len(self._pictures) + 1
        original, to_original = (number, HERE) if of is None else (of.original, made.back.then(of.to_original))
        make = made.make
        added = Picture(number, made.pixels.width, made.pixels.height, made.caption,
                        make if of is None else lambda: make(self.pixels(of)), original, to_original)
        self._pictures.append(added)
        self._known.setdefault(made.shown, number)
        return added, made.shown

    def conversation(self, messages: Sequence[Message]) -> tuple[Message, ...]:
        """The messages as the model is to see them: every picture has its number and its size before it, those that the album does
        not know yet become part of it, and for a model that sees none only the words remain.
        """
        told = []
        for message in messages:
            before = len(self._pictures)
            told.append(replace(message, parts=tuple(part for one in message.parts for part in self._told(one))))
            if message.role == "user" and len(self._pictures) > before:
                self._first = before + 1
        return tuple(told)

    def _told(self, part: Part) -> tuple[Part, ...]:
        match part:
            case Image():
                return self._labelled(part)
            case ToolResult():
                return (replace(part, content=tuple(told for one in part.content for told in
                                                    (self._labelled(one) if isinstance(one, Image) else (one,)))),)
        return (part,)

    def _labelled(self, image: Image) -> tuple[Text | Image, ...]:
        picture = self._pictures[(self._known.get(image) or self._met(image)) - 1]
        if picture.caption:  # a view: what its tool said before it tells what it is
            return (image,) if self.sees else ()
        known = f"{picture.size}{''.join(f'; {remark}' for remark in picture.remarks)}" if picture.width else picture.remarks[0]
        label = Text(f"[Picture {picture.number}: {known}]")
        return (label, self._whole.get(picture.number, image)) if self.sees and picture.width else (label,)

    def _met(self, image: Image) -> int:
        """A picture that no tool of this album made gets the next number."""
        number = len(self._pictures) + 1
        try:
            known = head(image)
            width, height, remarks = known.width, known.height, known.remarks
            if remarks and self.sees:  # a model may show itself another frame, or another background
                self._whole[number] = encoded(looked_at(image), self.side)
        except BadPicture as error:
            width, height, remarks = 0, 0, (str(error),)
        self._pictures.append(Picture(number, width, height, "", lambda: looked_at(image), number, HERE, remarks))
        self._known[image] = number
        return number
