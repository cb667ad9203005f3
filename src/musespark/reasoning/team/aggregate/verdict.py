"""A judge's verdict on two answers, A and B, however it is written: as JSON, in brackets, as a letter, in a sentence."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

TIE = "tie"
_FIELDS = (
    *("better", "winner", "verdict", "preferred", "preference", "choice", "best", "answer"),
    *("best_answer", "better_answer", "better_response", "best_response", "final_answer"),
    *("decision", "selected", "selection", "chosen", "judgment", "judgement"),
)
_NAME = (
    r"(?:(?:the |candidate |response |option |choice )*(?:answers?|response|option|candidate|assistant|choice|"
    r"one)?\s*[\[({<\"'*_`$]{0,4}\s*(?P<letter>[AB])\b[\])}>\"'*_`$]{0,4})"
)
_EQUAL = r"(?:neither|tied?|a tie|both(?: are)?(?: equal(?:ly)?.*)?|equal(?:ly)?(?: good)?|same|draw|none|no difference|c)"
_VALUE = re.compile(
    rf"\W*(?:{_NAME}|(?P<equal>{_EQUAL}))(?:\W*|\s+is\b.*|\W+.*\b(?:better|right|correct)\b.*)",
    re.IGNORECASE | re.DOTALL,
)
_BRACKETED = re.compile(
    r"\[\[\s*(?:answer\s+)?(?P<letter>[AB])\s*\]\]|\[\[\s*(?P<equal>C|tie|neither)\s*\]\]|"
    r"\\boxed\{\s*(?:\\text\{)?\s*(?P<boxed>[AB])\s*\}|"
    r"<(?P<tag>answer|verdict|choice|winner|better|best|decision)>\s*(?:answer\s+)?(?P<tagged>[AB])\s*</(?P=tag)>|"
    r"\A\s*<answer\s+id=[\"']?(?P<opened>[AB])[\"']?\s*/?>(?:\s*</answer>)?\s*\Z",
    re.IGNORECASE,
)
_THOUGHT = re.compile(
    r"\A\s*<(think|thinking|thought|reasoning)>.*?</\1>", re.DOTALL | re.IGNORECASE
)
_OVER = re.compile(
    r"\W*(?i:(?:the )?(?:answer|response|option|candidate|choice)\W+)?(?P<letter>[AB])\b[^\w>]{0,5}"
    r"(?:(?:and )?not|rather than|instead of|over|>+)\W+(?i:(?:answer|response|option|candidate)\W+)?(?!(?P=letter))[AB]\b\W*"
)
"""One letter rather than the other, and nothing else."""
_ELSEWHERE = re.compile(
    r"(?<![A-Za-z])(?P<letter>[AB])(?![A-Za-z])[^\n.。!?AB]{0,12}?"
    r"(?:besser|richtig|korrekt|meilleure?|correcte?|mejor|correct[ao]|melhor|migliore|corrett[ao]|лучше|верн|правил|更好|更佳|正确|正解|優れ)",
)
_NEGATION = re.compile(r"\b(?:nicht|kein\w*|pas|no|não|non|не)\b|不|ない", re.IGNORECASE)
_LABELLED = re.compile(
    rf"\b(?:better(?: answer)?|verdict|winner|preferred|preference|(?:final |my )?(?:choice|decision|judg[e]?ment)|final "
    rf"answer|best)\b[\"'*_`]{{0,4}}\s*(?:is|[:=])\s*[\"'*_`]{{0,4}}\s*"
    rf"(?:{_NAME}|(?P<equal>{_EQUAL})(?!\w))",
    re.IGNORECASE,
)
_SENTENCES = re.compile(r"(?<=[.!?])\s+|\n+")
_GOOD = (
    r"(?:better|best|right|correct|stronger|superior|preferable|more (?:accurate|correct|complete|precise)|preferred|the "
    r"winner|wins?|accurate)"
)
_BAD = (
    r"(?:worse|wrong|incorrect|weaker|inferior|mistaken|flawed|less (?:accurate|correct|complete))"
)
_LETTER = r"[\[({<\"'*_`]{0,4}(?:answer |response |option |candidate )?[\[({<\"'*_`]{0,4}(?P<letter>[AB])\b[\])}>\"'*_`]{0,4}"
_IS = (
    r"\s+(?:is|was|seems|looks|appears|would be|has|must be|gives)(?:\s+(?:clearly|definitely|slightly|much|far|overall|the|"
    r"to be|also|therefore|thus|a|an|both|answer))*\s+"
)
_PROSE = (
    (re.compile(_LETTER + _IS + r"(?P<negated>not\s+)?" + _GOOD + r"\b", re.IGNORECASE), False),
    (
        re.compile(
            _LETTER
            + r"\s+(?P<negated>is not|isn't|does not|doesn't)?\s*(?:wins?|beats|outperforms|deserves)\b",
            re.IGNORECASE,
        ),
        False,
    ),
    (re.compile(_LETTER + _IS + r"(?P<negated>not\s+)?" + _BAD + r"\b", re.IGNORECASE), True),
    (
        re.compile(
            r"\b(?:i (?:would |clearly )?(?:prefer|choose|pick|favou?r|select|go with)|(?:the )?(?:better|best|right|"
            r"correct|stronger|winning) (?:answer|one|response|option|choice)"
            r"(?: here)? (?:is|would be)|in favou?r of)\s+(?P<negated>not\s+)?" + _LETTER,
            re.IGNORECASE,
        ),
        False,
    ),
)
_TIED = re.compile(
    r"\b(?:neither (?:answer |one |of them )?is (?:better|right|correct)|(?:they|both|the two|the answers|both "
    r"answers) are (?:equally|the same|equal|equivalent|tied|both)|"
    r"(?:it is|it's|this is) a (?:tie|draw)|equally (?:good|correct|right|valid|bad|wrong)|no difference between)\b",
    re.IGNORECASE,
)
_UNSURE = re.compile(
    r"\b(?:can(?:not|'t| not)|unable to|not able to|impossible to|hard to) (?:decide|tell|say|judge|"
    r"determine|choose)\b|\bundecided\b",
    re.IGNORECASE,
)


LONGEST = 10_000
"""Characters of a reply's end that are read."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """A judge's word on one ordered pair."""

    better: str | None
    """`A`, `B`, or `tie`; None if the judge cannot decide, or no verdict can be read."""
    reason: str


def verdict_in(text: str) -> Verdict:
    """The verdict in a judge's reply.

    JSON counts first, then double brackets and boxes (Zheng et al., 2023), then a label or a letter alone, then the last sentence
    that says which is better, or worse.
    """
    text = _THOUGHT.sub("", text)[-LONGEST:]
    said = _object(text)
    if said is not None:
        reason = " ".join(str(said.get("reason", "")).split())
        for name in _FIELDS:
            if name in said:
                return Verdict(_value(said[name]), reason)
    reason = " ".join(text.split())[:200]
    if (found := _last(_BRACKETED.finditer(text))) is not None:
        return Verdict(found, reason)
    if _UNSURE.search(text):
        return Verdict(None, reason)
    if (found := _last(_LABELLED.finditer(text))) is not None:
        return Verdict(found, reason)
    whole = _value(text) if len(text.split()) <= 3 else None
    return Verdict(whole or _prose(text), reason)


def _object(text: str) -> dict[str, object] | None:
    """The last JSON object in the text that has a verdict in it."""
    decoder = json.JSONDecoder(strict=False)
    for start in [found.start() for found in re.finditer(r"\{", text)][-20:]:
        try:
            said, _ = decoder.raw_decode(text, start)
        except (ValueError, RecursionError):
            continue
        if isinstance(said, dict):
            lower = {str(name).lower(): value for name, value in said.items()}
            if any(name in lower for name in _FIELDS):
                return lower
    return None


def _value(said: object) -> str | None:
    """The verdict that a field's value, or a whole reply, is."""
    if not isinstance(said, str):
        return None
    found = _VALUE.fullmatch(said.strip())
    if found is None:
        return None
    return TIE if found["equal"] else found["letter"].upper()


def _last(marks: Iterator[re.Match[str]]) -> str | None:
    found = list(marks)
    if not found:
        return None
    parts = found[-1].groupdict()
    names = ("letter", "boxed", "tagged", "opened")
    letter = next(parts[name] for name in ("equal", *names) if parts.get(name))
    return TIE if parts.get("equal") else letter.upper()


def _prose(text: str) -> str | None:
    """The verdict of the last sentence that has one; None if there is none, or it has two."""
    for sentence in reversed(_SENTENCES.split(text)):
        if _TIED.search(sentence):
            return TIE
        if (over := _OVER.fullmatch(sentence)) is not None:
            return over["letter"]
        better: set[str] = set()
        for pattern, worse in _PROSE:
            for found in pattern.finditer(sentence):
                letter = found["letter"].upper()
                if not found["letter"].isupper():
                    continue  # the article
                turned = worse != bool(found["negated"])
                better.add({"A": "B", "B": "A"}[letter] if turned else letter)
        if not better and not _NEGATION.search(sentence):
            better = {found["letter"] for found in _ELSEWHERE.finditer(sentence)}
        if len(better) == 1:
            return better.pop()
        if better:
            return None
    return None
