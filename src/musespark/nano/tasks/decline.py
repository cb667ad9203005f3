"""All other questions: the model declines, and a fixed sentence says what it can do.

The network writes `<decline><eos>` in every mode; the person sees `SENTENCE`.
"""

from __future__ import annotations

import random
from collections.abc import Callable

import numpy as np

from musespark.nano import vocabulary as v
from musespark.nano.arrays import Array, Pixels
from musespark.nano.tasks.countdown_reading import read as read_countdown
from musespark.nano.tasks.decline_questions import everyday_question, lines, type_carelessly
from musespark.nano.tasks.lake import Lake
from musespark.nano.tasks.maze import Maze
from musespark.nano.tasks.scope import abstention_sentence
from musespark.nano.tasks.shapes import phrase_question as ask_about_shape
from musespark.nano.tasks.shapes_images import COLOURS, SHAPES, draw
from musespark.nano.tasks.task import ShuffledCycle, TaskProblem, held_out as is_held_out
from musespark.nano.trace import Branch

SENTENCE = (
    "I am a small model and know only countdown puzzles, frozen lakes, mazes, pictures of one coloured shape, and short Python "
    "programs; `muse nano tasks` shows what to ask. For anything else, connect a bigger model: muse ask --model NAME "
    '"your question".'
)


def declining(question: str, image: Array | None) -> tuple[str, str]:
    """Return the sentence and the reason for a question that the network assigned to none of its tasks.

    For a Countdown question that can be read, the reason is its numbers, or only its wording.
    """
    wanted = None if image is not None else read_countdown(question)
    if wanted is None:
        return SENTENCE, "the question is none of my tasks"
    reason = wanted.out_of_range() or "I read it as Countdown, but not in this wording"
    return abstention_sentence("countdown", reason), reason


class Decline:
    """Questions that belong to none of the tasks."""

    name = "decline"

    def __init__(self) -> None:
        self._by_hand = ShuffledCycle(everyday_by_hand)

    def generate(self, rng: random.Random, held_out: bool) -> TaskProblem:
        """Held out: the hand-written everyday questions, each once, in an order shuffled by rng. Otherwise generated."""
        if held_out:
            question = self._by_hand.draw_next(rng)
            return TaskProblem(self.name, question, SENTENCE, key=question)
        while True:
            question, image = _draw_question(rng)
            if not is_held_out(question):
                return TaskProblem(self.name, question, SENTENCE, image, key=question)

    def write_thought(
        self, problem: TaskProblem, mode: str, branch: Branch, rng: random.Random
    ) -> None:
        """Write the declining token; there is no thought in any mode."""
        branch.write(v.DECLINE, v.EOS)

    def is_right(self, problem: TaskProblem, answer: str) -> bool:
        """Return True if the answer is the declining sentence."""
        return answer.strip() == SENTENCE

    def verify(self, question: str, image: Pixels | None, answer: str) -> bool | None:
        """Return None: it cannot be checked that a question belongs to no task."""
        return None

    def abstention_reason(self, question: str, image: Pixels | None) -> str | None:
        """Return None: the network has abstained already."""
        return None


def everyday_by_hand() -> tuple[str, ...]:
    """Return the hand-written everyday questions, used only for measuring."""
    return lines("everyday.txt")


def _draw_question(rng: random.Random) -> tuple[str, Array | None]:
    roll = rng.random()
    if roll < 0.07:  # a question of a task, but its image is missing
        return type_carelessly(_about_an_image(rng)[0], rng), None
    if roll < 0.10:  # ... or the image is of something else
        question, task = _about_an_image(rng)
        return type_carelessly(question, rng), _unlike(task, rng)
    question = everyday_question(rng)
    return question, any_image(rng) if rng.random() < 0.18 else None


def _about_an_image(rng: random.Random) -> tuple[str, str]:
    """Return a question of a task with images, and the task's name."""
    task = rng.choice(("lake", "maze", "shapes"))
    if task == "shapes":
        return ask_about_shape(rng.choice(list(COLOURS)), rng.choice(SHAPES), rng)[0], task
    return (Lake() if task == "lake" else Maze()).generate(rng, False).question, task


def _unlike(task: str, rng: random.Random) -> Array:
    """Return an image that does not fit a question of this task."""
    kinds = [
        kind for kind in ("noise", "plain", "gradient", "lake", "maze", "shapes") if kind != task
    ]
    return _IMAGES[rng.choice(kinds)](rng)


def any_image(rng: random.Random) -> Array:
    """Return noise, a plain colour, a gradient, or an image from one of the tasks."""
    return _IMAGES[rng.choice(list(_IMAGES))](rng)


def _noise(rng: random.Random) -> Array:
    numbers = np.random.default_rng(rng.getrandbits(32))
    coarse = rng.choice((1, 1, 4, 8, 16))
    small = numbers.integers(0, 256, (64 // coarse, 64 // coarse, 3), dtype=np.uint8)
    large: Array = small.repeat(coarse, 0).repeat(coarse, 1)
    return large


def _plain(rng: random.Random) -> Array:
    image = np.empty((rng.randint(16, 96), rng.randint(16, 96), 3), np.uint8)
    image[:] = [rng.randint(0, 255) for _ in range(3)]
    return image


def _gradient(rng: random.Random) -> Array:
    """A smooth change between four colours, as in a sky or a wall, with a little grain."""
    numbers = np.random.default_rng(rng.getrandbits(32))
    corners = numbers.uniform(0, 255, (2, 2, 3))
    down, right = np.linspace(0, 1, 64)[:, None, None], np.linspace(0, 1, 64)[None, :, None]
    top = corners[0, 0] * (1 - right) + corners[0, 1] * right
    bottom = corners[1, 0] * (1 - right) + corners[1, 1] * right
    grain = numbers.normal(0, rng.choice((0, 3, 12)), (64, 64, 1))
    image: Array = np.clip(top * (1 - down) + bottom * down + grain, 0, 255).astype(np.uint8)
    return image


def _of(task: Lake | Maze, rng: random.Random) -> Array:
    image = task.generate(rng, False).image
    assert image is not None
    return image


_IMAGES: dict[str, Callable[[random.Random], Array]] = {
    "noise": _noise,
    "plain": _plain,
    "gradient": _gradient,
    "shapes": lambda rng: draw(rng.choice(list(COLOURS)), rng.choice(SHAPES), rng),
    "lake": lambda rng: _of(Lake(), rng),
    "maze": lambda rng: _of(Maze(), rng),
}
