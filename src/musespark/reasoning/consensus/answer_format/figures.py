"""The number that a reply comes to."""

from __future__ import annotations

import re
from decimal import Decimal

from musespark.reasoning.consensus.answer_format.prose import (
    clean,
    main_clause,
    sentences,
    without_brackets,
    without_denied,
)

_UNITS = {
    word: value
    for value, word in enumerate(
        "zero one two three four five six seven eight nine ten eleven twelve thirteen"
        " fourteen fifteen sixteen seventeen eighteen nineteen".split()
    )
}
_TENS = {
    word: 10 * value
    for value, word in enumerate(
        "twenty thirty forty fifty sixty seventy eighty ninety".split(), start=2
    )
}
_SCALES = {
    "hundred": 100,
    "thousand": 1_000,
    "million": 1_000_000,
    "billion": 1_000_000_000,
    "trillion": 1_000_000_000_000,
}
_ONE_WORD = "|".join([*_UNITS, *_TENS, *_SCALES])
_WORDS = re.compile(
    rf"(?<![\w-])(?:(?P<minus>minus|negative) )?(?:an? (?=hundred|thousand|million))?(?P<words>(?:{_ONE_WORD})(?:(?:-| and "
    rf"| )(?:{_ONE_WORD})\b){{0,12}})"
    r"(?![\w-])(?! (?:and a )?(?:half|halves|third|quarter|fifth|point)\b)(?P<percent> per ?cent\b)?",
    re.IGNORECASE,
)
_ONE_AS_PRONOUN = re.compile(
    r" (?:of|must|should|can|could|may|might|would|who|has|needs|more|another)\b"
)

_DIGITS = r"(?:\d{1,3}+(?:,\d{3})++(?![\d,])|\d++)(?:\.\d++)?|\.\d++"
_VALUE = (
    rf"(?:(?<![\w)])-)?[$€£¥]? ?(?:{_DIGITS})(?:/\d+(?:\.\d+)?)?"
    rf"(?: ?[×x*] ?10\^\{{?-?\d+\}}?|[eE][-+]?\d+(?!\w)|\^\{{?-?\d+\}}?)?(?: ?%| per ?cent\b)?"
)
# Not a time, an ordinal, a part of a name such as "3D", an unknown such as "2x", or the first half of a
# range, a product or "2 h 5 min".
_WHOLE = (
    r"(?![\w.]{0,40}\d|:\d|(?:st|nd|rd|th|D|G|[xyzn])\b)(?!(?: ?[-+*/×÷·^–] ?| (?:or|to|plus|minus|times) )[(\d-])(?! \d)"
    r"(?! ?(?:hours?|h|hrs?|minutes?|min|feet|foot|ft|years?|months?|weeks?|days?|dollars?|pounds?)(?:,| and"
    r"|, and)? \d+ ?[a-z])"
)
_FIGURE = re.compile(
    rf"(?<![\w.:/^])(?<!\d,)(?P<value>(?>{_VALUE}))"
    rf"(?P<scale> (?:thousand|million|billion|trillion|dozen)\b)?{_WHOLE}"
)
_ADVERBS = (
    r"(?: (?:indeed|then|therefore|actually|simply|exactly|equal to|equals?|now|also|about|around"
    r"|roughly|approximately|of|just|only|the|a total of|to|be)\b){0,3}"
)
_STATES = re.compile(
    rf"(?:\b(?:is|are|was|were|be|equals?|makes?|becomes?|gives?|gets?|yields?|totals?|totaling|totalling|total|answer|result"
    rf"|comes to|get|giving|making|leaving|yielding)\b{_ADVERBS}"
    rf"|'s|[=:→≈])[ \"'(]{{0,3}}$",
    re.IGNORECASE,
)
_HAS = re.compile(
    rf"\b(?:have|has|had|needs?|takes?|took|costs?|pays?|paid|earns?|weighs?|left|remain|leaves|contains?|spends?|spent|will|would"
    rf"|use|there are)\b{_ADVERBS}"
    r"[ (]?$",
    re.IGNORECASE,
)
_FOLLOWS = re.compile(r"\b(?:so|thus|hence|therefore),? $", re.IGNORECASE)
_RATE_BEFORE = re.compile(r"\b(?:each|every|per)\b[^,;:=]{0,40}$", re.IGNORECASE)
_RATE_AFTER = re.compile(r"[^,;:=]{0,25}\b(?:each|every|per(?! cent)|apiece)\b", re.IGNORECASE)
_RATE_ASKED = re.compile(
    r"\b(?:does|do|will|did|can|should|is|for|in|of|must) each\b|\beach(?: \w+)? (?:get|receive|have|cost|pay)|\bper \w+\?"
    r"|\beach\?",
    re.IGNORECASE,
)
_DIGIT_RUN = re.compile(r"\d[\d,.]*(?:/\d+)?")
_SUBJECT = re.compile(r"^[^\w$€£-]{0,5}$")
_SUBJECT_GOES_ON = re.compile(
    r" (?:is|are|was)\b(?! (?:not|less|smaller|greater|larger|bigger|more)\b)"
)
_NOUN_PHRASE = re.compile(
    r"^[ .!,)]{0,3}(?:[a-z°²³/-]+(?: [a-z]+){0,2})?[ !)]{0,3}(?:$|[.,;:](?!\d))", re.IGNORECASE
)
_CONCLUDES = re.compile(
    r"\b(?:so|therefore|thus|hence|altogether|in total|in all|together|overall|finally|the answer|in conclusion)\b",
    re.IGNORECASE,
)
_PREMISE = re.compile(r"^(?:since|because|if|given|assuming|an?|one|every|each)\b", re.IGNORECASE)
_LIST_MARK = re.compile(r"^(?:(?:step )?\d{1,2}[.:)] |step \d{1,2},? |[-•] )", re.IGNORECASE)


def find_number(text: str, question: str = "") -> str | None:
    """The number that a text comes to; None if none can be told.

    A conclusion goes before what is stated, what is stated before what is merely counted, and later before earlier. Rates
    ("8 each") and figures that the question brought are steps on the way: they count only where they are stated
    and nothing else is.
    """
    text = clean(text)
    if not re.search(r"\d", text):
        text = _in_digits(text)
    given, asks_rate = figures_in(question), bool(_RATE_ASKED.search(question))
    said = [
        _Sentence(sentence, given, asks_rate)
        for sentence in sentences(text)
        if _FIGURE.search(_LIST_MARK.sub("", sentence))
    ]
    if len(said) > 1:
        said = [each for each in said if not each.is_premise] or said
    for candidates in (
        [each.conclusion for each in said],
        [_last(each.strong, given) for each in said],
        [_last(each.weak, given) for each in said],
        [each.only for each in said[-1:]],
        [_last(each.strong) for each in said],
        [_last(each.rates, given) for each in said],
    ):
        found = [candidate for candidate in candidates if candidate is not None]
        if found:
            return found[-1]
    return None


def last_number(text: str) -> str | None:
    """The number that a text mentions last, in digits; None if it mentions none."""
    found = _DIGIT_RUN.findall(clean(text))
    return found[-1].replace(",", "").rstrip(".") if found else None


def figures_in(text: str) -> frozenset[str]:
    """The figures of a text, those in words too, as plain decimal strings."""
    return frozenset(_plain(found) for found in _FIGURE.finditer(_in_digits(clean(text))))


def _last(values: list[str], without: frozenset[str] = frozenset()) -> str | None:
    """The last value that is not among those without."""
    return next((value for value in reversed(values) if value not in without), None)


class _Sentence:
    """Figures of one sentence by how firmly it states them: `strong`, `weak`, or as `rates` such as "8 each"."""

    def __init__(self, sentence: str, given: frozenset[str], asks_rate: bool) -> None:
        sentence = without_denied(_LIST_MARK.sub("", sentence))
        outside = without_brackets(sentence)
        main = main_clause(outside)
        concludes = bool(_CONCLUDES.search(main))
        self.is_premise = (
            bool(_PREMISE.search(main)) and not concludes and "=" not in main and not asks_rate
        )
        self.strong: list[str] = []
        self.weak: list[str] = []
        self.rates: list[str] = []
        for part in dict.fromkeys((main, outside, sentence)):
            self._sort(part, asks_rate)
            if self.strong or self.weak:
                break
        firm = [
            _last(self.strong, given),
            _last(self.weak, given),
            _last(self.strong),
            _last(self.weak),
        ]
        self.conclusion = (
            next((value for value in firm if value is not None), None) if concludes else None
        )
        others = {_digits(run) for run in _DIGIT_RUN.findall(sentence)} - given - set(self.rates)
        self.only = (
            next((value for value, digits in self.seen.items() if digits in others), None)
            if len(others) == 1
            else None
        )

    def _sort(self, part: str, asks_rate: bool) -> None:
        """Sort the figures of a part of the sentence."""
        self.seen: dict[str, str] = {}
        self.rates.clear()
        for found in _FIGURE.finditer(part):
            value, before, after = (
                _plain(found),
                part[max(0, found.start() - 80) : found.start()],
                part[found.end() : found.end() + 80],
            )
            self.seen[value] = _digits(found["value"])
            ends_clause = bool(_NOUN_PHRASE.match(after))
            is_subject = found.start() < 6 and bool(_SUBJECT.match(before))
            if not asks_rate and (_RATE_BEFORE.search(before) or _RATE_AFTER.match(after)):
                self.rates.append(value)
            elif (
                _STATES.search(before)
                or (_FOLLOWS.search(before) and ends_clause)
                or (is_subject and (ends_clause or _SUBJECT_GOES_ON.match(after)))
            ):
                self.strong.append(value)
            elif _HAS.search(before):
                self.weak.append(value)


def _digits(text: str) -> str:
    """The first figure of a text without sign, separators and unit."""
    found = _DIGIT_RUN.search(text)
    return found[0].replace(",", "").rstrip(".") if found else ""


def _plain(found: re.Match[str]) -> str:
    """The figure as numbers are compared: without separators and currency, scaled by a word such as "million"."""
    value = (
        re.sub(r" ?per ?cent", "%", found["value"])
        .replace(",", "")
        .strip(" $€£¥")
        .replace("- ", "-")
        .replace("-$", "-")
    )
    value = re.sub(r"[$€£¥ ]", "", value) if "×" not in value else value.strip("$€£¥ ")
    if not found["scale"] or not re.fullmatch(r"-?[\d.]{1,30}", value):
        return value
    scale = 12 if "dozen" in found["scale"] else _SCALES[found["scale"].strip()]
    return f"{(Decimal(value) * scale).normalize():f}"


def _in_digits(text: str) -> str:
    """The text with its number words in digits; "one" only where it counts something."""

    def written(found: re.Match[str]) -> str:
        words = re.split(r"-| and | ", found["words"].lower())
        if words == ["one"]:
            before, after = (
                text[max(0, found.start() - 10) : found.start()].lower(),
                text[found.end() : found.end() + 10],
            )
            counts = re.search(
                r"(?:^|\b(?:is|are|has|have|equals|just|only|exactly|be) |[=:] )$", before
            )
            if not counts or _ONE_AS_PRONOUN.match(after):
                return found[0]
        value = _value(words)
        return (
            found[0]
            if value is None
            else f"{'-' if found['minus'] else ''}{value}{'%' if found['percent'] else ''}"
        )

    return _WORDS.sub(written, text)


def _value(words: list[str]) -> int | None:
    """The value of number words such as "one", "hundred", "five"; None if they are several numbers."""
    total, part, last = 0, 0, 10**18
    for word in words:
        if word in _SCALES and word != "hundred":
            total, part, last = total + (part or 1) * _SCALES[word], 0, 10**18
        elif word == "hundred":
            part, last = (part or 1) * 100, 100
        else:
            value = _UNITS.get(word, _TENS.get(word, 0))
            fits = last > 99 or (last >= 20 and value < 10)
            if not fits:
                return None
            part, last = part + value, (value if value >= 20 else 1)
    return total + part
