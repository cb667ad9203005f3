"""The images of one agent's conversation, numbered from 1 in the order they came, with the views that its tools made of them.

A view stores no pixels, only how to make them again from its source, so that a long run of tool calls uses no more memory than a
short one.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from musespark.content import Image, Message, Part, Text, ToolResult
from musespark.errors import BadImage
from musespark.images import decode_visible, read_header
from musespark.tools.arguments import pick_arguments, to_number
from musespark.vision.coordinates import IDENTITY, Affine, InvalidToolArguments
from musespark.vision.resize import encode_image

if TYPE_CHECKING:
    import PIL.Image

CACHED_PIXELS = 12_000_000
"""Pixels that an album keeps decoded, newest first; other images are decoded again when a tool needs them."""
MAX_IMAGES = 256
"""Limit of images in one album; each turn of an agent may add some."""


_NUMBER_NAMES = {"number": ("picture", "image", "index", "id")}
_NUMBERED = re.compile(
    r"(?:picture|image|img|photo|figure|page|view|#|no\.?)[\s_#:-]*(\d+)", re.IGNORECASE
)
_FIRST = (
    "",
    "first",
    "the first",
    "original",
    "the original",
    "main",
    "default",
    "picture",
    "image",
    "the picture",
    "the image",
)
_LAST = ("last", "the last", "latest", "current", "newest")


@dataclass(frozen=True, slots=True)
class AlbumImage:
    """An image of the conversation, or a view of one."""

    number: int
    width: int
    height: int
    """Size in pixels, before it is scaled for the model."""
    caption: str
    decode: Callable[[], PIL.Image.Image] = field(repr=False, compare=False)
    """Makes its pixels anew. Raises `BadImage`."""
    original: int = 0
    """Number of the image in whose coordinates results are reported; its own unless it is a view."""
    to_original: Affine = IDENTITY
    remarks: tuple[str, ...] = ()
    """Remarks on parts of the file that are not shown."""

    @property
    def size(self) -> str:
        """Width and height as text, in pixels."""
        return f"{self.width}x{self.height} pixels"


@dataclass(frozen=True, slots=True)
class View:
    """An image that a tool made and that is not in the album yet."""

    pixels: PIL.Image.Image
    encoded: Image
    """The form in which the model is shown it."""
    caption: str
    render: Callable[..., PIL.Image.Image]
    """Makes the pixels anew, from those of `source`; without a source, from nothing."""
    source: AlbumImage | None = None
    to_source: Affine = IDENTITY
    """Transform from its coordinates to those of the source."""


class Album:
    """One agent's images. Tools hold the lock while they work, so that views are numbered in the order of the calls."""

    def __init__(
        self,
        *,
        model_sees: bool = True,
        longest_side: int | None = None,
        max_images: int = MAX_IMAGES,
        cached_pixels: int = CACHED_PIXELS,
    ) -> None:
        """Start empty.

        model_sees: True if the model takes images as input. longest_side: limit in pixels of the images that it takes.
        cached_pixels: pixels that are kept decoded.
        """
        self.max_images, self.cached_pixels = max_images, cached_pixels
        self.model_sees, self.longest_side = model_sees, longest_side
        self.lock = asyncio.Lock()
        self._images: list[AlbumImage] = []
        self._numbers: dict[Image, int] = {}
        self._decoded: dict[int, PIL.Image.Image] = {}
        self._replacements: dict[int, Image] = {}
        self._default = 1

    @property
    def images(self) -> Sequence[AlbumImage]:
        """All images and views, by number."""
        return tuple(self._images)

    def get(self, number: object = None) -> AlbumImage:
        """Return the image of that number; by default the first of the newest user message with images.

        Raises `InvalidToolArguments` if there is none, or if it cannot be opened.
        """
        if not self._images:
            raise InvalidToolArguments("There is no picture in this conversation to look at.")
        number = self._default if number is None else self._to_number(number)
        if (
            isinstance(number, bool)
            or not isinstance(number, int)
            or not 1 <= number <= len(self._images)
        ):
            there = (
                f"are pictures 1 to {len(self._images)}"
                if len(self._images) > 1
                else "is only picture 1"
            )
            raise InvalidToolArguments(f"There is no picture {number!r:.40}; there {there}.")
        image = self._images[number - 1]
        if not image.width:
            raise InvalidToolArguments(image.remarks[0])
        return image

    def _to_number(self, given: object) -> object:
        """Return the number that a model means: also as text, after a word, in a list; any name if there is one image."""
        if isinstance(given, list | tuple) and len(given) == 1:
            given = given[0]
        if isinstance(given, dict):
            given = next(iter(pick_arguments(given, ("number",), _NUMBER_NAMES).values()), given)
        number = to_number(given)
        if number is None and isinstance(given, str):
            if found := _NUMBERED.search(given):
                return int(found[1])
            if given.strip().lower() in _LAST:
                return len(self._images)
            if given.strip().lower() in _FIRST or len(self._images) == 1:
                return self._default
        return int(number) if number is not None and number.is_integer() else given

    def decode(self, image: AlbumImage) -> PIL.Image.Image:
        """Return its pixels in RGB; callers must not change them. Raises `BadImage`."""
        pixels = self._decoded.pop(image.number, None) or image.decode()
        self._decoded[image.number] = pixels
        while (
            sum(one.width * one.height for one in self._decoded.values()) > self.cached_pixels
            and self._decoded
        ):
            del self._decoded[next(iter(self._decoded))]
        return pixels

    def add(self, view: View) -> tuple[AlbumImage, Image]:
        """Add a view; returns it with its number, and the image to show the model.

        Raises `InvalidToolArguments` if the album is full.
        """
        if len(self._images) >= self.max_images:
            raise InvalidToolArguments(
                f"There are {self.max_images} pictures already, and no more can be made; answer from those."
            )
        source, number = view.source, len(self._images) + 1
        original, to_original = (
            (number, IDENTITY)
            if source is None
            else (source.original, view.to_source.then(source.to_original))
        )
        render = view.render
        added = AlbumImage(
            number,
            view.pixels.width,
            view.pixels.height,
            view.caption,
            render if source is None else lambda: render(self.decode(source)),
            original,
            to_original,
        )
        self._images.append(added)
        self._numbers.setdefault(view.encoded, number)
        return added, view.encoded

    def label_images(self, messages: Sequence[Message]) -> tuple[Message, ...]:
        """Return the messages as the model gets them: each image after a label with its number and size.

        New images are added to the album. For a model without image input only the labels remain. May decode: run it in a thread.
        """
        labelled = []
        for message in messages:
            before = len(self._images)
            labelled.append(
                replace(
                    message,
                    parts=tuple(part for one in message.parts for part in self._label_part(one)),
                )
            )
            if message.role == "user" and len(self._images) > before:
                self._default = before + 1
        return tuple(labelled)

    def _label_part(self, part: Part) -> tuple[Part, ...]:
        match part:
            case Image():
                return self._label(part)
            case ToolResult():
                content = (
                    new
                    for one in part.content
                    for new in (self._label(one) if isinstance(one, Image) else (one,))
                )
                return (replace(part, content=tuple(content)),)
        return (part,)

    def _label(self, image: Image) -> tuple[Text | Image, ...]:
        entry = self._images[(self._numbers.get(image) or self._register(image)) - 1]
        if entry.caption:  # a view: the text of its tool has described it already
            return (image,) if self.model_sees else ()
        details = (
            f"{entry.size}{''.join(f'; {remark}' for remark in entry.remarks)}"
            if entry.width
            else entry.remarks[0]
        )
        label = Text(f"[Picture {entry.number}: {details}]")
        return (
            (label, self._replacements.get(entry.number, image))
            if self.model_sees and entry.width
            else (label,)
        )

    def _register(self, image: Image) -> int:
        """Give the next number to an image that no tool of this album made."""
        number = len(self._images) + 1
        try:
            header = read_header(image)
            width, height, remarks = header.width, header.height, header.remarks
            if (
                remarks and self.model_sees
            ):  # a model's own decoder may choose another frame, or another background
                self._replacements[number] = encode_image(decode_visible(image), self.longest_side)
        except BadImage as error:
            width, height, remarks = 0, 0, (str(error),)
        self._images.append(
            AlbumImage(
                number, width, height, "", lambda: decode_visible(image), number, IDENTITY, remarks
            )
        )
        self._numbers[image] = number
        return number
