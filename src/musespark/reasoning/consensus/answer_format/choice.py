"""The option that a reply settles on.

Each mention of an option, by its letter or by its words, is replaced by one character of a private range; what a reply says about
the mentions is then told by short patterns over these characters and the words between them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from musespark.reasoning.consensus.answer_format.offered import Option
from musespark.reasoning.consensus.answer_format.prose import (
    clean,
    content,
    main_clause,
    sentences,
    without_brackets,
)
from musespark.reasoning.consensus.equivalence.exact import normalised

_BY_LETTER, _BY_WORDS = 0xE000, 0xE100
_JOINT = "\ue0ff"
_PRIVATE = re.compile("[\ue000-\uf8ff]")
_M = "[\ue000-\ue01a]"
"""A mention of an option."""
_GROUP = rf"(?:the |an? )?{_M}(?:{_JOINT}{_M})*"

_LISTED = re.compile(
    rf"{_M}(?:(?:, ?|/| ?& ?)(?:the |an? )?{_M})*(?:,? (?:and|or|nor) (?:the |an? )?{_M})?"
)
_SET_ASIDE = re.compile(
    rf"\b(?:among|of|between|out of|from|comparing|given|considering|over|unlike"
    rf"|like)(?: (?:the )?(?:numbers|options|words|two|three))?"
    rf":? {_GROUP}",
    re.IGNORECASE,
)
_BEATEN = re.compile(rf"\bthan (?:both )?(?P<group>{_GROUP})", re.IGNORECASE)
_THAN = "\ue0fe"
_DENIES = re.compile(r"\b(?:not|never|cannot)\b|n't\b", re.IGNORECASE)
_NOT_BEFORE = re.compile(
    rf"(?:\b(?:not|nor|neither|rather than|instead of|except|excluding|rules? out|ruled out|eliminates?|eliminated|exclude)|n't) "
    rf"(?!only\b)(?:(?:be|option|choice|the|by) ){{0,2}}(?P<group>{_GROUP})",
    re.IGNORECASE,
)
_NOT_AFTER = re.compile(
    rf"(?P<group>{_GROUP}) (?:(?:is|are|was|were|seems?|must be|would be|can be|could be) )?(?:both |all |clearly |also "
    rf"|definitely )?"
    r"(?:not\b|wrong\b|incorrect\b|false\b|(?:ruled )?out\b|excluded\b|eliminated\b|cannot\b|can't\b|isn't\b"
    r"|aren't\b|wasn't\b|doesn't\b|don't\b"
    r"|do not\b|does not\b|did not\b|didn't\b|won't\b)[^,;:\n]{0,80}",
    re.IGNORECASE,
)
_COMPARED = re.compile(rf"{_M} ?[<>≤≥] ?[^,;\n]{{0,80}}")
_CLAUSE_END = re.compile(
    r"[;:()—–!?]|,|(?<!\d)\.(?!\d)"
    r"| (?=(?:and|but|while|whereas|though|although|so|therefore|thus|hence)\b)"
)
_CONCLUDES = re.compile(
    r"\b(?:so|therefore|thus|hence|answer|choose|pick|select|conclude|correct|right|leaves)\b",
    re.IGNORECASE,
)
_IS_LAST = re.compile(rf"(?:\b(?:is|are|was|be|choose|pick|select)|'s) (?:the |an? )?{_M}$")
_MEANT_ALONE = frozenset(
    {"yes", "no", "true", "false", "both", "none", "neither", "it", "all", "maybe"}
)
_ARTICLE = re.compile(r"(?:the|an?) ", re.IGNORECASE)


def find_option(text: str, options: Sequence[Option], question: str) -> Option | None:
    """The option that a text settles on; None if it names none, several, or one whose letter and words contradict each other."""
    text = _PRIVATE.sub("", text)
    if whole := _whole(text, options):
        return whole
    marked = _with_mentions(clean(text), options)
    if marked is None:
        return None
    read = _Clauses(content(question), len(options))
    for sentence in sentences(marked):
        read.add(sentence)
    place = read.settled()
    return None if place is None else options[place]


def last_option(text: str, options: Sequence[Option]) -> Option | None:
    """The option that a text mentions last; None if it mentions none."""
    marked = _with_mentions(clean(_PRIVATE.sub("", text)), options)
    places = _places(marked) if marked else []
    return options[places[-1]] if places else None


class _Clauses:
    """Options that the clauses of a reply support, reject or name."""

    def __init__(self, question: list[str], count: int) -> None:
        self.question = set(question[1:] if len(question) > 2 else question)
        self.category = set(question) - self.question
        self.count = count
        self.concluded: list[int | None] = []
        self.supported: set[int] = set()
        self.rejected: set[int] = set()
        self.named: list[int] = []
        self.better: set[int] = set()
        self.beaten: set[int] = set()

    def add(self, sentence: str) -> None:
        """Take in one sentence."""
        outside = without_brackets(sentence)
        sentence = outside if re.search(_M, outside) else sentence
        main = main_clause(sentence)
        sentence = main if re.search(_M, main) else sentence
        sentence = _LISTED.sub(lambda found: _JOINT.join(re.findall(_M, found[0])), sentence)
        for pattern in (_NOT_BEFORE, _NOT_AFTER):
            for found in pattern.finditer(sentence):
                self.rejected.update(_places(found["group"]))
            sentence = pattern.sub(" ", sentence)
        for found in _BEATEN.finditer(sentence):
            self.beaten.update(_places(found["group"]))
            self.named.extend(_places(found["group"]))
        sentence = _BEATEN.sub(_THAN, sentence)
        sentence = _COMPARED.sub(" ", _SET_ASIDE.sub(" ", sentence))
        for clause in _CLAUSE_END.split(sentence):
            if places := set(_places(clause)):
                self._weigh(" ".join(clause.split()), places)

    def _weigh(self, clause: str, places: set[int]) -> None:
        """Take in what one clause says about the options that it names."""
        self.named.extend(places)
        concludes = bool(_CONCLUDES.search(clause))
        words = set(content(_PRIVATE.sub(" ", clause)))
        foreign = words - self.question - self.category
        if len(places) > 1:
            if concludes or not words:
                self.concluded.extend([None] if concludes else [])
            return
        if _DENIES.search(clause):
            self.rejected.update(places)
            return
        place = min(places)
        if _THAN in clause:
            if not foreign and words:
                self.better.add(place)
        elif not foreign or (self.question and self.question <= words):
            self.supported.add(place)
            if concludes:
                self.concluded.append(place)
        elif concludes and _IS_LAST.search(clause):
            self.concluded.append(place)

    def settled(self) -> int | None:
        """The option that stands at the end; None if it is not one alone."""
        if self.concluded:
            last = self.concluded[-1]
            return (
                last
                if last is None or last not in self.rejected or self.concluded.count(last) > 1
                else None
            )
        for chosen in (self.supported - self.rejected, self.better - self.beaten - self.rejected):
            if len(chosen) == 1:
                return min(chosen)
            if chosen:
                return None
        return None


def _places(text: str) -> list[int]:
    return [ord(each) - _BY_LETTER for each in re.findall(_M, text)]


def _whole(text: str, options: Sequence[Option]) -> Option | None:
    """The option that a short text is, and nothing more."""
    plain = normalised(text[:500].strip(" \t\n$()[]*.`_")) if len(text) < 500 else ""
    named = (
        option
        for option in options
        if plain in (normalised(option.text).strip("()[]"), option.label.casefold())
    )
    return next(named, None) if plain else None


def _with_mentions(text: str, options: Sequence[Option]) -> str | None:
    """The text with a character for each mention; None if a letter and the words beside it name different options."""
    text = _words_replaced(text, options)
    if options[0].label:
        text = _letters_replaced(text, options)
    by_letter, by_words = "[\ue000-\ue01a]", "[\ue100-\ue11a]"
    task_group = (
        rf"(?P<one>{by_letter})[ .:–-]{{0,3}}(?:the |an? )?(?P<other>{by_words})"
        rf"|(?P<words>{by_words}) ?(?P<letter>{by_letter})"
    )
    for beside in re.finditer(task_group, text):
        letter, words = beside["one"] or beside["letter"], beside["other"] or beside["words"]
        if ord(letter) - _BY_LETTER != ord(words) - _BY_WORDS:
            return None
    text = re.sub(by_words, lambda found: chr(ord(found[0]) - _BY_WORDS + _BY_LETTER), text)
    return re.sub(rf"({_M})(?:[ .:,–-]{{0,3}}(?:the |an? )?\1)+", r"\1", text)


def _words_replaced(text: str, options: Sequence[Option]) -> str:
    """The text with a character for each option that it names by its words; the longest names first."""
    names = {
        _ARTICLE.sub("", clean(option.text).rstrip("."), count=1).casefold(): place
        for place, option in enumerate(options)
    }
    spelled = [
        name for name in sorted(names, key=len, reverse=True) if len(name) > 1 or not name.isalpha()
    ]
    if not spelled:
        return text
    alone, plural = r"(?=[ *_]?(?:[.,;:!)\n]|$))", r"(?:e?s)?"
    pattern = "|".join(
        re.escape(name) + (alone if name in _MEANT_ALONE else plural) for name in spelled
    )

    def replaced(found: re.Match[str]) -> str:
        name = found[0].casefold()
        known = next(
            (
                each
                for each in (name, name.removesuffix("s"), name.removesuffix("es"))
                if each in names
            ),
            None,
        )
        return found[0] if known is None else chr(_BY_WORDS + names[known])

    return re.sub(
        rf"(?<![\w.])(?<![\w][-])(?:{pattern})(?!\w|[.,]\d)", replaced, text, flags=re.IGNORECASE
    )


def _letters_replaced(text: str, options: Sequence[Option]) -> str:
    """The text with a character for each option that it names by its letter, where the letter can be nothing else."""
    last = options[-1].label
    letter = rf"(?P<letter>[A-{last}{'a-' + last.lower()}])"
    capital = rf"(?P<letter>[A-{last}])"
    is_over = r"(?= (?:and|or|nor|but|because|since|as|for)\b|[.,;:!?)\n]|$| [\ue000-\ue11a])"
    says_next = r"(?= (?:is|isn't|was|seems|would|must|cannot|can't|can|has|should|does|doesn't|are|were|do)\b)"
    named = r"(?P<before>\b(?:option|choice|answer|letter|alternative)s?(?: is|:)? )"
    led = (
        r"(?P<before>\b(?:is|be|it's|that's|so|therefore|thus|hence|then|not|nor|neither|either|or|and|both|between|but"
        r"|choose|pick|select|say|with|than|just|only|definitely|"
        r"clearly|probably|was|leaves|means|to|for|one|instead of)\b,? |[:=→] ?)"
    )
    start = r"(?P<before>(?:^|(?<=[.!?;,:\n(] )|(?<=[\n(])))"
    for pattern in (
        rf"(?P<before>(?<![\w'])\(?){letter}\)",
        rf"(?P<before>(?<!\w)\[){letter}\]",
        rf"(?i:{named}){capital}(?:{is_over}|{says_next})",
        rf"(?i:{named}){letter}(?=[.,;:!?)\n]|$)",
        rf"(?i:{led}){capital}(?:{is_over}|{says_next})",
        rf"{start}(?!I\b){capital}(?:{is_over}|{says_next})",
    ):
        text = re.sub(pattern, _letter_replaced, text)
    return text


def _letter_replaced(found: re.Match[str]) -> str:
    """The character for the letter, after what stands before it."""
    return found["before"].strip("([") + chr(_BY_LETTER + ord(found["letter"].upper()) - ord("A"))
