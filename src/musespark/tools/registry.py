"""One table of all tools by name. A new tool is one line; its file is imported when the tool is first made.

Modules are named by strings, so that this file imports none of them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec

from musespark.errors import BadOption, NotInstalled
from musespark.tools.tool import Tool

LOOK = "look"
"""Name for all vision tools together."""
WATCH = "watch"
"""The tool for videos: added by itself to a question with a video, and ignored elsewhere."""
SPAWN = "spawn"
"""The tool that starts sub-agents: not in the table, because `musespark.reasoning` makes it for each agent."""


@dataclass(frozen=True, slots=True)
class ToolEntry:
    """A tool of the table."""

    factory: str
    """Module and class, separated by a colon."""
    libraries: tuple[str, ...] = ()
    """Modules of the `vision` extra that it needs."""
    uses_album: bool = False
    """True for a vision tool: it is made with the album of one agent's images; other tools are made without arguments."""


TOOLS = {
    "python": ToolEntry("musespark.tools.python:PythonTool"),
    "zoom": ToolEntry("musespark.vision.tools.zoom:ZoomTool", uses_album=True),
    "rotate": ToolEntry("musespark.vision.tools.rotate:RotateTool", uses_album=True),
    "enhance": ToolEntry("musespark.vision.tools.enhance:EnhanceTool", uses_album=True),
    "measure": ToolEntry("musespark.vision.tools.measure:MeasureTool", uses_album=True),
    "mark": ToolEntry("musespark.vision.tools.mark:MarkTool", uses_album=True),
    "compare": ToolEntry("musespark.vision.tools.compare:CompareTool", uses_album=True),
    "sketch": ToolEntry("musespark.vision.tools.sketch:SketchTool", ("resvg_py",), uses_album=True),
    "read": ToolEntry("musespark.vision.tools.read:ReadTool", ("rapidocr",), uses_album=True),
    "find": ToolEntry(
        "musespark.vision.tools.find:FindTool", ("rapidocr", "rapidfuzz"), uses_album=True
    ),
}
VISION_TOOLS = tuple(name for name, entry in TOOLS.items() if entry.uses_album)


def make_tools(names: Iterable[str]) -> tuple[Tool, ...]:
    """Make a tool without an album for each name, in order; a repeated name is one tool. Raises `BadOption`."""
    return tuple(_make(name) for name in dict.fromkeys(names))


def _make(name: str) -> Tool:
    if name not in TOOLS or TOOLS[name].uses_album:
        known = sorted((*TOOLS, SPAWN, LOOK))
        raise BadOption("tool", name, f"one of: {', '.join(known)}", known)
    return _load(TOOLS[name])


def make_vision_tools(album: object, names: Iterable[str]) -> tuple[Tool, ...]:
    """Make the vision tools of those names over an agent's `musespark.vision.album.Album`."""
    return tuple(_load(TOOLS[name], album) for name in names)


def _load(entry: ToolEntry, *arguments: object) -> Tool:
    module, _, attribute = entry.factory.partition(":")
    tool: Tool = getattr(import_module(module), attribute)(*arguments)
    return tool


def is_vision_tool(name: str) -> bool:
    """Return True for the name of a vision tool, of all of them together, or of the tool for videos."""
    return name in (LOOK, WATCH) or name in VISION_TOOLS


def expand_vision_tools(names: Iterable[str]) -> tuple[str, ...]:
    """Return the vision tools that these names stand for, each once. Raises `NotInstalled` if one lacks a library."""
    expanded = tuple(
        dict.fromkeys(
            tool
            for name in names
            if name != WATCH
            for tool in (VISION_TOOLS if name == LOOK else (name,))
        )
    )
    for tool in expanded:
        for library in TOOLS[tool].libraries:
            if find_spec(library) is None:
                raise NotInstalled(f"The tool {tool!r}", library, "vision")
    return expanded
