import asyncio
import time
from contextlib import aclosing

import pytest

from musespark import errors
from musespark.budget import Budget, Cost, Limits
from musespark.content import Image, Request
from musespark.events import (
    AgentCancelled,
    AgentReturned,
    AgentStarted,
    Noted,
    RunEnded,
    RunFailed,
    RunStarted,
)
from musespark.models.fake import DOT, SCRIPTS, FakeModel, Hang
from musespark.models.model import Abilities, Finish, TextDelta, ThinkingDelta, UsageDelta
from musespark.reasoning.modes import run
from musespark.reasoning.team.team import Team
from musespark.usage import Usage

REQUEST = Request.of("Which?")


async def seen(model, request=REQUEST, budget=None):
    """The events of a run and the error it ended with."""
    events = []
    try:
        async for event in run(
            model if isinstance(model, Team) else Team.of(model), request, budget
        ):
            events.append(event)
    except errors.MuseError as error:
        return events, error
    return events, None


@pytest.mark.parametrize("mode", ["instant", "thinking", "contemplating"])
async def test_a_native_model_takes_the_mode_itself(mode):
    model = FakeModel("team")
    events, error = await seen(model, Request.of("Which?", mode=mode))
    assert error is None
    assert isinstance(events[0], RunStarted) and events[0].mode == mode
    assert model.requests[0].mode == mode
    end = events[-1]
    assert isinstance(end, RunEnded)
    assert (end.answer, end.verified, end.finish_reason, end.detail) == ("42", True, "finished", "")
    assert [events[seq].kind for seq in end.images] == ["pictured"]
    assert end.usage.seconds > 0


@pytest.mark.parametrize("script", sorted(set(SCRIPTS) - {"slow"}))
async def test_whatever_a_model_does_the_stream_keeps_its_laws(script):
    model = FakeModel(script)
    budget = Budget(Limits(seconds=0.1))
    events, error = await seen(model, budget=budget)
    assert [event.seq for event in events] == list(range(len(events)))
    assert [event.at for event in events] == sorted(event.at for event in events)
    started = [event.agent for event in events if isinstance(event, AgentStarted)]
    ended = [event.agent for event in events if isinstance(event, AgentReturned | AgentCancelled)]
    assert sorted(started) == sorted(ended)
    assert isinstance(events[-1], RunFailed if error else RunEnded)
    if error:
        assert (events[-1].error, events[-1].message) == (type(error).__name__, str(error))
    assert model.running == 0
    assert budget.reserved == Cost()
    assert budget.spent.calls == 1


@pytest.mark.parametrize(
    ("script", "error", "says"),
    [
        ("error", errors.ModelFailed, "status 500"),
        ("silent", errors.StreamCut, "broke off"),
        ("wrong-shape", errors.WrongShape, "dict"),
        ("stray", errors.WrongShape, "nobody"),
        ("crash", errors.ModelFailed, "ZeroDivisionError"),
    ],
)
async def test_failures_are_typed(script, error, says):
    _, raised = await seen(FakeModel(script))
    assert type(raised) is error
    assert says in str(raised)


async def test_a_reply_that_breaks_off_gives_what_there_is_marked():
    events, _ = await seen(FakeModel("cut"))
    assert (events[-1].answer, events[-1].finish_reason) == ("4", "cut")


async def test_time_running_out_gives_the_best_answer_so_far_in_time():
    start = time.monotonic()
    events, _ = await seen(FakeModel("hang"), budget=Budget(Limits(seconds=0.1)))
    assert time.monotonic() - start < 60  # without the limit it would never end
    assert (events[-1].answer, events[-1].finish_reason) == ("4", "budget")


async def test_time_runs_out_even_for_a_model_that_never_waits():
    class Busy(FakeModel):
        async def stream(self, request):
            while True:
                time.sleep(0.001)  # noqa: ASYNC251  computing, as far as the loop can tell
                yield ThinkingDelta("still ")

    events, _ = await seen(Busy(), budget=Budget(Limits(seconds=0.05)))
    assert events[-1].finish_reason == "budget"


async def test_a_model_is_told_its_share_of_the_budget_and_stopped_beyond_it():
    step = [TextDelta("4"), UsageDelta(Usage(tokens=60, usd=0.01))]
    model = FakeModel([*step, TextDelta("2"), UsageDelta(Usage(tokens=120, usd=0.02)), Hang()])
    budget = Budget(Limits(tokens=100))
    events, _ = await seen(model, budget=budget)
    assert model.requests[0].max_tokens == 100
    assert (events[-1].answer, events[-1].finish_reason) == ("42", "budget")
    assert (budget.spent.tokens, budget.spent.usd) == (120, 0.02)
    events, error = await seen(model, budget=budget)
    assert isinstance(error, errors.BudgetExhausted) and events[-1].error == "BudgetExhausted"
    assert len(model.requests) == 1


@pytest.mark.parametrize(
    ("limits", "max_tokens", "why"), [(Limits(), 10, "length"), (Limits(tokens=5), 10, "budget")]
)
async def test_a_reply_at_its_limit_says_which_limit(limits, max_tokens, why):
    model = FakeModel([TextDelta("4"), Finish("length", "it is tired")])
    events, _ = await seen(model, Request.of("Which?", max_tokens=max_tokens), Budget(limits))
    assert (events[-1].finish_reason, events[-1].detail) == (why, "it is tired")


async def test_what_the_model_cannot_do_is_told_before_it_is_called():
    blind = FakeModel(abilities=Abilities())
    with pytest.raises(errors.BeyondModel, match="read images"):
        await anext(
            run(Team.of(blind), Request.of("Which?", [Image.from_bytes(DOT)], mode="instant"))
        )
    assert blind.requests == []


@pytest.mark.parametrize("closing", [True, False])
async def test_leaving_early_books_what_was_spent_and_leaves_nothing_running(closing):
    model = FakeModel([UsageDelta(Usage(tokens=7)), Hang()])
    budget = Budget(Limits(tokens=100))

    async def listen():
        async with aclosing(run(Team.of(model), REQUEST, budget)) as events:
            async for event in events:
                if closing and event.kind == "spent":
                    return

    task = asyncio.create_task(listen())
    while not budget.reserved.tokens:
        await asyncio.sleep(0)
    await asyncio.sleep(0.05)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert (budget.spent.tokens, budget.spent.calls, budget.reserved) == (7, 1, Cost())
    assert model.running == 0
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_a_team_of_a_model_with_a_long_context_gets_all_of_it():
    model = FakeModel(abilities=Abilities(native_spawn=True, context=1_000_000))
    events, error = await seen(model, Request.of("Which?", threads=64))
    assert error is None
    assert (model.requests[0].max_tokens, events[-1].answer) == (65_000_000, "42")


@pytest.mark.parametrize("mode", ["instant", "thinking"])
async def test_of_several_models_one_thinks_and_that_is_said(mode):
    models = [FakeModel("answer", name=name) for name in ("one", "two", "two")]
    events, error = await seen(Team(explorers=tuple(models)), Request.of("Which?", mode=mode))
    assert error is None and [len(model.requests) for model in models] == [1, 0, 0]
    assert [event.text for event in events if isinstance(event, Noted)] == [
        f"Only one is asked, and not two: {mode} is one model's; contemplating asks them all."
    ]


async def test_one_model_alone_is_no_news():
    events, _ = await seen(
        Team(explorers=(FakeModel("answer"), FakeModel("answer"))),
        Request.of("Which?", mode="thinking"),
    )
    assert not [event for event in events if isinstance(event, Noted)]
