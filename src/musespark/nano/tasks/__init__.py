"""The worlds the native model knows. Adding one is a file and a line here."""

from importlib import import_module

from musespark.nano.tasks.task import Problem, World, held_out

__all__ = ["MEASURED", "WORLDS", "Problem", "World", "held_out", "load_world"]

WORLDS = {
    "countdown": "countdown:Countdown",
    "lake": "lake:Lake",
    "maze": "maze:Maze",
    "shapes": "shapes:Shapes",
    "code": "code:Code",
    "decline": "decline:Decline",
}
MEASURED = ("countdown-3", "countdown-4", "lake", "maze", "shapes", "code", "decline")
"""What an evaluation reports, in this order; a suffix chooses the size."""


def load_world(name: str) -> World:
    """The world of that name; `countdown-3` and `countdown-4` fix the count of numbers. Unknown names raise KeyError."""
    base, _, size = name.partition("-")
    module, kind = WORLDS[base].split(":")
    world = getattr(import_module(f"{__name__}.{module}"), kind)
    return world((int(size),)) if size else world()  # type: ignore[no-any-return]
