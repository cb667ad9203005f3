import json
import time

import pytest
from hypothesis import given, strategies as st

from musespark.reasoning.consensus.equivalence import answer_in, marked_answer


@pytest.mark.parametrize(
    ("reply", "answer"),
    [
        ("Let me see.\nAnswer: 5", "5"),
        ("**Answer:** 5 apples", "5 apples"),
        ("Answer: 4\nNo, wait.\nFinal answer: 5.", "5"),
        ("So the answer is 12.", "12"),
        (r"thus \boxed{\frac{1}{2}}.", r"\frac{1}{2}"),
        (r"\boxed{1} is wrong, \boxed{2} is right", "2"),
        (r"Answer: $\boxed{7}$", "7"),
        ('{"reasoning": "Answer: 3", "answer": "4"}', "4"),
        ('```json\n{"reasoning": "x", "answer": "4"}\n```', "4"),
        ('{"answer": 4}', "4"),
        ('{"answer": [1, "a"]}', '[1, "a"]'),
        ('{"reasoning": "a "quoted" word", "answer": "4"}', "4"),
        ('{"answer": "\\frac{1}{2}"}', r"\frac{1}{2}"),
        ('{"answer": "\\\\frac{1}{2}"}', r"\frac{1}{2}"),
        ('{"answer": "\\sqrt{2}"}', r"\sqrt{2}"),
        ('{"answer": "a\\nb"}', "a\nb"),
        ('{"answer": "say "hi" twice"}', 'say "hi" twice'),
        ("first\n\nlast line  \n", "last line"),
        ("```python\nprint(1)\n```", "print(1)"),
        ("", ""),
    ],
)
def test_an_answer_is_found_where_replies_put_it(reply: str, answer: str) -> None:
    assert answer_in(reply) == answer


@pytest.mark.parametrize(
    "reply", ["no mark at all", '{"reasoning": "it broke off', '{"answer": "4', ""]
)
def test_a_reply_that_marks_nothing_is_told_apart(reply: str) -> None:
    assert marked_answer(reply) is None


@given(st.text(max_size=200))
def test_no_text_breaks_it(text: str) -> None:
    assert isinstance(answer_in(text), str)


# Of what JSON escapes by a letter, such as a tab before an o, nobody knows whether TeX was meant.
@given(
    st.text(min_size=1, max_size=40).filter(
        lambda text: text.strip() == text and not set(text) & set("\\$\b\f\n\r\t")
    )
)
def test_what_a_proper_json_object_says_is_found(text: str) -> None:
    found = marked_answer(json.dumps({"reasoning": "because", "answer": text}))
    assert found is not None and (found == text or text.startswith(("**", "__")))


LONG = 100_000


def filled(piece: str, before: str = "", after: str = "") -> str:
    return before + (piece * (LONG // len(piece) + 1))[: LONG - len(before) - len(after)] + after


@pytest.mark.parametrize(
    "reply",
    [
        *map(
            filled,
            [
                "\\boxed{",
                "\\boxed{}",
                "\\boxed ",
                "{",
                "{}",
                "}\n",
                '"answer":',
                '"answer":"',
                '"answer":,\n',
                '"answer":{"a":',
                '"answer":[',
                "answer:",
                "Answer:\n",
                "\nAnswer: x",
                "the answer is ",
                "\nthe\n",
                "```\n",
                "`",
                " ",
                "\n",
                " \n",
                "*",
                '"\n',
                '" ,',
                "} ",
                "} ```",
            ],
        ),
        filled("{", r"\boxed{", "}"),
        filled("\\boxed{}", "**", "}"),
        filled(" ", '"answer": "a" b"', "x"),
        filled(" ", '"answer": }', "x"),
        filled("\n", '"answer": }', "x"),
        filled(" ", "```\n", "x"),
        filled("`", "```\n", "\n```"),
        filled(" ", "Answer:", "x"),
        filled("\n", "the answer is", "x"),
        filled("9", '"answer":'),
        filled('\\"', '{"answer":"'),
        filled(' "x', '"answer":"', '"}'),
    ],
    ids=lambda reply: repr(reply[:16]),
)
def test_a_reply_that_repeats_itself_holds_nobody_up(reply: str) -> None:
    began = time.process_time()
    answer_in(reply)
    assert (
        time.process_time() - began < 2
    )  # each takes some hundredths of a second; what is quadratic takes many seconds


def test_the_last_box_that_is_closed_counts_wherever_others_stay_open() -> None:
    assert answer_in(r"\boxed{1} } \boxed{\frac{1}{2} { \boxed{3} \boxed{4") == "3"
    assert answer_in(r"\boxed{a \fbox {b} c}") == "b"


def test_a_value_that_is_nested_without_end_is_found_as_text() -> None:
    for depth in (90, 900, 20_000):
        assert answer_in('{"answer": ' + "[" * depth + "]" * depth + "}").startswith("[")
