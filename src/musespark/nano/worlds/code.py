"""The world of short Python programs: what does this print?

The thought is the program run by hand: every executed line as it stands in the program, then what it does, field by field
(`code_steps.py`). The answer is what was printed.
"""

from __future__ import annotations

import random

import numpy as np

from musespark.nano import vocabulary as v
from musespark.nano.trace import Branch
from musespark.nano.worlds.code_programs import LINES, LONGEST, LONGEST_THOUGHT, program
from musespark.nano.worlds.code_questions import ASKED_FIRST, ASKED_LAST, not_read, read
from musespark.nano.worlds.code_reading import find_program, has_comment, output_of
from musespark.nano.worlds.code_steps import Unsuitable, run
from musespark.nano.worlds.world import Problem, held_out as is_held_out


def ask(source: str, rng: random.Random) -> str:
    """The program and a question about it, as a person would paste them."""
    if rng.random() < 0.15:
        source = f"```{rng.choice(('python', 'python', 'py', ''))}\n{source}\n```"
    roll = rng.random()
    if roll < 0.05:
        return source
    words = rng.choice(ASKED_FIRST if roll < 0.85 else ASKED_LAST)
    if rng.random() < 0.1:
        words = words.lower()
    if rng.random() < 0.08:
        words = words.rstrip("?.:")
    gap = "\n" if rng.random() < 0.7 else "\n\n"
    return f"{words}{gap}{source}" if roll < 0.85 else f"{source}{gap}{words}"


class Code:
    """Python programs of two to nine lines."""

    name = "code"

    def problem(self, rng: random.Random, held_out: bool) -> Problem:
        """A program that nobody wrote before, and what it prints."""
        while True:
            source, done = program(rng)
            if is_held_out(source) == held_out:
                return Problem(self.name, ask(source, rng), done.printed, key=source, facts={"program": source})

    def think(self, problem: Problem, mode: str, branch: Branch, rng: random.Random) -> None:
        """The executed lines in order, one a line; instant writes the answer alone."""
        branch.writes(v.WORLDS[self.name])
        if mode != "instant":
            branch.writes("\n".join(run(problem.facts["program"]).steps))
        branch.writes(v.ANSWER, problem.answer, v.EOS)

    def right(self, problem: Problem, answer: str) -> bool:
        """Whether the answer is what the program prints, blanks at the ends of lines aside."""
        return tidy(answer) == tidy(problem.answer)

    def verify(self, question: str, image: np.ndarray | None, answer: str) -> bool | None:
        """True if a sandbox prints the same; None if the question says more than a program, or the program does not run."""
        source = None if image is not None else read(question)
        printed = None if source is None else output_of(source)
        return None if printed is None else tidy(answer) == tidy(printed)

    def outside(self, question: str, image: np.ndarray | None) -> str | None:
        """Conditions that are not known, and programs beyond what the model is trained on."""
        if image is not None:
            return "there is a picture with it, and I would not look at that"
        if reason := not_read(question):
            return reason
        source = read(question) or find_program(question)
        return "I cannot find a Python program that prints something in it" if source is None else _beyond(source)


def _beyond(source: str) -> str | None:
    """Why a program is not such as the model is trained on; None where it is."""
    lines = len(source.splitlines())
    if not LINES[0] <= lines <= LINES[1]:
        return f"the program has {lines} line{'' if lines == 1 else 's'}"
    if len(source) > LONGEST:
        return f"the program has {len(source)} characters"
    if has_comment(source):
        return "the program has comments in it"
    try:
        done = run(source)
    except (Unsuitable, RecursionError, MemoryError, OverflowError):
        return "the program has something in it that I have not learned, or takes too many steps"
    if sum(map(len, done.steps)) + len(done.steps) > LONGEST_THOUGHT:
        return "the program takes too many steps"
    return None


def tidy(output: str) -> str:
    """Printed text without the blanks that nobody sees."""
    return "\n".join(line.rstrip() for line in output.strip().splitlines())
