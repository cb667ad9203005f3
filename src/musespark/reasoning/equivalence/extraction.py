r"""Where in a reply the answer is: a JSON object's field, \boxed{...}, a line that says so, or the last line."""

from __future__ import annotations

import json
import re

_FIELD = re.compile(r"""["']?answer["']?\s*:\s*""", re.IGNORECASE)
_QUOTED_FIELD = re.compile(r"""["']answer["']\s*:\s*""", re.IGNORECASE)
_LINE = re.compile(r"(?:^|\n)[ \t>*_#-]*(?:the\s+)?(?:final\s+)?answer(?:\s+is)?\s*[:：][ \t*_]*(?P<answer>\S[^\n]*)"
                   r"|\b(?:the|my)\s+(?:final\s+)?answer\s+is:?[ \t*_]+(?P<said>\S[^\n]*)", re.IGNORECASE)
_BOXED = re.compile(r"\\(?:boxed|fbox)\s*\{")
_STRING = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_LOOSE_END = re.compile(r'"\s*,?\s*(?:\}|\Z|```|\n\s*["}])')
_FENCE = re.compile(r"```[\w+-]*[ \t]*\n(.*?)\n?[ \t]*```\s*\Z", re.DOTALL)
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
    if fence := _FENCE.search(text):
        return fence[1].strip()
    return next((line.strip() for line in reversed(text.splitlines()) if line.strip()), "")


def marked_answer(text: str) -> str | None:
    r"""What the reply itself calls its answer; None where it does not.

    The `answer` field of a JSON object wins, also of one that is fenced, cut or not quite JSON; then the last of \boxed{...} and
    of a line that begins with "Answer:" or says that the answer is something.
    """
    text = text[-AT_MOST:]
    field = _field(text)
    if field is not None:
        return _bare(field)
    boxed, said = _last_boxed(text), _last_said(text)
    if boxed is None and said is None:
        return None
    _, answer = max(found for found in (boxed, said) if found is not None)
    return _bare(answer)


def _field(text: str) -> str | None:
    """The value of the last `"answer":`."""
    found = list(_QUOTED_FIELD.finditer(text)) or (list(_FIELD.finditer(text)) if text.lstrip().startswith("{") else [])
    for match in reversed(found):
        value = _value(text[match.end():])
        if value is not None:
            return value
    return None


def _value(rest: str) -> str | None:
    """The JSON value that the text begins with, as text; None where there is none."""
    if not rest.startswith('"'):
        try:
            value, _ = json.JSONDecoder().raw_decode(rest)
        except (ValueError, RecursionError):
            return re.split(r"\n|\}\s*(?:```)?\s*\Z", rest, maxsplit=1)[0].strip().rstrip(",").strip(" '\"") or None
        return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    whole = _STRING.match(rest)
    if whole is None or not _LOOSE_END.match(rest, whole.end() - 1):
        # A quotation mark within the string was not escaped: it ends where an object would go on.
        end = _LOOSE_END.search(rest, 1)
        return _unescaped(rest[1:end.start()]) if end else None
    return _unescaped(whole[1])


def _unescaped(inside: str) -> str:
    """What a JSON string says, where TeX was written without doubling its backslashes too."""
    try:
        return str(json.loads('"' + _TEX.sub(r"\\\\", inside) + '"', strict=False))
    except ValueError:
        return inside


def _last_boxed(text: str) -> tuple[int, str] | None:
    for match in reversed(list(_BOXED.finditer(text))):
        depth = 1
        for at in range(match.end(), len(text)):
            depth += {"{": 1, "}": -1}.get(text[at], 0)
            if depth == 0:
                return match.start(), text[match.end():at]
    return None


def _last_said(text: str) -> tuple[int, str] | None:
    found = list(_LINE.finditer(text))
    return (found[-1].start(), (found[-1]["answer"] or found[-1]["said"]).strip().removesuffix(".")) if found else None


def _bare(answer: str) -> str:
    """Without the emphasis, the box and the dollar signs that stand around the whole of it."""
    answer = answer.strip()
    while True:
        inner = answer.strip("*_ \t\n") if answer.startswith(("**", "__")) else answer
        boxed = _last_boxed(inner)
        if boxed is not None and inner[:boxed[0]].strip(" $:") == "" and inner.endswith(("}", "$", ".")):
            inner = boxed[1]
        if inner == answer:
            return answer
        answer = inner.strip()
