"""Faults of a team's agents: failures, hangs, broken streams, cancellation."""

import asyncio
import random
from contextlib import aclosing

import pytest
from hypothesis import given, settings, strategies as st
from reasoning.teams import ABLE, QUESTION, contemplated, model, of, says, team

from musespark import errors
from musespark.budget import Budget, Cost, Limits
from musespark.content import Request
from musespark.evals import virtual_time
from musespark.models.fake import Crash, Fail, FakeModel, Garbage, Hang, Wait
from musespark.models.model import Finish, TextDelta
from musespark.reasoning.modes import run


@pytest.mark.parametrize(
    "fault", [Fail(400, "no such thing"), Crash(ZeroDivisionError("oops")), Garbage({"text": 4})]
)
async def test_one_that_fails_is_told_and_the_others_answer(fault):
    one = model([[fault], *[says("Answer: 42")] * 7])
    events, error, _ = await contemplated(team(one, agents=8, first_wave=8))
    assert error is None and events[-1].answer == "Answer: 42"
    (failed,) = of(events, "agent_failed")
    assert failed.agent == "agent-1" and failed.message


def test_one_hangs_one_fails_one_breaks_off_and_nobody_waits():
    latency = 0.3
    odd = [[Wait(25), *says("Answer: 42")], [Fail(400)], [Wait(latency / 2), TextDelta("Answ")]]
    healthy = [says(f"Answer: {number}", latency) for number in range(5)]
    one = model([*odd, *healthy])
    events, error, seconds = virtual_time.run(
        contemplated(team(one, agents=8, first_wave=8, aggregate="vote"))
    )
    assert error is None and events[-1].answer.startswith("Answer:")
    assert seconds <= 1.2 * latency
    assert one.running == 0
    assert "silent" in of(events, "agent_cancelled")[0].reason


def test_a_straggler_is_relieved_before_there_is_a_quorum():
    one = model([[Hang()], says("Answer: 42", 0.05)])
    events, _, _ = virtual_time.run(contemplated(team(one, agents=4, first_wave=2)))
    assert events[-1].answer == "Answer: 42"
    assert one.running == 0


def test_with_nobody_left_to_send_a_straggler_is_doubled():
    one = model([[Hang()], says("Answer: 42", 0.05), says("Answer: 42", 0.05)])
    events, _, _ = virtual_time.run(contemplated(team(one, agents=2, first_wave=2)))
    assert "asked a second time" in of(events, "noted")[0].text
    assert events[-1].usage.calls == 3
    assert {"agent-1-again"} <= {event.agent for event in of(events, "agent_started")}


async def test_all_failed_is_one_error_that_lists_every_cause():
    one = model([[Fail(400, "no such model")], [Fail(None, "the line is dead")]])
    events, error, _ = await contemplated(team(one, agents=2))
    assert isinstance(error, errors.AllFailed)
    assert "no such model" in str(error) and "the line is dead" in str(error)
    assert (events[-1].kind, events[-1].error) == ("run_failed", "AllFailed")
    assert error.causes.keys() == {"agent-1", "agent-2"}


async def test_what_fails_for_everyone_in_the_same_way_is_not_tried_by_all():
    one = model([[Fail(401, "the key is wrong")]])
    _, error, _ = await contemplated(team(one, agents=16))
    assert isinstance(error, errors.AllFailed) and len(one.requests) <= 3
    assert str(error).count("the key is wrong") == 1


async def test_waiting_is_what_a_rate_limit_asks_for():
    class Limited(FakeModel):
        async def stream(self, request):
            if not self.requests:
                self.requests.append(request)
                raise errors.RateLimited(self.name, "too many requests", retry_after=0.05)
            async for delta in super().stream(request):
                yield delta

    one = Limited(says("Answer: 42"), abilities=ABLE)
    events, error, _ = await contemplated(team(one, agents=1, first_wave=1))
    assert error is None and events[-1].answer == "Answer: 42"
    assert "asked again" in of(events, "noted")[0].text
    assert events[-1].usage.calls == 2


@pytest.mark.parametrize("after", ["agent_started", "thought", "agreed", "judged"])
async def test_whoever_leaves_leaves_nothing_running(after):
    one = model(
        [says("Answer: 1", 0.02), says("Answer: 2", 0.02), [Hang()], [Hang()]],
        judge=[[Hang()], says('{"better": "A"}')],
    )
    budget = Budget()
    async with aclosing(
        run(team(one, agents=2 if after == "judged" else 4, aggregate="judge"), QUESTION, budget)
    ) as events:
        async for event in events:
            if event.kind == after or (
                after == "judged" and event.kind == "stage_started" and event.stage == "aggregate"
            ):
                break
    assert one.running == 0
    assert budget.reserved == Cost()
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_a_model_that_cancels_itself_is_one_that_failed():
    one = model([[Crash(asyncio.CancelledError())], says("Answer: 42")])
    events, error, _ = await contemplated(team(one, agents=3, first_wave=3))
    assert error is None and events[-1].answer == "Answer: 42"
    _, error, _ = await contemplated(
        team(model([[Crash(asyncio.CancelledError())]])), Request.of("?", mode="thinking")
    )
    assert isinstance(error, errors.ModelFailed)


async def test_passing_faults_of_the_first_ones_do_not_end_the_search():
    one = model([[], [], [], says("Answer: 42")])
    events, error, _ = await contemplated(team(one, agents=8))
    assert error is None and events[-1].answer == "Answer: 42"


async def test_where_the_first_wave_hangs_others_are_sent():
    one = model([[Hang()], [Hang()], says("Answer: 42")])
    events, error, _ = await contemplated(team(one, agents=8), budget=Budget(Limits(seconds=2)))
    assert error is None and events[-1].answer == "Answer: 42"


async def test_cancelling_twice_still_leaves_nothing():
    class Slow(FakeModel):
        async def stream(self, request):
            self.running += 1
            try:
                await asyncio.get_running_loop().create_future()
                yield
            finally:
                await asyncio.sleep(0.05)
                self.running -= 1

    one, budget = Slow(abilities=ABLE), Budget()
    task = asyncio.create_task(contemplated(team(one, agents=8, first_wave=8), budget=budget))
    while one.running < 8:
        await asyncio.sleep(0.01)
    for _ in range(3):
        task.cancel()
        await asyncio.sleep(0.01)
    await asyncio.wait([task])
    assert one.running == 0 and budget.reserved == Cost()
    assert asyncio.all_tasks() == {asyncio.current_task()}


@pytest.mark.parametrize("part", ["explore", "enough", "same", "aggregate"])
async def test_a_bug_in_a_part_of_ones_own_is_told_as_its_own(part):
    class Same:
        name, keyed = "mine", False

        def key(self, attempt):
            raise ValueError("oops")

    def broken(*anything):
        raise ValueError("oops")

    one = model([says("Answer: 42")])
    _, error, _ = await contemplated(
        team(one, agents=2, **{part: Same() if part == "same" else broken})
    )
    assert isinstance(error, errors.PartFailed) and part in str(error) and one.running == 0


FAULTS = [
    Fail(400),
    Fail(503),
    Crash(ValueError("?")),
    Garbage(3),
    Wait(0.01),
    Hang(),
    TextDelta("Answer: 1"),
    Finish(),
]


@settings(max_examples=60)
@given(
    st.integers(0, 2**32),
    st.sampled_from(["auto", "vote", "judge", "merge", "weigh"]),
    st.integers(0, 2),
)
def test_whatever_fails_there_is_an_answer_or_a_typed_error_and_nothing_left(
    seed, aggregate, rounds
):
    rng = random.Random(seed)

    def script(request, number):
        if rng.random() < 0.5:
            return says(f"Answer: {rng.randint(1, 3)}", rng.choice((0.0, 0.01)))
        return rng.choices(FAULTS, k=rng.randint(0, 4))

    async def go():
        one = FakeModel(script, abilities=ABLE)
        budget = Budget(Limits(seconds=0.15))
        who = team(
            one,
            agents=rng.randint(1, 6),
            first_wave=rng.randint(1, 6),
            rounds=rounds,
            aggregate=aggregate,
        )
        events, error, _ = await contemplated(who, budget=budget)
        assert events[-1].kind == ("run_failed" if error else "run_ended")
        assert one.running == 0 and budget.reserved == Cost()
        assert asyncio.all_tasks() == {asyncio.current_task()}
        started = sorted(event.agent for event in of(events, "agent_started"))
        ended = [
            event.agent
            for kind in ("agent_returned", "agent_cancelled", "agent_failed")
            for event in of(events, kind)
        ]
        assert started == sorted(ended) and len(set(started)) == len(started)
        if not error:
            assert events[-1].usage.tokens == budget.spent.tokens
            assert events[-1].usage.calls == budget.spent.calls

    asyncio.run(go())
