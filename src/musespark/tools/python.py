"""Python for a model's calculations, in pydantic-monty's sandbox: a Rust interpreter in a process of its own.

The snippet is a stranger's. It never runs in this process, and its process has no file, network or environment variable to
give it. Time, memory, depth and output are limited. Every use gets a fresh process that ends with it, so that nothing of one
agent's reaches another's, and a use that is cancelled leaves nothing running.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any, Literal

from musespark.content import ToolSpec
from musespark.tools.tool import Output

if TYPE_CHECKING:
    from pydantic_monty import MontyError

LONGEST_SOURCE = 50_000
"""Characters of a snippet."""
_LONGEST_ERROR = 2_000
_LONGEST_LINE = 200
"""Characters of an error, and of one of its lines."""
_GRACE = 2.0
"""Seconds past the limit after which a sandbox that does not stop by itself is killed."""
_MODULES = ("asyncio, base64, binascii, bisect, collections, copy, csv, dataclasses, datetime, decimal, functools, hashlib, "
            "itertools, json, math, random, re, time, typing, unicodedata")
_DESCRIPTION = """\
Runs a Python snippet in a sandbox and gives back what it printed and the value of its last expression. Print what you want \
to see. Nothing is kept from one call to the next: write each snippet whole.
Works: functions, closures, lambdas, decorators of functions, comprehensions, generator expressions, f-strings, match, try, \
with, async, simple classes and dataclasses, and most built-in functions.
Does not work: yield, inheritance, super, property, staticmethod, classmethod, del, import *, dir, issubclass, callable; use \
functions, lists and dicts instead.
Modules: {modules}; no others (no numpy, sympy, fractions, heapq, statistics, string, enum).
No files, no network, no environment, no input(); sleeping takes no time.
Limits: {seconds:g} seconds, {megabytes} MB of memory, {characters:,} characters of output; an integer of more than 4,300 \
digits cannot be turned into text."""


class Python:
    """The tool `python`."""

    def __init__(self, *, seconds: float = 5.0, megabytes: int = 128, characters: int = 10_000) -> None:
        """Limits of one use: seconds of execution, megabytes of memory, characters of output."""
        self._seconds, self._megabytes, self._characters = seconds, megabytes, characters
        self._spec = ToolSpec.of(
            "python",
            _DESCRIPTION.format(modules=_MODULES, seconds=seconds, megabytes=megabytes, characters=characters),
            {"type": "object", "properties": {"code": {"type": "string", "description": "The snippet."}},
             "required": ["code"], "additionalProperties": False})

    @property
    def spec(self) -> ToolSpec:
        """What the model is told."""
        return self._spec

    async def use(self, arguments: Mapping[str, Any]) -> Output:
        """Run `arguments["code"]`. A snippet that is refused, fails or reaches a limit is a failed output that says why."""
        code = arguments.get("code")
        if not isinstance(code, str) or not code.strip():
            return Output('There is no snippet; write it as text: {"code": "print(1 + 1)"}.', failed=True)
        if len(code) > LONGEST_SOURCE:
            return Output(f"The snippet has {len(code):,} characters; at most {LONGEST_SOURCE:,} are run.", failed=True)
        return await self._run(code)

    async def _run(self, code: str) -> Output:
        await asyncio.to_thread(import_module, "pydantic_monty")  # takes 0.2 s the first time, while others go on
        from pydantic_monty import AsyncMonty, MontyError, OSPolicy, ResourceLimits

        limits = ResourceLimits(max_feed_duration_secs=self._seconds, max_memory=self._megabytes << 20,
                                max_recursion_depth=500, max_suspensions=100, max_total_sleep_secs=0.0)
        printed = _Printed(self._characters)
        pool = AsyncMonty(max_processes=1, request_timeout=self._seconds + _GRACE)
        try:
            async with pool, pool.checkout(limits=limits, os_policy=OSPolicy(sleep="zero")) as session:
                value = await session.feed_run(code, print_callback=printed)
        except MontyError as error:  # the sandbox's one root: syntax, a failing snippet, a limit, a worker that died of it
            return Output(_joined(printed.text(), self._told(error)), failed=True)
        except (OSError, RuntimeError) as error:  # no such program, no more processes
            return Output(f"The sandbox cannot be started: {error}.", failed=True)
        return Output(_joined(printed.text(), self._value(value)) or "It ran and printed nothing; print what you want to see.")

    def _told(self, error: MontyError) -> str:
        """The error as Python would show it, and what the model can do about it."""
        from pydantic_monty import MontyRuntimeError, MontySyntaxError

        shown = error.display() if isinstance(error, MontyRuntimeError | MontySyntaxError) else f"The sandbox ended: {error}"
        lines = (line if len(line) <= _LONGEST_LINE else f"{line[:_LONGEST_LINE]}…" for line in shown.split("\n"))
        shown = "\n".join(lines)[-_LONGEST_ERROR:]  # the end says what went wrong
        match error.exception():
            case ModuleNotFoundError():
                return f"{shown}\nModules here: {_MODULES}."
            case TimeoutError() | MemoryError():
                return f"{shown}\nA snippet has {self._seconds:g} seconds and {self._megabytes} MB; find a cheaper way."
            case ValueError() if "set_int_max_str_digits" in shown:
                return f"{shown}\nThat function does not exist here; print so large an integer in parts, such as x % 10**4000."
        return shown

    def _value(self, value: object) -> str:
        """The value of the last expression, as Python would show it; nothing for None."""
        if value is None:
            return ""
        try:
            shown = repr(value)
        except (ValueError, RecursionError):  # an integer of too many digits; lists within lists within lists
            return "The value of the last expression is too large or nested too deep to be shown; print the part you need."
        return f"Value of the last expression: {_cut(shown, self._characters, len(shown))}"


class _Printed:
    """The beginning of what a snippet prints; the rest is counted, so that printing much neither fails nor fills memory."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._kept: list[str] = []
        self._length = 0

    def __call__(self, stream: Literal["stdout", "stderr"], text: str) -> None:
        room = self._most - self._length
        if room > 0:
            self._kept.append(text[:room])
        self._length += len(text)

    def text(self) -> str:
        return _cut("".join(self._kept), self._most, self._length)


def _cut(text: str, most: int, length: int) -> str:
    """The beginning of a text of that length, saying so where there is more."""
    return text if length <= most else f"{text[:most].rstrip()}\n[cut: {length - most:,} more characters; print less]"


def _joined(printed: str, rest: str) -> str:
    """One below the other."""
    return "\n".join(part.rstrip("\n") for part in (printed, rest) if part)
