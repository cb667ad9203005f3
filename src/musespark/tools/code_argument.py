"""The Python snippet in the arguments of a call, in the forms in which models send one."""

from __future__ import annotations

import ast
import re
import textwrap
import warnings
from collections.abc import Callable, Mapping
from typing import Any

from musespark.tools.arguments import pick_arguments, unwrap_arguments

NAMES = {
    "code": (
        "python",
        "python_code",
        "snippet",
        "script",
        "source",
        "source_code",
        "program",
        "cmd",
        "query",
    ),
}
"""Other names that models give to the snippet."""
_FENCED = re.compile(
    r"\s*(?P<fence>`{3,}|~{3,})[ \t]*(?:[\w.+-]+[ \t]*(?=\r?\n))?(?P<code>.*?)(?:(?P=fence)\s*)?\Z",
    re.DOTALL,
)
_BLOCKS = re.compile(r"^[ \t]*(`{3,}|~{3,})[^\n]*\n(.*?)^[ \t]*\1[ \t]*$", re.DOTALL | re.MULTILINE)
_CHARACTERS = str.maketrans(
    {"\u00a0": " ", "\u202f": " ", "“": '"', "”": '"', "‘": "'", "’": "'", "−": "-"}
    | dict.fromkeys("\u200b\u200c\u200d\u2060\ufeff")
)
"""Characters of text processors and web pages, as Python writes them."""
_CELL = re.compile(r"\s*In ?\[\d*\]: ?")
_PROMPT = re.compile(r"(?:>>>|\.\.\.)(?: |$)")


def find_code(arguments: Mapping[str, Any]) -> object:
    """Return the snippet: without a fence of Markdown, a prompt or an indentation around it, and its lines joined if they come as a
    list. A value that is no text is returned as it is; a snippet that is right as it stands is not touched."""
    names = ("code", *NAMES["code"])
    found = pick_arguments(unwrap_arguments(arguments, names), ("code",), NAMES).get("code")
    if isinstance(found, list) and all(isinstance(line, str) for line in found):
        found = "\n".join(found)
    if not isinstance(found, str) or not found.strip():
        return found
    found = _without_cells(_without_language(found))
    if _is_python(found):
        return found
    for change in _CHANGES:
        changed = change(found)
        if changed.strip() and changed != found and _is_python(changed):
            return changed
    return _unfenced(found)


def _unfenced(code: str) -> str:
    """The code within one fence; the text itself without one."""
    found = _FENCED.match(code)
    return textwrap.dedent(found["code"].strip("\r\n")) if found else code


def _blocks(code: str) -> str:
    """The code of all fenced blocks in a text."""
    return "\n".join(textwrap.dedent(block) for _, block in _BLOCKS.findall(code))


def _without_ticks(code: str) -> str:
    bare = code.strip()
    return bare[1:-1] if len(bare) > 1 and bare[0] == bare[-1] == "`" else code


def _without_prompts(code: str) -> str:
    """The lines that a person typed, of a session of the interpreter."""
    typed = [line for line in code.splitlines() if _PROMPT.match(line.lstrip())]
    return "\n".join(line.lstrip()[4:] for line in typed) if typed else code


def _without_cells(code: str) -> str:
    """The input of a notebook, without its numbers and what it printed."""
    if not _CELL.match(code):
        return code
    cells = re.split(r"^Out ?\[\d*\]:.*?(?=^In ?\[|\Z)", code, flags=re.DOTALL | re.MULTILINE)
    lines = [re.sub(r"^\s*\.{3,}:? ?", "", line) for each in cells for line in each.splitlines()]
    return "\n".join(_CELL.sub("", line) if _CELL.match(line) else line for line in lines)


def _without_commands(code: str) -> str:
    """The lines that are no commands of a notebook (`%matplotlib inline`, `!pip install`)."""
    return "\n".join(line for line in code.splitlines() if not re.match(r"[%!]\w|%%\w", line))


def _without_language(code: str) -> str:
    """The snippet without a first line that only names the language."""
    first, _, rest = code.lstrip().partition("\n")
    return rest if first.strip().lower() in ("python", "python3", "py", "%%python") else code


_CHANGES: tuple[Callable[[str], str], ...] = (
    _unfenced,
    _blocks,
    textwrap.dedent,
    str.strip,
    _without_ticks,
    _without_prompts,
    lambda code: _without_prompts(_unfenced(code)),
    lambda code: _without_commands(_unfenced(code)),
    lambda code: _unfenced(code).translate(_CHARACTERS),
    lambda code: code.replace("\\n", "\n").replace("\\t", "\t").replace('\\"', '"'),
)


def _is_python(code: str) -> bool:
    """True if a text can be parsed as Python."""
    try:
        with warnings.catch_warnings(action="ignore"):  # of escapes that it does not know
            compile(code, "snippet", "exec", ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True
