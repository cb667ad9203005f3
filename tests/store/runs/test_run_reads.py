"""A run read piece by piece is the same from every store, and the same as the whole."""

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from musespark.content import Image, Message, Text, Video
from musespark.events import MAIN, AnswerDelta, Pictured, RunEnded, RunStarted, Thought
from musespark.models.fake import DOT
from musespark.server.runs.run_store import MemoryRunStore
from musespark.store.database.database import Database
from musespark.store.runs.record import RunCost, RunHeader
from musespark.store.runs.run_store import SqlRunStore
from musespark.usage import Usage

TALK = (
    Message.user(Image(DOT, "image/png"), "One?"),
    Message("assistant", (Text("One."),)),
    Message.user(Image(DOT + b"2", "image/png"), Image(DOT + b"3", "image/jpeg"), "Two?"),
)


def begun(id, **options):
    return RunHeader(id=id, protocol="page", model="m", conversation=TALK, created=5.0, **options)


def story(count=9):
    yield RunStarted("r", "instant", "m", "Two?", seq=0)
    for seq in range(1, count):
        drawn = seq % 3 == 1
        yield (
            Pictured(MAIN, DOT + bytes([seq]), "a dot", 1, 1, seq=seq)
            if drawn
            else Thought(MAIN, f"{seq}\n\ud83d", seq=seq)
        )


@settings(max_examples=20, suppress_health_check=list(HealthCheck))
@given(
    cuts=st.lists(st.integers(0, 9), max_size=4),
    after=st.integers(-1, 12),
    limit=st.integers(1, 12),
)
async def test_events_are_told_from_anywhere(tmp_path_factory, cuts, after, limit):
    events = list(story())
    async with SqlRunStore(Database(tmp_path_factory.mktemp("runs") / "runs.db")).open() as stored:
        for runs in (stored, MemoryRunStore()):
            await runs.start(begun("r"))
            at = 0
            for cut in [*sorted(cuts), 9]:
                if cut > at:
                    await runs.append_events("r", events[at:cut])
                    at = cut
                    told = await runs.events_json(
                        "r", after, limit
                    )  # also what nobody has waited for yet
                    assert [each["seq"] for each in told] == list(range(after + 1, at))[:limit]
            found = await runs.events_json("r", -1, 99)
            numbered = [event for event in events if isinstance(event, Pictured)]
            assert [each["picture"] for each in found if each["kind"] == "pictured"] == [1, 2, 3]
            for event, value in zip(events, found, strict=True):
                image = {"picture": numbered.index(event) + 1} if event in numbered else {}
                assert value == event.to_json() | image
            assert await runs.events_json("nobody", -1, 9) == []


@pytest.fixture(params=["memory", "database"])
async def runs(request, where):
    if request.param == "memory":
        yield MemoryRunStore()
        return
    async with SqlRunStore(Database(where)).open() as stored:
        yield stored


async def test_the_images_of_a_question(runs):
    await runs.start(begun("r"))
    await runs.append_events("r", list(story()))
    assert await runs.question_image("r", 1) == Image(DOT + b"2", "image/png")
    assert await runs.question_image("r", 2) == Image(DOT + b"3", "image/jpeg")
    assert await runs.question_image("r", 0) is None and await runs.question_image("r", 3) is None
    assert await runs.question_image("nobody", 1) is None


async def test_of_a_video_its_sheet_is_shown(runs):
    video = Video(b"film", "video/mp4", Image(DOT + b"s", "image/png"), "A video.\n", 2.5)
    await runs.start(
        replace(
            begun("r"),
            conversation=(Message.user(video, Image(DOT, "image/png"), "What happens?"),),
        )
    )
    await runs.append_events("r", list(story()))
    assert [await runs.question_image("r", number) for number in (1, 2, 3)] == [
        video.sheet,
        Image(DOT, "image/png"),
        None,
    ]


async def test_the_head_of_a_run_says_how_it_was_asked_and_how_it_ended(runs):
    options = {"mode": "thinking", "budget": {"usd": 0.5}, "pictures": 2}
    await runs.start(begun("r", caller="ann", options=options))
    await runs.append_events(
        "r", [*story(), AnswerDelta("42", seq=9), RunEnded("42", False, Usage(), seq=10)]
    )
    head = await runs.head("r")
    assert (head.status, head.header.caller, head.header.options) == ("running", "ann", options)
    runs.end("r", "finished", RunCost(tokens=7, usd=0.5, calls=1))
    assert (await runs.head("r")).cost.tokens == 7 and (await runs.head("r")).status == "finished"
    assert (await runs.get("r")).header == begun("r", caller="ann", options=options)
    assert await runs.head("nobody") is None


async def test_only_a_run_that_has_ended_is_forgotten_and_then_wholly(runs):
    for id in ("r", "other"):
        await runs.start(begun(id))
        await runs.append_events(id, list(story()))
    assert not await runs.delete("r") and not await runs.delete("nobody")
    runs.end("r", "finished", RunCost())
    assert (
        (await runs.head("r")).status == "finished"
        and await runs.delete("r")
        and not await runs.delete("r")
    )
    assert (
        await runs.get("r") is None
        and await runs.events_json("r", -1, 9) == []
        and await runs.image("r", 1) is None
    )
    assert await runs.question_image("r", 1) is None
    assert len(await runs.events_json("other", -1, 99)) == 9 and await runs.question_image(
        "other", 1
    )
    assert await runs.image("other", 1)
