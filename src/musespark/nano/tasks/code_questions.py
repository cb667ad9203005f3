"""The wording of questions about programs: all ask what a program prints, and nothing else."""

from __future__ import annotations

import re
import textwrap

from musespark.nano.tasks.code_reading import (
    LONGEST_QUESTION,
    MOST_LINES,
    find_program,
    has_comment,
    is_program,
)
from musespark.nano.tasks.wording import Phrasings, unread_reason

PHRASINGS_BEFORE = (
    "What does this program print?",
    "What does this Python program print?",
    "What does this print?",
    "What does this code print?",
    "What will this code print?",
    "What does the following code output?",
    "What is the output of this program?",
    "What is the output of this Python code?",
    "Give the output of this Python code:",
    "Give the output of this program.",
    "Tell me what this code prints:",
    "What gets printed?",
    "What is printed when this runs?",
    "Run this program in your head. What does it print?",
    "Predict the output:",
    "Trace this program and give its output.",
    "If I run this, what do I see?",
    "What would Python print here?",
    "Output of this code?",
    "Please run this:",
    "Can you tell me what this Python code prints?",
    "Here is a short Python program. What does it print?",
    "Execute this code and tell me the result.",
    "What's the output?",
)
"""Phrasings in front of a program, used in training."""
PHRASINGS_AFTER = (
    "What does this print?",
    "What is the output?",
    "What does it print?",
    "What will be printed?",
    "What's the output of this code?",
    "Tell me the output.",
    "What does the program above print?",
    "What do I get when I run this?",
)
"""Phrasings after a program, used in training."""
_OTHERS = (
    "What will this print?", "What does this output?", "What does it output?", "What will be the output?", "Output?", "Print?",
    "What does this Python code output?", "What does the program print?", "What does the code print?", "What's the result?",
    "Can you work out what this code outputs?", "What does this program output?",
)  # fmt: skip
_MEANINGFUL = ("if", "and", "when", "here", "would", "above", "following", "result")
FIRST, LAST = (
    Phrasings((*phrasings, *_OTHERS), meaningful=_MEANINGFUL)
    for phrasings in (PHRASINGS_BEFORE, PHRASINGS_AFTER)
)
_FENCED = re.compile(
    r"(?P<before>[^`]*)```(?:python|py|python3)?[ \t]*\n(?P<source>[^`]*)\n?[ \t]*```(?P<after>[^`]*)",
    re.DOTALL,
)
_MAX_WORDING_LINES = 3
"""Most lines of wording beside a program that are tried."""


def read(question: str) -> str | None:
    """Return the program whose output is asked for; None if the question says anything else, or the program has comments."""
    if len(question) > LONGEST_QUESTION:
        return None
    found = _fenced(question) if "```" in question else _in_lines(question)
    return None if found is None or has_comment(found) else found


def reason_unread(question: str) -> str | None:
    """Return the reason to abstain from a question about a program, as a clause; None if it is at most phrased unusually."""
    if read(question) is not None:
        return None
    source = find_program(question)
    words = question
    for line in (source or "").splitlines():
        words = words.replace(line.strip(), " ", 1)
    unknown = [
        word
        for word in FIRST.unknown_words(words)
        if word in LAST.unknown_words(words) and word not in ("python", "py")
    ]
    return unread_reason(unknown) if unknown and source is not None else None


def _fenced(question: str) -> str | None:
    found = _FENCED.fullmatch(question.replace("\r\n", "\n"))
    if found is None:
        return None
    source = textwrap.dedent(found["source"]).strip("\n")
    return source if is_program(source) and _is_phrasing(found["before"], found["after"]) else None


def _in_lines(question: str) -> str | None:
    lines = question.strip("\r\n").splitlines()
    if len(lines) > MOST_LINES:
        return None
    for first in range(min(_MAX_WORDING_LINES, len(lines)) + 1):
        for last in range(len(lines), max(len(lines) - _MAX_WORDING_LINES, first), -1):
            if _is_phrasing("\n".join(lines[:first]), "\n".join(lines[last:])):
                source = textwrap.dedent("\n".join(lines[first:last])).strip("\n")
                if is_program(source):
                    return source
    return None


def _is_phrasing(before: str, after: str) -> bool:
    """Return True if the text around a program is one phrasing, or empty."""
    if before.strip() and after.strip():
        return False
    return (
        not (before + after).strip()
        or (FIRST.read(before) if before.strip() else LAST.read(after)) is not None
    )
