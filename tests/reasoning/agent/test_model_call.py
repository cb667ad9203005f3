import asyncio
from contextlib import aclosing

import pytest
from reasoning.teams import QUESTION, contemplated, of, says, team

from musespark import errors
from musespark.budget import Budget, Cost, Limits
from musespark.content import Image, Message, Request, Text, Thinking, ToolCall, ToolSpec
from musespark.events import Noted
from musespark.models.estimate import estimate_prompt_tokens
from musespark.models.fake import DOT, Crash, Fail, FakeModel
from musespark.models.model import (
    Abilities,
    Finish,
    TextDelta,
    ThinkingDelta,
    ToolCallDelta,
    UsageDelta,
)
from musespark.reasoning.agent.model_call import call_model
from musespark.reasoning.call_policy import CallPolicy
from musespark.reasoning.context import AHEAD, RunContext
from musespark.reasoning.usage_node import UsageNode
from musespark.usage import Usage

THINK = Request.of("Why?", mode="thinking")
PRICED = Abilities(conversation=True, context=1000, usd_per_prompt_token=0.001, usd_per_token=0.01)


async def called(model, request=THINK, budget=None, speak=False, pause=0.5):
    policy = CallPolicy(pause=pause)
    current = RunContext(request, budget or Budget(), "test", call_policy=policy)
    return await call_model(current, UsageNode("a"), model, request, speak=speak)


async def test_the_pieces_of_a_reply_become_one_message():
    said = [ThinkingDelta("Let "), ThinkingDelta("me see."), TextDelta("4"), TextDelta("2")]
    reply = await called(FakeModel([*said, ToolCallDelta(ToolCall("a", "b")), Finish()]))
    assert reply.message == Message(
        "assistant", (Thinking("Let me see.", None, "fake"), Text("42", "fake"), ToolCall("a", "b"))
    )
    assert (reply.finish_reason, reply.calls) == ("finished", (ToolCall("a", "b"),))


async def test_what_the_backend_calls_the_whole_message_is_kept_with_its_signatures():
    signed = Message("assistant", (Thinking("Hm.", "secret", "fake"), Text("42", "fake", "mark")))
    reply = await called(FakeModel([TextDelta("42"), Finish(message=signed)]))
    assert reply.message == signed


@pytest.mark.parametrize(
    ("fault", "calls"),
    [
        (Fail(503, "busy"), 4),
        (Fail(529, "overloaded"), 4),
        (Fail(520, "a gateway has no answer"), 4),
        (Fail(524, "a gateway waited too long"), 4),
        (Crash(errors.ConnectionLost("fake", "it closed")), 4),
        (Crash(errors.StreamCut("fake")), 4),
        (Fail(400, "bad"), 1),
        (Fail(501, "not there"), 1),
        (Fail(None, "gone"), 1),
    ],
)
async def test_what_may_pass_is_tried_again_and_what_will_not_is_not(fault, calls):
    model = FakeModel([fault])
    with pytest.raises(errors.ModelFailed):
        await called(model, pause=0.001)
    assert len(model.requests) == calls


async def test_nobody_waits_longer_than_the_deadline_or_a_minute():
    class Later(FakeModel):
        async def stream(self, request):
            self.requests.append(request)
            raise errors.RateLimited(self.name, "too many", retry_after=self.after)
            yield

    for after, budget in ((30, Budget(Limits(seconds=1))), (3600, Budget())):
        model = Later()
        model.after = after
        with pytest.raises(errors.RateLimited, match="asks to wait"):
            async with asyncio.timeout(5):
                await called(model, budget=budget)
        assert len(model.requests) == 1


class Shared(Budget):
    """A budget of which others hold what is left, for so many looks."""

    def __init__(self, looks, limits=None):
        super().__init__(limits)
        self.looks = looks

    shared = True

    async def confirm(self, reservation, at_least):
        self.looks -= 1
        if self.looks >= 0:
            raise errors.BudgetReserved("usd a day", 1, 0.9)


async def test_what_others_have_reserved_is_waited_for(monkeypatch):
    current = RunContext(THINK, Shared(2), "test", call_policy=CallPolicy(pause=0.001))
    said = []
    monkeypatch.setattr(current, "emit", lambda event: said.append(event) or event)
    reply = await call_model(current, UsageNode("a"), FakeModel("answer"), THINK)
    assert (
        reply.message.text and current.budget.reserved == Cost() and current.budget.spent.calls == 1
    )
    noted = [event.text for event in said if isinstance(event, Noted)]
    assert len(noted) == 2 and all(
        "have reserved 0.9" in text and text.endswith("asked again in 0.0 seconds.")
        for text in noted
    )


@pytest.mark.parametrize(
    ("limits", "looks"), [(Limits(), CallPolicy().retries_reserved + 1), (Limits(seconds=0.01), 1)]
)
async def test_it_is_not_waited_for_forever_nor_beyond_the_deadline(limits, looks):
    pause = 0.001 if limits.seconds is None else 30
    model, budget = FakeModel("answer"), Shared(99, limits)
    with pytest.raises(errors.BudgetReserved):
        async with asyncio.timeout(5):
            await called(model, budget=budget, pause=pause)
    assert (budget.looks, model.requests) == (99 - looks, [])


@pytest.mark.parametrize(
    ("limits", "most"),
    [
        (Limits(), None),
        (Limits(tokens=100), 100),
        (Limits(usd=0.5), 50),
        (Limits(tokens=100, usd=0.5), 50),
    ],
)
async def test_a_request_is_cut_to_what_its_budget_can_pay(limits, most):
    model = FakeModel(
        [TextDelta("4"), UsageDelta(Usage(tokens=10, usd=0.05)), Finish()], abilities=PRICED
    )
    budget = Budget(limits)
    await called(model, budget=budget)
    wanted = model.requests[0].max_tokens
    assert wanted is None if most is None else 0 < wanted < most
    assert budget.spent == Cost(tokens=10, usd=0.05, calls=1)
    assert budget.reserved == Cost()


async def test_a_limit_of_ones_own_is_length_and_the_teams_share_is_budget():
    long = [TextDelta("4"), UsageDelta(Usage(tokens=20)), Finish("length")]
    events, _, _ = await contemplated(
        team(FakeModel(long)), Request.of("Why?", mode="thinking", max_tokens=20)
    )
    assert events[-1].finish_reason == "length"
    events, _, _ = await contemplated(
        team(FakeModel(long), agents=1), budget=Budget(Limits(tokens=100))
    )
    assert events[-1].finish_reason == "budget"


def test_prompts_are_estimated_with_all_that_is_in_them():
    plain = estimate_prompt_tokens(Request.of("x" * 350))
    assert 100 <= plain < 120
    assert estimate_prompt_tokens(Request.of("x" * 350, [Image.from_bytes(DOT)])) > plain + 500
    assert (
        estimate_prompt_tokens(Request.of("x" * 350, tools=(ToolSpec("a", "d" * 350),)))
        > plain + 90
    )
    assert estimate_prompt_tokens(Request.of("深" * 350)) >= 350


async def test_a_prompt_that_was_estimated_too_low_does_not_cut_the_reply():
    long_prompt = [
        UsageDelta(Usage(tokens=900, prompt_tokens=900)),
        TextDelta("4"),
        TextDelta("2"),
        UsageDelta(Usage(tokens=902, prompt_tokens=900)),
        Finish(),
    ]
    reply = await called(
        FakeModel(long_prompt, abilities=PRICED), Request.of("Why?", mode="thinking", max_tokens=50)
    )
    assert (reply.message.text, reply.finish_reason) == ("42", "finished")


async def test_an_adapter_that_takes_a_cancellation_for_a_failure_is_not_asked_again():
    class Stubborn(FakeModel):
        async def stream(self, request):
            self.requests.append(request)
            try:
                await asyncio.get_running_loop().create_future()
            except asyncio.CancelledError:
                raise errors.ModelFailed(self.name, "busy", 503) from None
            yield

    model = Stubborn()
    task = asyncio.create_task(called(model))
    while not model.requests:
        await asyncio.sleep(0)
    task.cancel()
    async with asyncio.timeout(5):
        await asyncio.wait([task])
    assert len(model.requests) == 1


@pytest.mark.parametrize(
    "ends", ["cancelled", "overdue", "stopped", "silent", "never asked", "has counted"]
)
async def test_what_a_backend_read_before_it_was_stopped_is_booked(ends):
    class Silent(FakeModel):
        async def stream(self, request):
            if ends != "never asked":
                yield UsageDelta(Usage(calls=1))
            if ends == "has counted":
                yield UsageDelta(Usage(tokens=7, prompt_tokens=7, usd=0.007, calls=1))
            asking.set()
            await asyncio.sleep(60)

    asking = asyncio.Event()
    budget = Budget(Limits(tokens=900, usd=9.0, seconds=0.1 if ends == "overdue" else None))
    policy = CallPolicy(silence=0.1 if ends == "silent" else 300)
    current, node = RunContext(THINK, budget, "test", call_policy=policy), UsageNode("a")
    work = asyncio.create_task(call_model(current, node, Silent([], abilities=PRICED), THINK))
    await asking.wait()
    if ends == "stopped":
        budget.stop()
    elif ends not in ("overdue", "silent"):
        work.cancel()
    with pytest.raises((asyncio.CancelledError, errors.MuseError)):
        await work
    read = {"never asked": 0, "has counted": 7}.get(ends, estimate_prompt_tokens(THINK))
    assert node.total == Usage(
        tokens=read, prompt_tokens=read, usd=read * PRICED.usd_per_prompt_token, calls=1
    )
    assert (
        budget.spent == Cost(tokens=read, usd=pytest.approx(read * 0.001), calls=1)
        and budget.reserved == Cost()
    )


@pytest.mark.parametrize("ends", ["cancelled", "overdue", "stopped", "fails", "cut"])
@pytest.mark.parametrize("told", [0, 30])
async def test_what_a_backend_wrote_after_it_last_told_is_booked(ends, told):
    class Talker(FakeModel):
        async def stream(self, request):
            yield UsageDelta(Usage(tokens=7, prompt_tokens=7, usd=0.007, calls=1))
            yield TextDelta("x" * 100)
            if told:
                yield UsageDelta(
                    Usage(
                        tokens=7 + told,
                        critical_path=told,
                        prompt_tokens=7,
                        usd=0.007 + told * 0.01,
                        calls=1,
                    )
                )
            yield ThinkingDelta("y" * 99)
            yield ThinkingDelta("z" * 3)
            asking.set()
            if ends == "fails":
                raise errors.ModelFailed(self.name, "it fell over", 400)
            if ends != "cut":
                await asyncio.sleep(60)

    asking = asyncio.Event()
    budget = Budget(Limits(tokens=900, usd=9.0, seconds=0.1 if ends == "overdue" else None))
    current, node = RunContext(THINK, budget, "test"), UsageNode("a")
    work = asyncio.create_task(call_model(current, node, Talker([], abilities=PRICED), THINK))
    await asking.wait()
    if ends == "stopped":
        budget.stop()
    elif ends == "cancelled":
        work.cancel()
    await asyncio.wait([work])
    usd = 0.007 + 50 * PRICED.usd_per_token
    assert node.total == Usage(
        tokens=57, critical_path=50, prompt_tokens=7, usd=pytest.approx(usd), calls=1
    )
    assert (
        budget.spent == Cost(tokens=57, usd=pytest.approx(usd), calls=1)
        and budget.reserved == Cost()
    )


async def test_a_reader_that_falls_behind_holds_up_the_backend():
    class Chatty(FakeModel):
        said = 0

        async def stream(self, request):
            while self.said < 100_000:
                self.said += 1
                yield TextDelta("x")
            yield Finish()

    from musespark.reasoning.modes import run
    from musespark.reasoning.team.team import Team

    model = Chatty()
    async with aclosing(run(Team.of(model), THINK)) as events:
        for read in range(1, 10):
            await anext(events)
            await asyncio.sleep(0.01)
            assert model.said <= (read + 1) * (AHEAD + 1)


async def test_every_account_of_a_team_adds_up():
    one = FakeModel(
        lambda request, number: says(f"Answer: {number}", tokens=7),
        abilities=Abilities(conversation=True),
    )
    events, _, _ = await contemplated(team(one, agents=4, first_wave=4, aggregate="vote"), QUESTION)
    spent = {event.agent: event.usage for event in of(events, "spent")}
    agents = [usage for agent, usage in spent.items() if agent != "main"]
    assert sum(usage.tokens for usage in agents) == events[-1].usage.tokens == 28
    assert events[-1].usage.critical_path == 7
    assert events[-1].usage.threads == 4
