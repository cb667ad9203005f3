"""The `answer` field of a JSON object in a reply, also of one that is fenced, cut, compact or not quite JSON."""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from collections.abc import Sequence

_FIELD = re.compile(r"""["']?(?:final[_ ]?)?answer["']?\s*:\s*""", re.IGNORECASE)
_QUOTED_FIELD = re.compile(r"""["'](?:final[_ ]?)?answer["']\s*:\s*""", re.IGNORECASE)
_STRING = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_SINGLE = re.compile(r"'((?:[^'\\\n]|\\.)*+)'(?=\s*+[,}])")
# Possessive throughout: what a model repeats a thousand times must not be gone through a thousand times for each of them.
_LOOSE_END = re.compile(
    r'"(?=\s*+(?:,\s*+)?(?:\}|\Z|```)|(?:\s*+,)?[^\S\n]*+\n\s*+"|\s*+,\s*+"[^"\n]{1,60}+"\s*+:)'
)
_LINE_END = re.compile(r"\n|\}\s*+(?:```\s*+)?\Z")
# An escape that JSON knows and TeX means: "\frac" is no form feed and "rac".
_TEX = re.compile(
    r"(?<!\\)\\(?=begin|beta|bar|binom|bmod|boxed|big|bf|frac|forall|neq?\b|nu\b|not|nabla|right|rho|rm\b|rfloor|"
    r"rceil|rangle|text|times|theta|tan|tfrac|tau|to\b|triangle|underline|cup|[^\"\\/bfnrtu\n])"
)


def answer_field(text: str) -> str | None:
    """The value of the last `"answer":`."""
    found = list(_QUOTED_FIELD.finditer(text)) or (
        list(_FIELD.finditer(text)) if text.lstrip().startswith("{") else []
    )
    ends = [end.start() for end in _LOOSE_END.finditer(text)] if found else []
    for match in reversed(found):
        value = _value(text, match.end(), ends)
        if value is not None:
            return value
    return None


def _value(text: str, at: int, ends: Sequence[int]) -> str | None:
    """The JSON value that begins there, as text; None if there is none.

    ends: where quotation marks stand that a string of an object could end with.
    """
    if single := _SINGLE.match(text, at):
        return single[1]
    if not text.startswith('"', at):
        end = _LINE_END.search(text, at)
        line = text[at : end.start() if end else len(text)].strip().rstrip(",").strip(" '\"")
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
        return _unescaped(text[at + 1 : ends[later]]) if later < len(ends) else None
    return _unescaped(whole[1])


def _unescaped(inside: str) -> str:
    """Content of a JSON string, also where TeX was written without doubling its backslashes too."""
    try:
        return str(json.loads('"' + _TEX.sub(r"\\\\", inside) + '"', strict=False))
    except ValueError:
        return inside
