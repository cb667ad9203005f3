"""The task of short Python programs: what does this print?

The thought is a run of the program: every executed line as it stands in the program, then its effect, field by field
(`code_steps.py`). The answer is the output.
"""

from __future__ import annotations

import random

from musespark.nano import vocabulary as v
from musespark.nano.arrays import Pixels
from musespark.nano.tasks.code_programs import LINES, LONGEST, LONGEST_THOUGHT, draw_program
from musespark.nano.tasks.code_questions import (
    PHRASINGS_AFTER,
    PHRASINGS_BEFORE,
    read,
    reason_unread,
)
from musespark.nano.tasks.code_reading import find_program, has_comment, output_of
from musespark.nano.tasks.code_steps import UnsupportedProgram, execute
from musespark.nano.tasks.task import TaskProblem, held_out as is_held_out
from musespark.nano.trace import Branch


def phrase_question(source: str, rng: random.Random) -> str:
    """Return the program with a question about it, as a person would paste them."""
    if rng.random() < 0.15:
        source = f"```{rng.choice(('python', 'python', 'py', ''))}\n{source}\n```"
    roll = rng.random()
    if roll < 0.05:
        return source
    words = rng.choice(PHRASINGS_BEFORE if roll < 0.85 else PHRASINGS_AFTER)
    if rng.random() < 0.1:
        words = words.lower()
    if rng.random() < 0.08:
        words = words.rstrip("?.:")
    gap = "\n" if rng.random() < 0.7 else "\n\n"
    return f"{words}{gap}{source}" if roll < 0.85 else f"{source}{gap}{words}"


class Code:
    """Python programs of two to nine lines."""

    name = "code"

    def generate(self, rng: random.Random, held_out: bool) -> TaskProblem:
        """Generate a program and its output."""
        while True:
            source, done = draw_program(rng)
            if is_held_out(source) == held_out:
                return TaskProblem(
                    self.name,
                    phrase_question(source, rng),
                    done.printed,
                    key=source,
                    facts={"program": source},
                )

    def write_thought(
        self, problem: TaskProblem, mode: str, branch: Branch, rng: random.Random
    ) -> None:
        """Write the executed lines in order, one a line; in instant mode only the answer."""
        branch.write(v.TASK_TOKENS[self.name])
        if mode != "instant":
            branch.write("\n".join(execute(problem.facts["program"]).steps))
        branch.write(v.ANSWER, problem.answer, v.EOS)

    def is_right(self, problem: TaskProblem, answer: str) -> bool:
        """Return True if the answer is the output of the program, apart from blanks at the ends of lines."""
        return tidy(answer) == tidy(problem.answer)

    def verify(self, question: str, image: Pixels | None, answer: str) -> bool | None:
        """Run the program in a sandbox and compare; None if the question says more than a program, or the program does not run."""
        source = None if image is not None else read(question)
        printed = None if source is None else output_of(source)
        return None if printed is None else tidy(answer) == tidy(printed)

    def abstention_reason(self, question: str, image: Pixels | None) -> str | None:
        """Abstain from unknown conditions and from programs outside the training range."""
        if image is not None:
            return "there is a picture with it, and I would not look at that"
        if reason := reason_unread(question):
            return reason
        source = read(question) or find_program(question)
        return (
            "I cannot find a Python program that prints something in it"
            if source is None
            else _out_of_range(source)
        )


def _out_of_range(source: str) -> str | None:
    """Return the way in which a program is outside the training range, as a clause; None if it is inside."""
    lines = len(source.splitlines())
    if not LINES[0] <= lines <= LINES[1]:
        return f"the program has {lines} line{'' if lines == 1 else 's'}"
    if len(source) > LONGEST:
        return f"the program has {len(source)} characters"
    if has_comment(source):
        return "the program has comments in it"
    try:
        done = execute(source)
    except (UnsupportedProgram, RecursionError, MemoryError, OverflowError):
        return "the program has something in it that I have not learned, or takes too many steps"
    if sum(map(len, done.steps)) + len(done.steps) > LONGEST_THOUGHT:
        return "the program takes too many steps"
    return None


def tidy(output: str) -> str:
    """Strip the invisible blanks of an output."""
    return "\n".join(line.rstrip() for line in output.strip().splitlines())
