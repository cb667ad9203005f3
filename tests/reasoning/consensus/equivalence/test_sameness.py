"""When two replies give the same answer, by kind: as a team asks, from the whole replies."""

import pytest
from attempts import attempt

from musespark.content import Request
from musespark.evals.answer_pairs import Pair, pairs
from musespark.evals.answer_rules import ours
from musespark.evals.answers import score, verdicts
from musespark.reasoning.consensus.equivalence import answer_in, equivalence_for

pytest.importorskip("sympy")


async def same(left: str, right: str, question: str = "?") -> bool:
    equivalence = equivalence_for(Request.of(question))
    one, other = (attempt(answer_in(reply), text=reply) for reply in (left, right))
    verdict = await equivalence.same(one, other)
    assert verdict == await equivalence.same(other, one)
    assert await equivalence.same(one, one) and await equivalence.same(other, other)
    return verdict


# Each is the same as itself in another notation, and neither is the same as what was changed in one place.
KINDS = {
    "a fragment or a tolerance": [
        (r"\boxed{3 - \frac{2}{e}}", "Answer: 3 - 2/e", r"\boxed{3 + \frac{2}{e}}"),
        (r"\boxed{\frac{1}{3^{70}}}", "Answer: 3^(-70)", r"\boxed{\frac{1}{3^{69}}}"),
        (r"\boxed{324_5}", "Answer: 324 (base 5)", r"\boxed{324}"),
        (r"\boxed{6\sqrt(3)}", r"\boxed{6\sqrt{3}}", r"\boxed{6}"),
        ("Answer: y > 1 and y < 8", "Answer: 1 < y < 8", "Answer: y > 1 or y < 8"),
        ("Answer: 40 or more", "Answer: at least 40", "Answer: 40 or less"),
        ("Answer: 3 min 20 s", "Answer: 200 seconds", "Answer: 3 min 40 s"),
        ("Answer: C (n=9)", "Answer: C", "Answer: D (n=9)"),
        ("Answer: h(t) = t^2", "Answer: h(t) = t*t", "Answer: h'(t) = t^2"),
        (
            r"\boxed{3, 5, 7, \ldots, 2n+1}",
            r"\boxed{3, 5, 7, \dots, 1+2n}",
            r"\boxed{3, 5, 9, \ldots, 2^n+1}",
        ),
    ],
    "words of scale or operation": [
        ("Answer: 8 million", "Answer: 8,000,000", "Answer: 8"),
        ("Answer: $6.5 billion", "Answer: $6.5B", "Answer: $6.5 million"),
        ("Answer: 14 mod 4", "Answer: 2", "Answer: 14"),
        ("Answer: 30 percent", "Answer: 30%", "Answer: 30 percent less"),
        ("Answer: three dozen", "Answer: 36", "Answer: 3"),
        ("Answer: -9", "Answer: minus nine", "Answer: 9"),
    ],
    "multiple choice": [
        ("Answer: (D)", "Answer: **D**", "Answer: (C)"),
        ("Answer: D) Rome", "Answer: D", "Answer: C) Rome"),
        (r"Answer: $\text{E}$", "Answer: option E", "Answer: B"),
        ("Answer: a. 12", "Answer: A", "Answer: B"),
        ("Answer: B, E", "Answer: E and B", "Answer: B, D"),
        ("Answer: I and III", "Answer: III, I", "Answer: I and II"),
    ],
    "where the answer is": [
        ('{"answer":"Oslo","sure":0.7}', "Answer: Oslo", '{"answer":"Bergen","sure":0.7}'),
        ("The answer is A. Note that B ignores the wind.", "Answer: A", "Answer: B"),
        ("<answer>31</answer>", "31", "<answer>13</answer>"),
        ("5 + 6 = 11\n#### 11", "Answer: 11", "#### 12"),
        ("Antwort:\n\nAntwort: B", "Respuesta: B", "Réponse : C"),
        ("答案：31", "정답: 31", "答え：13"),
        ("In the end, he has 31 coins left.", "Answer: 31", "The total is not 31."),
        ("We add them. Answer: 7", "Answer: 7", "We add them. Answer: 8"),
    ],
    "plain text and TeX": [
        ("Answer: 3*pi/4", r"\boxed{\frac{3\pi}{4}}", r"\boxed{\frac{3}{4}}"),
        ("Answer: exp(9) - 2", "Answer: e^9-2", r"\boxed{e^{9}+2}"),
        ("Answer: ln 5", r"\boxed{\ln 5}", r"\boxed{\log_2 5}"),
        (r"\boxed{\sqrt{\frac{3}{m}}}", "Answer: sqrt(3)/sqrt(m)", "Answer: sqrt(3)/m"),
        ("Answer: 7.0 + -2.0i", r"\boxed{7 - 2i}", r"\boxed{7 + 2i}"),
        ("Answer: 4 3/5", "Answer: 4.6", "Answer: 43/5"),
        ("Answer: x² - 9", r"\boxed{(x-3)(x+3)}", r"\boxed{(x-3)^2}"),
        (r"\boxed{\{4, 9\}}", "Answer: x = 9 or x = 4", r"\boxed{(4, 9)}"),
    ],
    "approximations": [
        ("Answer: 0.1428571428571", "Answer: 1/7", "Answer: 0.14"),
        (r"\boxed{0.\overline{27}}", "Answer: 3/11", "Answer: 0.27"),
        ("Answer: 0.30000000000000004", "Answer: 0.3", "Answer: 0.3001"),
        ("Answer: 2.2360679775", r"\boxed{\sqrt5}", "Answer: 2.24"),
    ],
    "units, dates, hedges, separators": [
        ("Answer: 4 kg", "Answer: 4000 grams", "Answer: 4 g"),
        ("Answer: 8 m", "Answer: 800 cm", "Answer: 8 cm"),
        ("Answer: 1999-07-20", "Answer: July 20, 1999", "Answer: July 21, 1999"),
        ("Answer: roughly 19", "Answer: 19", "Answer: roughly 18"),
        ("Answer: 19 (nineteen)", "Answer: 19", "Answer: 19 (ninety)"),
        ("Answer: 25 000", "Answer: 25,000", "Answer: 25.001"),
        ("Answer: 19。", "Answer: 19", "Answer: -19"),
        ("Answer: 5:45 PM", "Answer: 17:45", "Answer: 5:45 AM"),
        ("Answer: £20", "Answer: 20 GBP", "Answer: $20"),
    ],
    "a value and its text": [
        ("Answer: '31'", 'Answer: "31"', "Answer: 31"),
        ("Answer: Oslo (Norway)", "Answer: Oslo", "Answer: not Oslo"),
    ],
}
CASES = [(kind, *case) for kind, cases in KINDS.items() for case in cases]


@pytest.mark.parametrize(
    ("kind", "one", "again", "changed"), CASES, ids=[f"{kind}: {one}" for kind, one, _, _ in CASES]
)
async def test_another_notation_is_the_same_and_a_changed_place_is_not(
    kind: str, one: str, again: str, changed: str
) -> None:
    assert await same(one, again)
    assert not await same(one, changed)
    assert not await same(again, changed)


@pytest.mark.parametrize(
    ("question", "left", "right", "verdict"),
    [
        ("How much is it?", "Answer: 0.43", "Answer: 3/7", False),
        ("Round it to two decimal places.", "Answer: 0.43", "Answer: 3/7", True),
        ("Round it to two decimal places.", "Answer: 0.44", "Answer: 3/7", False),
        ("Give it to the nearest hundred.", "Answer: 200", "Answer: 225", False),
        ("Which are they?", "Answer: 5, 3", "Answer: 3, 5", True),
        ("Sort the numbers in ascending order.", "Answer: 5, 3", "Answer: 3, 5", False),
        ("Write 89 in base 5.", "Answer: 324_5", "Answer: 324", True),
        ("What is it?", "Answer: 324_5", "Answer: 324", False),
        ("Which? (A) iron (B) tin (C) lead", "Answer: B", "Answer: tin", True),
        ("Which? (A) iron (B) tin (C) lead", "Answer: B", "Answer: lead", False),
    ],
)
async def test_the_question_decides_what_a_notation_means(
    question: str, left: str, right: str, verdict: bool
) -> None:
    assert await same(left, right, question) == verdict


MADE = pairs(each=12, seed=7)


async def test_no_labelled_pair_is_wrongly_the_same_and_few_are_missed() -> None:
    found = await verdicts(MADE, {"ours": ours})
    result = score(MADE, found["ours"])
    assert result.precision >= 0.998 and result.recall >= 0.95


@pytest.mark.parametrize("pair", MADE[::5], ids=lambda pair: pair.kind)
async def test_sameness_holds_both_ways_and_equal_keys_are_the_same(pair: Pair) -> None:
    equivalence = equivalence_for(Request.of(pair.question))
    one, other = (attempt(answer_in(reply), text=reply) for reply in (pair.left, pair.right))
    assert await equivalence.same(one, one)
    assert await equivalence.same(one, other) == await equivalence.same(other, one)
    assert equivalence.key(one) != equivalence.key(other) or await equivalence.same(one, other)


def test_pairs_depend_on_the_seed_alone_and_some_are_held_out() -> None:
    assert pairs(3, 1) == pairs(3, 1) != pairs(3, 2)
    assert 0.2 < sum(pair.held for pair in MADE) / len(MADE) < 0.45
    assert len(MADE) > 600
