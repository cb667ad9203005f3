"""The task of one coloured shape: easy-VQA's split, its answers, and a reader that needs no network."""

from __future__ import annotations

import itertools
import random
import sys

import numpy as np
import pytest

from musespark.evals.outside_images import OTHER_COLOURS, OTHER_SHAPES, draw_shape
from musespark.nano import vocabulary as v
from musespark.nano.tasks import shapes
from musespark.nano.tasks.shapes import Shapes, expected_answer, phrase_question, reason, reword
from musespark.nano.tasks.shapes_images import COLOURS, SHAPES, draw, read, vary_image
from musespark.nano.trace import begin_trace

ANSWERS = ("yes", "no", *COLOURS, *SHAPES)
task = Shapes()


@pytest.fixture
def easy_vqa() -> None:
    pytest.importorskip("easy_vqa")


def test_every_drawing_is_read_as_what_was_drawn() -> None:
    rng = random.Random(0)
    for colour, shape in itertools.product(COLOURS, SHAPES):
        for _ in range(10):
            image = draw(colour, shape, rng)
            assert image.shape == (64, 64, 3)
            assert read(image) == (colour, shape)
            assert read(vary_image(image, rng)) == (colour, shape)


@pytest.mark.parametrize(
    ("question", "thought"),
    [
        ("is there a blue shape?", "red circle;blue?red:no;so:no"),
        ("Is no circle present", "red circle;circle?circle:yes;not:no"),
        ("does the picture not contain a blue shape?", "red circle;blue?red:no;not:yes"),
        ("what colour is the shape?", "red circle"),
    ],
)
def test_a_question_of_yes_or_no_is_thought_through(question: str, thought: str) -> None:
    assert reason(question, "red", "circle") == thought
    answer = expected_answer(question, "red", "circle")
    assert answer == (thought.rsplit(":")[-1] if ":" in thought else "red")


@pytest.mark.usefixtures("easy_vqa")
@pytest.mark.parametrize("split", ["train", "test"])
def test_the_reader_knows_easy_vqa(split: str) -> None:
    questions = [each for each in shapes._questions(split) if each[2] % 4 == 0]
    for question, answer, image in questions:
        assert expected_answer(question, *shapes._seen(split, image).split()) == answer


@pytest.mark.usefixtures("easy_vqa")
def test_traces_say_what_is_seen_and_end_in_the_answer() -> None:
    rng = random.Random(1)
    certain = 0
    for _ in range(100):
        problem = task.generate(rng, False)
        assert problem.image is not None and problem.image.dtype == np.uint8
        steps = reason(problem.question, *problem.facts["seen"].split())
        assert steps.startswith(problem.facts["seen"])
        for mode, thought in (("thinking", steps), ("contemplating", steps), ("instant", "")):
            trace, branch = begin_trace(problem.question, None)
            asked = len(trace)
            task.write_thought(problem, mode, branch, rng)
            assert (
                v.decode(trace.segments[0].tokens[asked:])
                == f"<shapes>{thought}<answer>{problem.answer}<eos>"
            )
        assert problem.answer in ANSWERS
        assert task.is_right(problem, problem.answer)
        confirmed = task.verify(problem.question, problem.image, problem.answer)
        assert confirmed is not False
        wrong = rng.choice([answer for answer in ANSWERS if answer != problem.answer])
        assert not task.is_right(problem, wrong)
        assert not task.verify(problem.question, problem.image, wrong)
        certain += bool(confirmed)
    assert certain >= 92


@pytest.mark.usefixtures("easy_vqa")
def test_held_out_is_the_whole_test_split_each_question_once() -> None:
    rng = random.Random(2)
    count = len(shapes._questions("test"))
    keys = [task.generate(rng, True).key for _ in range(count)]
    assert len(set(keys)) == count
    assert all(key.startswith("test/") for key in keys)
    assert not any(task.generate(rng, False).key.startswith("test/") for _ in range(200))
    again = random.Random(2)
    assert [task.generate(again, True).key for _ in range(10)] == keys[:10]


def test_every_question_asked_is_understood_by_the_verifier() -> None:
    rng = random.Random(3)
    for _ in range(500):
        colour, shape = rng.choice(list(COLOURS)), rng.choice(SHAPES)
        question, answer = phrase_question(colour, shape, rng)
        assert expected_answer(reword(question, rng), colour, shape) == answer


@pytest.mark.parametrize(
    "question",
    [
        "what color is the circle?",
        "what is the blue shape?",
        "is there a purple shape?",
        "is there a dog?",
        "why?",
        "",
        "what shape is the Earth?",
    ],
)
def test_a_question_that_does_not_fit_the_image_is_not_judged(question: str) -> None:
    assert expected_answer(question, "red", "triangle") is None


def test_images_without_one_plain_shape_are_not_judged() -> None:
    numbers = np.random.default_rng(0)
    blank = np.full((64, 64, 3), 240, np.uint8)
    two = blank.copy()
    two[5:20, 5:20], two[40:60, 40:60] = (255, 0, 0), (0, 0, 255)
    noise = numbers.integers(0, 256, (64, 64, 3), dtype=np.uint8)
    for image in (blank, two, noise, blank[:4, :4], np.zeros((0, 0, 3), np.uint8)):
        assert task.verify("what shape is present?", image, "circle") is None
    assert task.verify("what shape is present?", None, "circle") is None


def test_without_easy_vqa_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "easy_vqa", None)
    shapes._questions.cache_clear()
    with pytest.raises(ImportError, match=r"pip install 'musespark\[train\]'"):
        task.generate(random.Random(0), True)


@pytest.mark.parametrize("shape", OTHER_SHAPES)
def test_a_shape_without_a_name_here_is_neither_confirmed_nor_guessed(shape: str) -> None:
    rng = random.Random(9)
    for _ in range(12):
        image = draw_shape(f"other shape {shape}", "", [shape], rng)
        assert not any(task.verify("what shape is in the image?", image, known) for known in SHAPES)
        assert task.abstention_reason("what shape is in the image?", image)


@pytest.mark.parametrize("colour", OTHER_COLOURS)
def test_a_colour_without_a_name_here_is_neither_confirmed_nor_guessed(colour: str) -> None:
    image = draw_shape(f"other colour {colour}", "", [colour], random.Random(3))
    assert not any(task.verify("what color is the shape?", image, known) for known in COLOURS)
    assert task.abstention_reason("what color is the shape?", image)


def test_a_shape_in_a_photograph_is_not_confirmed() -> None:
    numbers = np.random.default_rng(1)
    sky = np.linspace((90, 120, 180), (190, 170, 150), 64)[:, None] + numbers.normal(
        0, 8, (64, 64, 3)
    )
    photograph = np.clip(sky, 0, 255).astype(np.uint8)
    photograph[30:60, 10:40] = np.clip(numbers.normal(12, 6, (30, 30, 3)), 0, 255).astype(np.uint8)
    for known in (*SHAPES, *COLOURS):
        assert not task.verify("what shape is in the image?", photograph, known)
    assert task.abstention_reason("what shape is in the image?", photograph)


@pytest.mark.parametrize(
    ("question", "word"),
    [
        ("is there a red shape and a circle?", "and"),
        ("what shape is not in the image?", "not"),
        ("is there another circle?", "another"),
    ],
)
def test_a_question_that_says_more_is_not_judged(question: str, word: str) -> None:
    image = draw("red", "circle", random.Random(1))
    assert (
        task.verify(question, image, "yes") is None
        and task.verify(question, image, "circle") is None
    )
    assert f'"{word}"' in (task.abstention_reason(question, image) or f'"{word}"')
