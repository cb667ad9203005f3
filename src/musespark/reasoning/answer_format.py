"""The short answer that a question asks for, and where in a reply it stands: a number, one of the options, yes or no, a name.

Models answer in sentences ("The largest number is 896." and "896 is indeed the largest."), and a vote must count these as one answer.
Whatever is not recognised here is left to `equivalence.extraction`, which goes by what a reply itself marks as its answer.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from musespark.content import Request
from musespark.reasoning.equivalence import marked_answer
from musespark.reasoning.equivalence.exact import normalised
from musespark.reasoning.equivalence.reading.reader import is_value, read

Kind = Literal["number", "choice", "yes_no", "name"]

_LONGEST_QUESTION = 4_000
"""Characters of a question that is looked at: its end. A longer one brings a document, and lists in it are not its options."""
_AT_MOST = 20_000
"""Characters of a reply's end that are searched."""
MOST_OPTIONS = 26

# --- what a question asks for
_LETTERED = re.compile(r"^[ \t]*(?:[-*][ \t]+)?\(?(?P<letter>[A-Za-z])[).:][ \t]+(?P<text>\S[^\n]{0,300})$", re.MULTILINE)
_LETTERED_INLINE = re.compile(r"\(?\b(?P<letter>[A-Z])\)[ \t]*(?P<text>[^\n()]{1,120}?)(?=[,;]?[ \t]+\(?[A-Z]\)|[ \t]*$)", re.MULTILINE)
_WHICH = re.compile(r"\b(?:which|who|what)\b[^?.:\n]{0,120}[:,—-]\s*(?P<list>[^?\n]{3,300})\?", re.IGNORECASE)
_LIST = re.compile(r"\s*,\s*(?:or\s+|and\s+)?|\s+or\s+", re.IGNORECASE)
_YES_NO = re.compile(r"(?:^|[.!?:]\s+|\n\s*)(?:is|are|was|were|do|does|did|can|could|will|would|should|has|have|had|must|may)\s+(?!it\s+that)"
                     r"[^.?!\n]{2,300}\?\s*(?:\(?(?:answer|reply|respond)?[^.?\n]{0,60}\byes\s*(?:or|/)\s*no\b[^\n]*)?\s*$"
                     r"|\b(?:yes or no|yes/no|true or false|true/false)\b", re.IGNORECASE)
_EITHER = re.compile(r"\bor\b", re.IGNORECASE)
_NUMBER = re.compile(
    r"\bhow (?:many|much|old|far|tall|high|deep|heavy|fast|wide)\b"
    r"|\bwhat (?:number|percentage|percent)\b|\bwhich number\b"
    r"|\b(?:what is|what's|compute|calculate|evaluate|find|solve|work out)\b[^?\n]{0,60}?\b(?:sum|product|difference|quotient|total|average"
    r"|mean|median|remainder|gcd|lcm|greatest common divisor|least common multiple|number of)\b"
    r"|\b(?:what is|what's|compute|calculate|evaluate|solve|work out|result of|answer to|arithmetic problem:?)\s*:?\s*"
    r"\(*-?\d[\d.,]*\)*\s*(?:[-+*/×÷^]|plus|minus|times|divided by|mod\b)", re.IGNORECASE)
_EQUATION_LEFT_OPEN = re.compile(r"\d\s*=\s*\??\s*$")
_NAME = re.compile(
    r"\b(?:what|which)(?:\s+is|'s|\s+was|\s+are)\s+the\s+(?:\w+\s+){0,3}?(?:capital|name|currency|symbol|author|opposite|synonym|antonym|"
    r"colou?r|language|plural|past tense|title|president|continent|formula|planet|country|city|state|river|mountain|ocean|animal|word)\b"
    r"|\bwho\s+(?:is|was|wrote|painted|invented|discovered|composed|directed|won|founded)\b"
    r"|\b(?:in\s+)?(?:what|which)\s+(?:city|country|state|continent|planet|language|animal|colou?r|element|person|year|month|day|province)\b",
    re.IGNORECASE)
_OPEN = re.compile(r"\b(?:explain|describe|discuss|compare|write|summari[sz]e|translate|list|give|show|prove|why|how (?:do|does|can|to|would|"
                   r"should|is|are)|step by step guide|essay|poem|story|code|function|program|in terms of)\b", re.IGNORECASE)

# --- where a reply says it
_SENTENCE = re.compile(r"[^.!?\n]*(?:\.(?=\d|\w\.)[^.!?\n]*)*[.!?\n]?")
_FIGURE = re.compile(r"[-−]?(?<![\w.])(?:[$€£]\s?)?\d[\d,]*(?:\.\d+)?(?:/\d+)?(?:\s?%)?")
_STATES = re.compile(r"(?:\b(?:is|are|was|be|equals?|makes?|becomes?|gives?|get|total(?:s|ling)?(?:\s+of)?|answer|result)\b(?:\s+(?:indeed|then|therefore"
                     r"|actually|simply|exactly|equal to|now|also|about|of))*|[=:→])\s*[*_\"'(`]*(?P<said>[-−]?[$€£]?\d[\d,]*(?:\.\d+)?(?:/\d+)?)", re.IGNORECASE)
_SUBJECT = re.compile(r"^\W*(?P<said>[-−]?\d[\d,]*(?:\.\d+)?)\s+(?:is|are|was)\b(?!\s+(?:not|less|smaller|greater|larger|bigger)\b)", re.IGNORECASE)
_ANSWER_IS = re.compile(r"\b(?:answer|choice|option|solution|conclusion|correct\s+\w+|correct|choose|pick|select)\b(?:[^.\n]{0,40}?\b(?:is|be|would be|:))?"
                        r"[:\s]*(?P<said>[^.\n]+(?:\.\s?\S[^.\n]{0,40})?)", re.IGNORECASE)
_BOLD = re.compile(r"\*\*([^*\n]{1,60})\*\*")
_NEGATED = re.compile(r",?\s*\b(?:and|but)?\s*(?:not|rather than|instead of)\s+(?!only\b)[^,.;\n]{1,60}", re.IGNORECASE)
_POLAR = re.compile(r"\b(yes|no|true|false)\b", re.IGNORECASE)
_BREAK = re.compile(r"[,;:.!?()\n\"“”]|\s+(?:which|who|where|and|but|because|as|since|with|in|located|known|due)\b", re.IGNORECASE)
_REFUSAL = re.compile(
    r"^\W*(?:i(?:'m| am)\s+(?:very\s+)?(?:sorry|unable|not able|not sure|afraid)|sorry\b|i\s+(?:can(?:not|'t)|could not|couldn't|do not know|don't know|"
    r"won't)\b|as an ai\b|there(?:'s| is)\s+no\s+(?:definite\s+|single\s+)?answer\b|no answer\b|unknown\b|it is (?:impossible|not possible) to (?:say|tell|"
    r"know|answer)\b|(?:the answer )?cannot be (?:answered|determined)\b|n/?a\W*$)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Option:
    """One of the answers that a question offers."""

    label: str
    """The letter before it, in upper case; empty where there is none."""
    text: str

    @property
    def answer(self) -> str:
        """The option as an answer that others can be compared with."""
        return self.label or self.text


@dataclass(frozen=True, slots=True)
class AnswerFormat:
    """The kind of short answer that a question asks for."""

    kind: Kind
    options: tuple[Option, ...] = ()
    subject: str = ""
    """The words of the question that an answer in a sentence repeats, such as "the capital of Peru"."""

    @property
    def asking(self) -> str:
        """A request for the answer alone."""
        if self.kind == "choice":
            offered = ", ".join(f"{option.label}) {option.text}" if option.label else option.text for option in self.options)
            return f"So which of them is the answer: {offered}? Reply with only that."
        alone = {"number": "the number", "yes_no": "yes or no", "name": "the name"}[self.kind]
        return f"So what is the answer? Reply with only {alone}."

    def find(self, reply: str) -> str | None:
        """The answer in a reply; None where none can be told with confidence, and where the reply declines to answer."""
        marked = marked_answer(reply)
        text = reply[-_AT_MOST:]
        if marked is not None and is_refusal(marked):
            return None
        find = {"number": _number, "choice": self._option, "yes_no": _yes_no, "name": self._name}[self.kind]
        if marked is None:
            return find(text)
        if self.kind == "number" and not _is_sentence(marked):
            return marked
        found = find(marked)
        return found or (marked if self.kind in ("number", "name") else find(text))

    def _option(self, text: str) -> str | None:
        """The option that the text settles on: the one it calls its answer, else the only one that it mentions."""
        text = _NEGATED.sub("", text)
        whole = self._whole_option(text)
        if whole:
            return whole.answer
        for said in reversed(list(_ANSWER_IS.finditer(text))):
            mentioned = self._mentioned(said["said"])
            if mentioned:
                return mentioned[0].answer
        mentioned = list(dict.fromkeys(self._mentioned(text)))
        if len(mentioned) == 1:
            return mentioned[0].answer
        stated = [option for sentence in _sentences(text) for option in self._stated(sentence)]
        return stated[-1].answer if stated and len(set(stated)) == 1 else None

    def _whole_option(self, text: str) -> Option | None:
        """The option that the text is, and nothing more."""
        plain = normalised(text.strip().strip("$").strip("()[]*. ").strip())
        first = re.match(r"\(?([A-Za-z])(?:[).:\]]|$)", text.strip(" *_`$"))
        if first and len(text) < 120 and (option := self._labelled(first[1])):
            return option if len(self._mentioned(text)) <= 1 or not option.text else self._agreeing(option, text)
        return next((option for option in self.options if plain in (normalised(option.text), normalised(option.label) or None)), None)

    def _agreeing(self, option: Option, text: str) -> Option | None:
        """The option, unless the text names others beside it."""
        return option if set(self._mentioned(text)) == {option} else None

    def _labelled(self, letter: str) -> Option | None:
        return next((option for option in self.options if option.label and option.label == letter.upper()), None)

    def _mentioned(self, text: str) -> list[Option]:
        """The options that a text mentions by letter or by their words, in the order in which it does."""
        found: list[tuple[int, Option]] = []
        for option in self.options:
            patterns = [rf"(?<![\w.]){re.escape(option.text)}(?![\w]|[.,]\d)"] if option.text else []
            if option.label:
                patterns.append(rf"(?<!\w)\(?{option.label}\)|(?<![\w'])\*\*{option.label}\b|(?:option|choice|answer(?: is)?:?)\s+\(?{option.label}\b(?!\w)")
            places = [match.start() for pattern in patterns for match in re.finditer(pattern, text, re.IGNORECASE if len(option.text) > 1 else 0)]
            if option.label and not places and (bare := re.match(rf"\W*{option.label}\W*$", text)):
                places = [bare.start()]
            if places:
                found.append((min(places), option))
        return [option for _, option in sorted(found, key=lambda pair: pair[0])]

    def _stated(self, sentence: str) -> list[Option]:
        """The option that a sentence says is the one: "The largest is 643", "Horse is the animal"."""
        mentioned = self._mentioned(sentence)
        if len(mentioned) == 1 and not re.search(r"\bnot\b|n't\b", sentence):
            return mentioned
        first = mentioned[0] if mentioned else None
        begins = first is not None and re.match(rf"\W*(?:the\s+)?(?:number\s+)?{re.escape(first.text)}\W+(?:is|was)\b(?!\s+not)", sentence, re.IGNORECASE)
        return [first] if first is not None and begins else []

    def _name(self, text: str) -> str | None:
        """The name that a text gives, as the complement of the question's own words or as all that it says."""
        sentences = list(_sentences(text))
        if self.subject:
            subject = r"\s+(?:\w+\s+)?".join(map(re.escape, self.subject.split()))
            for sentence in sentences:
                if said := re.search(rf"\b{subject}\b[^.\n]{{0,40}}?\s*(?:\bis\b|\bwas\b|\bare\b|:|=)\s*(?:called\s+|known as\s+|the\s+city\s+of\s+)?(?P<said>\S[^\n]*)",
                                     sentence, re.IGNORECASE):
                    return _phrase(said["said"])
            for sentence in sentences:
                if said := re.match(rf"\W*(?P<said>[^\n]{{1,60}}?)\s+(?:is|was)\s+(?:indeed\s+|also\s+)?{subject}\b", sentence, re.IGNORECASE):
                    return _phrase(said["said"])
        bold = list(dict.fromkeys(_BOLD.findall(text)))
        if len(bold) == 1:
            return _phrase(bold[0])
        return _phrase(sentences[0]) if len(sentences) == 1 and len(sentences[0].split()) <= 5 else None


def answer_format(request: Request) -> AnswerFormat | None:
    """The short answer that a request asks for; None where it asks for something else, or for more than that.

    A request with a schema or with tools has a form of its own.
    """
    if request.schema is not None or request.tools:
        return None
    question = request.question[-_LONGEST_QUESTION:]
    if options := _options(question):
        return AnswerFormat("choice", options)
    if _OPEN.search(question):
        return None
    if _NUMBER.search(question) or _EQUATION_LEFT_OPEN.search(question.strip()):
        return AnswerFormat("number")
    if _YES_NO.search(question) and (re.search(r"yes|true", question, re.IGNORECASE) or not _EITHER.search(question.splitlines()[-1])):
        return AnswerFormat("yes_no")
    if _NAME.search(question) and len(question) < 400:
        return AnswerFormat("name", subject=_subject(question))
    return None


def is_refusal(reply: str) -> bool:
    """Whether a reply says that it gives no answer, and gives none."""
    return bool(_REFUSAL.match(reply[:400])) and len(reply) < 600


def _options(question: str) -> tuple[Option, ...]:
    """The options that a question offers, by letter or in a list after it; none where it offers no two."""
    for pattern in (_LETTERED, _LETTERED_INLINE):
        lettered = [Option(found["letter"].upper(), found["text"].strip().rstrip(",;")) for found in pattern.finditer(question)]
        labels = [option.label for option in lettered]
        if 2 <= len(lettered) <= MOST_OPTIONS and labels == [chr(ord("A") + index) for index in range(len(labels))]:
            return tuple(lettered)
    listed = list(_WHICH.finditer(question))
    if listed:
        texts = [text.strip(" .\"'") for text in _LIST.split(listed[-1]["list"]) if text.strip(" .\"'")]
        short = all(len(text.split()) <= 4 for text in texts)
        if 2 <= len(texts) <= MOST_OPTIONS and len(set(texts)) == len(texts) and short:
            return tuple(Option("", text) for text in texts)
    return ()


def _subject(question: str) -> str:
    """The noun phrase that a question asks about: "the capital of Peru"."""
    found = re.search(r"\b(?:what|which|who)(?:\s+is|'s|\s+was|\s+are)\s+(?P<subject>the\s+[^?.\n]{3,80})\?", question, re.IGNORECASE)
    return found["subject"].strip() if found else ""


def _sentences(text: str) -> Iterator[str]:
    for found in _SENTENCE.finditer(text):
        if found[0].strip():
            yield found[0].strip()


def _is_sentence(text: str) -> bool:
    """Whether a text says a number in a sentence ("indeed 18", "the sum is 18 apples"), and is not a value itself."""
    words = re.findall(r"(?<!\\)\b[^\W\d_]{2,}\b", text)
    return not is_value(read(text)) and (len(words) >= 3 or bool(re.match(r"[^\W\d_]{2,}\s", text)))


def _number(text: str) -> str | None:
    """The number that a text comes to: the last that it states, else the only or last one in its last sentence with any."""
    sentences = [sentence for sentence in _sentences(text) if _FIGURE.search(sentence)]
    if not sentences:
        return None
    for sentence in reversed(sentences):
        if said := _SUBJECT.match(sentence):
            return said["said"].replace(",", "")
        stated = list(_STATES.finditer(sentence))
        if stated:
            return _plain(stated[-1]["said"])
    return _plain(_FIGURE.findall(sentences[-1])[-1])


def _plain(figure: str) -> str:
    return figure.replace(",", "").replace("−", "-").strip(" $€£")


def _yes_no(text: str) -> str | None:
    """`yes` or `no`, where a text says one of them first, last or alone."""
    found = [each.lower() for each in _POLAR.findall(text)]
    polar = ["yes" if each in ("yes", "true") else "no" for each in found]
    if not polar:
        return None
    opening = re.match(r"\W*(yes|no|true|false)\b", text, re.IGNORECASE)
    if opening or len(set(polar)) == 1:
        return polar[0]
    said = [match for match in _ANSWER_IS.finditer(text) if _POLAR.search(match["said"])]
    return _yes_no(said[-1]["said"]) if said and said[-1]["said"] != text else None


def _phrase(text: str) -> str | None:
    """The name that a text begins with."""
    plain = text.strip(" *_`\"'“”")
    first = _BREAK.split(plain, maxsplit=1)[0].strip(" *_`\"'“”")
    return first if 0 < len(first.split()) <= 6 else None
