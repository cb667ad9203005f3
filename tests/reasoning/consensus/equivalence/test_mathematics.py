import asyncio
import threading

import pytest
from attempts import attempt

from musespark.reasoning.consensus.equivalence.mathematics import Mathematics
from musespark.reasoning.consensus.equivalence.prover import Prover
from musespark.reasoning.consensus.equivalence.reading.quantities import formula
from musespark.reasoning.consensus.equivalence.reading.trees import Tree

pytest.importorskip("sympy")


@pytest.fixture(scope="module")
def prover() -> Prover:
    return Prover()


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (r"\frac{1}{2}", "0.5"),
        ("x+1", "1+x"),
        (r"\sqrt{8}", r"2\sqrt{2}"),
        (r"$\dfrac{3}{4}$", "3/4"),
        (r"2^{10}", "1024"),
        (r"\left( 1, 2 \right)", "(1,2)"),
        (r"\sqrt{2+\sqrt{3}}", r"\frac{\sqrt6+\sqrt2}{2}"),
        (r"\sin 2x", r"2\sin x\cos x"),
        (r"\frac{x^2-1}{x-1}", "x+1"),
        (r"\ln 8", r"3\ln 2"),
        (r"(\sqrt[3]{2})^2", r"\sqrt[3]{4}"),
        ("y = 2x + 1", "2x - y + 1 = 0"),
        (r"\sin^2 x", r"1 - \cos^2 x"),
        (r"\cos\frac{\pi}{5}", r"\frac{1+\sqrt5}{4}"),
        ("x^2 - y^2 = 1", r"\frac{x^2-y^2}{2} = \frac12"),
    ],
)
async def test_equal_expressions_are_the_same_both_ways(
    prover: Prover, left: str, right: str
) -> None:
    same = Mathematics(prover)
    assert await same.same(attempt(left), attempt(right))
    assert await same.same(attempt(right), attempt(left))


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("x+1", "x+2"),
        (r"\sqrt{2}", "1"),
        ("[1,2]", "(1,2)"),
        (r"\frac{1}{2}", "2"),
        ("12", "13"),
        (r"\sqrt{x^2}", "x"),
        ("|x|", "x"),
        ("y = 2x + 1", "y = 2x - 1"),
        (r"\frac{1}{2^{999}}", r"\frac{1}{2^{998}}"),
        (r"\log 2", r"\ln 2"),
        ("x < 3", "-x < -3"),
    ],
)
async def test_others_are_not(prover: Prover, left: str, right: str) -> None:
    assert not await Mathematics(prover).same(attempt(left), attempt(right))


def test_it_works_off_the_main_thread(prover: Prover) -> None:
    found: list[bool] = []
    identity = attempt(r"\sin 2x"), attempt(r"2\sin x\cos x")
    thread = threading.Thread(
        target=lambda: found.append(asyncio.run(Mathematics(prover).same(*identity)))
    )
    thread.start()
    thread.join(60)
    assert found == [True]


SLOW = r"\sin(x)^{40} + \cos(x)^{40} + \tan(x)^{40} - \sqrt[7]{x+\sqrt[5]{x+1}}"


def tree(text: str) -> Tree:
    found = formula(text)
    assert found is not None
    return found.tree


class Slow(Prover):
    """Takes its time over every proof."""

    asked = 0

    async def prove(self, left: Tree, right: Tree, asked: str = "equal") -> bool | None:
        self.asked += 1
        await asyncio.sleep(0.5)
        return None


async def test_what_takes_too_long_is_ended_and_the_next_pair_is_compared() -> None:
    prover = Prover(seconds=0.001)
    try:
        await prover.start()
        assert await prover.prove(tree(r"\sqrt[3]{x+1} + " + SLOW), tree(SLOW)) is None
        prover._seconds = 30.0
        assert await prover.prove(tree("sin(2*x)"), tree("2*sin(x)*cos(x)")) is True
    finally:
        prover.close()


async def test_a_slow_proof_holds_no_other_up() -> None:
    prover = Prover(seconds=30.0, processes=2)
    try:
        await asyncio.gather(*(prover.prove(tree(each), tree("x + 1")) for each in ("x", "x + 2")))
        slow = asyncio.create_task(prover.prove(tree(SLOW), tree(r"\sqrt[9]{x} \cdot " + SLOW)))
        await asyncio.sleep(0.05)
        assert await prover.prove(tree("sin(2*x)"), tree("2*sin(x)*cos(x)")) is True
        assert not slow.done()
        prover.close()
        await slow
    finally:
        prover.close()


async def test_all_proofs_of_one_question_share_a_limit_and_those_left_over_are_counted() -> None:
    prover = Slow()
    same = Mathematics(prover, seconds=1.2)
    identities = [attempt(rf"\sin({n}x)^2 + \cos({n}x)^2") for n in range(2, 12)]
    assert not any([await same.same(one, attempt("1")) for one in identities])
    assert (
        1 <= prover.asked <= 3
    )  # half a second each: after that there is no time left, and nothing is asked
    assert same.undecided == len(identities)


async def test_powers_that_nobody_can_write_out_are_left_undecided_at_once() -> None:
    prover = Prover()
    same = Mathematics(prover)
    try:
        await prover.start()
        (process,) = prover._all
        before = process._process
        for n in range(3, 6):
            assert not await same.same(
                attempt(rf"{n}^{{9^{{9^{{9}}}}}}"), attempt(rf"{n + 1}^{{9^{{9^{{9}}}}}}")
            )
        assert same.undecided == 3
        assert process._process is before  # it did not have to be ended
    finally:
        prover.close()


async def test_numbers_words_and_what_floating_point_refutes_start_no_process() -> None:
    prover = Prover()
    same = Mathematics(prover)
    assert await same.same(attempt("1,000"), attempt("1000"))
    assert await same.same(attempt(r"\frac{\sqrt2}{2}"), attempt(r"\frac{1}{\sqrt2}"))
    assert not await same.same(attempt("Paris"), attempt("London"))
    assert not await same.same(attempt(r"1 - \frac1e"), attempt(r"1 + \frac1e"))
    assert prover.running == 0
