r"""Place of the answer in a reply: a JSON object's field, \boxed{...}, a tag, a line or sentence that says so, the last line."""

from __future__ import annotations

import re

from musespark.reasoning.consensus.equivalence.json_field import answer_field
from musespark.reasoning.consensus.equivalence.phrases import last_said, value_of_sentence

_BOXED = re.compile(r"\\(?:boxed|fbox)\s*\{")
_BRACE = re.compile(r"(?P<box>\\(?:boxed|fbox)\s*)?\{|\}")
_UNBRACED = re.compile(r"\\boxed[ \t]+([^\s{$\\]+)")
_TAG = re.compile(r"<(/?)(?:final[_-]?)?answer>", re.IGNORECASE)
_HASHES = re.compile(r"^####[ \t]+(\S[^\n]*)$", re.MULTILINE)
_FENCE = re.compile(r"```[\w+-]*+[ \t]*+\n")
AT_MOST = 100_000
"""Characters of a reply's end that are searched."""


def answer_in(text: str) -> str:
    """The part of a reply that is compared with others: what is marked as the answer, else its last line or fenced block.

    Of a last line that is a sentence about one number ("The total is 72 clips.") it is that number.
    """
    marked = marked_answer(text)
    if marked is not None:
        return marked
    text = text[-AT_MOST:]
    body = text.rstrip().removesuffix("```")
    if body != text.rstrip() and (fence := _FENCE.search(body)):
        return body[fence.end() :].strip()
    line = next((line.strip() for line in reversed(text.splitlines()) if line.strip()), "")
    return value_of_sentence(line) or line


def marked_answer(text: str) -> str | None:
    r"""The answer that the reply itself marks; None if it marks none.

    The `answer` field of a JSON object wins, also of one that is fenced, cut or not quite JSON; then the last of \boxed{...}, of
    an `<answer>` tag, of a line that begins with "Answer:" (in several languages) or with "####", and of a sentence that says that
    the answer is something.
    """
    text = text[-AT_MOST:]
    field = answer_field(text) if "answer" in text.casefold() else None
    if field is not None:
        return _plain_answer(field)
    found = [
        each
        for each in (_last_boxed(text), _last_tagged(text), _last_hashed(text), last_said(text))
        if each is not None
    ]
    return _plain_answer(max(found)[1]) if found else None


def _plain_answer(marked: str) -> str:
    """The marked text, without boxes and emphasis; of a sentence about one number that number."""
    answer = _bare(marked)
    return value_of_sentence(answer) or answer


def _last_tagged(text: str) -> tuple[int, str] | None:
    """Start and content of the last answer tag; a tag that is not closed holds its line."""
    opened: re.Match[str] | None = None
    last: tuple[int, str] | None = None
    for tag in _TAG.finditer(text):
        if not tag[1]:
            opened = tag
        elif opened is not None:
            last, opened = (opened.start(), text[opened.end() : tag.start()].strip()), None
    if opened is not None and (line := text[opened.end() :].strip().partition("\n")[0].strip()):
        return opened.start(), line
    return last if last is not None and last[1] else None


def _last_hashed(text: str) -> tuple[int, str] | None:
    """The last line that begins with four hashes, unless it is a heading: a number, or the last line of all."""
    for found in reversed(list(_HASHES.finditer(text))):
        if re.match(r"[-+$€£\d\\(]", found[1]) or (
            not text[found.end() :].strip() and not found[1].endswith(":")
        ):
            return found.start(), found[1].strip()
    return None


def _last_boxed(text: str) -> tuple[int, str] | None:
    """Start of the last closed box, and its content."""
    first = _BOXED.search(text)
    if first is None:
        loose = list(_UNBRACED.finditer(text))
        return (loose[-1].start(), loose[-1][1].rstrip(".")) if loose else None
    last: tuple[int, int, int] | None = None
    opened: list[re.Match[str]] = []
    for brace in _BRACE.finditer(text, first.start()):
        if brace[0] != "}":
            opened.append(brace)
        elif opened:
            box = opened.pop()
            if box["box"] and (last is None or box.start() > last[0]):
                last = box.start(), box.end(), brace.start()
    return (last[0], text[last[1] : last[2]]) if last else None


def _bare(answer: str) -> str:
    """Without the emphasis, the box and the dollar signs that stand around the whole of it."""
    answer = answer.strip()
    while True:
        inner = answer.strip("*_ \t\n") if answer.startswith(("**", "__")) else answer
        boxed = _last_boxed(inner) if inner.endswith(("}", "$", ".")) else None
        if boxed is not None and inner[: boxed[0]].strip(" $:") == "":
            inner = boxed[1]
        if inner == answer:
            return answer
        answer = inner.strip()
