"""The name that a reply gives: alone, or beside the words of the question."""

from __future__ import annotations

import re
from collections.abc import Iterator

from musespark.reasoning.consensus.answer_format.prose import (
    clean,
    content,
    main_clause,
    sentences,
    without_brackets,
    without_denied,
)
from musespark.reasoning.consensus.equivalence.exact import normalised

_MOST_WORDS = 6
_LONGEST_CLAUSE = 300
"""Characters of the longest clause that gives a name: what stands around each of its verbs is compared with the question."""
_BOLD = re.compile(r"\*\*([^*\n]{1,60})\*\*")
_COPULA = re.compile(
    r" (?:is|was|are|were|would be|must be)(?: (?:indeed|also|actually|simply|called|named|known as|definitely|probably"
    r"|therefore))?\b:? ?|'s (?=[A-Z])|: | = "
)
_BREAK = re.compile(
    r"[,;:!?()\n\"“”]|(?<![A-Z])(?<!\bSt)(?<!\bMt)(?<!\bDr)\.|\s+(?:who|where|and|but|in|located|known|due|on|with|by|from)\b"
)
_BY = re.compile(r"\bby (?P<name>(?:the )?[A-Z][^,;:()\n]{1,60})")
_PROPER = re.compile(
    r"\b(?:who|capital|author|president|continent|country|city|state|river|mountain|ocean|planet|person|province|language|title"
    r"|lake|island|sea)\b",
    re.IGNORECASE,
)
_YEAR_ASKED = re.compile(r"\b(?:what|which) year\b", re.IGNORECASE)
_YEAR = re.compile(r"(?<![\d.,])[12]\d{3}(?![\d,]*\d)")
_NO_NAME = re.compile(
    r"(?:it|this|that|he|she|they|there|which|who|what|not|very|located|known|called|one|as|so|i|we|you|my|yes|no|if|because|part"
    r"|in|at|on|of|to|for"
    r"|unknown|many|some|several|correct)\b",
    re.IGNORECASE,
)
_ARTICLE = re.compile(r"(?:the|an?|The|An?) ")
_TRAILING = re.compile(
    r" (?:in|on|around|about|during) (?:the )?[^,.;]{0,20}\d{2,4}s?\b[^,;\n]{0,10}$"
)
_ROLES = {
    "who": ("person", "man", "woman", "people", "artist", "scientist", "creat"),
    "city": ("capital",),
    "capital": ("city",),
}
_CLAUSE_END = re.compile(r";|, (?=but\b|so\b|and the\b)")
_COURTESY = re.compile(
    r"(?:sure(?: thing)?|of course|certainly|ok|okay|hello|hi|thanks?|thank you|(?:great|good) question)\W*$",
    re.IGNORECASE,
)
_PARTICLES = frozenset(
    "of the da de van von der den la le del di du y al bin and dos das ibn".split()
)
_VERB = re.compile(
    r"\b(?:is|are|was|were|has|have|had|does|do|did|can|could|will|would|depends?|love|like|know)\b",
    re.IGNORECASE,
)
_LEAD = re.compile(
    r"^(?:so|therefore|thus|hence|well|yes|i think|i believe|i'd say|i would say),? (?:that )?",
    re.IGNORECASE,
)


def find_name(text: str, question: str) -> str | None:
    """The name in a text that answers the question; None if there is none, or several."""
    bold = list(dict.fromkeys(_BOLD.findall(text)))
    lines = [line for line in sentences(clean(text), has_names=True) if not _COURTESY.match(line)]
    found = [
        name
        for sentence in lines
        for clause in _CLAUSE_END.split(sentence)
        if len(clause) <= _LONGEST_CLAUSE
        for name in _named(clause, question)
    ]
    if not found and _YEAR_ASKED.search(question):
        found = [year for sentence in lines for year in _YEAR.findall(sentence)]
    if not found and len(bold) == 1 and (name := _phrase(clean(bold[0]))):
        found = [name]
    if (
        not found
        and len(lines) == 1
        and len(lines[0].split()) <= _MOST_WORDS
        and not _COPULA.search(lines[0])
    ):
        found = [name for name in [_alone(lines[0], question)] if name]
    return found[-1] if len({normalised(name) for name in found}) == 1 else None


def _alone(line: str, question: str) -> str | None:
    """The name that a short reply is; None if it is a clause of its own."""
    name = _phrase(without_denied(line))
    if name is None or _VERB.search(name) or set(content(name)) <= set(content(question)):
        return None
    return name if not _PROPER.search(question) or _is_proper(name) or name.islower() else None


def _is_proper(name: str) -> bool:
    """True if all words but particles are written with a capital or a digit."""
    return (
        all(word in _PARTICLES or not word[0].islower() for word in name.split())
        and not name[0].islower()
    )


def _named(sentence: str, question: str) -> Iterator[str]:
    """The names that a sentence gives beside words of the question, or after "it is"."""
    sentence = without_brackets(without_denied(_LEAD.sub("", sentence))).strip(" .!")
    sentence = _TRAILING.sub("", main_clause(sentence).replace('"', ""))
    asked = set(content(question))
    extra = {
        stem
        for word, stems in _ROLES.items()
        if re.search(rf"\b{word}\b", question, re.IGNORECASE)
        for stem in stems
    }
    category = set(content(question)[:1])

    def repeats(words: str) -> bool:
        said = set(content(words))
        foreign = said - asked - extra
        return (not foreign) or (
            bool(said) and asked - category <= said and len(said) < len(asked) + 4
        )

    for copula in _COPULA.finditer(sentence):
        before, after = sentence[: copula.start()], sentence[copula.end() :]
        if repeats(before) and (name := _new(after, asked, question)):
            yield name
            return
        if (
            set(content(after)) & (asked | extra)
            and repeats(after)
            and (name := _new(before, asked, question))
        ):
            yield name
            return
    if re.match(r"who\b", question, re.IGNORECASE):
        yield from _agent(sentence, asked, question)


def _agent(sentence: str, asked: set[str], question: str) -> Iterator[str]:
    """The one who did it: "Jane Austen wrote Emma", "Emma was written by Jane Austen"."""
    if (
        (by := _BY.search(sentence))
        and set(content(sentence[: by.start()])) & asked
        and (name := _new(by["name"], asked, question))
    ):
        yield name
        return
    words = sentence.split()
    for place in range(1, min(len(words), _MOST_WORDS + 1)):
        rest = " ".join(words[place:])
        said = content(rest)
        if (
            set(content(words[place])) & asked
            and set(said) <= asked
            and (name := _new(" ".join(words[:place]), asked, question))
        ):
            yield name
            return


def _new(text: str, asked: set[str], question: str) -> str | None:
    """The name at the beginning of a text, where it is one of its own and of the sort that the question asks for."""
    name = _phrase(text)
    if name is None or set(content(name)) <= asked:
        return None
    has_article = bool(re.match(r"(?:an?) ", text.strip()))
    if _PROPER.search(question) and (has_article or not _is_proper(name)):
        return None
    return None if len(name.split()) > 3 and name.islower() else name


def _phrase(text: str) -> str | None:
    """The name that a text begins with, without an article; None if it begins with no name."""
    first = _BREAK.split(text.strip(" *_`\"'“”"), maxsplit=1)[0].strip(" *_`\"'“”.")
    name = _ARTICLE.sub("", first, count=1) if _ARTICLE.match(first) else first
    is_name = 0 < len(name.split()) <= _MOST_WORDS and not _NO_NAME.match(name)
    return name if is_name else None
