"""A thought that goes round in circles is noticed, and none of those that the model learns from is taken for one."""

import random

import pytest

from musespark.nano.repetition import EVERY, PERIOD, SUFFIX, is_repeating
from musespark.nano.tasks import MEASURED, load_task
from musespark.nano.trace import begin_trace


@pytest.mark.parametrize("period", [1, 2, 7, PERIOD])
def test_a_piece_that_comes_again_and_again_is_noticed(period):
    trail = [5, 6, 7, *(list(range(period)) * 2 * SUFFIX)]
    assert any(
        is_repeating(trail[:length]) for length in range(SUFFIX, SUFFIX + PERIOD + 2 * EVERY)
    )


def test_counting_is_no_repetition():
    digits = [int(digit) for number in range(1000) for digit in str(number)]
    assert not any(is_repeating(digits[:length]) for length in range(0, len(digits), EVERY))


@pytest.mark.parametrize("name", MEASURED)
@pytest.mark.parametrize("mode", ["thinking", "contemplating"])
def test_no_thought_that_the_model_learns_from_is_taken_for_one(name, mode):
    task, rng = load_task(name), random.Random(1)
    if name == "shapes":
        pytest.importorskip("easy_vqa")
    for _ in range(40):
        problem = task.generate(rng, False)
        trace, branch = begin_trace(problem.question, None)
        task.write_thought(problem, mode, branch, rng)
        for segment in trace.segments:
            tokens = list(segment.tokens)
            assert not any(is_repeating(tokens[:length]) for length in range(0, len(tokens), EVERY))
