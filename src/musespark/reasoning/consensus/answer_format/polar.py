"""Yes or no in a reply: as the word, or as the question's own statement repeated or denied."""

from __future__ import annotations

import re

from musespark.reasoning.consensus.answer_format.prose import (
    clean,
    content,
    main_clause,
    sentences,
    without_brackets,
)

_YES = frozenset({"yes", "true", "yeah", "yep"})
_OPENS = re.compile(
    r"\W{0,10}(?P<word>yes|no|true|false|yeah|yep|nope)\b(?=\W*$|\s?[.,;:!)\n—–-]"
    r"| (?:because|since|it|they|he|she|this|that|there|as|the|\d))",
    re.IGNORECASE,
)
_CONCLUDES = re.compile(
    r"\b(?:answer(?: (?:is|would be|must be))?:?|so,?|therefore,?|thus,?|hence,?|conclusion:?)\s(?:it is |it's |that is "
    r"|is )?(?P<not>not )?"
    r"(?P<word>yes|no|true|false)\b(?= *(?:[.,;:!)\n]|$))",
    re.IGNORECASE,
)
_ALONE = re.compile(
    r"(?:^|[.,;:!?(\n\"'] ?|\b(?:is|says?|be) |'s )(?P<not>not )?(?P<word>yes|no|true|false)\b(?=[\"']? *(?:[.,;:!?)\n]|$))",
    re.IGNORECASE,
)
_BOTH = re.compile(r"\b(?:yes|true) (?:and|or) (?:no|false)\b|\byes/no\b", re.IGNORECASE)
_EITHER = re.compile(r"\b(?:yes|no)\b", re.IGNORECASE)
_DENIES = re.compile(r"\b(?:not|cannot)\b|n't\b", re.IGNORECASE)
_AUXILIARY = re.compile(
    r"\b(?:is|are|was|were|do|does|did|can|could|will|would|has|have|had|must|cannot)\b|(?:'s|n't)\b",
    re.IGNORECASE,
)
_CLAUSE_END = re.compile(r"[,;:()—–]| (?=(?:so|therefore|thus|hence|but|and)\b)")
_POINTS_BACK = re.compile(
    r"^(?:so |therefore |thus |hence |then |but |and |no |yes )*(?:it|they|he|she|this|that|these|those|there)\b",
    re.IGNORECASE,
)


def find_yes_no(text: str, question: str) -> str | None:
    """`yes` or `no`, where a text says one of them or says again what was asked; None if it says both or neither."""
    text = _BOTH.sub(" ", clean(text))
    if concluded := list(_CONCLUDES.finditer(text)):
        return _polarity(concluded[-1])
    if opening := _OPENS.match(text):
        return _polarity(opening)
    said = {_polarity(found) for found in _ALONE.finditer(text)}
    if said:
        return said.pop() if len(said) == 1 else None
    stated = {
        verdict
        for sentence in sentences(text)
        if (verdict := _restated(sentence, question)) is not None
    }
    return stated.pop() if len(stated) == 1 else None


def last_yes_no(text: str) -> str | None:
    """`yes` or `no`, which of them a text says last; None if it says neither."""
    found = _EITHER.findall(_BOTH.sub(" ", clean(text)))
    return found[-1].lower() if found else None


def _polarity(found: re.Match[str]) -> str:
    is_denied = bool(found.groupdict().get("not"))
    return "yes" if (found["word"].lower() in _YES) is not is_denied else "no"


def _restated(sentence: str, question: str) -> str | None:
    """`yes` or `no`, where a sentence affirms or denies the question in its own words and order."""
    asked = content(question)
    if not asked or _DENIES.search(question):
        return None
    verdicts = set()
    for clause in _CLAUSE_END.split(main_clause(without_brackets(sentence))):
        clause = clause.strip(" .!\"'")
        words = content(_DENIES.sub(" ", clause))
        points_back = bool(_POINTS_BACK.match(clause))
        if (
            not clause
            or not (_AUXILIARY.search(clause) or words == asked)
            or clause.lower().startswith(("if ", "whether "))
        ):
            continue
        has_subject = bool(words) and words[0] == asked[0]
        is_whole = (
            words == asked or (points_back and not has_subject) or (len(words) > 1 and has_subject)
        )
        if is_whole and _in_order(words, asked) and (words or len(clause.split()) <= 4):
            verdicts.add("no" if _DENIES.search(clause) else "yes")
    return verdicts.pop() if len(verdicts) == 1 else None


def _in_order(words: list[str], asked: list[str]) -> bool:
    """True if the words stand in the question in the same order."""
    remaining = iter(asked)
    return all(word in remaining for word in words)
