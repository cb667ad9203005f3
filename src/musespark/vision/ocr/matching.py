"""Fuzzy search for a text among recognised lines: the recognition, or the wanted text, may be slightly wrong."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rapidfuzz.fuzz import ratio

from musespark.vision.coordinates import Box
from musespark.vision.ocr.reader import TextLine, Word

EXACT = 0.97
"""Score from which a match counts as the text itself, so that lower ones are left out."""
STANDALONE = 0.8
"""Share of a line's characters from which a match stands alone: the rest is a colon, a full stop, an arrow."""
MIN_SCORE = 0.72
"""Score below which it is another text."""
_CONFUSED = str.maketrans(
    {
        "0": "o",
        "1": "l",
        "i": "l",
        "|": "l",
        "!": "l",
        "5": "s",
        "8": "b",
        "’": "'",
        "‘": "'",
        "“": '"',
        "”": '"',
        "–": "-",
        "—": "-",
        "…": ".",
    }
)
"""Characters that text recognition takes for one another."""


@dataclass(frozen=True, slots=True)
class Match:
    """A place where the text was found."""

    text: str
    """The text as it was recognised."""
    box: Box
    score: float
    """Similarity, 0 to 1; 1 is the same text."""
    is_standalone: bool = False
    """True if it is all of its line, as on a button, and not part of a sentence."""


def find_matches(wanted: str, lines: Sequence[TextLine]) -> list[Match]:
    """Find the places of a text, best first; if there are exact ones, only those.

    Case, spaces and the form of characters (NFKC) are ignored; characters that recognition confuses cost little. Among exact
    matches standalone ones come first, then those in the same letters.
    """
    query = _normalize(wanted)
    if not query:
        return []
    found = [match for line in lines for match in _in_line(query, _words(line))]
    if not any(match.score >= EXACT for match in found):
        found += [match for pair in _wrapped(lines) for match in _across_lines(query, pair)]
    best: list[Match] = []
    for match in sorted(found, key=lambda one: _sort_key(one, wanted)):
        if not any(_overlaps(other.box, match.box) for other in best):
            best.append(match)
    exact = [match for match in best if match.score >= EXACT]
    return exact or best


def _sort_key(match: Match, wanted: str) -> tuple[float, bool, bool, float, float]:
    """Return a key that sorts the best match first."""
    is_exact = match.score >= EXACT
    return (
        -1.0 if is_exact else -match.score,
        is_exact and not match.is_standalone,
        wanted not in match.text,
        match.box.top,
        match.box.left,
    )


def _normalize(text: str) -> str:
    return re.sub(r"\s+", "", unicodedata.normalize("NFKC", text).casefold())


def _words(line: TextLine) -> Sequence[Word]:
    """Return the words of a line with their boxes; boxes are in proportion to the characters if the reader gave none."""
    joined = "".join(_normalize(word.text) for word in line.words)
    if joined == _normalize(line.text):
        return line.words
    parts = list(re.finditer(r"\S+", line.text))
    width = line.box.width / max(1, len(line.text))
    left, top, bottom = line.box.left, line.box.top, line.box.bottom
    return [
        Word(part[0], Box(left + part.start() * width, top, left + part.end() * width, bottom))
        for part in parts
    ]


def _in_line(query: str, words: Sequence[Word]) -> Iterator[Match]:
    """Find runs of words that are similar to the text, and the text within a longer word."""
    texts = [_normalize(word.text) for word in words]
    for first in range(len(words)):
        joined = ""
        for last in range(first, len(words)):
            joined += texts[last]
            if len(joined) * 2 < len(query):
                continue
            if (score := similarity(query, joined)) >= MIN_SCORE:
                stretch = words[first : last + 1]
                is_standalone = len(joined) >= STANDALONE * sum(map(len, texts))
                yield Match(
                    " ".join(word.text for word in stretch),
                    _bounding_box(stretch),
                    score,
                    is_standalone,
                )
            if len(joined) > len(query) * 2:
                break
    if len(query) > 2 or not any(text == query for text in texts):
        yield from _inside(query, words, texts)


def _inside(query: str, words: Sequence[Word], texts: Sequence[str]) -> Iterator[Match]:
    """Find the text as a part of joined words, such as when recognition has missed a space."""
    joined, places = "".join(texts), []
    for word, text in zip(words, texts, strict=True):
        width = word.box.width / max(1, len(text))
        places += [
            (word.box.left + index * width, word.box.left + (index + 1) * width, word.box)
            for index in range(len(text))
        ]
    at = joined.find(query)
    while at >= 0:
        part = places[at : at + len(query)]
        box = Box(
            part[0][0],
            min(one[2].top for one in part),
            part[-1][1],
            max(one[2].bottom for one in part),
        )
        starts = {sum(map(len, texts[:index])) for index in range(len(texts) + 1)}
        whole = at in starts and at + len(query) in starts
        # A part of a word counts less, so it is chosen only if there is no better match.
        yield Match(
            joined[at : at + len(query)], box, 1.0 if whole else 0.9 if len(query) > 2 else 0.75
        )
        at = joined.find(query, at + 1)


def _wrapped(lines: Sequence[TextLine]) -> Iterator[tuple[TextLine, TextLine]]:
    """Find pairs of lines of a wrapped text: one right below the other, at most a line's height apart."""
    for line in lines:
        for below in lines:
            gap = below.box.top - line.box.bottom
            beside = min(line.box.right, below.box.right) - max(line.box.left, below.box.left)
            if (
                line is not below
                and -0.5 * line.box.height < gap < line.box.height
                and beside > 0
                and below.box.top > line.box.top
            ):
                yield line, below


def _across_lines(query: str, pair: tuple[TextLine, TextLine]) -> Iterator[Match]:
    """Find the text as the end of one line and the beginning of the next; its box is that of the larger part, which one clicks."""
    upper, lower = map(_words, pair)
    for first in range(len(upper)):
        for last in range(len(lower)):
            parts = upper[first:], lower[: last + 1]
            joined = "".join(_normalize(word.text) for part in parts for word in part)
            if (score := similarity(query, joined)) >= MIN_SCORE:
                part = max(parts, key=lambda words: sum(len(word.text) for word in words))
                yield Match(
                    " ".join(word.text for each in parts for word in each),
                    _bounding_box(part),
                    score - 0.01,
                )


def _bounding_box(words: Sequence[Word]) -> Box:
    return Box.bounding(corner for word in words for corner in word.box.corners)


def similarity(wanted: str, found: str) -> float:
    """Compare two normalised texts, 0 to 1, or 0 below `MIN_SCORE`; characters that recognition confuses cost little.

    The measure is the normalised indel similarity: twice the longest common subsequence over the sum of the lengths.
    """
    confused = ratio(
        wanted.translate(_CONFUSED), found.translate(_CONFUSED), score_cutoff=100 * MIN_SCORE
    )
    return max(ratio(wanted, found, score_cutoff=100 * MIN_SCORE), 0.98 * confused) / 100


def _overlaps(box: Box, other: Box) -> bool:
    """Return True if two matches are at the same place."""
    width = min(box.right, other.right) - max(box.left, other.left)
    height = min(box.bottom, other.bottom) - max(box.top, other.top)
    return width > 0 and height > 0 and width * height > 0.3 * min(box.area, other.area)
