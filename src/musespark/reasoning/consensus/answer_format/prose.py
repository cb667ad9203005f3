"""English prose in pieces: sentences, main clauses and the stems of the words that carry meaning.

All patterns take time linear in the text: runs of spaces are folded first, and what repeats without limit
cannot be entered in its middle.
"""

from __future__ import annotations

import re

_LONGEST_SENTENCE = 1_000
"""Characters of a sentence that are kept, its end: a longer one is a table or a loop, and searches within it must stay short."""
_EMPHASIS = re.compile(
    r"(?<!\d)\*\*|\*\*(?!\d)|`|(?<![\w)*])\*(?=[\w\"'])|(?<=[\w\"'.])\*(?![\w(*])|(?<!\w)__?(?=\w)|(?<=\w)__?(?!\w)"
)
_TEX_MARKS = re.compile(r"\\[()\[\],;! ]")
_TEX_TEXT = re.compile(r"\\(?:text|mathrm|mathbf|textbf)\{([^{}\n]{0,200})\}")
_TEX_FRACTION = re.compile(r"\\[dt]?frac\{(-?\d{1,40})\}\{(\d{1,40})\}")
_SENTENCE_END = re.compile(r"(?<![.!?])[.!?]++[\"'”’)\]]*+(?=\s|\Z)|\n")
_ABBREVIATION = re.compile(
    r"(?:\b(?:Mr|Mrs|Ms|Dr|St|Mt|Prof|Jr|Sr|vs|approx|e\.g|i\.e|ca)|\.[A-Z])\.$"
)
_INITIAL = re.compile(r"\b[A-Z]\.$")
_SUBORDINATE = re.compile(
    r",?\s(?:because|since|as (?!follows)|given|considering|due to|which|where|whereas|while|compared|although|though|even if"
    r"|if)\b"
)
_BRACKETS = re.compile(r"\s?\([^()\n]{0,200}\)")
_NOT_BUT = re.compile(r"\bnot [^,.;\n]{1,60}? but (?:rather )?", re.IGNORECASE)
_DENIED = re.compile(
    r",? \b(?:and |but )?(?:not|rather than|instead of) (?!only\b)[^,.;\n]{1,60}", re.IGNORECASE
)
_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")

_SAME_STEM = {
    "wrote": "writ",
    "written": "writ",
    "author": "writ",
    "authored": "writ",
    "artist": "paint",
    "won": "win",
    "winner": "win",
    "wins": "win",
    "built": "build",
    "builder": "build",
    "made": "make",
    "maker": "make",
    "took": "take",
    "taken": "take",
    "spoken": "speak",
    "spoke": "speak",
    "fell": "fall",
    "fallen": "fall",
    "gave": "giv",
    "given": "giv",
}
FILLERS = frozenset(
    """
    a an the it its it's he she they them their this that that's these those there here one ones what which who is are was
    were be been being am do does did has have had will would must can could should may might i i'm i'd we you my our your
    me us of in on at to for by with from as than and or but so therefore thus hence then consequently finally indeed also
    actually really clearly certainly definitely surely obviously simply just exactly only probably likely maybe perhaps now
    well ok okay yes answer answers option options choice choices correct right true letter solution result conclusion final
    think believe guess say choose pick select go conclude get know number numbers value name called known follows left
    leaves remains means among between
""".split()
)
"""Words that add nothing to what a clause says about its subject."""


def clean(text: str) -> str:
    """The text without emphasis and TeX marks, with straight apostrophes and one space where there were several."""
    text = "\n".join(" ".join(line.split()) for line in text.splitlines())
    text = text.replace("’", "'").replace("−", "-")
    text = (
        text.replace("\\times", "×").replace("\\cdot", "·").replace("\\%", "%").replace("\\$", "$")
    )
    text = _TEX_FRACTION.sub(r"\1/\2", _TEX_TEXT.sub(r"\1", _TEX_MARKS.sub("", text)))
    return "\n".join(
        " ".join(line.split()) for line in _EMPHASIS.sub("", text).splitlines() if line.strip()
    )


def sentences(text: str, *, has_names: bool = False) -> list[str]:
    """The sentences and lines of a text that say something.

    has_names: a capital letter and a full stop before another capital are an initial ("J. K. Rowling") and no end.
    """
    found, start = [], 0
    for end in _SENTENCE_END.finditer(text):
        before = text[max(start, end.start() - 8) : end.start() + 1]
        is_initial = (
            has_names and _INITIAL.search(before) and text[end.end() + 1 : end.end() + 2].isupper()
        )
        if end[0] == "." and (is_initial or _ABBREVIATION.search(before)):
            continue
        found.append(text[start : end.end()].strip())
        start = end.end()
    found.append(text[start:].strip())
    return [sentence[-_LONGEST_SENTENCE:] for sentence in found if sentence.strip(" .!?\"'”)")]


def main_clause(sentence: str) -> str:
    """The sentence up to its first reason, relative clause or condition; all of it where that comes first."""
    cut = _SUBORDINATE.search(sentence, 1)
    return sentence[: cut.start()] if cut else sentence


def without_brackets(text: str) -> str:
    """The text without what it says in round brackets."""
    return _BRACKETS.sub("", text)


def without_denied(text: str) -> str:
    """The text without what it says is not so: "not Cusco but Lima" is "Lima", and so is "Lima, not Cusco"."""
    return _DENIED.sub(" ", _NOT_BUT.sub("", text))


def stem(word: str) -> str:
    """The word without its endings, so that larger meets largest and discoverer meets discovered; rough on purpose."""
    word = word.lower().replace("’", "'").removesuffix("'s")
    if word in _SAME_STEM:
        return _SAME_STEM[word]
    if len(word) > 3 and not word.endswith(("ss", "us", "is")):
        word = word.removesuffix("s")
    for ending in ("ing", "ed", "est", "er", "er", "or"):
        if len(word) > len(ending) + 2:
            word = word.removesuffix(ending)
    return word.removesuffix("e") if len(word) > 3 else word


def content(text: str) -> list[str]:
    """The stems of the words that carry meaning, in their order."""
    words = (word.lower() for word in _WORD.findall(text))
    return [stem(word) for word in words if word.removesuffix("'s") not in FILLERS]
