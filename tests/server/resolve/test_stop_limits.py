"""A native model that is held to texts to stop at, and to a length of its answer."""

import pytest
from hypothesis import given, strategies as st

from musespark.content import Request
from musespark.events import RunEnded
from musespark.models.fake import FakeModel
from musespark.models.model import Abilities, Finish, TextDelta, UsageDelta, VerifiedDelta
from musespark.models.nano import NanoModel
from musespark.reasoning.modes import run
from musespark.reasoning.team.team import Team
from musespark.server.resolve.stop_limits import StopLimitedModel, StopScanner
from musespark.usage import Usage

QUESTION = "Use 25, 3, 7 and 12 to make 66."


@given(
    st.lists(st.text("ab\n", max_size=3), max_size=8),
    st.lists(st.text("ab\n", min_size=1, max_size=3), max_size=3).map(tuple),
)
def test_a_text_ends_before_the_first_of_its_ends_however_it_is_cut(pieces, stops):
    scanner, told, seen = StopScanner(stops), "", ""
    for piece in pieces:
        if scanner.found is not None:
            break
        seen += piece
        told += scanner.feed(piece)
        # Nothing is shown that might have to be taken back, and nothing more is held back.
        assert seen.startswith(told) and not any(stop in told for stop in stops)
        assert all(
            len(scanner.pending) < len(stop) for stop in stops if stop.startswith(scanner.pending)
        )
    whole = "".join(pieces)
    at = min(((whole.index(stop), stop) for stop in stops if stop in whole), default=None)
    if scanner.found is None:
        assert at is None and told + scanner.flush() == whole
    else:
        # A longer end that begins earlier may not be whole yet when a shorter one is: what is told is right all the same.
        assert whole.startswith(told + scanner.found) and at is not None and len(told) >= at[0]


async def played(model, **options):
    """The deltas of a model."""
    return [delta async for delta in model.stream(Request.of("?", **options))]


SCRIPT = [
    TextDelta("4"),
    TextDelta("2 E"),
    UsageDelta(Usage(tokens=2)),
    TextDelta("N"),
    VerifiedDelta(True, "the script"),
    Finish(),
]


async def test_what_was_held_back_is_told_before_the_end():
    model = StopLimitedModel(
        FakeModel(SCRIPT, abilities=Abilities(native_spawn=True)), None, ("END",)
    )
    deltas = await played(model)
    assert [delta.text for delta in deltas if isinstance(delta, TextDelta)] == ["4", "2 ", "EN"]
    assert deltas[-2:] == [VerifiedDelta(True, "the script"), Finish()] and model.abilities.stop


@pytest.mark.parametrize(
    ("most", "stop", "text", "end"),
    [
        (None, ("2",), "4", Finish(stop="2")),
        (None, (" EN", "zzz"), "42", Finish(stop=" EN")),
        (1, (), "4", Finish("length", "the answer has the 1 tokens that it may have")),
        (9, (), "42 EN", Finish()),
    ],
)
async def test_it_ends_where_it_has_to(most, stop, text, end):
    fake = FakeModel(SCRIPT, abilities=Abilities(native_spawn=True))
    deltas = await played(StopLimitedModel(fake, most, stop))
    assert (
        "".join(delta.text for delta in deltas if isinstance(delta, TextDelta)) == text
        and deltas[-1] == end
    )
    assert fake.running == 0


async def test_what_was_held_back_belongs_to_an_answer_that_is_cut():
    pieces = [TextDelta("4"), TextDelta("2 E")]
    for script, most in (
        ([*pieces, TextDelta("N"), TextDelta("D"), Finish()], 2),
        (pieces, None),
    ):  # too long; broken off
        deltas = await played(
            StopLimitedModel(
                FakeModel(script, abilities=Abilities(native_spawn=True)), most, ("END",)
            )
        )
        assert "".join(delta.text for delta in deltas if isinstance(delta, TextDelta)) == "42 E"


async def test_the_native_model_stops():
    request = Request.of(QUESTION, mode="thinking")
    whole = [event async for event in run(Team.of(NanoModel()), request)][-1]
    short = [
        event async for event in run(Team.of(StopLimitedModel(NanoModel(), None, ("*",))), request)
    ][-1]
    assert isinstance(short, RunEnded) and "*" in whole.answer
    assert (short.answer, short.stop, short.finish_reason) == (
        whole.answer.partition("*")[0],
        "*",
        "finished",
    )
