"""A judge's verdict, however it is written."""

import pytest

from musespark.reasoning.team.aggregate.verdict import TIE, verdict_in


@pytest.mark.parametrize(
    ("reply", "better"),
    [
        ('{"reason": "r", "better": "A"}', "A"),
        ('{"better": "answer B", "reason": "r"}', "B"),
        ('```json\n{"better": "b"}\n```', "B"),
        ('{"winner": "Answer A"}', "A"),
        ('{"better": "(B)"}', "B"),
        ('{"better": "**A**"}', "A"),
        ('{"Better": "B"}', "B"),
        ("[[A]]", "A"),
        ("After a long comparison: [[B]]", "B"),
        (r"\boxed{B}", "B"),
        ("B", "B"),
        ("**B**", "B"),
        ("(A)", "A"),
        ("Answer B.", "B"),
        ("Verdict: A", "A"),
        ("My verdict is B", "B"),
        ("**Better:** A", "A"),
        ("Final answer: B", "B"),
        ("better: B", "B"),
        ("Answer B is better.", "B"),
        ("I prefer answer A.", "A"),
        ("The better answer is B.", "B"),
        ("B is right because 2+2=4.", "B"),
        ("Answer A is wrong.", "B"),
        ("A is not correct.", "B"),
        ("Both try. Answer A is more accurate.", "A"),
        ("B wins.", "B"),
        ("A is better at first sight. But B is correct.", "B"),
        ('{"better": "neither"}', TIE),
        ('{"better": "tie"}', TIE),
        ("[[C]]", TIE),
        ("It is a tie.", TIE),
        ("Both answers are equally good.", TIE),
        ("Neither is better.", TIE),
        ("Verdict: tie", TIE),
        ("I cannot decide between them.", None),
        ("It is hard to say.", None),
        ("I like them all.", None),
        ("", None),
        ('{"better": 7}', None),
        ("A is better, and B is better.", None),
        ("This is a better world.", None),
        ('{"better": null}', None),
        ('{"best_answer": "B", "scores": {"A": 2, "B": 9}}', "B"),
        ('{"decision": "Answer A"}', "A"),
        ("<answer>B</answer>", "B"),
        ("Both try hard.\n<verdict>answer A</verdict>", "A"),
        ('<answer id="A">', "A"),
        ('<answer id="A">seven</answer> comes first.', None),
        ("<answer>An apple</answer>", None),
        ("<think>The better answer is A. No.</think>B", "B"),
        ("A, not B.", "A"),
        ("Answer B rather than answer A.", "B"),
        ("B > A", "B"),
        ("A, not A.", None),
        ("A over time.", None),
        ("Antwort B ist besser.", "B"),
        ("Antwort B ist nicht besser.", None),
        ("La respuesta A es mejor.", "A"),
        ("答案B更好。", "B"),
        ("答案A不正确。", None),
    ],
)
def test_a_verdict_is_read_however_it_is_written(reply: str, better: str | None) -> None:
    assert verdict_in(reply).better == better


def test_the_reason_comes_with_it() -> None:
    assert verdict_in('{"reason": "It is\\n right.", "better": "A"}').reason == "It is right."
    assert verdict_in("Answer B is better.").reason == "Answer B is better."
