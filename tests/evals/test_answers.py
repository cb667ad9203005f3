import pytest

from musespark.evals.answer_pairs import Pair
from musespark.evals.answer_rules import inspect, lm_eval, lm_eval_gsm, rules, text
from musespark.evals.answers import mistakes, score, table


def pair(left: str, right: str, same: bool = True) -> Pair:
    return Pair("kind", f"Answer: {left}", f"Answer: {right}", same)


async def test_other_rules_say_what_their_programs_say() -> None:
    assert (
        await lm_eval(pair(r"\dfrac12", r"\frac{1}{2}"))
        and await lm_eval(pair("x=5", "5"))
        and await lm_eval(pair("3/4", r"\frac{3}{4}"))
    )
    assert await lm_eval(pair("0.5", "1/2")) and not await lm_eval(pair("0.25", "1/4"))
    assert await lm_eval_gsm(pair("$1,000", "so 1000")) and not await lm_eval_gsm(
        pair("one", "one")
    )
    assert await inspect(pair("$1,000", "1000")) and await inspect(
        pair("100001", "100002")
    )  # five digits
    assert await text(pair("Paris.", "paris")) and not await text(pair("1,000", "1000"))
    assert next(iter(rules())) == "musespark"


def test_precision_and_recall_count_what_was_called_the_same() -> None:
    pairs = [pair("1", "1"), pair("2", "2"), pair("3", "4", False), pair("5", "6", False)]
    result = score(pairs, [True, False, True, False])
    assert (result.precision, result.recall, result.wrong, result.missed, result.apart) == (
        0.5,
        0.5,
        1,
        1,
        1,
    )
    empty = score(pairs, [False] * 4)
    assert empty.precision == 1 and empty.recall == 0
    assert "| ours | 0.500 | 0.500 | 1 |" in table(pairs, {"ours": [True, False, True, False]})


def test_mistakes_name_open_pairs_and_only_count_the_others() -> None:
    pairs = [pair(str(number), str(number + 1), False) for number in range(40)]
    told = mistakes(pairs, [True] * 40)
    held = sum(each.held for each in pairs)
    assert (
        0 < held < 40
        and told.count("called the same") == 40 - held
        and f"{held} of the pairs" in told
    )


@pytest.mark.parametrize("name", ["integers", "units", "choices"])
def test_kinds_make_both_same_and_different_pairs(name: str) -> None:
    import random

    from musespark.evals.answer_kinds import KINDS

    chance = random.Random(1)
    assert {KINDS[name](chance)[2] for _ in range(40)} == {True, False}
