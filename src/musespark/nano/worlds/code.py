"""The world of short Python programs: what does this print?

The thought is the program run by hand: every executed line as it stands in the program, then what it does, field by field
(`code_steps.py`). The answer is what was printed.
"""

from __future__ import annotations

import random

import numpy as np

from musespark.nano import vocabulary as v
from musespark.nano.trace import Branch
from musespark.nano.worlds.code_programs import program
from musespark.nano.worlds.code_reading import find_program, output_of
from musespark.nano.worlds.code_steps import run
from musespark.nano.worlds.world import Problem, held_out as is_held_out

_ASKED_FIRST = (
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
_ASKED_LAST = (
    "What does this print?",
    "What is the output?",
    "What does it print?",
    "What will be printed?",
    "What's the output of this code?",
    "Tell me the output.",
    "What does the program above print?",
    "What do I get when I run this?",
)


def ask(source: str, rng: random.Random) -> str:
    """The program and a question about it, as a person would paste them."""
    if rng.random() < 0.15:
        source = f"```{rng.choice(('python', 'python', 'py', ''))}\n{source}\n```"
    roll = rng.random()
    if roll < 0.05:
        return source
    words = rng.choice(_ASKED_FIRST if roll < 0.85 else _ASKED_LAST)
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

    def verify(self, question: str, picture: np.ndarray | None, answer: str) -> bool | None:
        """Whether a sandbox prints the same; None if the question holds no program that runs within its limits."""
        source = find_program(question)
        printed = output_of(source) if source is not None else None
        return None if printed is None else tidy(answer) == tidy(printed)

    def outside(self, question: str, picture: np.ndarray | None) -> str | None:
        """None."""
        return None


def tidy(output: str) -> str:
    """Printed text without the blanks that nobody sees."""
    return "\n".join(line.rstrip() for line in output.strip().splitlines())
