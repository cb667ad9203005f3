import random
import re
from fractions import Fraction
from itertools import combinations, permutations

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from musespark.content import THREADS
from musespark.nano import vocabulary as v
from musespark.nano.tasks import held_out
from musespark.nano.tasks.countdown import (
    LAST,
    QUESTIONS,
    TRIES,
    Countdown,
    evaluate,
    explore,
    makes,
    moves,
    needed_values,
    propose,
    solution,
    solves,
)
from musespark.nano.tasks.countdown_reading import read
from musespark.nano.trace import Trace, begin_trace

seeds = st.integers(0, 2**32)


def brute_force(numbers, target):
    """Return True if any expression reaches the target, by trying all, without the solver's shortcuts."""
    if len(numbers) == 1:
        return numbers[0] == target
    for a, b, *rest in permutations(numbers):
        results = {a + b, a - b, a * b} | ({a // b} if b and a % b == 0 else set())
        if any(result >= 0 and brute_force((result, *rest), target) for result in results):
            return True
    return False


def written(mode, seed, sizes=(3, 4)):
    rng = random.Random(seed)
    task = Countdown(sizes)
    problem = task.generate(rng, held_out=False)
    trace, question = begin_trace(problem.question, None)
    task.write_thought(problem, mode, question.fork().force(v.MODES[mode]), rng)
    return task, problem, trace


def texts(trace: Trace):
    return [v.decode(segment.tokens) for segment in trace.segments]


@given(st.lists(st.integers(0, 30), min_size=2, max_size=3), st.integers(0, 60))
def test_the_solver_agrees_with_trying_everything(numbers, target):
    assert solves(tuple(numbers), target) == brute_force(tuple(numbers), target)


@given(seeds)
def test_a_thought_about_a_first_move_finds_a_solution_where_there_is_one_of_small_numbers(seed):
    rng = random.Random(seed)
    numbers, target = tuple(rng.randint(1, 30) for _ in range(4)), rng.randint(10, 30)
    for move in moves(numbers):
        written, found = explore(move, target)
        assert all(verdict == "n" for verdict in written[1:-1:2])
        assert (written[-1] in LAST) == (found is not None)
        if found:
            assert evaluate(found) == (target, tuple(sorted(numbers)))
        elif move.value <= 30:  # then no value that matters is beyond what a thought writes down
            assert not solves((move.value, *move.rest), target)


@given(st.integers(0, 2000), st.integers(10, 100))
def test_needed_values_make_the_target_as_the_sign_says(rest, target):
    for value, sign in needed_values(rest, target).items():
        assert eval_of(LAST[sign].format(r=value, c=rest)) == target
    assert all(makes(value, rest, target) for value in needed_values(rest, target))


def eval_of(expression):
    return (evaluate(expression) or (None,))[0]


@given(st.lists(st.integers(1, 60), min_size=3, max_size=4), st.integers(10, 60))
@settings(max_examples=60)
def test_the_complete_search_finds_what_there_is(numbers, target):
    found = solution([(n, str(n)) for n in numbers], target)
    assert (found is not None) == brute_force(tuple(numbers), target)
    assert found is None or evaluate(found) == (target, tuple(sorted(numbers)))


@given(seeds)
@settings(max_examples=50)
def test_first_moves_are_proposed_once_and_one_of_them_solves(seed):
    rng = random.Random(seed)
    problem = Countdown((3, 4)).generate(rng, held_out=False)
    numbers, target = problem.facts["numbers"], problem.facts["target"]
    proposed = propose(numbers, target, rng)
    every = len(set(moves(numbers)))
    assert (
        len(proposed) == len(set(proposed)) == (every if len(numbers) == 3 else min(TRIES, every))
    )
    found = [move for move in moves(numbers) if explore(move, target)[1]]
    assert any(move in proposed for move in found) or not found


@given(st.tuples(*[st.integers(1, 99)] * 3), st.integers(10, 100))
def test_of_three_numbers_every_division_is_listed_and_the_inexact_ones_are_refused(
    numbers, target
):
    proposed = propose(numbers, target, random.Random(0), inexact=True)
    assert len(proposed) <= THREADS
    assert set(proposed) >= set(moves(numbers))
    pairs = {(max(a, b), min(a, b)) for a, b in combinations(numbers, 2)}
    assert {(move.left, move.right) for move in proposed if move.operator == "/"} == pairs
    for move in set(proposed) - set(moves(numbers)):
        written, found = explore(move, target)
        quotient, _, remainder = "".join(written).removeprefix("=").partition("r")
        assert found is None
        assert int(quotient) * move.right + int(remainder) == move.left
        assert 0 < int(remainder) < move.right


@given(seeds, st.sampled_from(["instant", "thinking", "contemplating"]))
@settings(max_examples=60)
def test_every_thought_ends_in_a_right_answer(seed, mode):
    task, problem, trace = written(mode, seed)
    (answer,) = (match for text in texts(trace) for match in re.findall(r"<answer>(.*)<eos>", text))
    assert task.is_right(problem, answer)
    assert task.verify(problem.question, None, answer)


@given(seeds)
@settings(max_examples=40)
def test_a_thread_that_wins_returns_a_right_answer_and_others_return_nothing(seed):
    task, problem, trace = written("contemplating", seed)
    children = [text for text in texts(trace) if "<go>" in text]
    for text in children:
        returned = text.split("<ret>")[1]
        assert returned == "<end>" or task.is_right(problem, returned.removesuffix("<win>"))


def test_a_child_and_its_parent_are_told_apart():
    """The first branch stands in the same place with the same past in both: only the child's next token differs."""
    _, _, trace = written("contemplating", 0)
    for segment in trace.segments:
        if v.GO in segment.tokens:
            at = segment.tokens.index(v.GO)
            assert segment.weights[: at + 1] == [0.0] * (at + 1)
            assert segment.weights[at + 1] > 0


@given(seeds, st.booleans())
@settings(max_examples=30)
def test_problems_stay_on_their_side_of_the_split(seed, side):
    problem = Countdown().generate(random.Random(seed), side)
    assert held_out(problem.key) == side
    assert all(1 <= n <= 99 for n in problem.facts["numbers"])
    assert 10 <= problem.facts["target"] <= 100


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("(25-3)*3", Fraction(66)),
        ("25 - 3", Fraction(22)),
        ("7/2", Fraction(7, 2)),
        ("2**3", None),
        ("1/0", None),
        ("", None),
        ("__import__('os')", None),
        ("-3+5", None),
        ("True+1", None),
        ("3.0+1", None),
        ("(" * 500, None),
        ("a+b", None),
    ],
)
def test_only_arithmetic_on_integers_has_a_value(expression, value):
    assert eval_of(expression) == value


@pytest.mark.parametrize(
    ("answer", "verdict"),
    [
        ("(25-3)*(12-7)+2", False),
        ("(25-7)*3+12", True),
        ("12+3*(25-7)", True),
        ("66", False),
        ("25+41", False),
        ("nonsense", False),
    ],
)
def test_the_verifier_asks_for_every_number_of_the_question_once(answer, verdict):
    assert Countdown().verify("Use 25, 3, 7 and 12 to make 66.", None, answer) is verdict


@pytest.mark.parametrize(
    "question",
    [
        "Make something nice.",
        "Make 24 from 4 numbers: 1, 2, 3 and 4.",
        "Use 1 to make 1.",
        "1 2 3 4",
        "Is 12 more than 7?",
    ],
)
def test_a_question_that_is_not_plainly_numbers_and_a_target_cannot_be_checked(question):
    assert Countdown().verify(question, None, "1+2") is None


def test_the_target_is_not_taken_for_one_of_the_numbers():
    verify = Countdown().verify
    assert verify("Use 25, 3 and 22 to make 44.", None, "25-3+22") is True
    assert verify("Use 25, 3 and 22 to make 44.", None, "44-25+3") is False


@pytest.mark.parametrize("form", QUESTIONS)
@pytest.mark.parametrize(
    "spoken", ["25, 3, 7 and 12", "25, 3, 7, 12", "25 3 7 12", "25; 3; 7; 12", "25, 3, 7, and 12"]
)
def test_every_wording_is_understood(form, spoken):
    wanted = read(form.format(numbers=spoken, listed=spoken, target=66))
    assert wanted is not None and wanted.out_of_range() is None
    assert (wanted.target, wanted.numbers) == (66, (25, 3, 7, 12))


@pytest.mark.parametrize("question", [
    "Use 25, 3 and 22 to make -44.", "Use -25, 3 and 22 to make 44.", "Use 25, 3 and 22 to make 44 without minus.",
    "Use 25, 3 and 22 to make 44. Use no brackets.", "Use 25, 3 and 22 to make 44 and 45.", "Do not use 25, 3 and 22 to make 44.",
    "Use 25, 3 and 22 to make 44%.", "Use 25, 3 and 22 cents to make 44.", "Use 25, 3 and 22 to make 4 4.",
    "Use 25, 3, 22 to make 44, ok?", "Use 25 3/22 to make 44.", "Use 25, 3 and 22 to make 44.0",
    "With 25, 3 and 22 and + -, make 44.", "Use 25, 3 and \u221222 to make 44.",
])  # fmt: skip
def test_a_question_that_says_more_or_something_else_is_never_confirmed(question):
    assert not Countdown().verify(question, None, "25-3+22")


def test_an_image_beside_the_numbers_is_not_looked_at_so_nothing_is_confirmed():
    image = np.zeros((64, 64, 3), np.uint8)
    assert Countdown().verify("Use 25, 3 and 22 to make 44.", image, "25-3+22") is None
    assert "picture" in Countdown().abstention_reason("Use 25, 3 and 22 to make 44.", image)


@given(st.lists(st.integers(1, 9), min_size=3, max_size=3), st.integers(10, 60))
@settings(max_examples=25)
def test_what_cannot_be_reached_is_told_and_what_can_is_not(numbers, target):
    question = f"Use {numbers[0]}, {numbers[1]} and {numbers[2]} to make {target}."
    reason = Countdown().abstention_reason(question, None)
    assert not (reason and brute_force(tuple(numbers), target))
    if reason:
        assert reason == f"nothing makes {target} of these numbers, each used once"


def test_fractions_on_the_way_count():
    assert Countdown().abstention_reason("Use 3, 3, 8 and 8 to make 24.", None) is None
    assert Countdown().verify("Use 3, 3, 8 and 8 to make 24.", None, "8/(3-8/3)") is True
    assert (
        Countdown().abstention_reason("Use 2, 2, 2 and 2 to make 97.", None)
        == "nothing makes 97 of these numbers, each used once"
    )
