"""Where a text stands among the lines that were read, though the reader, or whoever asks, may have it slightly wrong."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from musespark.vision.coordinates import Box
from musespark.vision.ocr.reader import Line, Word

EXACT = 0.97
"""From here on a match is taken for the text itself, and those below are left out."""
ALONE = 0.8
"""A text that is so much of its line stands alone: the rest is a colon, a full stop, an arrow."""
LEAST = 0.72
"""Below, it is another text."""
_ALIKE = str.maketrans({"0": "o", "1": "l", "i": "l", "|": "l", "!": "l", "5": "s", "8": "b", "’": "'", "‘": "'", "“": '"',
                        "”": '"', "–": "-", "—": "-", "…": "."})
"""Characters that readers take for one another."""


@dataclass(frozen=True, slots=True)
class Match:
    """A text that was found."""

    text: str
    """As it was read."""
    box: Box
    score: float
    """0 to 1; 1 is the same text."""
    alone: bool = False
    """Whether it is all of its line, as on a button, and no part of a sentence."""


def matches(wanted: str, lines: Sequence[Line]) -> list[Match]:
    """Where the text stands, best first; only what is the same, where anything is. Case, spaces and the form of characters do not
    count; what readers confuse counts little. Of what is the same, that which stands alone comes first, then that in the same
    letters.
    """
    plain = _plain(wanted)
    if not plain:
        return []
    found = [match for line in lines for match in _in_line(plain, _words(line))]
    if not any(match.score >= EXACT for match in found):
        found += [match for pair in _wrapped(lines) for match in _over_two(plain, pair)]
    best: list[Match] = []
    for match in sorted(found, key=lambda one: _rank(one, wanted)):
        if not any(_covers(other.box, match.box) for other in best):
            best.append(match)
    exact = [match for match in best if match.score >= EXACT]
    return exact or best


def _rank(match: Match, wanted: str) -> tuple[float, bool, bool, float, float]:
    """The least is the best."""
    same = match.score >= EXACT
    return -1.0 if same else -match.score, same and not match.alone, wanted not in match.text, match.box.top, match.box.left


def _plain(text: str) -> str:
    return re.sub(r"\s+", "", unicodedata.normalize("NFKC", text).casefold())


def _words(line: Line) -> Sequence[Word]:
    """The words of a line, each with its place; parts of equal width where the reader has not told the places."""
    read = "".join(_plain(word.text) for word in line.words)
    if read == _plain(line.text):
        return line.words
    parts = list(re.finditer(r"\S+", line.text))
    width = line.box.width / max(1, len(line.text))
    left, top, bottom = line.box.left, line.box.top, line.box.bottom
    return [Word(part[0], Box(left + part.start() * width, top, left + part.end() * width, bottom)) for part in parts]


def _in_line(plain: str, words: Sequence[Word]) -> Iterator[Match]:
    """Stretches of words that are like the text, and the text within a longer word."""
    texts = [_plain(word.text) for word in words]
    for first in range(len(words)):
        joined = ""
        for last in range(first, len(words)):
            joined += texts[last]
            if len(joined) * 2 < len(plain):
                continue
            if (score := likeness(plain, joined)) >= LEAST:
                stretch = words[first:last + 1]
                alone = len(joined) >= ALONE * sum(map(len, texts))
                yield Match(" ".join(word.text for word in stretch), _around(stretch), score, alone)
            if len(joined) > len(plain) * 2:
                break
    if len(plain) > 2 or not any(text == plain for text in texts):
        yield from _inside(plain, words, texts)


def _inside(plain: str, words: Sequence[Word], texts: Sequence[str]) -> Iterator[Match]:
    """The text as a part of words that stand together, as where a reader has missed a space."""
    joined, places = "".join(texts), []
    for word, text in zip(words, texts, strict=True):
        width = word.box.width / max(1, len(text))
        places += [(word.box.left + index * width, word.box.left + (index + 1) * width, word.box) for index in range(len(text))]
    at = joined.find(plain)
    while at >= 0:
        part = places[at:at + len(plain)]
        box = Box(part[0][0], min(one[2].top for one in part), part[-1][1], max(one[2].bottom for one in part))
        starts = {sum(map(len, texts[:index])) for index in range(len(texts) + 1)}
        whole = at in starts and at + len(plain) in starts
        # A part of a word is what was meant where nothing else is.
        yield Match(joined[at:at + len(plain)], box, 1.0 if whole else 0.9 if len(plain) > 2 else 0.75)
        at = joined.find(plain, at + 1)


def _wrapped(lines: Sequence[Line]) -> Iterator[tuple[Line, Line]]:
    """Lines that go on in the next: one right below the other, and no further apart than a line is high."""
    for line in lines:
        for below in lines:
            gap = below.box.top - line.box.bottom
            beside = min(line.box.right, below.box.right) - max(line.box.left, below.box.left)
            if line is not below and -0.5 * line.box.height < gap < line.box.height and beside > 0 and below.box.top > line.box.top:
                yield line, below


def _over_two(plain: str, pair: tuple[Line, Line]) -> Iterator[Match]:
    """The text as the end of one line and the beginning of the next; its place is the larger part, where a click meets it."""
    upper, lower = map(_words, pair)
    for first in range(len(upper)):
        for last in range(len(lower)):
            parts = upper[first:], lower[:last + 1]
            joined = "".join(_plain(word.text) for part in parts for word in part)
            if (score := likeness(plain, joined)) >= LEAST:
                part = max(parts, key=lambda words: sum(len(word.text) for word in words))
                yield Match(" ".join(word.text for each in parts for word in each), _around(part), score - 0.01)


def _around(words: Sequence[Word]) -> Box:
    return Box.around(corner for word in words for corner in word.box.corners)


def likeness(wanted: str, read: str) -> float:
    """How much alike two plain texts are, 0 to 1; characters that readers confuse are nearly the same."""
    if wanted == read:
        return 1.0
    if min(len(wanted), len(read)) < LEAST / (2 - LEAST) * max(len(wanted), len(read)):
        return 0.0
    plain = _ratio(wanted, read)
    return max(plain, 0.98 * _ratio(wanted.translate(_ALIKE), read.translate(_ALIKE)))


def _ratio(one: str, other: str) -> float:
    matcher = SequenceMatcher(None, one, other, autojunk=False)
    return matcher.ratio() if matcher.quick_ratio() >= LEAST else 0.0


def _covers(box: Box, other: Box) -> bool:
    """Whether two matches are of the same place."""
    width = min(box.right, other.right) - max(box.left, other.left)
    height = min(box.bottom, other.bottom) - max(box.top, other.top)
    return width > 0 and height > 0 and width * height > 0.3 * min(box.area, other.area)
