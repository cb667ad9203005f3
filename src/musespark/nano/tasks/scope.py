"""Questions that the native model takes, task by task, in words for people.

`muse nano tasks`, the model card and sentences of abstention show them.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Scope:
    """The limits of one task, in words."""

    task: str
    """Name of the task, as in `tasks.TASKS`."""
    title: str
    limits: str
    """Questions that may be asked, as a sentence with a full stop."""
    example: str
    """A question within the limits, or the command line that asks one with an image."""
    has_image: bool = False


SCOPES: tuple[Scope, ...] = (
    Scope(
        "countdown", "Countdown",
        "3 or 4 whole numbers from 1 to 99, each used exactly once with + - * /, and a target from 10 to 100.",
        "Use 25, 3, 7 and 12 to make 66.",
    ),
    Scope(
        "lake", "Frozen lake",
        "a picture of a square map of 3x3 to 6x6 cells as gymnasium 1.3 or newer draws FrozenLake after a reset; the question is a "
        "shortest safe way from the start to the goal.",
        "Find a safe shortest path from the start to the goal on this frozen lake.", has_image=True,
    ),
    Scope(
        "maze", "Maze",
        "a picture of a square maze of 3x3 to 6x6 cells, dark walls of one colour on a plain light ground, one green dot and one "
        "red dot; the question is the shortest way from green to red.",
        "Find the way through the maze from the green dot to the red dot.", has_image=True,
    ),
    Scope(
        "shapes", "Shape",
        "a picture of one rectangle, circle or upright triangle in red, green, blue, black, gray, teal, brown or yellow on a "
        "plain pale ground; the question is which shape or colour it has, or if there is one.",
        "What color is the shape?", has_image=True,
    ),
    Scope(
        "code", "Short program",
        "a Python program of 2 to 9 lines and at most 96 characters: whole numbers, strings, lists, + - * // %, comparisons, if, "
        "for and while, no functions, f-strings, comments or imports; the question is what it prints.",
        "What does this print?\nx = 5\ny = 3\nprint(x + y)",
    ),
)  # fmt: skip

MORE = "`muse nano tasks` shows what to ask, with examples; for anything else, connect a bigger model: muse ask --model NAME"


def abstention_sentence(task: str, reason: str) -> str:
    """Return the sentence in which the model abstains from a question of a task. reason: a clause without a full stop."""
    scope = next((scope for scope in SCOPES if scope.task == task), None)
    limits = f" {scope.title}: I take {scope.limits}" if scope else ""
    return f"I can't answer this: {reason}.{limits} {MORE}."
