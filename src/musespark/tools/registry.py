"""Tools by name. Adding one is one line; its file is imported when it is first asked for."""

from __future__ import annotations

from collections.abc import Iterable
from importlib import import_module

from musespark.errors import BadOption
from musespark.tools.tool import Tool
from musespark.vision.toolset import LOOK, TOOLS as LOOKS

TOOLS = {
    "python": "musespark.tools.python:Python",
}


def tools_named(names: Iterable[str]) -> tuple[Tool, ...]:
    """A new tool for each name, in order; a name given twice is one tool. Raises `BadOption`."""
    return tuple(_tool(name) for name in dict.fromkeys(names))


def _tool(name: str) -> Tool:
    if name not in TOOLS:
        raise BadOption("tool", name, f"one of: {', '.join(sorted((*TOOLS, 'spawn', LOOK, *LOOKS)))}")
    module, _, attribute = TOOLS[name].partition(":")
    tool: Tool = getattr(import_module(module), attribute)()
    return tool
