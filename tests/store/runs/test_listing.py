"""The list of runs: as each would tell of itself, and cheap however much was written."""

import asyncio
from dataclasses import replace
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from musespark.content import Message
from musespark.errors import StoreUnusable
from musespark.events import (
    MAIN,
    AnswerDelta,
    AnswerDropped,
    Pictured,
    RunEnded,
    RunFailed,
    RunStarted,
    Spent,
    Thought,
    Verified,
)
from musespark.models.fake import DOT
from musespark.server.runs.run_store import MemoryRunStore, RunCost, RunHeader
from musespark.server.runs.summary import MAX_ANSWER, shorten, summary
from musespark.store.database.database import Database
from musespark.store.runs.run_store import SqlRunStore
from musespark.usage import Usage

MIDDLE = st.lists(
    st.one_of(
        st.builds(AnswerDelta, st.text(max_size=120)),
        st.builds(AnswerDropped, st.just("why")),
        st.builds(Verified, st.booleans(), st.just("x")),
        st.builds(Thought, st.just(MAIN), st.just("Hm.")),
        st.just(Pictured(MAIN, DOT, "a dot", 1, 1)),
        st.builds(Spent, st.just(MAIN), st.builds(Usage, tokens=st.integers(0, 99))),
    ),
    max_size=30,
)
ENDS = [
    RunEnded("42", True, Usage(tokens=7, usd=0.5), (), "length"),
    RunFailed("ModelFailed", "It fell over."),
    None,
]
HOWS = {RunEnded: "finished", RunFailed: "failed", type(None): "interrupted"}


def told(id, middle, end):
    """The events of a run as they are numbered and timed."""
    events = [RunStarted(id, "instant", "m", "q"), *middle, *([end] if end else [])]
    return [replace(event, seq=number, at=number / 8) for number, event in enumerate(events)]


def listed(kept):
    """A run as the list has it."""
    found = summary(kept)
    return {**found, "answer": shorten(found["answer"])}


NUMBERS = count()


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(middle=MIDDLE, end=st.sampled_from(ENDS), over=st.booleans())
def test_the_list_tells_of_a_run_what_all_its_events_tell(tmp_path, middle, end, over):
    id = f"r{next(NUMBERS)}"

    async def told_twice(runs):
        await runs.start(
            RunHeader(id=id, protocol="chat", model="m", conversation=(Message.user("q"),))
        )
        await runs.append_events(id, told(id, middle, end))
        if over:
            runs.end(id, HOWS[type(end)], RunCost(tokens=7, usd=0.5, calls=1))
        [newest], whole = await runs.latest(1), await runs.get(id)
        assert listed(newest) == listed(whole)
        return {**listed(newest), "created": 0, "began": 0}

    async def in_both():
        async with SqlRunStore(Database(tmp_path / "runs.db")).open() as runs:
            return await told_twice(runs), await told_twice(MemoryRunStore())

    stored, remembered = asyncio.run(in_both())
    assert stored == remembered and len(stored["answer"]) <= MAX_ANSWER


@pytest.mark.parametrize("end", ENDS)
async def test_a_list_reads_little_of_a_long_text(where, end):
    read = 10 if end is None or isinstance(end, RunFailed) else 0
    async with SqlRunStore(Database(where)).open() as runs:
        await runs.start(
            RunHeader(id="r", protocol="chat", model="m", conversation=(Message.user("q"),))
        )
        await runs.append_events("r", told("r", [AnswerDelta("w" * 50)] * 1000, end))
        runs.end("r", HOWS[type(end)], RunCost())
        # What cannot be read must not have been.
        await runs.writer.run(
            lambda connection: connection.exec_driver_sql(
                f"UPDATE events SET body = 'nonsense' WHERE number > {read} AND number < 1000"
            )
        )
        [newest] = await runs.latest(1)
        assert listed(newest)["answer"] == ("w" * (MAX_ANSWER - 1) + "…" if read else "42")


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE events SET body = '{\"kind' WHERE number = 2 AND run = 'r2'",
        "UPDATE runs SET options = 'none' WHERE id = 'r2'",
        'UPDATE events SET body = \'{"kind": "of_a_later_version", "seq": 2}\' WHERE number = 2 AND run = \'r2\'',
    ],
)
async def test_one_damaged_run_hides_no_other(where, damage):
    async with SqlRunStore(Database(where)).open() as runs:
        for id in ("r1", "r2", "r3"):
            await runs.start(
                RunHeader(id=id, protocol="chat", model="m", conversation=(Message.user("q"),))
            )
            await runs.append_events(id, told(id, [AnswerDelta("42")], ENDS[0]))
            runs.end(id, "finished", RunCost(tokens=7, usd=0.5, calls=1))
        await runs.writer.run(lambda connection: connection.exec_driver_sql(damage))
        found = [listed(kept) for kept in await runs.latest(9)]
        assert [(run["id"], run["answer"]) for run in found] == [
            ("r3", "42"),
            ("r2", ""),
            ("r1", "42"),
        ]
        assert [run["spent"]["tokens"] for run in found] == [7, 7, 7]
        with pytest.raises(StoreUnusable, match="the run r2 is damaged"):
            await runs.get("r2")


async def test_a_damaged_event_is_told_to_who_watches(where):
    async with SqlRunStore(Database(where)).open() as runs:
        await runs.start(
            RunHeader(id="r", protocol="chat", model="m", conversation=(Message.user("q"),))
        )
        await runs.append_events("r", told("r", [AnswerDelta("42")], ENDS[0]))
        await runs.flush("r")
        await runs.writer.run(
            lambda connection: connection.exec_driver_sql(
                "UPDATE events SET body = '{' WHERE number = 1"
            )
        )
        with pytest.raises(StoreUnusable, match="the run r is damaged"):
            await runs.events_json("r", -1, 9)
        assert [value["kind"] for value in await runs.events_json("r", 1, 9)] == ["run_ended"]
