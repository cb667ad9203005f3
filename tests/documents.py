"""The documents read for what a person could copy from them: blocks of Python, and commands."""

from __future__ import annotations

import ast
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
SERVER = "http://127.0.0.1:8787"
"""Address that examples give of a running `muse serve`."""
PAGES = tuple(
    sorted(
        path.relative_to(ROOT).as_posix()
        for path in [
            *ROOT.glob("*.md"),
            *ROOT.glob("docs/**/*.md"),
            *ROOT.glob("benchmarks/**/*.md"),
        ]
    )
)
"""Every document, below the repository."""
_FENCED = re.compile(r"^```(\w*)\n(.*?)^```$", re.M | re.S)
_INDENTED = re.compile(r"^    (\S.*)$", re.M)
_INLINE = re.compile(r"`([^`\n]+)`")
_COMMAND = re.compile(r"(?:\$ )?((?:muse|make|python benchmarks/\S+\.py)(?:\s.*)?)$")
_DESCRIPTION = re.compile(r"\s{2,}(?=[^\s-]).*$|\s+#\s.*$|\s&$")


def blocks(page: str, language: str = "python") -> list[str]:
    """Blocks of a language in a document, in order."""
    return [
        block
        for found, block in _FENCED.findall((ROOT / page).read_text("utf-8"))
        if found == language
    ]


def needs_server(block: str) -> bool:
    """True if a block talks to a running `muse serve`."""
    return SERVER in block


def execute(block: str, name: str, names: dict[str, object]) -> object:
    """Run a block; one that awaits comes back as a coroutine, as `python -m asyncio` takes it."""
    code = compile(block, name, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    return eval(code, names)  # noqa: S307  our own pages


@dataclass(frozen=True)
class Command:
    """A command as a document gives it."""

    page: str
    words: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.page}: {shlex.join(self.words)}"

    @property
    def options(self) -> list[str]:
        """Names of the options that it is given."""
        return [word.partition("=")[0] for word in self.words if re.match(r"--?[a-zA-Z]", word)]


def commands() -> Iterator[Command]:
    """Every command of `muse`, of `make` and of a benchmark that a document gives, once for each document."""
    for page in PAGES:
        text = (ROOT / page).read_text("utf-8")
        fenced = [
            line
            for language, block in _FENCED.findall(text)
            if language in ("", "sh", "console", "bash")
            for line in block.splitlines()
        ]
        prose = _FENCED.sub("", text)
        found = [*fenced, *_INDENTED.findall(prose), *_INLINE.findall(prose)]
        yield from dict.fromkeys(command for line in found if (command := _command(page, line)))


def _command(page: str, line: str) -> Command | None:
    match = _COMMAND.match(line.strip())
    if match is None:
        return None
    try:
        words = shlex.split(_DESCRIPTION.sub("", match[1]))
    except ValueError:  # prose with an apostrophe
        return None
    return Command(page, tuple(words))
