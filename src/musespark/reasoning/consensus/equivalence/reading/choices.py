"""Multiple choice: a letter however it is marked, several in any order, and what stands beside one."""

from __future__ import annotations

import re

from musespark.reasoning.consensus.equivalence.reading.answer import Choice

LONGEST = 60
"""Characters of the longest list of letters."""
_ALONE = re.compile(
    r"(?:(?:the )?(?:correct )?(?:option|choice|answer|alternative|letter)\s*:?\s*)?[\[({<]{0,2}\s*(?P<letter>"
    r"[A-J])\s*[\])}>]{0,2}\s*[.:)]?",
    re.IGNORECASE,
)
_BESIDE = re.compile(
    r"(?i:(?:option|choice|answer)\s+)?(?:\(\s*(?P<round>[A-Ja-j])\s*\)|\[\s*(?P<square>[A-Ja-j])\s*\]|"
    r"(?P<letter>[A-Ja-j])\s*(?:[.):]|\s[-–—](?=\s)))"
    r"[\s:*_.–—-]*(?P<content>\S.*)",
    re.DOTALL,
)
_BRACKETED = re.compile(
    r"(?:option |choice )?(?P<letter>[A-J])\s+[(\[](?P<content>.+)[)\]]", re.DOTALL | re.IGNORECASE
)
_LETTERS = re.compile(
    r"(?:both |options? |choices? |answers? )*[\[({]*(?P<letters>\(?[A-J]\)?(?:\s*(?:,\s*and|,|;|and|&|"
    r"\s)\s*\(?[A-J]\)?)+)[\])}]*(?: only)?",
    re.IGNORECASE,
)
_ROMAN = re.compile(
    r"(?:both |statements? )?(?P<numerals>(?:VI{0,3}|I{1,3}|IV|IX|X)(?:(?:\s*,\s*and|\s*,|;|\s+and|"
    r"\s*&)\s+(?:VI{0,3}|I{1,3}|IV|IX|X))+)(?: only)?"
)
_STATED = re.compile(
    r"(?:option |choice )?\(?(?P<letter>[A-J])\)?(?: only| is (?:correct|right|true|the (?:correct |right |"
    r"best )?(?:answer|option|choice)))"
)


def choice(text: str) -> Choice | None:
    """The letters that the whole text names; None if it names none.

    A small letter counts as a choice where a mark says so, or from a to d; other small letters are variables.
    """
    text = re.sub(r"[*_]{2}|`", "", text).strip()
    if re.fullmatch(r"""\[(?:\s*["'][A-J]["']\s*,?)+\]""", text):
        text = re.sub("[\"']", "", text)
    brief = (
        text if len(text) <= LONGEST else ""
    )  # longer texts may begin with a letter, but are none
    if alone := _ALONE.fullmatch(brief):
        if text != alone["letter"] or text in "abcd" or text.isupper():
            return Choice(frozenset({alone["letter"].upper()}))
        return None
    if stated := _STATED.fullmatch(brief):
        return Choice(frozenset({stated["letter"].upper()}))
    if roman := _ROMAN.fullmatch(brief):
        return Choice(frozenset(re.findall(r"[IVX]+", roman["numerals"])))
    if (several := _LETTERS.fullmatch(brief)) and (
        letters := re.findall(r"\b[A-Ja-j]\b", several["letters"])
    ):
        upper = all(letter.isupper() for letter in letters)
        if (upper and len(set(letters)) == len(letters) > 1) or (
            not upper and all("(" + letter + ")" in text for letter in letters)
        ):
            return Choice(frozenset(letter.upper() for letter in letters))
    for pattern in (_BESIDE, _BRACKETED):
        if found := pattern.fullmatch(text):
            letter = next(
                value for name, value in found.groupdict().items() if name != "content" and value
            )
            if not (pattern is _BRACKETED and letter.islower()) and not _formula_follows(
                text, found["content"]
            ):
                return Choice(frozenset({letter.upper()}), found["content"].strip())
    return None


def _formula_follows(text: str, content: str) -> bool:
    """True if the letter in brackets is a factor or a difference begins: (a)(b+1), (a) + 2, A - 3."""
    if re.match(r"\w\s[-–—]\s", text):
        return not re.match(r"[^\W\d_]{2}", content)  # A - 3 is a difference
    return content[0] in "+*/^=<>-([," and not re.match(r"[(\[][^()]*[)\]]$|-?\d", content)
