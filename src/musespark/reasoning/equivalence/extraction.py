r"""Where in a reply the answer is: a JSON object's field, \boxed{...}, a line that says so, or the last line."""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from collections.abc import Sequence

_FIELD = re.compile(r"""["']?answer["']?\s*:\s*""", re.IGNORECASE)
_QUOTED_FIELD = re.compile(r"""["']answer["']\s*:\s*""", re.IGNORECASE)
_LINE = re.compile(r"(?:^|\n)[ \t>*_#-]*(?:the\s+)?(?:final\s+)?answer(?:\s+is)?\s*[:：][ \t*_]*(?P<answer>\S[^\n]*)"
                   r"|\b(?:the|my)\s+(?:final\s+)?answer\s+is:?[ \t*_]+(?P<said>\S[^\n]*)", re.IGNORECASE)
_BOXED = re.compile(r"\\(?:boxed|fbox)\s*\{")
_BRACE = re.compile(r"(?P<box>\\(?:boxed|fbox)\s*)?\{|\}")
_STRING = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
# Possessive throughout: what a model repeats a thousand times must not be gone through a thousand times for each of them.
_LOOSE_END = re.compile(r'"(?=\s*+(?:,\s*+)?(?:\}|\Z|```)|(?:\s*+,)?[^\S\n]*+\n\s*+")')
_LINE_END = re.compile(r"\n|\}\s*+(?:```\s*+)?\Z")
_FENCE = re.compile(r"```[\w+-]*+[ \t]*+\n")
# An escape that JSON knows and TeX means: "\frac" is no form feed and "rac".
_TEX = re.compile(r"(?<!\\)\\(?=begin|beta|bar|binom|bmod|boxed|big|bf|frac|forall|neq?\b|nu\b|not|nabla|right|rho|rm\b|rfloor|"
                  r"rceil|rangle|text|times|theta|tan|tfrac|tau|to\b|triangle|underline|cup|[^\"\\/bfnrtu\n])")
AT_MOST = 100_000
"""Characters of a reply's end that are searched."""


def answer_in(text: str) -> str:
    """The part of a reply that is compared with others: what is marked as the answer, else its last line or fenced block."""
    marked = marked_answer(text)
    if marked is not None:
        return marked
    text = text[-AT_MOST:]
    body = text.rstrip().removesuffix("```")
    if body != text.rstrip() and (fence := _FENCE.search(body)):
        return body[fence.end():].strip()
    return next((line.strip() for line in reversed(text.splitlines()) if line.strip()), "")


def marked_answer(text: str) -> str | None:
    r"""What the reply itself calls its answer; None where it does not.

    The `answer` field of a JSON object wins, also of one that is fenced, cut or not quite JSON; then the last of \boxed{...} and
    of a line that begins with "Answer:" or says that the answer is something.
    """
    text = text[-AT_MOST:]
    says = "answer" in text.casefold()  # the patterns take many times as long to find that it does not
    field = _field(text) if says else None
    if field is not None:
        return _bare(field)
    boxed, said = _last_boxed(text), _last_said(text) if says else None
    if boxed is None and said is None:
        return None
    _, answer = max(found for found in (boxed, said) if found is not None)
    return _bare(answer)


def _field(text: str) -> str | None:
    """The value of the last `"answer":`."""
    found = list(_QUOTED_FIELD.finditer(text)) or (list(_FIELD.finditer(text)) if text.lstrip().startswith("{") else [])
    ends = [end.start() for end in _LOOSE_END.finditer(text)] if found else []
    for match in reversed(found):
        value = _value(text, match.end(), ends)
        if value is not None:
            return value
    return None


def _value(text: str, at: int, ends: Sequence[int]) -> str | None:
    """The JSON value that begins there, as text; None where there is none.

    ends: where quotation marks stand that a string of an object could end with.
    """
    if not text.startswith('"', at):
        end = _LINE_END.search(text, at)
        line = text[at:end.start() if end else len(text)].strip().rstrip(",").strip(" '\"")
        if not line:
            return None
        try:
            value, _ = json.JSONDecoder().raw_decode(text, at)
            return json.dumps(value, ensure_ascii=False)
        except (ValueError, RecursionError):
            return line
    whole = _STRING.match(text, at)
    if whole is None or not _LOOSE_END.match(text, whole.end() - 1):
        # A quotation mark within the string was not escaped: it ends where an object would go on.
        later = bisect_right(ends, at)
        return _unescaped(text[at + 1:ends[later]]) if later < len(ends) else None
    return _unescaped(whole[1])


def _unescaped(inside: str) -> str:
    """What a JSON string says, where TeX was written without doubling its backslashes too."""
    try:
        return str(json.loads('"' + _TEX.sub(r"\\\\", inside) + '"', strict=False))
    except ValueError:
        return inside


def _last_boxed(text: str) -> tuple[int, str] | None:
    """Where the last box that is closed begins, and what is in it."""
    first = _BOXED.search(text)
    if first is None:
        return None
    last: tuple[int, int, int] | None = None
    opened: list[re.Match[str]] = []
    for brace in _BRACE.finditer(text, first.start()):
        if brace[0] != "}":
            opened.append(brace)
        elif opened:
            box = opened.pop()
            if box["box"] and (last is None or box.start() > last[0]):
                last = box.start(), box.end(), brace.start()
    return (last[0], text[last[1]:last[2]]) if last else None


def _last_said(text: str) -> tuple[int, str] | None:
    found = list(_LINE.finditer(text))
    return (found[-1].start(), (found[-1]["answer"] or found[-1]["said"]).strip().removesuffix(".")) if found else None


def _bare(answer: str) -> str:
    """Without the emphasis, the box and the dollar signs that stand around the whole of it."""
    answer = answer.strip()
    while True:
        inner = answer.strip("*_ \t\n") if answer.startswith(("**", "__")) else answer
        boxed = _last_boxed(inner) if inner.endswith(("}", "$", ".")) else None
        if boxed is not None and inner[:boxed[0]].strip(" $:") == "":
            inner = boxed[1]
        if inner == answer:
            return answer
        answer = inner.strip()
