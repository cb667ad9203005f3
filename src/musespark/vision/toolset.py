"""The tools of looking by name. Adding one is one line; its file is imported when it is first asked for."""

from __future__ import annotations

from collections.abc import Iterable
from importlib import import_module
from importlib.util import find_spec

from musespark.errors import NotInstalled
from musespark.tools.tool import Tool
from musespark.vision.album import Album

LOOK = "look"
"""The name of all of them together."""
WATCH = "watch"
"""The tool for videos, which is there by itself where there is one."""
TOOLS = {
    "zoom": "musespark.vision.tools.zoom:Zoom",
    "rotate": "musespark.vision.tools.rotate:Rotate",
    "enhance": "musespark.vision.tools.enhance:Enhance",
    "measure": "musespark.vision.tools.measure:Measure",
    "mark": "musespark.vision.tools.mark:Mark",
    "compare": "musespark.vision.tools.compare:Compare",
    "sketch": "musespark.vision.tools.sketch:Sketch",
    "read": "musespark.vision.tools.read:Read",
    "find": "musespark.vision.tools.find:Find",
}
LIBRARIES = {"read": "rapidocr", "find": "rapidocr", "sketch": "resvg_py"}
"""What some of them need beside the core."""


def looks_named(names: Iterable[str]) -> tuple[str, ...]:
    """The tools that these names mean, each once. Raises `NotInstalled` where one of them lacks its library."""
    every = tuple(dict.fromkeys(tool for name in names if name != WATCH for tool in (TOOLS if name == LOOK else (name,))))
    for tool in every:
        if tool in LIBRARIES and find_spec(LIBRARIES[tool]) is None:
            raise NotInstalled(f"The tool {tool!r}", LIBRARIES[tool], "vision")
    return every


def tools_of(album: Album, names: Iterable[str]) -> tuple[Tool, ...]:
    """The tools of those names, for an agent with these pictures."""
    return tuple(_tool(name, album) for name in names)


def _tool(name: str, album: Album) -> Tool:
    module, _, attribute = TOOLS[name].partition(":")
    tool: Tool = getattr(import_module(module), attribute)(album)
    return tool


def is_look(name: str) -> bool:
    """Whether that is the name of tools that look."""
    return name in (LOOK, WATCH) or name in TOOLS
