"""The same behaviour: two programs that pass and fail the same tests."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Hashable, Sequence

from musespark.reasoning.attempt import Attempt

Runner = Callable[[str], Awaitable[Sequence[bool]]]
"""Runs a program in a sandbox against the tests: for each of them whether it passed."""


class Behaviour:
    """Programs of the same pass and fail vector. Each text is run once; the runner limits time and memory."""

    name = "behaviour"
    keyed = False

    def __init__(self, run: Runner) -> None:
        self._run = run
        self._passed: dict[str, tuple[bool, ...]] = {}

    def key(self, attempt: Attempt) -> Hashable:
        return program(attempt)

    async def same(self, left: Attempt, right: Attempt) -> bool:
        return self.key(left) == self.key(right) or await self.passed(left) == await self.passed(
            right
        )

    async def passed(self, attempt: Attempt) -> tuple[bool, ...]:
        """For each test, whether the program passed."""
        code = program(attempt)
        if code not in self._passed:
            self._passed[code] = tuple(await self._run(code))
        return self._passed[code]


def program(attempt: Attempt) -> str:
    """The program in a reply: its last fenced block, else all of it."""
    pieces = attempt.text.split("```")
    return (
        pieces[-2 if len(pieces) % 2 else -1].partition("\n")[2].strip()
        if len(pieces) > 2
        else attempt.text.strip()
    )
