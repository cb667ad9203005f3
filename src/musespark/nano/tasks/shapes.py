"""The task of one coloured shape: easy-VQA's images and questions.

Training takes half of its images from easy-VQA's train split, varied, and draws the other half; the held-out side is easy-VQA's
test split. The thought is a description, `red triangle`; for a yes-or-no question it goes on with the word in the question, the
matching part of the description, whether they are equal, and whether the question negates: `;blue?red:no;not:yes`. The answer is
one word of easy-VQA's vocabulary.
"""

from __future__ import annotations

import random
import re
from functools import cache
from types import ModuleType

import numpy as np
from PIL import Image

from musespark.nano import vocabulary as v
from musespark.nano.arrays import Array, Pixels
from musespark.nano.tasks.shapes_images import COLOURS, SHAPES, draw, read, vary_image
from musespark.nano.tasks.shapes_reading import read_shape
from musespark.nano.tasks.task import ShuffledCycle, TaskProblem
from musespark.nano.tasks.wording import Phrasings, normalise, unread_reason
from musespark.nano.trace import Branch

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
_IS_THERE_FORMS, _IS_THERE_NOT_FORMS = (
    Phrasings((form.replace("{}", "{thing}") for form in forms), {"thing": "[a-z]+(?: shape)?"})
    for forms in (_IS_THERE, _IS_THERE_NOT)
)
_SHAPE_IS_ASKED = Phrasings(
    (
        *(form for form in _WHICH_SHAPE if "{" not in form),
        "what shape is it",
        "what shape is this",
        "which shape is in the image",
    )
)
_SHAPE_OF_COLOUR = Phrasings(
    (form.replace("{colour}", "{word}") for form in _WHICH_SHAPE if "{" in form), {"word": "[a-z]+"}
)
_COLOUR_IS_ASKED = Phrasings(
    (
        *(re.sub(r"shape\?$|\{shape\}\?$", "{word}", form) for form in _WHICH_COLOUR),
        "which color is the {word}",
    ),
    {"word": "[a-z]+"},
)


class Shapes:
    """One shape in one colour, and a question about it."""

    name = "shapes"

    def __init__(self) -> None:
        self._tests = ShuffledCycle(lambda: range(len(_questions("test"))))

    def generate(self, rng: random.Random, held_out: bool) -> TaskProblem:
        """Held out: easy-VQA's test questions, each once, in an order shuffled by rng. Otherwise a training problem."""
        if held_out:
            return self._from_easy_vqa("test", self._tests.draw_next(rng), None)
        if rng.random() < 0.5:
            return self._from_easy_vqa("train", rng.randrange(len(_questions("train"))), rng)
        colour, shape = rng.choice(list(COLOURS)), rng.choice(SHAPES)
        question, answer = phrase_question(colour, shape, rng)
        image = draw(colour, shape, rng)
        key = f"drawn/{colour}/{shape}/{question}"
        return TaskProblem(
            self.name, reword(question, rng), answer, image, key, {"seen": f"{colour} {shape}"}
        )

    def _from_easy_vqa(self, split: str, index: int, rng: random.Random | None) -> TaskProblem:
        question, answer, number = _questions(split)[index]
        image, seen = _image(split, number), _seen(split, number)
        if rng is not None:
            image, question = vary_image(image, rng), reword(question, rng)
        return TaskProblem(
            self.name, question, answer, image, f"{split}/{number}/{index}", {"seen": seen}
        )

    def write_thought(
        self, problem: TaskProblem, mode: str, branch: Branch, rng: random.Random
    ) -> None:
        """Write the description, the steps of reasoning, and the answer; in instant mode only the answer."""
        branch.write(v.TASK_TOKENS[self.name])
        if mode != "instant":
            branch.write(reason(problem.question, *problem.facts["seen"].split()))
        branch.write(v.ANSWER, problem.answer, v.EOS)

    def is_right(self, problem: TaskProblem, answer: str) -> bool:
        """Return True if the answer is easy-VQA's."""
        return answer.strip().lower() == problem.answer

    def verify(self, question: str, image: Pixels | None, answer: str) -> bool | None:
        """Check the answer by geometry; None if image or question were not understood completely, or are not of this task."""
        seen = read_shape(image) if image is not None else None
        expected = (
            expected_answer(question, seen.colour, seen.shape) if seen and seen.is_certain else None
        )
        return None if expected is None else answer.strip().lower() == expected

    def abstention_reason(self, question: str, image: Pixels | None) -> str | None:
        """Abstain from unknown conditions, and images without one known shape in one known colour."""
        if image is None:
            return "there is no picture with it"
        seen = read_shape(image)
        if seen is None:
            return (
                "I cannot read one plain shape in the picture, in a colour that I have a name for"
            )
        if not seen.is_pale:
            return "the shape lies on a ground that is not pale"
        if expected_answer(question, seen.colour, seen.shape) is not None:
            return None
        if is_of_easy_vqa(question):
            return f"it asks about a shape that is not there: I see a {seen.colour} {seen.shape}"
        return unread_reason(words) if (words := _words_not_known(question)) else None


def phrase_question(colour: str, shape: str, rng: random.Random) -> tuple[str, str]:
    """Draw a question in easy-VQA's forms, as often as easy-VQA asks it, with its answer."""
    roll = rng.random()
    if roll < 0.735:
        about_colour = roll < 0.535
        true = rng.random() < 0.5
        own, others = (colour, list(COLOURS)) if about_colour else (shape, list(SHAPES))
        named = own if true else rng.choice([other for other in others if other != own])
        negated = rng.random() < 0.5
        form = rng.choice(_IS_THERE_NOT if negated else _IS_THERE)
        return form.format(
            f"{named} shape" if about_colour else named
        ), "yes" if true != negated else "no"
    if roll < 0.8675:
        return rng.choice(_WHICH_SHAPE).format(colour=colour), shape
    return rng.choice(_WHICH_COLOUR).format(shape=shape), colour


def reword(question: str, rng: random.Random) -> str:
    """Reword a question as people type it: a capital letter, no question mark, "picture" for "image", British spelling."""
    if rng.random() < 0.3:
        question = question[0].upper() + question[1:]
    if rng.random() < 0.08:
        question = question.rstrip("?")
    if rng.random() < 0.08:
        question = question.replace("image", "picture")
    if rng.random() < 0.06:
        question = question.replace("color", "colour").replace("gray", "grey")
    return question


def reason(question: str, colour: str, shape: str) -> str:
    """Write the thought: the description, and for a yes-or-no question the word asked about, found or not, negated or not."""
    whether = _yes_no_subject(question)
    if whether is None:
        return f"{colour} {shape}"
    named, denied = whether
    own = colour if named in COLOURS else shape
    found = named == own
    sign = "not" if denied else "so"
    return f"{colour} {shape};{named}?{own}:{_yes(found)};{sign}:{_yes(found != denied)}"


def expected_answer(question: str, colour: str, shape: str) -> str | None:
    """Return easy-VQA's answer about this colour and shape; None if the question has none of its forms."""
    if (whether := _yes_no_subject(question)) is not None:
        named, denied = whether
        return _yes((named in (colour, shape)) != denied)
    if _SHAPE_IS_ASKED.read(_common(question)) is not None:
        return shape
    if found := _SHAPE_OF_COLOUR.read(_common(question)):
        return shape if found["word"] == colour else None
    if found := _COLOUR_IS_ASKED.read(_common(question)):
        return colour if found["word"] in ("shape", shape) else None
    return None


def is_of_easy_vqa(question: str) -> bool:
    """Return True if a question has one of easy-VQA's forms and only words of easy-VQA."""
    found = _SHAPE_OF_COLOUR.read(_common(question)) or _COLOUR_IS_ASKED.read(_common(question))
    return found is not None and found["word"] in (*COLOURS, *SHAPES)


def _yes_no_subject(question: str) -> tuple[str, bool] | None:
    """Return the colour or shape in a yes-or-no question, and True if it is negated; None for any other question."""
    for forms, denied in ((_IS_THERE_FORMS, False), (_IS_THERE_NOT_FORMS, True)):
        if found := forms.read(_common(question)):
            word, _, shape = found["thing"].partition(" ")
            return (word, denied) if word in (COLOURS if shape else SHAPES) else None
    return None


def _words_not_known(question: str) -> list[str]:
    """Return the words that none of the forms has."""
    forms = (_IS_THERE_FORMS, _SHAPE_IS_ASKED, _SHAPE_OF_COLOUR, _COLOUR_IS_ASKED)
    known = frozenset((*COLOURS, *SHAPES)).union(*(form.words for form in forms))
    return [word for word in _IS_THERE_FORMS.unknown_words(_common(question)) if word not in known]


def _common(question: str) -> str:
    """Normalise a question: American spelling, "image" for "picture"."""
    words = normalise(question).replace("colour", "color").replace("grey", "gray")
    return re.sub(r"\bpicture\b", "image", words)


def _yes(true: bool) -> str:
    return "yes" if true else "no"


def _easy_vqa() -> ModuleType:
    """Import easy-VQA, which training and measuring need, answering does not."""
    try:
        import easy_vqa  # type: ignore[import-untyped]
    except ImportError as error:
        raise ImportError(
            "The shapes task trains on easy-VQA's pictures. Install them with: pip install 'musespark[train]'"
        ) from error
    return easy_vqa  # type: ignore[no-any-return]


@cache
def _questions(split: str) -> list[tuple[str, str, int]]:
    package = _easy_vqa()
    texts, answers, images = (
        package.get_train_questions() if split == "train" else package.get_test_questions()
    )
    return list(zip(texts, answers, images, strict=True))


@cache
def _paths(split: str) -> dict[int, str]:
    package = _easy_vqa()
    paths: dict[int, str] = (
        package.get_train_image_paths() if split == "train" else package.get_test_image_paths()
    )
    return paths


@cache
def _image(split: str, number: int) -> Array:
    with Image.open(_paths(split)[number]) as opened:
        image = np.array(opened.convert("RGB"))
    image.setflags(write=False)
    return image


@cache
def _seen(split: str, number: int) -> str:
    """Read colour and shape of an image. easy-VQA does not state them; the reader agrees with all its answers."""
    seen = read(_image(split, number))
    assert seen is not None, f"picture {number} of easy-VQA's {split} split cannot be read"
    return " ".join(seen)
