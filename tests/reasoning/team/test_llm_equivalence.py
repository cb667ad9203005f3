"""A model that judges if two answers say the same: its verdict, and what is left however the call ends."""

import asyncio
from collections.abc import Callable

import pytest
from attempts import attempt

from musespark.budget import Budget, Cost, Limits
from musespark.content import Request
from musespark.evals import virtual_time
from musespark.events import Changed, Event, Noted
from musespark.models.estimate import estimate_prompt_tokens
from musespark.models.fake import Crash, Fail, FakeModel, Garbage, Hang, Step, Wait
from musespark.models.model import Abilities, Finish, TextDelta, UsageDelta
from musespark.reasoning import modes
from musespark.reasoning.consensus.equivalence import Judge, equivalence_named
from musespark.reasoning.consensus.groups import AnswerGroups
from musespark.reasoning.context import RunContext
from musespark.reasoning.parallel.budget_split import TokenAllocator
from musespark.reasoning.parallel.stragglers import EVERYONE
from musespark.reasoning.team.llm_equivalence import LONGEST, TOKENS, llm_judge
from musespark.reasoning.team.team import Team
from musespark.usage import Usage

ABLE = Abilities(conversation=True, context=100_000)
ENDS = ("agent_returned", "agent_cancelled", "agent_failed")


def says(text: str, seconds: float = 0.0) -> list[Step]:
    return [
        Wait(seconds),
        TextDelta(text),
        UsageDelta(Usage(tokens=10, critical_path=10)),
        Finish(),
    ]


def run_of(question: str = "Why is the sky blue?", budget: Budget | None = None) -> RunContext:
    return RunContext(Request.of(question), budget or Budget(), "team")


def judge_of(run: RunContext, model: FakeModel) -> Judge:
    return llm_judge(run, model, TokenAllocator(run).comparison_budget)


async def events_of(run: RunContext, work: Callable[[], object]) -> list[Event]:
    """The events of a run whose work this is, but those of its first agent."""

    async def done() -> None:
        result = work()
        assert asyncio.iscoroutine(result)
        await result

    return [
        event
        async for burst in run.batches(done())
        for event in burst
        if getattr(event, "agent", "main") != "main"
    ]


def ends(events: list[Event], agent: str = "same-1") -> list[str]:
    return [
        event.kind
        for event in events
        if event.kind in ENDS and getattr(event, "agent", "") == agent
    ]


class Watched(FakeModel):
    """How many of its calls are under way at the same time, at most."""

    together = 0

    async def stream(self, request: Request):  # type: ignore[no-untyped-def, override]
        async for delta in super().stream(request):
            self.together = max(self.together, self.running)
            yield delta


async def verdict(
    model: FakeModel,
    first: str = "Scattering.",
    second: str = "Blue light scatters more.",
    run: RunContext | None = None,
) -> tuple[bool, list[Event]]:
    run = run or run_of()
    judge, found = judge_of(run, model), []

    async def ask() -> None:
        found.append(await judge(first, second))

    events = await events_of(run, ask)
    return found[0], events


@pytest.mark.parametrize(
    ("reply", "same"),
    [
        ("yes", True),
        ("No.", False),
        ("**Yes**", True),
        ("Yes. There is no difference that matters.", True),
        ("No, though I would say yes to the first half.", False),
        ("Hard to say.", False),
        ("Nothing, yesterday.", False),
    ],
)
async def test_the_first_yes_or_no_is_the_verdict(reply: str, same: bool) -> None:
    found, events = await verdict(FakeModel(says(reply), abilities=ABLE))
    assert found is same
    assert ends(events) == ["agent_returned"]


@pytest.mark.parametrize(
    "step",
    [Fail(400, "bad"), Crash(ZeroDivisionError("no")), Crash(RecursionError("deep")), Garbage(7)],
)
async def test_a_model_that_fails_in_any_way_has_failed_and_the_answers_are_different(
    step: Step,
) -> None:
    found, events = await verdict(FakeModel([step], abilities=ABLE))
    assert not found
    assert ends(events) == ["agent_failed"]


async def test_a_reply_of_nothing_is_no_verdict() -> None:
    found, events = await verdict(FakeModel(says(""), abilities=ABLE))
    assert not found
    assert ends(events) == ["agent_failed"]


async def test_an_exhausted_budget_is_no_verdict() -> None:
    model = FakeModel(says("yes"), abilities=ABLE)
    found, events = await verdict(model, run=run_of(budget=Budget(Limits(tokens=1))))
    assert not found and not model.requests and not events


@pytest.mark.parametrize("limits", [Limits(tokens=4_000), Limits(usd=0.04)])
async def test_comparing_takes_a_part_of_a_limited_budget_and_that_is_said_once(
    limits: Limits,
) -> None:
    def play(request: Request, number: int) -> list[Step]:
        read = estimate_prompt_tokens(request)
        return [
            TextDelta("no"),
            UsageDelta(Usage(tokens=read + 2, prompt_tokens=read, usd=1e-5 * (read + 2))),
            Finish(),
        ]

    able = Abilities(
        conversation=True, context=100_000, usd_per_token=1e-5, usd_per_prompt_token=1e-5
    )
    budget = Budget(limits)
    run, model = run_of(budget=budget), FakeModel(play, abilities=able)
    same = judge_of(run, model)

    async def ask() -> None:
        assert not any([await same("one", str(number)) for number in range(30)])

    noted = [
        event.text
        async for burst in run.batches(ask())
        for event in burst
        if isinstance(event, Noted)
    ]
    cost = budget.spent.tokens / len(model.requests)
    assert 1_000 - cost < budget.spent.tokens <= 1_000 + 2
    assert len(noted) == 1 and "no more comparisons" in noted[0]


@pytest.mark.parametrize("tokens", [4_000, 24_000, 100_000])
async def test_a_judge_that_reasons_leaves_the_budget_to_those_beside_it(tokens: int) -> None:
    def play(request: Request, number: int) -> list[Step]:
        read, written = estimate_prompt_tokens(request), min(30, request.max_tokens or 30)
        return [
            Wait(0.01),
            TextDelta("no"),
            UsageDelta(Usage(tokens=read + written, prompt_tokens=read)),
            Finish(),
        ]

    run = run_of(budget=Budget(Limits(tokens=tokens)))
    judge = Watched(play, abilities=Abilities(conversation=True, context=100_000, effort=True))
    same = judge_of(run, judge)

    async def ask() -> None:
        asked = [same("one", str(number)) for number in range(6)]
        assert not any(await asyncio.gather(*asked))

    events = await events_of(run, ask)
    assert len(judge.requests) == 6 and not [
        event for event in events if event.kind == "agent_failed"
    ]
    assert (judge.together == 1) == (tokens == 4_000) and run.budget.reserved == Cost()
    assert (
        sum(request.max_tokens or tokens for request in judge.requests[: judge.together])
        <= tokens / 4
    )


async def test_who_is_cancelled_says_so() -> None:
    run, model = run_of(), FakeModel([Hang()], abilities=ABLE)

    async def ask() -> None:
        task = asyncio.create_task(judge_of(run, model)("a", "b"))  # type: ignore[arg-type]
        while not model.running:
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    events = await events_of(run, ask)
    assert ends(events) == ["agent_cancelled"]
    assert model.running == 0


async def test_long_answers_are_shown_by_their_beginning_and_end_and_a_long_question_harms_nothing() -> (
    None
):
    model = FakeModel(says("yes"), abilities=ABLE)
    found, _ = await verdict(
        model, "BEGIN" + "x" * 500_000 + "END", "short", run_of("why? " * 19_000)
    )
    assert found
    said = model.requests[0].messages[0].text
    assert "BEGIN" in said and "END" in said and "[...]" in said
    assert said.count("x") < LONGEST + 100


@pytest.mark.parametrize(("effort", "tokens"), [(False, TOKENS), (True, None)])
async def test_a_verdict_is_short_unless_the_model_reasons_first(
    effort: bool, tokens: int | None
) -> None:
    model = FakeModel(
        says("yes"), abilities=Abilities(conversation=True, context=100_000, effort=effort)
    )
    await verdict(model)
    assert model.requests[0].max_tokens == tokens


async def test_a_newcomer_is_compared_with_all_groups_side_by_side_and_each_agent_ends_once() -> (
    None
):
    run = run_of()
    model = Watched(says("no", 0.01), abilities=ABLE)
    judge: Judge = judge_of(run, model)
    groups = AnswerGroups(equivalence_named("judged", judge))

    async def group() -> None:
        for number in range(4):
            await groups.add(attempt(f"answer {number}", agent=str(number)))

    events = await events_of(run, group)
    assert groups.counts == (1, 1, 1, 1)
    assert model.together == 3
    started = [event.agent for event in events if event.kind == "agent_started"]
    assert len(started) == len(set(started)) == 6
    assert all(ends(events, agent) == ["agent_returned"] for agent in started)
    # Three batches, one for each newcomer that met somebody: the longest of each is waited for.
    assert run.main.total.critical_path == 30 and run.main.total.tokens == 60


def test_whether_agents_keep_their_answers_is_asked_side_by_side() -> None:
    prose = "one has to look at it from the side of those who have to live with it, which nobody has done so far, and then decide"

    def thinks(request: Request, number: int) -> list[Step]:
        return says(f"I say {number}: {prose}.")

    def judged(request: Request, number: int) -> list[Step]:
        together.append(judge.running)
        return says("no", 0.02)

    together: list[int] = []
    judge = FakeModel(judged, name="judge", abilities=ABLE)
    team = Team(
        explorers=(FakeModel(thinks, abilities=ABLE),),
        agents=6,
        first_wave=6,
        rounds=1,
        judge=judge,
        aggregate="vote",
        stragglers=EVERYONE,
    )

    async def contemplates() -> list[Event]:
        return [event async for event in modes.run(team, Request.of("Why?"))]

    events = virtual_time.run(contemplates())
    changed = [event for event in events if isinstance(event, Changed)]
    assert len(changed) == 6 and not any(event.kept for event in changed)
    assert (
        len(together) == 15 + 6 + 15
    )  # each with each, each with itself before, and each with each again
    assert max(together[:15]) == 5 and max(together[15:21]) == 6 and max(together[21:]) == 4 * 2


async def test_what_is_asked_twice_at_a_time_is_asked_once() -> None:
    judge = Watched(says("yes", 0.01), abilities=ABLE)
    run = run_of()
    same = equivalence_named("judged", judge_of(run, judge))

    async def ask() -> None:
        pairs = [("a", "b"), ("b", "a"), ("a", "c")]
        assert all(
            await asyncio.gather(
                *(same.same(attempt(left), attempt(right)) for left, right in pairs)
            )
        )

    await events_of(run, ask)
    assert len(judge.requests) == 2 and judge.together == 2
