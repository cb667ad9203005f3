import asyncio
import threading
import time

import pytest
from attempts import attempt

from musespark.reasoning.equivalence.mathematics import Mathematics, symbolic
from musespark.reasoning.equivalence.prover import Prover

pytest.importorskip("math_verify")


@pytest.fixture(scope="module")
def prover() -> Prover:
    return Prover()


@pytest.mark.parametrize(("left", "right"), [
    (r"\frac{1}{2}", "0.5"), ("x+1", "1+x"), (r"\sqrt{8}", r"2\sqrt{2}"), (r"$\dfrac{3}{4}$", "3/4"), (r"2^{10}", "1024"),
    (r"\left( 1, 2 \right)", "(1,2)"),
])
async def test_equal_expressions_are_the_same_both_ways(prover: Prover, left: str, right: str) -> None:
    same = Mathematics(prover)
    assert await same.same(attempt(left), attempt(right))
    assert await same.same(attempt(right), attempt(left))


@pytest.mark.parametrize(("left", "right"), [
    ("x+1", "x+2"), (r"\sqrt{2}", "1"), ("[1,2]", "(1,2)"), (r"\frac{1}{2}", "2"), ("12", "13")])
async def test_others_are_not(prover: Prover, left: str, right: str) -> None:
    assert not await Mathematics(prover).same(attempt(left), attempt(right))


def test_it_works_off_the_main_thread(prover: Prover) -> None:
    found: list[bool] = []
    thread = threading.Thread(target=lambda: found.append(asyncio.run(Mathematics(prover).same(attempt("x+1"), attempt("1+x")))))
    thread.start()
    thread.join(60)
    assert found == [True]


async def test_what_takes_too_long_is_ended_and_the_next_pair_is_compared() -> None:
    prover = Prover(seconds=4.0)
    try:
        await prover.same("1", "2")
        began = time.monotonic()
        assert not await prover.same("9^{9^{9^{9}}}", r"\sum_{n=1}^{10000000} \frac{1}{n^2}")
        assert time.monotonic() - began < 40  # a generous ceiling for ending it and importing SymPy again
        assert await prover.same("x+1", "1+x")
    finally:
        prover.close()


async def test_numbers_and_words_start_no_process() -> None:
    prover = Prover()
    same = Mathematics(prover)
    assert await same.same(attempt("1,000"), attempt("1000"))
    assert not await same.same(attempt("Paris"), attempt("London"))
    assert prover._process is None


def test_prose_is_no_expression() -> None:
    assert not symbolic("It is because of the sea")
    assert not symbolic("1,000")
    assert symbolic(r"\frac{x}{2}") and symbolic("x^2 + 1")
