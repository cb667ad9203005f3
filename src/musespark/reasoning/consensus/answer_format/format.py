"""The form of the short answer that a question asks for, and reading such an answer from a reply."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from musespark.reasoning.consensus.answer_format.choice import find_option, last_option
from musespark.reasoning.consensus.answer_format.figures import find_number, last_number
from musespark.reasoning.consensus.answer_format.named import find_name
from musespark.reasoning.consensus.answer_format.offered import Option
from musespark.reasoning.consensus.answer_format.polar import find_yes_no, last_yes_no
from musespark.reasoning.consensus.equivalence import marked_answer
from musespark.reasoning.consensus.equivalence.reading.reader import is_value, read
from musespark.reasoning.consensus.equivalence.refusal import is_refusal

Kind = Literal["number", "choice", "yes_no", "name"]

_AT_MOST = 20_000
"""Characters of a reply's end that are searched."""
_LONGEST_MARKED = 3
"""Words of the longest marked answer that is taken as it is."""


@dataclass(frozen=True, slots=True)
class AnswerFormat:
    """The kind of short answer that a question asks for."""

    kind: Kind
    options: tuple[Option, ...] = ()
    question: str = ""
    """The sentence that asks, for a number with all before it; a reply repeats its words and figures around the answer."""

    @property
    def asking(self) -> str:
        """A request for the answer alone."""
        if self.kind == "choice":
            offered = ", ".join(
                f"{option.label}) {option.text}" if option.label else option.text
                for option in self.options
            )
            return f"So which of them is the answer: {offered}? Reply with only that."
        alone = {"number": "the number", "yes_no": "yes or no", "name": "the name"}[self.kind]
        return f"So what is the answer? Reply with only {alone}."

    def find(self, reply: str) -> str | None:
        """The answer that a reply settles on; None if none can be told with confidence, or the reply declines to answer."""
        text = reply[-_AT_MOST:]
        marked = marked_answer(text)
        if self.kind != "choice" and is_refusal(text if marked is None else marked):
            return None
        if marked is None:
            return self._read(text)
        if self.kind == "number" and not _is_sentence(marked):
            return marked
        found = self._read(marked)
        if found is not None:
            return found
        is_short = len(marked.split()) <= _LONGEST_MARKED and not marked.endswith(":")
        if (
            self.kind == "name"
            and len(marked.split()) <= 2 * _LONGEST_MARKED
            and not marked.endswith(":")
        ):
            return marked
        return None if is_short or is_refusal(marked) else self._read(text)

    def guess(self, reply: str) -> str | None:
        """The answer that a reply mentions last, a likely one where `find` can tell none; None for a name.

        The usual fallback of answer extraction (lm-evaluation-harness's `flexible-extract`).
        """
        text = reply[-_AT_MOST:]
        if is_refusal(text):
            return None
        if self.kind == "number":
            return last_number(text)
        if self.kind == "yes_no":
            return last_yes_no(text)
        option = last_option(text, self.options) if self.kind == "choice" else None
        return option.answer if option else None

    def _read(self, text: str) -> str | None:
        """The answer of this kind in a text."""
        if self.kind == "number":
            return find_number(text, self.question)
        if self.kind == "yes_no":
            return find_yes_no(text, self.question)
        if self.kind == "name":
            return find_name(text, self.question)
        option = find_option(text, self.options, self.question)
        return option.answer if option else None


def _is_sentence(text: str) -> bool:
    """True if a text says a number in a sentence ("indeed 18", "the sum is 18 apples") and is not a value itself."""
    if is_value(read(text)):
        return False
    words = re.findall(r"(?<![\\\w])[^\W\d_]{2,}", text)
    return len(words) >= 2 or bool(re.match(r"[^\W\d_]{2,}(?:\s|-)", text))
