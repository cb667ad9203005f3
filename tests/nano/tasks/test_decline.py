"""Declining: in every mode and at once; and what it is measured on was never trained on."""

from __future__ import annotations

import random
import re

import numpy as np
import pytest

from musespark.nano import vocabulary as v
from musespark.nano.tasks.decline import SENTENCE, Decline, everyday_by_hand
from musespark.nano.tasks.decline_questions import (
    LONGEST,
    documentation_sentences,
    lines,
    templates,
    words,
)
from musespark.nano.tasks.task import ShuffledCycle, held_out
from musespark.nano.trace import begin_trace

task = Decline()
rng = random.Random(0)
trained = [task.generate(rng, False) for _ in range(2000)]


def plain(text: str) -> str:
    """Letters and digits alone: spelling and punctuation do not make a question another one."""
    return " ".join(re.findall(r"[a-z0-9]+", text.lower()))


@pytest.mark.parametrize("mode", list(v.MODES))
def test_every_mode_declines_at_once(mode: str) -> None:
    trace, branch = begin_trace("What is love?", None)
    asked = len(trace)
    task.write_thought(trained[0], mode, branch, rng)
    assert trace.segments[0].tokens[asked:] == [v.DECLINE, v.EOS]


def test_the_sentence_says_what_is_known_and_how_to_go_on() -> None:
    for known in ("countdown", "frozen lakes", "mazes", "shape", "Python", "muse ask --model"):
        assert known in SENTENCE
    assert task.is_right(trained[0], SENTENCE)
    assert not task.is_right(trained[0], "Paris")
    assert task.verify("What is the capital of France?", None, "Paris") is None


def test_the_generator_is_wide() -> None:
    assert len(templates()) == len(set(templates())) >= 250
    assert sum(len(kind) for kind in words().values()) >= 1000
    assert len({problem.question for problem in trained}) > 0.8 * len(trained)
    assert all(len(problem.question) <= LONGEST for problem in trained)
    assert not any(held_out(problem.key) for problem in trained)


def test_every_slot_of_a_template_has_words() -> None:
    slots = {slot for template in templates() for slot in re.findall(r"\{(\w+)\}", template)}
    assert slots <= {*words(), "n", "N", "number", "numbers", "many", "document"}


def test_some_questions_come_with_images_of_many_kinds() -> None:
    images = [problem.image for problem in trained if problem.image is not None]
    assert 0.12 < len(images) / len(trained) < 0.28
    assert all(
        image.dtype == np.uint8 and image.ndim == 3 and image.shape[2] == 3 for image in images
    )


def test_the_measured_questions_are_two_hundred_and_all_are_asked() -> None:
    rng = random.Random(4)
    asked = [task.generate(rng, True).question for _ in range(200)]
    assert len(everyday_by_hand()) == 200
    assert set(asked) == set(everyday_by_hand())


def test_no_template_can_make_a_measured_question() -> None:
    languages = [re.compile(_as_pattern(template)) for template in templates()]
    for question in everyday_by_hand():
        assert not any(language.fullmatch(plain(question)) for language in languages), question


def test_no_measured_question_is_among_what_is_trained() -> None:
    measured = {plain(question) for question in everyday_by_hand()}
    documents = {
        plain(text) for text in (*lines("decline_documents.txt"), *documentation_sentences())
    }
    assert not measured & {plain(problem.question) for problem in trained}
    assert not measured & documents


def _as_pattern(template: str) -> str:
    """All that a template can say, as a pattern over plain text; a number or a document stands for any of its kind."""
    pieces = re.split(r"(\[[^][]*\]|\{\w+\})", template)
    pattern = "".join(_piece(piece) for piece in pieces)
    return r"\s*" + pattern + r"\s*"


def _piece(piece: str) -> str:
    if piece.startswith("["):
        choices = piece[1:-1].split("|")
        return (
            "(?:"
            + "|".join(
                "".join(_piece(part) for part in re.split(r"(\{\w+\})", choice))
                for choice in choices
            )
            + ")"
        )
    if piece.startswith("{"):
        kind = piece[1:-1]
        return (
            "(?:" + "|".join(map(plain, words()[kind])) + ")" if kind in words() else r"[0-9 and]+"
        )
    return r"\s*" + plain(piece).replace(" ", r"\s+") + r"\s*"


def test_every_generator_is_dealt_each_card_once_before_any_comes_again() -> None:
    deck = ShuffledCycle(lambda: "abcdef")
    first, second = random.Random(1), random.Random(2)
    dealt = [(deck.draw_next(first), deck.draw_next(second)) for _ in range(12)]
    for own in ([card for card, _ in dealt], [card for _, card in dealt]):
        assert sorted(own[:6]) == list("abcdef") and own[6:] == own[:6]
    assert len(deck._orders) == 2
    del first
    assert len(deck._orders) == 1, "a generator that is gone is forgotten"
