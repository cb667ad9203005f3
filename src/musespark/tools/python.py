"""Python for a model's calculations, in pydantic-monty's sandbox: a Rust interpreter in a process of its own.

The snippet is untrusted. It never runs in this process, and the sandbox has no access to files, network or environment variables.
Time, memory, depth and output are limited. Every call gets a fresh process that ends with it, so that no state passes from one
agent to another, and a cancelled call leaves nothing running.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any, Literal

from musespark.content import ToolSpec
from musespark.tools.code_argument import find_code
from musespark.tools.tool import ToolOutput

if TYPE_CHECKING:
    from pydantic_monty import MontyError

MAX_SOURCE = 50_000
"""Limit of characters of a snippet."""
_MAX_ERROR = 2_000
"""Limit of characters of an error message."""
_MAX_LINE = 200
"""Limit of characters of a line of an error message."""
_GRACE = 2.0
"""Seconds past the time limit after which a sandbox that does not stop by itself is killed."""
_MODULES = (
    "asyncio, base64, binascii, bisect, collections, copy, csv, dataclasses, datetime, decimal, functools, hashlib, "
    "itertools, json, math, random, re, time, typing, unicodedata"
)
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


class PythonTool:
    """The tool `python`."""

    def __init__(
        self, *, seconds: float = 5.0, megabytes: int = 128, characters: int = 10_000
    ) -> None:
        """Set the limits of one call: seconds of execution, megabytes of memory, characters of output."""
        self._seconds, self._megabytes, self._characters = seconds, megabytes, characters
        self._spec = ToolSpec.of(
            "python",
            _DESCRIPTION.format(
                modules=_MODULES, seconds=seconds, megabytes=megabytes, characters=characters
            ),
            {
                "type": "object",
                "properties": {"code": {"type": "string", "description": "The snippet."}},
                "required": ["code"],
                "additionalProperties": False,
            },
        )

    @property
    def spec(self) -> ToolSpec:
        """Name, description and parameters for the model."""
        return self._spec

    async def use(self, arguments: Mapping[str, Any]) -> ToolOutput:
        """Run `arguments["code"]`. The output is failed, with the reason, if the snippet is refused, fails or reaches a limit."""
        code = find_code(arguments)
        if not isinstance(code, str) or not code.strip():
            return ToolOutput(
                'There is no snippet; write it as text: {"code": "print(1 + 1)"}.', failed=True
            )
        if len(code) > MAX_SOURCE:
            return ToolOutput(
                f"The snippet has {len(code):,} characters; at most {MAX_SOURCE:,} are run.",
                failed=True,
            )
        return await self._run(code)

    async def _run(self, code: str) -> ToolOutput:
        await asyncio.to_thread(import_module, "pydantic_monty")  # takes 0.2 s the first time
        from pydantic_monty import AsyncMonty, MontyError, OSPolicy, ResourceLimits

        limits = ResourceLimits(
            max_feed_duration_secs=self._seconds,
            max_memory=self._megabytes << 20,
            max_recursion_depth=500,
            max_suspensions=100,
            max_total_sleep_secs=0.0,
        )
        printed = _CappedOutput(self._characters)
        pool = AsyncMonty(max_processes=1, request_timeout=self._seconds + _GRACE)
        try:
            async with (
                pool,
                pool.checkout(limits=limits, os_policy=OSPolicy(sleep="zero")) as session,
            ):
                value = await session.feed_run(code, print_callback=printed)
        except MontyError as error:  # the base class of all its errors: syntax, a failing snippet, a limit, a dead worker
            return ToolOutput(_join(printed.text(), self._explain(error)), failed=True)
        except (OSError, RuntimeError) as error:  # no such program, no more processes
            return ToolOutput(f"The sandbox cannot be started: {error}.", failed=True)
        text = _join(printed.text(), self._format_value(value))
        return ToolOutput(text or "It ran and printed nothing; print what you want to see.")

    def _explain(self, error: MontyError) -> str:
        """Return the error as Python would show it, with a hint for the model."""
        from pydantic_monty import MontyRuntimeError, MontySyntaxError

        text = (
            error.display()
            if isinstance(error, MontyRuntimeError | MontySyntaxError)
            else f"The sandbox ended: {error}"
        )
        lines = (
            line if len(line) <= _MAX_LINE else f"{line[:_MAX_LINE]}…" for line in text.split("\n")
        )
        text = "\n".join(lines)[-_MAX_ERROR:]  # the end has the error itself
        match error.exception():
            case ModuleNotFoundError():
                return f"{text}\nModules here: {_MODULES}."
            case TimeoutError() | MemoryError():
                return f"{text}\nA snippet has {self._seconds:g} seconds and {self._megabytes} MB; find a cheaper way."
            case ValueError() if "set_int_max_str_digits" in text:
                return f"{text}\nThat function does not exist here; print so large an integer in parts, such as x % 10**4000."
        return text

    def _format_value(self, value: object) -> str:
        """Return the value of the last expression as Python would show it; empty for None."""
        if value is None:
            return ""
        try:
            text = repr(value)
        except (ValueError, RecursionError):  # an integer of too many digits; deeply nested lists
            return "The value of the last expression is too large or nested too deep to be shown; print the part you need."
        return f"Value of the last expression: {_cut(text, self._characters, len(text))}"


class _CappedOutput:
    """Keeps the beginning of a snippet's output and counts the rest, so that long output neither fails nor fills memory."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._parts: list[str] = []
        self._length = 0

    def __call__(self, stream: Literal["stdout", "stderr"], text: str) -> None:
        room = self._limit - self._length
        if room > 0:
            self._parts.append(text[:room])
        self._length += len(text)

    def text(self) -> str:
        return _cut("".join(self._parts), self._limit, self._length)


def _cut(text: str, limit: int, length: int) -> str:
    """Return the first `limit` characters of a text of that length, with a note if there are more."""
    return (
        text
        if length <= limit
        else f"{text[:limit].rstrip()}\n[cut: {length - limit:,} more characters; print less]"
    )


def _join(printed: str, rest: str) -> str:
    """Join the parts that are not empty, one below the other."""
    return "\n".join(part.rstrip("\n") for part in (printed, rest) if part)
