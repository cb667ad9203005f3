"""A run that somebody stops keeps the best answer so far, at once, whatever it is waiting for."""

import asyncio
import time

import pytest

from musespark.budget import Budget
from musespark.content import Request, ToolCall, ToolSpec
from musespark.errors import BudgetExhausted, Stopped
from musespark.events import Decided, RunEnded, RunFailed
from musespark.models.fake import Fail, FakeModel, Hang, Wait
from musespark.models.model import Abilities, Finish, TextDelta, ThinkingDelta, ToolCallDelta
from musespark.reasoning.call_policy import CallPolicy
from musespark.reasoning.modes import run
from musespark.reasoning.team.team import Team
from musespark.tools.tool import ToolOutput

ABLE = Abilities(conversation=True, tools=True, context=100_000)


class Sleepless:
    """A tool that never comes back."""

    spec = ToolSpec.of("sleepless", "Never comes back.", {"type": "object", "properties": {}})

    async def use(self, arguments):
        await asyncio.get_running_loop().create_future()
        return ToolOutput("unreachable")


def model(script, name="m"):
    return FakeModel(script, name=name, abilities=ABLE)


async def stopped(who, mode="contemplating", after=0.15):
    """The events of a run that is stopped after so long, what it raised, and the seconds it took to end then."""
    budget, events, error = Budget(), [], None

    async def read():
        async for event in run(
            who if isinstance(who, Team) else Team.of(who),
            Request.of("What is 6 * 7?", mode=mode),
            budget,
        ):
            events.append(event)

    reading = asyncio.create_task(read())
    await asyncio.sleep(after)
    began = time.monotonic()
    budget.stop()
    try:
        await reading
    except BudgetExhausted as raised:
        error = raised
    assert not budget._alarms and budget.reserved.calls == 0
    return events, error, time.monotonic() - began


def one_then_none(request, number):
    return [TextDelta("42"), Finish()] if number == 0 else [ThinkingDelta("Hm."), Hang()]


def each_its_own(request, number):
    return [TextDelta(f"I say {number}, and that at length"), Hang()]


def disagree(request, number):
    """Two answers that differ; whoever is to judge or to reconsider never comes to an end."""
    return (
        [TextDelta(["The answer is 41.", "The answer is 42."][number]), Finish()]
        if number < 2
        else [Hang()]
    )


@pytest.mark.parametrize(
    ("script", "answer"),
    [
        (one_then_none, "42"),
        ([TextDelta("4"), Hang()], "4"),
        (each_its_own, "I say"),
        (disagree, "The answer is 4"),
        (
            lambda request, number: (
                [TextDelta("42"), Finish()] if number == 0 else [Fail(503, "busy")]
            ),
            "42",
        ),
        (lambda request, number: [TextDelta("42"), Finish()] if number == 0 else [Wait(60)], "42"),
    ],
)
async def test_a_team_says_the_best_it_has(script, answer):
    one = model(script)
    events, error, _ = await stopped(Team(explorers=(one,), agents=2, judge_ties=True))
    ended = events[-1]
    assert error is None and isinstance(ended, RunEnded) and ended.answer.startswith(answer)
    assert (ended.finish_reason, ended.detail) == ("budget", "it was stopped")
    assert any(isinstance(event, Decided) for event in events)
    assert one.running == 0


@pytest.mark.parametrize("script", [[ThinkingDelta("Hm."), Hang()], [Hang()], [Fail(503, "busy")]])
async def test_a_team_that_has_nothing_was_stopped(script):
    one = model(script)
    events, error, _ = await stopped(Team(explorers=(one,), agents=2))
    assert (
        isinstance(error, Stopped)
        and isinstance(events[-1], RunFailed)
        and events[-1].error == "Stopped"
        and one.running == 0
    )


async def test_nobody_is_sent_out_any_more():
    one = model(each_its_own)
    await stopped(Team(explorers=(one,), agents=16, first_wave=2))
    assert len(one.requests) == 2


@pytest.mark.parametrize("mode", ["instant", "thinking"])
@pytest.mark.parametrize(
    ("script", "answer"),
    [
        ([TextDelta("4"), Hang()], "4"),
        ([ThinkingDelta("Hm."), Hang()], ""),
        ([Fail(429, "busy")], ""),
    ],
)
async def test_one_agent_says_what_it_has(mode, script, answer):
    one = model(script)
    events, error, _ = await stopped(one, mode)
    assert error is None and (events[-1].answer, events[-1].finish_reason) == (answer, "budget")
    assert one.running == 0


async def test_a_tool_is_left_behind():
    one = model([TextDelta("Let me see."), ToolCallDelta(ToolCall("c", "sleepless")), Finish()])
    events, _, _ = await stopped(Team(explorers=(one,), agents=1, tools=(Sleepless(),)), "thinking")
    assert events[-1].finish_reason == "budget"


async def test_a_run_that_had_ended_by_itself_says_so():
    events, error, _ = await stopped(model([TextDelta("42"), Finish()]), "thinking")
    assert error is None and (events[-1].finish_reason, events[-1].detail) == ("finished", "")


async def test_a_stop_is_not_lost_to_a_delta_that_comes_at_the_same_time():
    budget = Budget()

    class Busy(FakeModel):
        async def stream(self, request):
            yield TextDelta("4")
            budget.stop()
            began = time.monotonic()
            while time.monotonic() < began + 0.02:  # so long that the timeout is due to be moved
                pass
            yield TextDelta("2")
            await asyncio.sleep(0.5)
            yield Finish()

    request = Request.of("What is 6 * 7?", mode="thinking")
    busy = Team(explorers=(Busy([], abilities=ABLE),), call_policy=CallPolicy(silence=1.0))
    events = [event async for event in run(busy, request, budget)]
    assert isinstance(events[-1], RunEnded) and (events[-1].finish_reason, events[-1].answer) == (
        "budget",
        "42",
    )
