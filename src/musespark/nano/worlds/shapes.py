"""The world of one coloured shape: easy-VQA's pictures and questions.

Training takes half of its pictures from easy-VQA's train split, varied, and draws the other half; the held-out side is
easy-VQA's test split as it is. The thought is what is seen, `red triangle`; a question of yes or no goes on with what it
names, what is seen of that kind, whether they are the same, and whether the question denies it: `;blue?red:no;not:yes`.
The answer is one word of easy-VQA's vocabulary.
"""

from __future__ import annotations

import random
import re
from functools import cache
from types import ModuleType

import numpy as np
from PIL import Image

from musespark.nano import vocabulary as v
from musespark.nano.trace import Branch
from musespark.nano.worlds.shapes_pictures import COLOURS, SHAPES, draw, read, varied
from musespark.nano.worlds.world import Deck, Problem

_IS_THERE = (
    "is there a {}?",
    "is there a {} in the image?",
    "is a {} present?",
    "does the image contain a {}?",
)
_IS_THERE_NOT = (
    "is there not a {}?",
    "is there not a {} in the image?",
    "is no {} present?",
    "does the image not contain a {}?",
)
_WHICH_SHAPE = (
    "what shape is in the image?",
    "what shape is present?",
    "what shape does the image contain?",
    "what is the {colour} shape?",
)
_WHICH_COLOUR = (
    "what color is the shape?",
    "what is the color of the shape?",
    "what color is the {shape}?",
    "what is the color of the {shape}?",
)


class Shapes:
    """One shape in one colour, and a question about it."""

    name = "shapes"

    def __init__(self) -> None:
        self._tests = Deck(lambda: range(len(_questions("test"))))

    def problem(self, rng: random.Random, held_out: bool) -> Problem:
        """Held out: easy-VQA's test questions, every one once in an order shuffled by rng. Otherwise a training problem."""
        if held_out:
            return self._from_easy_vqa("test", self._tests.deal(rng), None)
        if rng.random() < 0.5:
            return self._from_easy_vqa("train", rng.randrange(len(_questions("train"))), rng)
        colour, shape = rng.choice(list(COLOURS)), rng.choice(SHAPES)
        question, answer = ask(colour, shape, rng)
        picture = draw(colour, shape, rng)
        key = f"drawn/{colour}/{shape}/{question}"
        return Problem(self.name, reworded(question, rng), answer, picture, key, {"seen": f"{colour} {shape}"})

    def _from_easy_vqa(self, split: str, index: int, rng: random.Random | None) -> Problem:
        question, answer, image = _questions(split)[index]
        picture, seen = _picture(split, image), _seen(split, image)
        if rng is not None:
            picture, question = varied(picture, rng), reworded(question, rng)
        return Problem(self.name, question, answer, picture, f"{split}/{image}/{index}", {"seen": seen})

    def think(self, problem: Problem, mode: str, branch: Branch, rng: random.Random) -> None:
        """What is seen, step by step what follows from it, then the answer; instant writes the answer alone."""
        branch.writes(v.WORLDS[self.name])
        if mode != "instant":
            branch.writes(reasoned(problem.question, *problem.facts["seen"].split()))
        branch.writes(v.ANSWER, problem.answer, v.EOS)

    def right(self, problem: Problem, answer: str) -> bool:
        """Whether the answer is easy-VQA's."""
        return answer.strip().lower() == problem.answer

    def verify(self, question: str, picture: np.ndarray | None, answer: str) -> bool | None:
        """Whether geometry agrees with the answer; None if the picture or the question is not of this world."""
        seen = read(picture) if picture is not None else None
        expected = expect(question, *seen) if seen else None
        return None if expected is None else answer.strip().lower() == expected

    def outside(self, question: str, picture: np.ndarray | None) -> str | None:
        """None."""
        return None


def ask(colour: str, shape: str, rng: random.Random) -> tuple[str, str]:
    """A question of easy-VQA's forms, as often as easy-VQA asks it, and the answer."""
    roll = rng.random()
    if roll < 0.735:
        about_colour = roll < 0.535
        true = rng.random() < 0.5
        own, others = (colour, list(COLOURS)) if about_colour else (shape, list(SHAPES))
        named = own if true else rng.choice([other for other in others if other != own])
        negated = rng.random() < 0.5
        form = rng.choice(_IS_THERE_NOT if negated else _IS_THERE)
        return form.format(f"{named} shape" if about_colour else named), "yes" if true != negated else "no"
    if roll < 0.8675:
        return rng.choice(_WHICH_SHAPE).format(colour=colour), shape
    return rng.choice(_WHICH_COLOUR).format(shape=shape), colour


def reworded(question: str, rng: random.Random) -> str:
    """As people type it: a capital letter, no question mark, a picture instead of an image, British spelling."""
    if rng.random() < 0.3:
        question = question[0].upper() + question[1:]
    if rng.random() < 0.08:
        question = question.rstrip("?")
    if rng.random() < 0.08:
        question = question.replace("image", "picture")
    if rng.random() < 0.06:
        question = question.replace("color", "colour").replace("gray", "grey")
    return question


def reasoned(question: str, colour: str, shape: str) -> str:
    """The thought: what is seen, and for a question of yes or no, which thing it names, found or not, denied or not."""
    whether = _asks_whether(question)
    if whether is None:
        return f"{colour} {shape}"
    named, denied = whether
    own = colour if named in COLOURS else shape
    found = named == own
    sign = "not" if denied else "so"
    return f"{colour} {shape};{named}?{own}:{_yes(found)};{sign}:{_yes(found != denied)}"


def expect(question: str, colour: str, shape: str) -> str | None:
    """What easy-VQA would answer about this colour and shape; None if the question is none of its forms."""
    if (whether := _asks_whether(question)) is not None:
        named, denied = whether
        return _yes((named in (colour, shape)) != denied)
    words = _plain(question)
    if re.fullmatch(r"what shape (is in the image|is present|does the image contain)", words):
        return shape
    if found := re.fullmatch(r"what is the ([a-z]+) shape", words):
        return shape if found[1] == colour else None
    if found := re.fullmatch(r"what (?:color is|is the color of) the ([a-z]+)", words):
        return colour if found[1] in ("shape", shape) else None
    return None


def _asks_whether(question: str) -> tuple[str, bool] | None:
    """The colour or shape that a question of yes or no names, and whether it denies it; None for any other question."""
    thing = r"(?P<what>[a-z]+)(?P<shape> shape)?"
    forms = (rf"is there (?P<not>not )?a {thing}( in the image)?", rf"is (a|(?P<not>no)) {thing} present",
             rf"does the image (?P<not>not )?contain a {thing}")  # fmt: skip
    for form in forms:
        if found := re.fullmatch(form, _plain(question)):
            known = found["what"] in (COLOURS if found["shape"] else SHAPES)
            return (found["what"], bool(found["not"])) if known else None
    return None


def _plain(question: str) -> str:
    words = re.sub(r"[^a-z ]", "", question.lower()).replace("colour", "color").replace("grey", "gray")
    return words.replace("picture", "image").strip()


def _yes(true: bool) -> str:
    return "yes" if true else "no"


def _easy_vqa() -> ModuleType:
    """easy-VQA's pictures and questions; needed to train and to measure, never to answer."""
    try:
        import easy_vqa  # type: ignore[import-untyped]
    except ImportError as error:
        raise ImportError(
            "The shapes world trains on easy-VQA's pictures. Install them with: pip install 'musespark[train]'"
        ) from error
    return easy_vqa  # type: ignore[no-any-return]


@cache
def _questions(split: str) -> list[tuple[str, str, int]]:
    package = _easy_vqa()
    texts, answers, images = package.get_train_questions() if split == "train" else package.get_test_questions()
    return list(zip(texts, answers, images, strict=True))


@cache
def _paths(split: str) -> dict[int, str]:
    package = _easy_vqa()
    paths: dict[int, str] = package.get_train_image_paths() if split == "train" else package.get_test_image_paths()
    return paths


@cache
def _picture(split: str, image: int) -> np.ndarray:
    with Image.open(_paths(split)[image]) as opened:
        picture = np.array(opened.convert("RGB"))
    picture.setflags(write=False)
    return picture


@cache
def _seen(split: str, image: int) -> str:
    """Colour and shape; easy-VQA does not say them, but the reader agrees with the answers to all of its questions."""
    seen = read(_picture(split, image))
    assert seen is not None, f"picture {image} of easy-VQA's {split} split cannot be read"
    return " ".join(seen)
