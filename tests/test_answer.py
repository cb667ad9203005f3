from musespark.answer import collect, fold
from musespark.content import Mode
from musespark.events import AnswerDelta, Pictured, RunEnded, RunStarted, Spent, Verified
from musespark.usage import Usage

IMAGE = Pictured("main", b"\x89PNG", "the lake", 1, 1, seq=1)
EVENTS = [
    RunStarted("1", Mode.THINKING, "fake", "Why?"),
    IMAGE,
    AnswerDelta("4"),
    AnswerDelta("2"),
    Verified(True, "hand"),
    Spent("main", Usage(tokens=3)),
    Spent("a", Usage(tokens=1)),
]


def test_the_end_of_a_run_says_what_the_answer_is():
    answer = fold([*EVENTS, RunEnded("42", True, Usage(tokens=4), (1,))])
    assert str(answer) == answer.answer == "42"
    assert (answer.mode, answer.verified, answer.usage.tokens, answer.truncated) == (
        Mode.THINKING,
        True,
        4,
        False,
    )
    assert answer.images == (IMAGE,)
    assert len(answer.events) == 8


def test_a_run_without_its_end_gives_the_best_answer_so_far_marked():
    answer = fold(EVENTS)
    assert (str(answer), answer.verified, answer.usage.tokens, answer.truncated) == (
        "42",
        True,
        3,
        True,
    )
    assert str(fold([])) == ""
    assert fold([*EVENTS, AnswerDelta("!", at=1.5)]).usage == Usage(tokens=3, seconds=1.5)


def test_what_the_model_said_about_its_end_is_kept():
    answer = fold([*EVENTS, RunEnded("4", False, Usage(), (), "length", "its thought is too long")])
    assert (answer.finish_reason, answer.detail, answer.truncated) == (
        "length",
        "its thought is too long",
        True,
    )


async def test_a_stream_is_collected():
    async def stream():
        for event in EVENTS:
            yield event

    assert await collect(stream()) == fold(EVENTS)


def test_the_names_of_the_first_version_still_say_how_a_run_ended():
    answer = fold(
        (
            RunStarted("1", Mode.THINKING, "m", "Is it?"),
            RunEnded("Yes", False, Usage(), finish_reason="length", detail="at 5 tokens"),
        )
    )
    assert (
        (answer.why, answer.reason)
        == (answer.finish_reason, answer.detail)
        == ("length", "at 5 tokens")
    )
