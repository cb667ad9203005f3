"""The options that a question offers: by letter, in a list, or as "this or that"."""

from __future__ import annotations

import re
from dataclasses import dataclass

MOST_OPTIONS = 26
_MOST_WORDS = 4
"""Words of the longest option in a list without letters."""


@dataclass(frozen=True, slots=True)
class Option:
    """One of the answers that a question offers."""

    label: str
    """The letter before it, in upper case; empty if there is none."""
    text: str

    @property
    def answer(self) -> str:
        """The option as an answer that others can be compared with."""
        return self.label or self.text


@dataclass(frozen=True, slots=True)
class Offer:
    """Options, and the sentence that asks for one of them."""

    options: tuple[Option, ...]
    question: str


_LINE_MARK = re.compile(r"^(?:[-*•] )?\(?([A-Za-z])[).:] (?=\S)", re.MULTILINE)
_INLINE_MARK = re.compile(r"(?:(?<=\s)|(?<![^\n]))\(?([A-Za-z])\) ?(?=[^\s,.;)])")
_OPTION_END = re.compile(r"\n|\?|[.;] (?=[A-Z][a-z]+ )")
_ASKS_TO_CHOOSE = re.compile(
    r"\b(?:which|choose|pick|select|options?|choices?|multiple[- ]choice|(?:correct|right|best|final) (?:answer|option|letter)"
    r"|answer with|(?:the|a) letter|one of)\b",
    re.IGNORECASE,
)
_SEVERAL_WANTED = re.compile(
    r"\b(?:all that apply|select all|choose all|which (?:two|three|four|ones)|choose (?:two|three)|select (?:two|three))\b",
    re.IGNORECASE,
)
_OTHER_TASK = re.compile(
    r"(?:^|[.!?:\n] ?)(?:please )?(?:explain|describe|discuss|compare|summari[sz]e|translate|rewrite|write|rank|sort|order|arrange"
    r"|read"
    r"|list|match|what do you (?:think|make))\b(?! (?:your|why)\b)",
    re.IGNORECASE,
)
_UNFINISHED = re.compile(
    r"(?:\b(?:is|are|was|were|of|to|by|the|an?|in|at|on|called|as|for|because|that|from|with|has|have|can|will)|_|\.\.\.|…)$",
    re.IGNORECASE,
)

_WH = re.compile(r"\b(?:which|who|whose|what)\b", re.IGNORECASE)
_CHOOSING = re.compile(r"\b(?:choose|pick|select)\b", re.IGNORECASE)
_OPEN_ITEM = re.compile(
    r"\b(?:why|how|what|which|who|when|where|if|please|explain|etc)\b", re.IGNORECASE
)
_SEPARATOR = re.compile(r"(?:,? or |,? and |, ?)", re.IGNORECASE)
_LAST_SEPARATOR = re.compile(r" (?:or|and) ", re.IGNORECASE)
_LIST_SIGN = re.compile(r":(?=\s)| [-–—] |—|\?(?= )")
_SUPERLATIVE_OF = re.compile(
    r"\b(?:\w{3,}est|best|most \w+|least \w+|larger|smaller|greater|bigger|which|one|number)(?: \w+)? (?:of|among|between)"
    r" (?P<list>[^?\n]{3,300})",
    re.IGNORECASE,
)
_ARITHMETIC_NOUN = re.compile(
    r"\b(?:sum|product|difference|mean|average|median|divisor|factor|multiple|denominator|total)\b",
    re.IGNORECASE,
)
_VERB_AFTER = re.compile(r"^(?:is|are|was|were|has|have|does|do|did|can|will)\b", re.IGNORECASE)

_EITHER = re.compile(
    r"^(?:is|are|was|were|does|do|did|can|will|has)\b (?P<before>[^?,:;\n]{1,150}) or (?P<last>[^?,:;\n]{1,40})\?$",
    re.IGNORECASE,
)
_OPINION = re.compile(
    r"\b(?:you|i|we|better|best|worse|worst|should|prefer\w*|recommend\w*|favou?rite|good|than|not)\b",
    re.IGNORECASE,
)


def offered(question: str) -> Offer | None:
    """The options of a question, whose lines have single spaces; None if it has none or asks for something else about them."""
    for mark, is_inline in ((_LINE_MARK, False), (_INLINE_MARK, True)):
        marks = _alphabetical(list(mark.finditer(question)))
        if marks and (offer := _lettered(question, marks, is_inline)):
            return offer
    if _OTHER_TASK.search(question):
        return None
    return _listed(question) or _either(question)


def _alphabetical(marks: list[re.Match[str]]) -> list[re.Match[str]]:
    """The last run of marks A, B, C, ...; empty if there are no two, or where letters go on out of order."""
    starts = [place for place, mark in enumerate(marks) if mark[1] in "Aa"]
    run = marks[starts[-1] :] if starts else []
    in_order = all(
        mark[1].upper() == chr(ord("A") + place)
        for place, mark in enumerate(run[: MOST_OPTIONS + 1])
    )
    return run if 2 <= len(run) <= MOST_OPTIONS and in_order else []


def _lettered(question: str, marks: list[re.Match[str]], is_inline: bool) -> Offer | None:
    """The options behind the marks, where the words around them ask to choose one."""
    options = []
    end = 0
    for mark, following in zip(marks, [*marks[1:], None], strict=True):
        stop = following.start() if following else len(question)
        cut = (_OPTION_END if is_inline and not following else re.compile(r"\n")).search(
            question, mark.end(), stop
        )
        end = cut.start() if cut else stop
        text = question[mark.end() : end].strip().rstrip(",;?." if is_inline else ",;")
        text = text.removesuffix(" or").removesuffix(" and").rstrip(",; ")
        if not text:
            return None
        options.append(Option(mark[1].upper(), text))
    before, after = question[: marks[0].start()].strip(), question[end:].strip(" ?.\n")
    line = before.rpartition("\n")[2]
    asks_before = (
        line.endswith("?")
        or bool(_UNFINISHED.search(line))
        or bool(_ASKS_TO_CHOOSE.search(line))
        or bool("?" in line and is_inline)
        or (is_inline and bool(_WH.search(line)))
    )
    asks_after = bool(_ASKS_TO_CHOOSE.search(after))
    if not (asks_before or asks_after) or ("?" in question[end + 1 :] and not asks_after):
        return None
    if (
        _OTHER_TASK.search(line)
        or _OTHER_TASK.search(after)
        or _SEVERAL_WANTED.search(before + "\n" + after)
    ):
        return None
    if after and not asks_after and not line.endswith(("?", ":", "_")):
        return None
    return Offer(tuple(options), line if asks_before else after)


def _items(text: str, *, needs_or: bool = True) -> tuple[Option, ...]:
    """The items of a list such as "Rome, Oslo or Madrid"; empty if it is none."""
    text = text.strip(' .?!"')
    if needs_or and not _LAST_SEPARATOR.search(text):
        return ()
    items = [item.strip(" .\"'“”") for item in _SEPARATOR.split(text)]
    items = [item for item in items if item]
    short = all(len(item.split()) <= _MOST_WORDS and not _OPEN_ITEM.search(item) for item in items)
    distinct = len({item.casefold() for item in items}) == len(items)
    return (
        tuple(Option("", item) for item in items)
        if 2 <= len(items) <= MOST_OPTIONS and short and distinct
        else ()
    )


def _listed(question: str) -> Offer | None:
    """The options in a list within or after the question that asks for one of them."""
    for line in reversed(question.splitlines()):
        for sentence in reversed(re.split(r"(?<=[.!]) (?=[A-Z])", line)):
            if (_WH.search(sentence) or _CHOOSING.search(sentence)) and (
                offer := _listed_in(sentence)
            ):
                return offer
    return None


def _listed_in(sentence: str) -> Offer | None:
    asked = _WH.search(sentence) or _CHOOSING.search(sentence)
    if asked is None or re.search(r"\bhow\b", sentence[: asked.start()], re.IGNORECASE):
        return None
    if sign := _LIST_SIGN.search(sentence, asked.start()):
        ends_at = sentence.find("?", sign.end())
        listed = sentence[sign.end() :] if ends_at < 0 else sentence[sign.end() : ends_at]
        stem = sentence[: sign.start()]
        wants_one = bool(
            re.search(r"\b(?:one|which|who|what|the|between|from)\b", stem, re.IGNORECASE)
        )
        if wants_one and not _OPEN_ITEM.search(listed):
            options = _items(listed, needs_or=False)
            if options:
                return Offer(options, stem)
    if _CHOOSING.match(sentence[asked.start() :]) or not sentence.rstrip().endswith("?"):
        return None
    return _superlative_of(sentence) or _after_comma(sentence)


def _superlative_of(sentence: str) -> Offer | None:
    """The options in "What is the largest of 643, 896 and 87?"."""
    found = _SUPERLATIVE_OF.search(sentence)
    if found is None or _ARITHMETIC_NOUN.search(sentence):
        return None
    verb = re.search(r" (?:is|are|was|has|have|can|does|comes|lies)\b", found["list"])
    options = _items(found["list"][: verb.start()] if verb else found["list"])
    is_plain = all(
        not re.match(r"(?:the following|these|those|all|both)\b", option.text, re.IGNORECASE)
        for option in options
    )
    is_many = (
        len(options) > 2
        or all(option.text[:1].isdigit() for option in options)
        or bool(re.search(r"\b(?:which|\w{4,}er)\b", sentence, re.IGNORECASE))
    )
    rest = found["list"][verb.start() :] if verb else ""
    return (
        Offer(options, sentence[: found.start("list")] + rest)
        if options and is_plain and is_many
        else None
    )


def _after_comma(sentence: str) -> Offer | None:
    """The options in "Which is larger, 45 or 812?": all that stands behind the comma after the question word."""
    pieces = sentence.rstrip(" ?").split(",")
    asks = next(place for place, piece in enumerate(pieces) if _WH.search(piece))
    listed = pieces[asks + 1 :]
    rest = ""
    if len(listed) > 1 and _VERB_AFTER.match(listed[-1].strip()):
        rest = listed.pop()
    if not listed or not re.search(r"\bor\b", listed[-1], re.IGNORECASE):
        return None
    options = _items(",".join(listed))
    return Offer(options, pieces[asks] + rest) if options else None


def _either(question: str) -> Offer | None:
    """The two options in "Is 17 odd or even?" and "Is Rome in Italy or in Spain?"."""
    asking = re.split(r"(?<=[.!?:]) |\n", question.strip())[-1]
    found = _EITHER.match(asking)
    if found is None or _OPINION.search(asking) or _LAST_SEPARATOR.search(found["before"]):
        return None
    before, last = found["before"].split(), found["last"].split()
    if len(last) == 1:
        first = before[-1:]
    else:
        alike = {"a", "an"} if last[0].lower() in ("a", "an") else {last[0].lower()}
        places = [place for place, word in enumerate(before) if word.lower() in alike]
        if (
            last[0].lower()
            not in ("a", "an", "the", "in", "on", "at", "by", "from", "to", "of", "with")
            or not places
        ):
            return None
        first = before[places[-1] :]
    is_subject = len(before) == len(first) > 1 or first[0].lower() in ("it", "this", "that")
    if is_subject or max(len(first), len(last)) > _MOST_WORDS:
        return None
    texts = [" ".join(first), " ".join(last)]
    if texts[0].casefold() == texts[1].casefold() or {text.lower() for text in texts} in (
        {"yes", "no"},
        {"true", "false"},
    ):
        return None
    kept = " ".join(before[: len(before) - len(first)])
    return Offer(tuple(Option("", text) for text in texts), f"{asking.split()[0]} {kept}")
