"""Time that comparing answers takes, and the delay it causes for other teams: `python benchmarks/compare.py`.

First part: 12 answers of 90 kB each are grouped, as prose, as one formula and as a list; in seconds of processor time.
Second part: four teams group hard mathematical answers at once, while a fifth groups easy ones again and again. The figure is the
longest grouping of the fifth team, less its time without the others, in processor time of the event loop's thread, so that other
programs on the machine do not count.
"""

from __future__ import annotations

import asyncio
import random
import statistics
import time
from collections.abc import Sequence

from musespark.content import Request
from musespark.reasoning.attempt import Attempt
from musespark.reasoning.consensus.equivalence import equivalence_for
from musespark.reasoning.consensus.groups import AnswerGroups

SIZE = 90_000
"""Characters of a long answer."""
HARD = (
    r"\sqrt{5+2\sqrt{6}}",
    r"\sqrt{2}+\sqrt{3}",
    r"\frac{1}{\sqrt{3}-\sqrt{2}}",
    r"\sqrt[3]{2+\sqrt{5}}+\sqrt[3]{2-\sqrt{5}}",
    r"\sin(x)^6+\cos(x)^6",
    r"1-\frac{3}{4}\sin(2x)^2",
    r"\frac{5}{8}+\frac{3}{8}\cos(4x)",
    r"\tan(3x)",
    r"\frac{3\tan(x)-\tan(x)^3}{1-3\tan(x)^2}",
    r"(x+y+z)^{12}-(x-y+z)^{12}",
    r"\ln(\sqrt{x^2+1}+x)",
    r"\frac{e^x-e^{-x}}{2}",
)
"""Different forms of a few values: only a proof tells which of them are equal."""
EASY = ("42", "42", "6*7", "41")


def prose(number: int) -> str:
    """A long answer in words."""
    words = "the of river mountain because energy light water small large cell protein city between many people 12 3.5".split()
    return " ".join(random.Random(number).choices(words, k=SIZE // 5))[:SIZE] + f" {number}"


def formula(number: int) -> str:
    """A long sum."""
    return "+".join(f"x^{power}*{power * number % 97 + 1}" for power in range(1, SIZE))[:SIZE]


def listed(number: int) -> str:
    """A long list of numbers."""
    return "[" + ", ".join(str(index * number % 997) for index in range(SIZE))[: SIZE - 2] + "]"


def attempts(answers: Sequence[str]) -> list[Attempt]:
    """An attempt for each answer."""
    return [
        Attempt(agent=f"agent-{number}", model="m", text=answer, answer=answer)
        for number, answer in enumerate(answers, 1)
    ]


async def grouped(answers: Sequence[str]) -> int:
    """Group the answers of one team; returns the number of groups."""
    groups = AnswerGroups(equivalence_for(Request.of("What is it?"), judge=_differs))
    for attempt in attempts(answers):
        await groups.add(attempt)
    return len(groups)


async def _differs(first: str, second: str) -> bool:
    """A judge without a model: nothing is the same."""
    return False


async def long_answers() -> None:
    """The first part."""
    for kind in (prose, formula, listed):
        answers = [kind(number) for number in range(12)]
        began = time.process_time()
        await grouped(answers)
        seconds = time.process_time() - began
        print(
            f"| 12 answers of {len(answers[0]):,} characters, {kind.__name__} | {seconds:.3f} s |",
            flush=True,
        )


async def beside_hard_answers() -> None:
    """The second part."""
    alone = statistics.median([await _timed(EASY) for _ in range(20)])
    waits = [0.0]
    hard = asyncio.gather(*(grouped([f"{answer}+{team}" for answer in HARD]) for team in range(4)))
    while not hard.done():
        waits.append(await _timed(EASY) - alone)
    print(f"| longest delay of a fifth team beside four hard ones | {max(waits):.3f} s |")
    await hard


async def _timed(answers: Sequence[str]) -> float:
    began = time.thread_time()
    await grouped(answers)
    return time.thread_time() - began


async def main() -> None:
    """Print the table."""
    print("| | |\n|---|---|", flush=True)
    await grouped(EASY)  # what is imported and compiled once counts for nothing
    await long_answers()
    await beside_hard_answers()


if __name__ == "__main__":
    asyncio.run(main())
