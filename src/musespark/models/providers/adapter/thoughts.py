"""Separation of thoughts from the text that holds them: models on servers of one's own write them between tags, and not every
server takes them out.

The result depends on the text alone, not on the pieces in which it comes. A tag counts at the start of a text, of a line or of a
sentence. One that the text only mentions (in code, in quotes, among words about it) stays text. A closing tag without an opening
one says that all text before it was a thought: the templates of some models open the thought themselves. Tokens for the end of a
turn that a server left at the end are no text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple


@dataclass(frozen=True, slots=True)
class TagFamily:
    """The tags that some models write around their thoughts, in lower case."""

    opening: str
    closings: tuple[str, ...]
    wrappers: tuple[str, ...] = ()
    """Tags around the answer itself; they are dropped once a tag of the family has come."""
    is_special: bool = False
    """True for special tokens, which count anywhere."""
    is_lone: bool = True
    """True if a closing tag counts without an opening one."""


def _family(name: str, *more: str) -> TagFamily:
    return TagFamily(f"<{name}>", tuple(f"</{each}>" for each in (name, *more)))


HARMONY = TagFamily(
    "<|channel|>analysis<|message|>",
    ("<|end|>", "<|channel|>final<|message|>"),
    (
        "<|start|>assistant",
        "<|channel|>final<|message|>",
        "<|channel|>commentary<|message|>",
        "<|end|>",
        "<|return|>",
    ),
    is_special=True,
    is_lone=False,
)
STRIPPED = TagFamily("analysis", ("assistantfinal",), is_lone=False)
"""Harmony after its special tokens were taken out; it counts only at the start of a text."""
FAMILIES = (
    _family("think", "thinking"),
    _family("thinking", "think"),
    _family("thought", "thoughts"),
    _family("thoughts", "thought"),
    _family("reasoning"),
    _family("seed:think"),
    _family("mm:think"),
    _family("longcat_think"),
    _family("antthinking"),
    TagFamily("[think]", ("[/think]",)),
    TagFamily("◁think▷", ("◁/think▷",), is_special=True),
    TagFamily("<|think|>", ("<|/think|>", "</|think|>"), is_special=True),
    TagFamily(
        "<|begin_of_thought|>",
        ("<|end_of_thought|>",),
        ("<|begin_of_solution|>", "<|end_of_solution|>"),
        is_special=True,
    ),
    TagFamily(
        "<|start_thinking|>",
        ("<|end_thinking|>",),
        ("<|start_response|>", "<|end_response|>", "<|start_text|>", "<|end_text|>"),
        is_special=True,
    ),
    TagFamily("<|inner_prefix|>", ("<|inner_suffix|>",), is_special=True),
    TagFamily("<|channel>thought", ("<channel|>",), is_special=True),
    TagFamily("<unused94>thought", ("<unused95>",), is_special=True),
    HARMONY,
)
_OPENINGS = {family.opening: family for family in FAMILIES}
_CLOSINGS = {family.closings[0]: family for family in FAMILIES if family.is_lone}
ENDS = (
    "<|im_end|>",
    "<|eot_id|>",
    "<|eom_id|>",
    "<|endoftext|>",
    "<|end_of_text|>",
    "<|end_of_turn|>",
    "<end_of_turn>",
    "<｜end▁of▁sentence｜>",
)
"""Tokens of templates for the end of a turn; a server may leave them at the end of a text."""
_TAGS = tuple(
    {tag for one in FAMILIES for tag in (one.opening, *one.closings, *one.wrappers)} | {*ENDS}
)
_CANDIDATES = re.compile(r"[<\[◁]")
_AHEAD = 16
"""Characters after a tag that may tell if it is a mention."""
_TOLD = re.compile(rf"[^ \t]|[ \t]+\w*[^\w \t]|.{{{_AHEAD}}}", re.DOTALL)
_ABOUT_AFTER = re.compile(
    r"[ \t]*[,;)]|[ \t]+(?:tags?|tokens?|is|are|was|and|or|marks?|means|blocks?|elements?|opens?|closes?|ends?|begins?|"
    r"starts?|in|as|at|to|with|when|denotes|stands|indicates|sections?|markers?)\b",
    re.IGNORECASE,
)
_ABOUT_BEFORE = re.compile(
    r"\b(?:the|a|an|and|or|with|by|closing|opening|ending|end|tags?|tokens?|like|use|using|write|writes|put|called|named|"
    r"its|matching|final|until|after|before|at|on|of|in|to|from|for|into|this|that|each|every|no|first|second|emits?|see)[ \t]+\Z",
    re.IGNORECASE,
)
_START = re.compile(r"(?:\A|\n)[ ]{0,3}\Z|[.!?。！？][\"')\]*_]*[ \t]*\Z")
_FENCE = re.compile(r"^[ ]{0,3}(?:```|~~~)", re.MULTILINE)
_QUOTES = "`\"'"


class ThoughtPiece(NamedTuple):
    """A piece of a text: `text`, a `thought`, or `turned`: all text of the reply so far was a thought."""

    kind: Literal["text", "thought", "turned"]
    text: str = ""


class ThoughtSplitter:
    """Splits one text, which comes in pieces."""

    def __init__(self) -> None:
        self._held = ""
        """The end of what has come, if it cannot be told yet."""
        self._said: list[str] = []
        """Text since the last thought."""
        self._thought: list[str] = []
        """The open thought, or the last one."""
        self._family: TagFamily | None = None
        """Family of the open thought."""
        self._seen: set[TagFamily] = set()
        self._mentioned: list[TagFamily] = []
        """Families of opening tags that were mentions: the next closing tag is one, too."""
        self._trims = True
        """True while whitespace waits for what follows."""
        self._blank = ""
        """Whitespace at the start of the text, which is left out if a thought follows."""
        self._last = ""
        """The last character before what is held."""
        self._doubtful: list[str] = []
        """Text that a closing tag turned into a thought although a thought had ended before it."""

    def feed(self, text: str) -> Iterator[ThoughtPiece]:
        """Add a piece; yields what is certain."""
        if not (self._held or self._trims or self._family or _CANDIDATES.search(text)):
            if text:
                self._last = text[-1]
                self._said.append(text)
                yield ThoughtPiece("text", text)
            return
        self._held += text
        yield from self._scan(is_end=False)

    def end(self) -> Iterator[ThoughtPiece]:
        """Yield the rest."""
        yield from self._scan(is_end=True)
        if self._family is STRIPPED:  # it was a word after all
            yield ThoughtPiece("text", STRIPPED.opening + "".join(self._thought))
        elif self._blank and not self._seen:
            yield ThoughtPiece("text", self._blank)
        elif self._doubtful and not self._said:
            yield ThoughtPiece("text", "".join(self._doubtful))

    def _scan(self, *, is_end: bool) -> Iterator[ThoughtPiece]:
        while self._held:
            at, tag = self._find_tag(is_end)
            yield from self._take(at)
            if tag is None:
                return
            yield from self._handle(tag)

    def _find_tag(self, is_end: bool) -> tuple[int, str | None]:
        """The number of characters that are certain, and the tag that follows them; None if there is none, or it is not certain."""
        low = _lower(self._held)
        tags: Sequence[str] = _TAGS if self._family is None else self._family.closings
        if self._family is None and not (self._said or self._seen):
            start = len(low) - len(low.lstrip())
            if low.startswith(STRIPPED.opening, start):
                follows = self._held[start + len(STRIPPED.opening) :]
                if not follows and not is_end:
                    return start, None
                if follows[:1].isupper() or follows[:1] in tuple(_QUOTES):
                    return start, STRIPPED.opening
            elif not is_end and low[start:] and STRIPPED.opening.startswith(low[start:]):
                return start, None
        candidates = re.compile("a") if self._family is STRIPPED else _CANDIDATES
        for found in candidates.finditer(low):
            at = found.start()
            tag = max((each for each in tags if low.startswith(each, at)), key=len, default=None)
            if not is_end and any(each != tag and each.startswith(low[at:]) for each in tags):
                return at, None
            if tag is None:
                continue
            if tag in ENDS:
                before = self._held[at - 1] if at else self._last
                if before.strip(" \t") != before or not _is_ending(low[at:]):
                    continue
                return at, tag if is_end else None
            if not (is_end or _TOLD.match(self._held, at + len(tag))):
                return at, None
            return at, tag
        return len(low), None

    def _take(self, count: int) -> Iterator[ThoughtPiece]:
        """Pass on the first characters of what is held."""
        if not count:
            return
        text, self._held = self._held[:count], self._held[count:]
        self._last = text[-1]
        if self._trims:
            bare = text.lstrip()
            if self._family is None and not self._seen:
                text, self._blank = (self._blank + text, "") if bare else ("", self._blank + text)
            else:
                text = bare
            if not text:
                return
            self._trims = False
        (self._said if self._family is None else self._thought).append(text)
        yield ThoughtPiece("text" if self._family is None else "thought", text)

    def _drop(self, tag: str) -> None:
        self._held, self._last = self._held[len(tag) :], ""
        self._trims, self._blank = True, ""

    def _handle(self, tag: str) -> Iterator[ThoughtPiece]:
        """Open or close a thought at a tag, drop it, or pass it on."""
        if self._family is not None:
            if self._is_quoted(tag):
                yield from self._take(len(tag))
                return
            self._family = None
            self._said, self._mentioned = [], []
            self._drop(tag)
        elif tag == STRIPPED.opening or (tag in _OPENINGS and self._opens(tag)):
            self._family = _OPENINGS.get(tag, STRIPPED)
            self._seen.add(self._family)
            self._thought = []
            self._drop(tag)
        elif tag in ENDS:
            self._drop(tag)
        elif tag in HARMONY.wrappers and not self._said:
            self._seen.add(HARMONY)
            self._drop(tag)
        elif any(tag in family.wrappers for family in self._seen):
            self._drop(tag)
            self._trims = not self._said
        elif tag in _CLOSINGS and self._closes(tag):
            if self._said:
                self._doubtful = self._said if self._seen else []
                yield ThoughtPiece("turned")
            self._seen.add(_CLOSINGS[tag])
            self._said = []
            self._drop(tag)
        else:
            if tag in _OPENINGS:
                self._mentioned.append(_OPENINGS[tag])
            yield from self._take(len(tag))

    def _opens(self, tag: str) -> bool:
        """True if an opening tag begins a thought here."""
        said = "".join(self._said)
        starts = _OPENINGS[tag].is_special or not said or _START.search(said)
        return bool(
            starts
            and not self._is_quoted(tag)
            and not _is_in_code(said)
            and not _ABOUT_AFTER.match(self._held, len(tag))
        )

    def _closes(self, tag: str) -> bool:
        """True if a closing tag without an opening one ends a thought here."""
        family = _CLOSINGS[tag]
        if family in self._mentioned:
            self._mentioned.remove(family)
            return False
        said = "".join(self._said)
        return not (
            self._is_quoted(tag)
            or _is_in_code(said)
            or _ABOUT_AFTER.match(self._held, len(tag))
            or _ABOUT_BEFORE.search(said[-40:])
        )

    def _is_quoted(self, tag: str) -> bool:
        """True if a tag stands between two equal quotes or backticks."""
        return (
            bool(self._last) and self._last in _QUOTES and self._held[len(tag) :][:1] == self._last
        )


def _is_ending(text: str) -> bool:
    """True if a text is tokens for the end of a turn and nothing else; the last one may not be whole yet."""
    while text := text.lstrip():
        if not any(end.startswith(text) or text.startswith(end) for end in ENDS):
            return False
        text = text[max(len(end) for end in ENDS if end.startswith(text) or text.startswith(end)) :]
    return True


def _is_in_code(said: str) -> bool:
    """True if a text ends within a fenced block or between backticks."""
    if len(_FENCE.findall(said)) % 2:
        return True
    return said.rpartition("\n")[2].count("`") % 2 == 1


def _lower(text: str) -> str:
    """The text in lower case, letter for letter."""
    low = text.lower()
    return (
        low
        if len(low) == len(text)
        else "".join(one.lower() if len(one.lower()) == 1 else one for one in text)
    )


def split_thoughts(text: str) -> list[ThoughtPiece]:
    """Split a whole text."""
    splitter = ThoughtSplitter()
    return [*splitter.feed(text), *splitter.end()]
