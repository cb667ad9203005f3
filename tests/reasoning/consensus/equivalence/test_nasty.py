"""Whatever a model writes, comparing it raises nothing."""

import time
from collections.abc import Sequence

import pytest
from attempts import attempt
from hypothesis import given, strategies as st

from musespark.content import ToolCall
from musespark.reasoning.consensus.equivalence import (
    EQUIVALENCES,
    Equivalence,
    answer_in,
    equivalence_named,
)
from musespark.reasoning.consensus.equivalence.automatic import prose
from musespark.reasoning.consensus.equivalence.mathematics import Mathematics
from musespark.reasoning.consensus.equivalence.prover import Prover
from musespark.reasoning.consensus.equivalence.reading.notation import plain
from musespark.reasoning.consensus.equivalence.reading.quantities import formula
from musespark.reasoning.consensus.equivalence.reading.reader import read
from musespark.reasoning.consensus.equivalence.reading.trees import Tree
from musespark.reasoning.team.aggregate.verdict import verdict_in

PIECES = st.sampled_from(
    [
        "[",
        "]",
        "{",
        "}",
        "(",
        ")",
        '"',
        "'",
        ":",
        ",",
        "\\",
        "\\boxed{",
        "answer",
        "-",
        "9",
        "e",
        "^",
        "/",
        "1e9",
        "NaN",
        "-Infinity",
        "inf",
        "j",
        "\x00",
        "\ud800",
        "\u0301",
        "\u0323",
        "²",
        "٣",
        "½",
        "%",
        "$",
        "\n",
        "```",
        " ",
    ]
)
NASTY = st.one_of(
    st.text(st.characters(exclude_categories=())),
    st.lists(PIECES, max_size=30).map("".join),
    st.builds(
        lambda piece, count: piece * count, PIECES, st.sampled_from([80, 99, 101, 400, 2000, 5000])
    ),
    st.builds(
        lambda depth, pair, inside: pair[0] * depth + inside + pair[1] * depth,
        st.sampled_from([50, 99, 100, 101, 190, 500, 5000]),
        st.sampled_from(
            [("[", "]"), ('{"a":', "}"), ("(", ",)"), ("{1:", "}"), ('"answer":[', "]")]
        ),
        st.sampled_from(["", "1", "NaN"]),
    ),
    st.sampled_from(
        [
            "9" * 5000,
            "1e999999",
            "-1e999999",
            "1e-999999",
            "9e999^99",
            "9" * 70 + "^99",
            "NaN",
            "[NaN, Infinity]",
            '{"a": 1e999999}',
            "1e999-1e999j",
            "1e999j",
            "0x" + "f" * 5000,
            "b'\\xff'",
            "{[]: 1}",
            "...",
            "\ud800\udfff",
        ]
    ),
)


class Nobody(Prover):
    """Proves nothing, in no process."""

    def __init__(self) -> None:
        """Without math-verify."""

    async def start(self) -> None:
        """Nothing to be ready."""

    async def prove(self, left: Tree, right: Tree, asked: str = "equal") -> bool | None:
        return None


async def run(code: str) -> Sequence[bool]:
    return ["a" in code]


async def judge(left: str, right: str) -> bool:
    return len(left) == len(right)


def made(kind: str) -> Equivalence:
    given: dict[str, tuple[object, ...]] = {
        "behaviour": (run,),
        "judged": (judge,),
        "automatic": (judge, Mathematics(Nobody())),
        "mathematics": (Nobody(),),
        "calls": (equivalence_named("automatic", judge),),
    }
    return equivalence_named(kind, *given.get(kind, ()))


@pytest.mark.parametrize("kind", EQUIVALENCES)
@given(left=NASTY, right=NASTY, calls=st.booleans())
async def test_no_text_makes_a_comparison_raise(
    kind: str, left: str, right: str, calls: bool
) -> None:
    same = made(kind)
    one, again, other = (
        attempt(answer_in(text), text=text, calls=(ToolCall("1", "use", text),) if calls else ())
        for text in (left, left, right)
    )
    assert hash(same.key(one)) == hash(same.key(again)) and same.key(one) == same.key(again)
    assert await same.same(one, again)
    assert await same.same(one, other) == await same.same(other, one)


@pytest.mark.parametrize(
    "arguments",
    [
        "[" * 2000,
        "[" * 2000 + "]" * 2000,
        "[" * 500 + "]" * 500,
        '{"a":' * 5000,
        "9" * 5000,
        "NaN",
        "",
    ],
)
async def test_calls_of_garbage_are_the_same_as_themselves(arguments: str) -> None:
    def called(with_: str) -> ToolCall:
        return ToolCall("1", "use", with_)

    same = equivalence_named("calls")
    assert await same.same(
        attempt("", calls=(called(arguments),)), attempt("", calls=(called(arguments + " "),))
    )
    assert not await same.same(
        attempt("", calls=(called(arguments),)), attempt("", calls=(called("{}"),))
    )


def test_arguments_that_are_nested_without_end_are_no_json() -> None:
    with pytest.raises(ValueError, match="nested too deeply"):
        ToolCall("1", "use", "[" * 100_000).parsed()


def test_a_run_of_accents_holds_nobody_up() -> None:
    began = time.process_time()
    equivalence_named("exact").key(attempt("a" + "\u0301\u0323" * 50_000))
    assert time.process_time() - began < 2  # a hundredth of what composing them as one would take


@pytest.mark.parametrize(
    "piece",
    [
        "A ",
        "A, ",
        "a and ",
        "is ",
        "about ",
        "km ",
        "(x+y+z)(a+b)",
        "x^",
        "one ",
        "(",
        "{",
        "5 ft ",
        "\\pm ",
    ],
)
def test_an_answer_that_repeats_itself_is_read_in_no_time(piece: str) -> None:
    began = time.process_time()
    for before, after in (("", ""), ("", "x"), ("5 ", "")):
        read.__wrapped__(before + (piece * 400)[:390] + after)
    verdict_in(piece * 10_000)
    assert (
        time.process_time() - began < 3
    )  # each takes hundredths of a second; what backtracks takes for ever


SENTENCES = (
    "The well-known author of the book (published in London, in 1984) wrote both novels and/or essays, and he was awarded a "
    "state-of-the-art prize on 2020-03-01 for it.",
    "On 3/4/2020 the long-term effects of climate change - especially in low-lying areas - became clear to everybody who had lived "
    "there for more than ten years.",
    "Rayleigh scattering: shorter wavelengths are scattered more strongly than longer ones (as 1/λ^4), so that the sky looks blue "
    "during the day and red at sunset.",
    "Небо голубое из-за рэлеевского рассеяния: короткие волны рассеиваются сильнее, чем длинные, поэтому мы видим синий свет "
    "со всех сторон - и/или фиолетовый.",
    "天空之所以是蓝色的，是因为瑞利散射：较短的波长比较长的波长散射得更强（大约 2020-03-01）。" * 3,
    r"The derivative of \(f(x) = x^2\) vanishes at \(x = 0\), so the minimum value is found at that point and at no other place "
    "whatsoever.",
)
FORMULAS = (
    r"\frac{x^2+3x+2}{(x+1)(x-2)} + \sum_{n=1}^{\infty} \frac{(-1)^n}{n^2} + \int_0^1 \sin(x)\cos(x)\,dx - \sqrt{2} - \pi + 1 - y",
    "x^10 + 10*x^9*y + 45*x^8*y^2 + 120*x^7*y^3 + 210*x^6*y^4 + 252*x^5*y^5 + 210*x^4*y^6 + 120*x^3*y^7 + 45*x^2*y^8 + 7*x*y^9",
    "abc + bcd + cde + def + efg + fgh + ghi + hij + ijk + jkl + klm + lmn + mno + nop + opq + pqr + qrs + rst + stu + tuv + uvw",
    "sin(x)*cos(y) + log(x)*exp(y)*sqrt(z) - arcsin(x)/arccos(y) + sinh(x)*cosh(y)*tanh(z) - max(x, y, z) + min(x, y, z)*gcd(a, b)",
    r"f(x) = \begin{cases} x^2 & \text{if } x > 0 \\ -x & \text{else} \end{cases}, \quad \text{for all real } \; x \in \mathbb{R}",
    "x^2 + " * 200 + "1",
    "1, 2, 3, " * 60,
)


@pytest.mark.parametrize("answer", SENTENCES)
def test_sentences_are_prose_whatever_they_are_punctuated_with(answer: str) -> None:
    assert len(answer) > 120
    assert prose(answer)


@pytest.mark.parametrize("answer", FORMULAS)
def test_formulas_are_no_prose_however_long(answer: str) -> None:
    assert len(answer) > 120
    assert not prose(answer)


@pytest.mark.parametrize(
    "answer", ["x-y", "x - y", "2x-y", "a/b", "(a+b)-c", "x+1", "f(x) = 2", r"x\in\mathbb{R}"]
)
def test_what_is_calculated_is_a_formula(answer: str) -> None:
    assert formula(plain(answer))


@pytest.mark.parametrize(
    "answer", ["well-known", "and/or", "state-of-the-art", "X-ray", "2020-03-01", "Paris", "3-5"]
)
def test_a_hyphen_a_slash_and_a_word_are_not(answer: str) -> None:
    assert formula(plain(answer)) is None
