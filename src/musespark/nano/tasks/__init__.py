"""Tasks of the native model. Adding one is a module and a line in `TASKS`.

- `task.py`: the interface of a task, and the split into trained and held-out problems
- `countdown.py`, `countdown_reading.py`: Countdown; its reader of questions
- `grid.py`, `grid_questions.py`: search on lakes and mazes; the wording of their questions
- `lake.py`, `lake_reading.py`, `frames.py`, `art/`: frozen lakes; their reader; their images; gymnasium's art
- `maze.py`, `maze_reading.py`, `maze_sheet.py`, `maze_leftovers.py`, `walls.py`: mazes; their readers; their images
- `shapes.py`, `shapes_images.py`, `shapes_reading.py`: one coloured shape; its images; its reader
- `code.py`, `code_programs.py`, `code_steps.py`: short programs; their generator; their interpreter
- `code_questions.py`, `code_reading.py`: the wording of questions about programs; the sandbox
- `decline.py`, `decline_questions.py`, `decline_*.txt`, `everyday.txt`: questions outside all tasks; their lists
- `reading.py`, `wording.py`: image processing and phrasings that the readers share
- `scope.py`: what may be asked, in words for people
"""

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
"""Names that an evaluation reports, in this order; a suffix selects the size."""


def load_task(name: str) -> Task:
    """Return the task of a name; `countdown-3` and `countdown-4` select the count of numbers. Raises KeyError for other names."""
    base, _, size = name.partition("-")
    module, kind = TASKS[base].split(":")
    task = getattr(import_module(f"{__name__}.{module}"), kind)
    return task((int(size),)) if size else task()  # type: ignore[no-any-return]
