"""One vocabulary for words, digits, code, images and control.

Text is one token a character: digits stay digits (arithmetic is learned column by column), Python stays exact, nothing is
out of vocabulary that a keyboard can type, and no tokenizer has to be shipped. An image that is *read* enters as patches
(see `patches.py`); an image that is *drawn* is a list of pairs, a place and the tile to paint there. The reasons are in
`docs/native-model.md`.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

CONTROLS = (
    "<pad>",
    "<bos>",
    "<eos>",
    "<patch>",  # replaced by the embedding of a patch of the given image
    "<instant>",  # the three modes
    "<think>",
    "<contemplate>",
    "<spawn>",  # from here on, every <th> starts a thread
    "<th>",
    "<ret>",  # a thread returns what follows ...
    "<end>",  # ... and ends
    "<win>",  # ... and ends, and what it returned settles the question: the other threads may stop
    "<join>",  # the parent waits; the returns follow, fed by the engine
    "<img>",  # starts drawing on the thread's canvas
    "</img>",  # keeps the canvas as an image
    "<answer>",
    "<decline>",
    "<countdown>",  # the task of the question, named by the network itself
    "<lake>",
    "<maze>",
    "<shapes>",
    "<code>",
    "<go>",  # a thread starts to work on its branch; its parent wrote the same <th> and branch and goes on listing
    "<reserved-1>",
    "<reserved-2>",
    "<reserved-3>",
    "<unknown>",
)
CHARACTERS = "\n" + "".join(chr(code) for code in range(32, 127))
GRID = 8
"""The canvas is GRID x GRID tiles; place p is row p // GRID, column p % GRID."""
PLACES = GRID * GRID
TILES = 96

TOKENS: tuple[str, ...] = (
    *CONTROLS,
    *CHARACTERS,
    *(f"<p{place}>" for place in range(PLACES)),  # paint here
    *(f"<@{place}>" for place in range(PLACES)),  # look here
    *(f"<t{tile}>" for tile in range(TILES)),
)
SIZE = len(TOKENS)
IDS = {token: index for index, token in enumerate(TOKENS)}

PAD, BOS, EOS, PATCH = (IDS[name] for name in ("<pad>", "<bos>", "<eos>", "<patch>"))
INSTANT, THINK, CONTEMPLATE = (IDS[name] for name in ("<instant>", "<think>", "<contemplate>"))
SPAWN, TH, GO, RET, END, WIN, JOIN = (
    IDS[name] for name in ("<spawn>", "<th>", "<go>", "<ret>", "<end>", "<win>", "<join>")
)
IMG, IMG_END, ANSWER, DECLINE = (IDS[name] for name in ("<img>", "</img>", "<answer>", "<decline>"))
UNKNOWN = IDS["<unknown>"]
MODES = {"instant": INSTANT, "thinking": THINK, "contemplating": CONTEMPLATE}
TASK_TOKENS = {name: IDS[f"<{name}>"] for name in ("countdown", "lake", "maze", "shapes", "code")}

_FIRST_CHARACTER = len(CONTROLS)
_FIRST_PLACE = _FIRST_CHARACTER + len(CHARACTERS)
_FIRST_LOOK = _FIRST_PLACE + PLACES
_FIRST_TILE = _FIRST_LOOK + PLACES


def place(index: int) -> int:
    """Token that paints at this place (0..63, row by row)."""
    return _FIRST_PLACE + _within(index, PLACES)


def look(index: int) -> int:
    """Token that attends to this place (0..63, row by row) and paints nothing."""
    return _FIRST_LOOK + _within(index, PLACES)


def tile(index: int) -> int:
    """Token of one tile of the codebook."""
    return _FIRST_TILE + _within(index, TILES)


def as_place(token: int) -> int | None:
    """The place a paint token names, or None for any other token."""
    return token - _FIRST_PLACE if _FIRST_PLACE <= token < _FIRST_LOOK else None


def as_tile(token: int) -> int | None:
    """The tile of the codebook a token names, or None for any other token."""
    return token - _FIRST_TILE if _FIRST_TILE <= token < SIZE else None


def encode(text: str) -> list[int]:
    """Encode text, one token a character. Accents are dropped, tabs become spaces, line breaks "\\n"; the rest is <unknown>."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\t", "    ")
    plain = unicodedata.normalize("NFKD", text)
    return [IDS.get(letter, UNKNOWN) for letter in plain if not unicodedata.combining(letter)]


def decode(tokens: Iterable[int]) -> str:
    """Decode tokens; those that are not text appear as their names in angle brackets."""
    return "".join(TOKENS[token] for token in tokens)


def is_text(token: int) -> bool:
    """Return True if the token is a character."""
    return _FIRST_CHARACTER <= token < _FIRST_PLACE


def _within(index: int, size: int) -> int:
    if not 0 <= index < size:
        raise IndexError(f"{index} is not between 0 and {size - 1}")
    return index
