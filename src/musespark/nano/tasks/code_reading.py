"""Find the program in a question and run it in a sandbox, for the verifier.

The program is untrusted. It is parsed, never executed here; it runs in pydantic-monty's sandbox, in a process of its own, without
files, network or clock, under limits of time, memory, depth and output.
"""

from __future__ import annotations

import ast
import io
import re
import textwrap
import tokenize
import warnings
from collections.abc import Iterator

LONGEST_QUESTION = 4000
MOST_LINES = 40
LONGEST_OUTPUT = 4096
_SECONDS = 0.5


def find_program(question: str) -> str | None:
    """Return the Python program in a question: a fenced one, else consecutive lines, else text in backticks.

    Of the runs of lines that parse and print, it is the one that begins first, at its greatest length.
    """
    if len(question) > LONGEST_QUESTION:
        return None
    return next((source for source in _candidates(question) if is_program(source)), None)


def output_of(source: str) -> str | None:
    """Return the output of a program; None if it fails, prints nothing, reaches outside, or does not end within the limits."""
    from pydantic_monty import (
        CollectString,
        Monty,
        MontyError,
        ResourceLimits,
    )  # takes 0.2 s, needed only for a check

    limits = ResourceLimits(
        max_feed_duration_secs=_SECONDS,
        max_memory=32 << 20,
        max_recursion_depth=100,
        max_suspensions=10,
        max_total_sleep_secs=0.0,
    )
    collected = CollectString(max_bytes=LONGEST_OUTPUT)
    try:
        with (
            Monty(max_processes=1, request_timeout=4 * _SECONDS) as pool,
            pool.checkout(limits=limits) as session,
        ):
            session.feed_run(source, print_callback=collected)
    except (
        MontyError
    ):  # base class of all sandbox errors: syntax, a failing program, a limit, a dead worker
        return None
    return collected.output or None


def has_comment(source: str) -> bool:
    """Return True if a program has comments, which may be meant for the reader."""
    try:
        return any(
            token.type == tokenize.COMMENT
            for token in tokenize.generate_tokens(io.StringIO(source).readline)
        )
    except (tokenize.TokenError, SyntaxError):
        return "#" in source


def _candidates(question: str) -> Iterator[str]:
    for fenced in re.finditer(r"```[ \w]*\n(.*?)```", question, re.DOTALL):
        yield textwrap.dedent(fenced[1]).strip("\n")
    lines = question.splitlines()
    if len(lines) <= MOST_LINES:
        for start in range(len(lines)):
            for end in range(len(lines), start, -1):
                yield textwrap.dedent("\n".join(lines[start:end])).strip("\n")
    for quoted in re.finditer(r"`([^`\n]+)`", question):
        yield quoted[1]


def is_program(source: str) -> bool:
    """Return True for Python that prints a result of its own; with imports it could read a clock or draw random numbers."""
    if "print(" not in source:
        return False
    try:
        # Not safe if several threads do so at once (see `images.py`), but the parser has no other switch.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SyntaxWarning)
            tree = ast.parse(source)
    except (
        SyntaxError,
        ValueError,
        RecursionError,
        MemoryError,
    ):  # every error that ast.parse raises for text that is not Python
        return False
    if any(
        isinstance(statement, ast.Expr) and not isinstance(statement.value, ast.Call)
        for statement in tree.body
    ):
        return False  # a single English word is a valid expression
    return not any(isinstance(node, ast.Import | ast.ImportFrom) for node in ast.walk(tree))
