"""Everything else: the model says that it does not know, and a plain sentence says what it does know.

The network writes `<decline><eos>` in every mode; the sentence a person sees is `SENTENCE`.
"""

from __future__ import annotations

import random
from collections.abc import Callable

import numpy as np

from musespark.nano import vocabulary as v
from musespark.nano.trace import Branch
from musespark.nano.worlds.countdown_reading import read as read_countdown
from musespark.nano.worlds.decline_questions import careless, everyday, lines
from musespark.nano.worlds.lake import Lake
from musespark.nano.worlds.maze import Maze
from musespark.nano.worlds.scope import abstention
from musespark.nano.worlds.shapes import ask as ask_about_shape
from musespark.nano.worlds.shapes_pictures import COLOURS, SHAPES, draw
from musespark.nano.worlds.world import Deck, Problem, held_out as is_held_out

SENTENCE = (
    "I am a small model and know only countdown puzzles, frozen lakes, mazes, pictures of one coloured shape, and short Python "
    "programs; `muse nano tasks` shows what to ask. For anything else, connect a bigger model: muse ask --model NAME "
    '"your question".'
)


def declining(question: str, image: np.ndarray | None) -> tuple[str, str]:
    """The sentence and the reason for a question of which the network says that it is none of its tasks.

    A Countdown question that can be read gets what is wrong with it: its numbers, or only its wording.
    """
    wanted = None if image is not None else read_countdown(question)
    if wanted is None:
        return SENTENCE, "the question is none of my tasks"
    reason = wanted.beyond() or "I read it as Countdown, but not in this wording"
    return abstention("countdown", reason), reason


class Decline:
    """What is not one of the worlds."""

    name = "decline"

    def __init__(self) -> None:
        self._by_hand = Deck(everyday_by_hand)

    def problem(self, rng: random.Random, held_out: bool) -> Problem:
        """Held out: the hand-written everyday questions, every one once in an order shuffled by rng. Otherwise generated."""
        if held_out:
            question = self._by_hand.deal(rng)
            return Problem(self.name, question, SENTENCE, key=question)
        while True:
            question, image = _draw_question(rng)
            if not is_held_out(question):
                return Problem(self.name, question, SENTENCE, image, key=question)

    def think(self, problem: Problem, mode: str, branch: Branch, rng: random.Random) -> None:
        """No thought in any mode."""
        branch.writes(v.DECLINE, v.EOS)

    def right(self, problem: Problem, answer: str) -> bool:
        """Whether the answer is the sentence that declines."""
        return answer.strip() == SENTENCE

    def verify(self, question: str, image: np.ndarray | None, answer: str) -> bool | None:
        """None: that a question belongs to no world cannot be checked."""
        return None

    def outside(self, question: str, image: np.ndarray | None) -> str | None:
        """None: the network has abstained already."""
        return None


def everyday_by_hand() -> tuple[str, ...]:
    """Everyday questions written by hand, for measuring; none of them is ever trained on."""
    return lines("everyday.txt")


def _draw_question(rng: random.Random) -> tuple[str, np.ndarray | None]:
    roll = rng.random()
    if roll < 0.07:  # a question of a world, but its picture is missing
        return careless(_about_a_image(rng)[0], rng), None
    if roll < 0.10:  # ... or the picture is of something else
        question, world = _about_a_image(rng)
        return careless(question, rng), _unlike(world, rng)
    question = everyday(rng)
    return question, any_image(rng) if rng.random() < 0.18 else None


def _about_a_image(rng: random.Random) -> tuple[str, str]:
    """A question of a world with pictures, and the world's name."""
    world = rng.choice(("lake", "maze", "shapes"))
    if world == "shapes":
        return ask_about_shape(rng.choice(list(COLOURS)), rng.choice(SHAPES), rng)[0], world
    return (Lake() if world == "lake" else Maze()).problem(rng, False).question, world


def _unlike(world: str, rng: random.Random) -> np.ndarray:
    """A picture that a question of this world cannot be about."""
    kinds = [kind for kind in ("noise", "plain", "gradient", "lake", "maze", "shapes") if kind != world]
    return _IMAGES[rng.choice(kinds)](rng)


def any_image(rng: random.Random) -> np.ndarray:
    """Noise, a plain colour, a gradient, or a picture from one of the worlds."""
    return _IMAGES[rng.choice(list(_IMAGES))](rng)


def _noise(rng: random.Random) -> np.ndarray:
    numbers = np.random.default_rng(rng.getrandbits(32))
    coarse = rng.choice((1, 1, 4, 8, 16))
    small = numbers.integers(0, 256, (64 // coarse, 64 // coarse, 3), dtype=np.uint8)
    large: np.ndarray = small.repeat(coarse, 0).repeat(coarse, 1)
    return large


def _plain(rng: random.Random) -> np.ndarray:
    image = np.empty((rng.randint(16, 96), rng.randint(16, 96), 3), np.uint8)
    image[:] = [rng.randint(0, 255) for _ in range(3)]
    return image


def _gradient(rng: random.Random) -> np.ndarray:
    """A smooth change between four colours, as in a sky or a wall, with a little grain."""
    numbers = np.random.default_rng(rng.getrandbits(32))
    corners = numbers.uniform(0, 255, (2, 2, 3))
    down, right = np.linspace(0, 1, 64)[:, None, None], np.linspace(0, 1, 64)[None, :, None]
    top = corners[0, 0] * (1 - right) + corners[0, 1] * right
    bottom = corners[1, 0] * (1 - right) + corners[1, 1] * right
    grain = numbers.normal(0, rng.choice((0, 3, 12)), (64, 64, 1))
    image: np.ndarray = np.clip(top * (1 - down) + bottom * down + grain, 0, 255).astype(np.uint8)
    return image


def _of(world: Lake | Maze, rng: random.Random) -> np.ndarray:
    image = world.problem(rng, False).image
    assert image is not None
    return image


_IMAGES: dict[str, Callable[[random.Random], np.ndarray]] = {
    "noise": _noise,
    "plain": _plain,
    "gradient": _gradient,
    "shapes": lambda rng: draw(rng.choice(list(COLOURS)), rng.choice(SHAPES), rng),
    "lake": lambda rng: _of(Lake(), rng),
    "maze": lambda rng: _of(Maze(), rng),
}
