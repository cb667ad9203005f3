import json
from collections.abc import Sequence

import pytest
from attempts import attempt
from hypothesis import given, strategies as st

from musespark.content import Request, ToolCall, ToolSpec
from musespark.errors import BadOption
from musespark.reasoning.consensus.equivalence import (
    EQUIVALENCES,
    Equivalence,
    equivalence_for,
    equivalence_named,
)

PLAIN = ("exact", "numeric", "json", "literal", "calls", "automatic")
answers = st.one_of(
    st.text(max_size=12),
    st.integers(-999, 99999).map(str),
    st.floats(allow_nan=False).map(str),
    st.booleans().map(str),
    st.lists(st.integers(0, 9), max_size=3).map(str),
    st.dictionaries(st.text(max_size=2), st.integers(0, 3), max_size=3).map(json.dumps),
    st.sampled_from(
        [
            "1,000",
            "1000.0",
            "10^3",
            "1e3",
            "50%",
            "0.5",
            "1/2",
            "$5",
            "5 km",
            "5 m",
            "5",
            "'a'",
            '"a"',
            "a",
            "A.",
            "(1,)",
        ]
    ),
)


@pytest.mark.parametrize(
    ("kind", "left", "right"),
    [
        ("exact", "Paris", " *paris.* "),
        ("exact", "ﬁne", "fine"),
        ("numeric", "1,000", "1000.0"),
        ("numeric", "1000", "10^3"),
        ("numeric", "1e3", "1000"),
        ("numeric", "1.5 × 10^3", "1500"),
        ("numeric", "$5", "5"),
        ("numeric", "$5.00", "5 dollars"),
        ("numeric", "230 miles", "230"),
        ("numeric", "50%", "50"),
        ("numeric", "50%", "0.5"),
        ("numeric", "1/2", "0.5"),
        ("numeric", "-3", "−3"),
        ("numeric", r"\frac{1}{2}", "0.5"),
        ("numeric", r"12\text{ cm}", "12 cm"),
        ("numeric", "5km", "5 km"),
        ("numeric", "60 miles per hour", "60"),
        ("numeric", "9 cm^2", "9 cm²"),
        ("numeric", "3 percent", "3%"),
        ("json", '{"a": 1, "b": [2]}', '{"b":[2.0],"a":1}'),
        ("json", '```json\n{"a": 1}\n```', '{"a": 1}'),
        ("literal", "[(4, 1)]", "[(4,1)]"),
        ("literal", "'a'", '"a"'),
        ("literal", "POO", "'POO'"),
        ("literal", "{1: 2, 3: 4}", "{3: 4, 1: 2}"),
        ("automatic", "1,000", "1000"),
        ("automatic", "[(4, 1)]", "[(4,1)]"),
        ("automatic", "Paris.", "paris"),
    ],
)
async def test_what_is_the_same(kind: str, left: str, right: str) -> None:
    assert await equivalence_named(kind).same(attempt(left), attempt(right))


@pytest.mark.parametrize(
    ("kind", "left", "right"),
    [
        ("exact", "Paris", "London"),
        ("numeric", "5 km", "5 m"),
        ("numeric", "1,00", "100"),
        ("numeric", "5", "-5"),
        ("numeric", "3 or 4", "3"),
        ("numeric", "2x", "2"),
        ("numeric", "2 pi", "2"),
        ("numeric", "5 x", "5"),
        ("numeric", "3i", "3"),
        ("numeric", "$5", "5 euros"),
        ("numeric", "1/0", "0"),
        ("json", "1", "true"),
        ("json", '{"a": 1}', '{"a": 2}'),
        ("json", '"1"', "1"),
        ("json", "[1, 2]", "[2, 1]"),
        ("literal", "[1]", "(1,)"),
        ("literal", "1", "True"),
        ("literal", "'1'", "1"),
        ("literal", "'A'", "'a'"),
        ("literal", "[]", "0"),
        ("automatic", "[1, 2]", "[2, 1]"),
        ("automatic", "3", "4"),
    ],
)
async def test_what_is_not(kind: str, left: str, right: str) -> None:
    assert not await equivalence_named(kind).same(attempt(left), attempt(right))


@pytest.mark.parametrize("kind", PLAIN)
@given(left=answers, right=answers)
async def test_sameness_holds_for_itself_and_both_ways_round_and_for_equal_keys(
    kind: str, left: str, right: str
) -> None:
    same = equivalence_named(kind)
    one, other = attempt(left), attempt(right)
    assert await same.same(one, one)
    assert await same.same(one, other) == await same.same(other, one)
    if same.key(one) == same.key(other):
        assert await same.same(one, other)
    elif same.keyed:
        assert not await same.same(one, other)


@pytest.mark.parametrize("kind", ["exact", "json", "literal", "calls"])
@given(one=answers, two=answers, three=answers)
async def test_sameness_of_keyed_kinds_is_transitive(
    kind: str, one: str, two: str, three: str
) -> None:
    same = equivalence_named(kind)
    if await same.same(attempt(one), attempt(two)) and await same.same(
        attempt(two), attempt(three)
    ):
        assert await same.same(attempt(one), attempt(three))


@pytest.mark.parametrize(
    "nasty",
    [
        "(" * 5000,
        "-" * 9000 + "1",
        "9" * 9000,
        "1e999",
        "[" * 90 + "]" * 90,
        "{[]: 1}",
        "\x00",
        "1" * 79,
        "10^99",
        "1e400",
        "9" * 70 + "^99",
    ],
)
@pytest.mark.parametrize("kind", PLAIN)
async def test_nasty_answers_are_compared_too(kind: str, nasty: str) -> None:
    same = equivalence_named(kind)
    assert await same.same(attempt(nasty), attempt(nasty))
    assert not await same.same(attempt(nasty), attempt("something else"))


def call(name: str, arguments: str, id: str = "1") -> ToolCall:
    return ToolCall(id, name, arguments)


async def test_calls_are_the_same_by_name_and_arguments_in_any_order() -> None:
    same = equivalence_named("calls")
    one = attempt("", calls=(call("add", '{"a": 1, "b": 2}'), call("now", "{}")))
    other = attempt("", calls=(call("now", "{}", "7"), call("add", '{"b":2.0,"a":1}', "8")))
    assert await same.same(one, other)
    assert not await same.same(
        one, attempt("", calls=(call("add", '{"a": 1, "b": 3}'), call("now", "{}")))
    )
    assert not await same.same(one, attempt(""))
    assert await same.same(
        attempt("", calls=(call("add", "no json"),)), attempt("", calls=(call("add", " no json "),))
    )


async def test_programs_are_the_same_by_what_they_pass_and_each_is_run_once() -> None:
    ran: list[str] = []

    async def run(code: str) -> Sequence[bool]:
        ran.append(code)
        return ["x" in code, "y" in code]

    same = equivalence_named("behaviour", run)
    one, other = (
        attempt("", text="Here:\n```python\nx + 1\n```\nDone."),
        attempt("", text="```\nx + 2\n```"),
    )
    assert await same.same(one, other) and await same.same(other, one)
    assert not await same.same(one, attempt("", text="y"))
    assert sorted(ran) == ["x + 1", "x + 2", "y"]


async def test_a_judge_is_asked_once_about_a_pair_and_only_about_prose() -> None:
    asked: list[tuple[str, str]] = []

    async def judge(left: str, right: str) -> bool:
        asked.append((left, right))
        return "sea" in left and "sea" in right

    same = equivalence_for(Request.of("why?"), judge)
    one = attempt(
        "Because the sea is deep and wide and nobody has ever seen the bottom of it, " * 3
    )
    other = attempt(
        "The sea! It goes down so far that its bottom was never seen by anybody who lived, " * 3
    )
    assert await same.same(one, other) and await same.same(other, one)
    assert len(asked) == 1
    assert not await same.same(attempt("4"), attempt("5"))
    assert not await same.same(attempt("Paris"), attempt("London"))
    assert len(asked) == 1


def test_what_is_known_of_a_request_picks_the_kind() -> None:
    assert equivalence_for(Request.of("x", schema='{"type": "object"}')).name == "json"
    assert equivalence_for(Request.of("x", tools=(ToolSpec("add", "adds"),))).name == "calls"
    assert equivalence_for(Request.of("x")).name == "automatic"


def test_every_registered_kind_can_be_made_and_no_other() -> None:
    async def run(code: str) -> Sequence[bool]:
        return []

    async def judge(left: str, right: str) -> bool:
        return False

    for name in EQUIVALENCES:
        if name == "mathematics":
            pytest.importorskip("math_verify")
        needs = {"behaviour": (run,), "judged": (judge,)}.get(name, ())
        made: Equivalence = equivalence_named(name, *needs)
        assert made.name == name
    with pytest.raises(BadOption, match="equivalence"):
        equivalence_named("telepathy")
