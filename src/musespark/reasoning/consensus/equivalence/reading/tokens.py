r"""The signs of a formula: numbers as they are grouped in several countries, names, TeX commands, operators."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction

from musespark.reasoning.consensus.equivalence.reading.unreadable import Unreadable

_REPEATING = re.compile(
    r"(?P<whole>\d*)\.(?P<fixed>\d*?)(?:\\overline\s*\{\s*(?P<bar>\d+)\s*\}|\((?P<round>\d+)\)|"
    r"(?P<dots>\d+)(?:\.\.\.|\\ldots))"
)
_OVERLINED = re.compile("(?P<whole>\\d*)\\.(?P<fixed>(?:\\d(?!\u0305))*)(?P<bar>(?:\\d\u0305)+)")
_GROUPED = re.compile(
    r"(?:\d{1,3}(?:,\d{3})+|\d{1,2}(?:,\d{2})+,\d{3})(?![\d,])(?:\.\d+)?|\d{1,3}(?:'\d{3})+(?![\d'])(?:\.\d+)?|"
    r"\d{1,3}(?:_\d{3})+(?![\d_])|\d{1,3}(?:\.\d{3})+,\d{1,2}(?![\d,])|\d{1,3}(?:\.\d{3}){2,}(?![\d.])|"
    r"\d{1,3}(?: \d{3})+,\d{1,2}(?![\d,])|\d{1,3}(?: \d{3})+(?![\d/])(?:\.\d+)?"
)
_PLAIN = re.compile(r"\d+\.\d+|\.\d+|\d+\.(?!\.)|\d+")
_EXPONENT = re.compile(r"[eE]([-+]?\d{1,4})(?![\d.a-zA-Z])")
_MIXED = re.compile(
    r"(?P<whole>\d+)(?:\s+and\s+|\s+|\s*(?=\\frac))(?:(?P<above>\d+)\s*/\s*(?P<below>\d+)|"
    r"\\frac\s*\{\s*(?P<over>\d+)\s*\}\s*\{\s*(?P<under>\d+)\s*\})(?!\s*[\d/])"
)
_TOKEN = re.compile(
    r"\\begin\s*\{(?P<begin>[a-z]+\*?)\}|\\end\s*\{(?P<end>[a-z]+\*?)\}|\\(?P<command>[a-zA-Z]+|[{}|\\])|"
    r"(?P<name>[^\W\d_]+'*)|(?P<operator>\*\*|<=|>=|!=|==|\.\.\.|->|=>|[-+*/^_=<>!|(){}\[\],;:&%'~$€£¥])"
)
MOST = 200
"""Signs of the longest formula that is read."""


@dataclass(frozen=True, slots=True)
class Token:
    """One sign."""

    kind: str
    """`number`, `name`, `command`, `begin`, `end`, `operator`."""
    text: str
    value: Fraction = Fraction(0)
    spaced: bool = False
    """True if a space stands before it."""


def tokens(text: str) -> list[Token]:
    """The signs of a text in the notation of `notation.plain`. Raises `Unreadable` if one is none of a formula."""
    found: list[Token] = []
    at, depth = 0, 0
    while at < len(text):
        if text[at].isspace():
            at += 1
            continue
        spaced = at > 0 and text[at - 1].isspace()
        numeral = _numeral(text, at, depth > 0) if text[at].isdigit() or text[at] == "." else None
        if numeral is not None:
            value, end = numeral
            found.append(Token("number", text[at:end], value, spaced))
        else:
            match = _TOKEN.match(text, at)
            if match is None:
                raise Unreadable(f"no sign of a formula: {text[at]!r}")
            end = match.end()
            kind = match.lastgroup or "operator"
            found.append(Token(kind, match[kind], spaced=spaced))
            depth += {"(": 1, "[": 1, ")": -1, "]": -1}.get(match[0], 0) + {
                r"\{": 1,
                r"\}": -1,
            }.get(match[0], 0)
        if len(found) > MOST:
            raise Unreadable("too long")
        at = end
    return found


def _numeral(text: str, at: int, inside: bool) -> tuple[Fraction, int] | None:
    """The number that begins there, and where it ends; inside brackets a comma separates items and groups no digits."""
    if not text[at].isascii():
        return None
    mixed = _MIXED.match(text, at)
    if (
        mixed
        and (below := int(mixed["below"] or mixed["under"]))
        and int(mixed["above"] or mixed["over"]) < below
    ):
        return int(mixed["whole"]) + Fraction(
            int(mixed["above"] or mixed["over"]), below
        ), mixed.end()
    for pattern in (_REPEATING, _OVERLINED):
        if (repeating := pattern.match(text, at)) and (value := _repeated(repeating)) is not None:
            return value, repeating.end()
    grouped = None if inside and "," in text else _GROUPED.match(text, at)
    found = grouped or _PLAIN.match(text, at)
    if found is None:
        return None
    value = decimal(found[0])
    exponent = _EXPONENT.match(text, found.end())
    if exponent:
        return value * Fraction(10) ** int(exponent[1]), exponent.end()
    return value, found.end()


def decimal(text: str) -> Fraction:
    """The value of digits that are grouped by commas, points, spaces, apostrophes or underscores."""
    if re.fullmatch(r"\d{1,3}(?:[. ]\d{3})+,\d{1,2}", text):
        return Fraction(re.sub("[. ]", "", text).replace(",", "."))
    if re.fullmatch(r"\d{1,3}(?:\.\d{3}){2,}", text):
        return Fraction(text.replace(".", ""))
    return Fraction(re.sub(r"[,' _]", "", text).removesuffix("."))


def _repeated(found: re.Match[str]) -> Fraction | None:
    """The value of 0.1(6), with a bar, or as 0.1666... (three equal digits, or a group of digits twice)."""
    parts = found.groupdict()
    fixed, block = (
        parts["fixed"],
        (parts.get("bar") or parts.get("round") or "").replace("\u0305", ""),
    )
    if parts.get("dots"):
        digits = fixed + parts["dots"]
        repeated = re.fullmatch(r"(\d*?)(?:(\d)\2{2,}|(\d{2,6})\3+)", digits)
        if repeated is None:
            return None
        fixed, block = repeated[1], repeated[2] or repeated[3]
    whole = Fraction(int(parts["whole"] or 0))
    scale = 10 ** len(fixed)
    return (
        whole
        + Fraction(int(fixed or 0), scale)
        + Fraction(int(block), scale * (10 ** len(block) - 1))
    )
