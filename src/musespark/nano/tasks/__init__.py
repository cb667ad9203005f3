"""The tasks the native model knows. Adding one is a file and a line here."""

from importlib import import_module

from musespark.nano.tasks.task import Task, TaskProblem, held_out

__all__ = ["MEASURED", "TASKS", "Task", "TaskProblem", "held_out", "load_task"]

TASKS = {
    "countdown": "countdown:Countdown",
    "lake": "lake:Lake",
    "maze": "maze:Maze",
    "shapes": "shapes:Shapes",
    "code": "code:Code",
    "decline": "decline:Decline",
}
MEASURED = ("countdown-3", "countdown-4", "lake", "maze", "shapes", "code", "decline")
"""What an evaluation reports, in this order; a suffix chooses the size."""


def load_task(name: str) -> Task:
    """The task of that name; `countdown-3` and `countdown-4` fix the count of numbers. Unknown names raise KeyError."""
    base, _, size = name.partition("-")
    module, kind = TASKS[base].split(":")
    task = getattr(import_module(f"{__name__}.{module}"), kind)
    return task((int(size),)) if size else task()  # type: ignore[no-any-return]
