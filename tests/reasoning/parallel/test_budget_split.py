"""What a team makes of a limited budget: it holds, whoever thinks comes to an end, and what nobody used is there for the next."""

import asyncio
import json
import random
from dataclasses import replace

import pytest
from hypothesis import given, settings, strategies as st
from reasoning.parallel.writers import (
    ABLE,
    OPEN_QUESTION,
    PROMPT,
    QUESTION,
    agree,
    disagree,
    explored,
    prose,
    writer,
)
from reasoning.teams import contemplated, of, stage_of

from musespark.budget import Budget, Cost, Limits
from musespark.content import ToolCall, ToolSpec
from musespark.errors import AllFailed
from musespark.models.estimate import estimate_prompt_tokens
from musespark.models.fake import FakeModel
from musespark.models.model import (
    Finish,
    TextDelta,
    ToolCallDelta,
    UsageDelta,
)
from musespark.reasoning.parallel.budget_split import AMPLE, MARGIN, REPLY
from musespark.reasoning.parallel.spawn import SpawnAgents
from musespark.reasoning.parallel.stragglers import EVERYONE
from musespark.reasoning.team.team import Team
from musespark.tools.tool import ToolOutput
from musespark.usage import Usage


@settings(max_examples=80)
@given(
    seed=st.integers(0, 2**32),
    tokens=st.none() | st.integers(1, 6_000),
    usd=st.none() | st.floats(0.0001, 0.5),
    aggregate=st.sampled_from(["auto", "vote", "judge", "merge", "weigh"]),
)
def test_whatever_is_replied_the_budget_holds(seed, tokens, usd, aggregate):
    rng = random.Random(seed)
    models = []
    for name in ("one", "other")[: rng.randint(1, 2)]:
        prices = {
            "usd_per_token": rng.choice((0.0, 1e-6, 1e-4)),
            "usd_per_prompt_token": rng.choice((0.0, 1e-6, 2e-5)),
        }
        models.append(
            writer(
                lambda number: rng.randint(1, 900),
                rng.choice((disagree, prose, agree)),
                abilities=replace(ABLE, **prices),
                name=name,
                silent=rng.random() < 0.3,
            )[0]
        )
    team = Team(
        explorers=tuple(models),
        agents=rng.randint(1, 9),
        first_wave=rng.randint(1, 4),
        rounds=rng.randint(0, 2),
        aggregate=aggregate,
    )
    budget = Budget(Limits(tokens=tokens, usd=usd))

    async def go():
        events, error, _ = await contemplated(team, QUESTION, budget)
        assert tokens is None or budget.spent.tokens <= tokens
        assert usd is None or budget.spent.usd <= usd + 1e-9
        assert budget.reserved == Cost()
        assert error is not None or (events[-1].usage.tokens, events[-1].usage.calls) == (
            budget.spent.tokens,
            budget.spent.calls,
        )

    asyncio.run(go())


@settings(max_examples=60)
@given(
    length=st.integers(1, AMPLE),
    slack=st.floats(1.0, 8.0),
    first=st.integers(1, 4),
    seed=st.integers(0, 2**32),
    silent=st.booleans(),
)
def test_a_budget_for_the_replies_of_a_first_wave_or_for_two_ends_with_a_whole_answer(
    length, slack, first, seed, silent
):
    """Whatever a reply takes: nothing is known of that before the first one."""
    rng = random.Random(seed)
    model, calls = writer(
        lambda number: rng.randint(max(1, length // 2), length), disagree, silent=silent
    )
    tokens = int(slack * max(2, first) * (length + PROMPT)) + first

    async def go():
        events, error, _ = await contemplated(
            Team(explorers=(model,), first_wave=first), QUESTION, Budget(Limits(tokens=tokens))
        )
        assert error is None and events[-1].answer.startswith("Answer:")
        assert any(one.whole for one in explored(calls))

    asyncio.run(go())


@pytest.mark.parametrize("first", [1, 2, 4])
@pytest.mark.parametrize("length", [20_000, 50_000])
async def test_replies_of_any_length_are_found_room_for(length, first):
    model, calls = writer(lambda number: length, disagree)
    tokens = 2 * max(2, first) * (length + PROMPT)
    team = Team(explorers=(model,), first_wave=first, rounds=0)
    events, _, _ = await contemplated(team, OPEN_QUESTION, Budget(Limits(tokens=tokens)))
    assert events[-1].answer.startswith("Answer:") and explored(calls)[-1].whole


@settings(max_examples=60)
@given(length=st.integers(20, 400), tokens=st.integers(1_000, 20_000), agents=st.integers(1, 16))
def test_what_was_not_used_is_handed_on_until_it_pays_for_nobody_else(length, tokens, agents):
    model, calls = writer(lambda number: length, disagree)
    team = Team(
        explorers=(model,),
        agents=agents,
        rounds=0,
        aggregate="vote",
        enough=lambda counts, remaining: (False, ""),
    )
    budget = Budget(Limits(tokens=tokens))

    async def go():
        events, error, _ = await contemplated(team, QUESTION, budget)
        assert error is None
        assert all(one.whole for one in calls)
        left = tokens - budget.spent.tokens
        assert len(calls) == agents or left < PROMPT + MARGIN * length + 1
        assert (
            (len(calls) < agents)
            == (events[-1].finish_reason == "budget")
            == bool(of(events, "noted"))
        )

    asyncio.run(go())


@pytest.mark.parametrize(
    ("tokens", "replies"), [(200, 1), (500, 3), (1_000, 6), (2_000, 8), (20_000, 8)]
)
async def test_the_more_there_is_the_more_think_and_all_of_them_finish(tokens, replies):
    model, calls = writer(lambda number: 120, disagree)
    team = Team(explorers=(model,), rounds=0, aggregate="vote")
    events, error, _ = await contemplated(team, QUESTION, Budget(Limits(tokens=tokens)))
    assert error is None and events[-1].answer == "Answer: 0"
    assert len(calls) == replies and all(one.whole for one in calls)
    assert events[-1].finish_reason == ("finished" if replies == 8 else "budget")


async def test_that_fewer_think_is_said():
    model, _ = writer(lambda number: 120, disagree)
    events, _, _ = await contemplated(
        Team(explorers=(model,), rounds=0), QUESTION, Budget(Limits(tokens=500))
    )
    assert [event.text for event in of(events, "noted")] == [
        "The budget pays for 3 of 8 agents; the others are not asked."
    ]
    assert events[-1].finish_reason == "budget"


async def test_fewer_who_agree_are_enough_and_nothing_is_amiss():
    model, calls = writer(lambda number: 120, agree)
    events, _, _ = await contemplated(
        Team(explorers=(model,)), QUESTION, Budget(Limits(tokens=450))
    )
    assert (len(calls), events[-1].finish_reason, of(events, "noted")) == (2, "finished", [])


@pytest.mark.parametrize("limits", [Limits(), Limits(seconds=60), Limits(calls=100)])
async def test_where_neither_tokens_nor_money_are_limited_nobody_gets_a_share(limits):
    model, calls = writer(lambda number: 5_000, disagree)
    team = Team(explorers=(model,), rounds=1, judge_ties=True, stragglers=EVERYONE)
    events, _, _ = await contemplated(team, QUESTION, Budget(limits))
    assert all(one.request.max_tokens is None for one in calls)
    assert (len(explored(calls)), len(calls), events[-1].finish_reason) == (8, 22, "finished")
    assert not of(events, "noted")


async def test_where_there_is_plenty_shares_are_equal_as_ever():
    model, calls = writer(lambda number: 120, agree)
    await contemplated(
        Team(explorers=(model,), rounds=1), QUESTION, Budget(Limits(tokens=1_000_000))
    )
    assert all(
        1_000_000 // 22 - PROMPT < one.request.max_tokens <= 1_000_000 // 22 for one in calls
    )


async def test_nobody_is_given_more_than_a_provider_would_take_because_others_do_not_need_it():
    model, calls = writer(lambda number: 120, prose)
    await contemplated(
        Team(explorers=(model,), agents=2, rounds=1), OPEN_QUESTION, Budget(Limits(tokens=60_000))
    )
    assert {stage_of(one.request) for one in calls} == {"explore", "refine", "merge"}
    assert max(one.request.max_tokens for one in calls) <= AMPLE


@pytest.mark.parametrize("answer", [disagree, prose])
@pytest.mark.parametrize("tokens", range(1_300, 6_000, 300))
async def test_what_a_decision_takes_is_kept_for_it(answer, tokens):
    model, calls = writer(lambda number: 120, answer)
    question = OPEN_QUESTION if answer is prose else QUESTION
    by = "merge" if answer is prose else "judge"
    team = Team(
        explorers=(model,), rounds=1, aggregate=by, enough=lambda counts, remaining: (False, "")
    )
    _, error, _ = await contemplated(team, question, Budget(Limits(tokens=tokens)))
    assert error is None and all(one.whole for one in calls)
    decided = [one for one in calls if stage_of(one.request) == by]
    assert len(decided) in ((1,) if by == "merge" else (2, 6))


@pytest.mark.parametrize("tokens", range(1_200, 5_000, 200))
async def test_comparing_answers_leaves_enough_to_make_one_of_them(tokens):
    model, _ = writer(lambda number: 120, prose)
    judge, asked = writer(lambda number: 2, lambda number, stage: "no", name="judge")
    team = Team(explorers=(model,), rounds=1, judge=judge)
    events, error, _ = await contemplated(team, OPEN_QUESTION, Budget(Limits(tokens=tokens)))
    assert error is None and asked and of(events, "decided")[0].by == "merge"


async def test_a_decision_that_cannot_be_paid_is_the_votes():
    model, calls = writer(lambda number: 120, disagree)
    events, _, _ = await contemplated(
        Team(explorers=(model,), rounds=1, aggregate="judge"), QUESTION, Budget(Limits(tokens=500))
    )
    assert {stage_of(one.request) for one in calls} == {"explore"} and len(calls) == 3
    assert "The budget does not pay for a judge." in of(events, "decided")[0].reason
    assert (events[-1].answer, events[-1].finish_reason) == ("Answer: 0", "budget")


async def test_who_reconsiders_where_not_all_can_is_one_of_each_answer_first():
    model, _ = writer(lambda number: 120, lambda number, stage: f"Answer: {'1121112'[number % 7]}")
    team = Team(
        explorers=(model,),
        agents=6,
        first_wave=6,
        rounds=1,
        aggregate="vote",
        enough=lambda counts, remaining: (False, ""),
    )
    events, _, _ = await contemplated(team, QUESTION, Budget(Limits(tokens=2_400)))
    reconsidered = [
        event.agent for event in of(events, "agent_started") if "round-1" in event.agent
    ]
    assert reconsidered[:2] == ["agent-1/round-1", "agent-3/round-1"] and len(reconsidered) < 6
    assert f"The budget lets {len(reconsidered)} of 6 agents reconsider." in [
        event.text for event in of(events, "noted")
    ]


async def test_nobody_reconsiders_where_that_cannot_be_paid():
    model, calls = writer(lambda number: 120, disagree)
    team = Team(explorers=(model,), rounds=1, aggregate="vote")
    events, error, _ = await contemplated(team, QUESTION, Budget(Limits(tokens=1_000)))
    assert error is None and {stage_of(one.request) for one in calls} == {"explore"}
    assert "The budget lets none of 6 agents reconsider." in [
        event.text for event in of(events, "noted")
    ]
    assert not [event for event in of(events, "stage_started") if event.stage == "refine"]


@pytest.mark.parametrize("silent", [False, True])
async def test_a_reply_that_was_cut_has_the_next_agents_get_twice_as_much(silent):
    model, calls = writer(lambda number: 3 * REPLY, disagree, silent=silent)
    tokens = 8 * (REPLY + PROMPT)
    events, error, _ = await contemplated(
        Team(explorers=(model,), rounds=0), OPEN_QUESTION, Budget(Limits(tokens=tokens))
    )
    assert error is None and events[-1].answer == "Answer: 2"
    assert [one.whole for one in calls] == [False, False, True]


async def test_who_is_too_dear_is_passed_over_for_who_is_not():
    dear, asked = writer(
        lambda number: 100, disagree, name="dear", abilities=replace(ABLE, usd_per_token=0.01)
    )
    cheap, calls = writer(
        lambda number: 100, disagree, name="cheap", abilities=replace(ABLE, usd_per_token=0.0001)
    )
    team = Team(explorers=(dear, cheap), rounds=0, aggregate="vote")
    events, error, _ = await contemplated(team, QUESTION, Budget(Limits(usd=0.5)))
    assert error is None and not asked and len(calls) == 4 and all(one.whole for one in calls)
    assert "pays for 4 of 8 agents" in of(events, "noted")[0].text


async def test_a_question_that_alone_costs_more_than_there_is_is_one_sentence():
    model, calls = writer(lambda number: 100, disagree)
    _, error, _ = await contemplated(Team(explorers=(model,)), QUESTION, Budget(Limits(tokens=10)))
    assert (
        isinstance(error, AllFailed)
        and "budget of 10 tokens is used up" in str(error)
        and not calls
    )


async def test_sub_agents_that_cannot_be_paid_are_not_sent():
    told = {
        "message_template": "Count {what}.",
        "subagents": [{"what": str(number)} for number in range(12)],
    }
    asked = ToolCall("1", "spawn_agents", json.dumps(told))
    results = []

    def play(request, number):
        used = UsageDelta(
            Usage(
                tokens=estimate_prompt_tokens(request) + 50,
                prompt_tokens=estimate_prompt_tokens(request),
            )
        )
        if number == 0:
            return [ToolCallDelta(asked), used, Finish()]
        results.append(request.messages[-1])
        return [TextDelta("Answer: 1"), used, Finish()]

    model = FakeModel(play, abilities=replace(ABLE, tools=True))
    team = Team(explorers=(model,), agents=1, tools=(SpawnAgents,))
    _, error, _ = await contemplated(team, QUESTION, Budget(Limits(tokens=3_000)))
    assert error is None and len(model.requests) == 2
    assert "pays for" in results[0].parts[0].content[0].text


class Almanac:
    """A tool with a long answer."""

    spec = ToolSpec.of("almanac", "Knows everything.", {"type": "object", "properties": {}})

    async def use(self, arguments):
        return ToolOutput("It is written: " + "everything. " * 200)


@pytest.mark.parametrize("tokens", range(4_000, 12_000, 500))
async def test_what_agents_with_tools_read_again_and_again_is_known_after_the_first(tokens):
    def play(request, number):
        turn = sum(message.role == "assistant" for message in request.messages)
        read, written = estimate_prompt_tokens(request), 50
        used = UsageDelta(Usage(tokens=read + min(written, request.max_tokens), prompt_tokens=read))
        if request.max_tokens < written:
            return [TextDelta("Let me"), used, Finish("length")]
        said = (
            ToolCallDelta(ToolCall(f"{number}", "almanac"))
            if turn < 2
            else TextDelta(f"Answer: {number}")
        )
        return [said, used, Finish()]

    model = FakeModel(play, abilities=replace(ABLE, tools=True))
    team = Team(explorers=(model,), first_wave=1, rounds=0, aggregate="vote", tools=(Almanac(),))
    events, error, _ = await contemplated(team, QUESTION, Budget(Limits(tokens=tokens)))
    assert error is None
    assert (
        len(of(events, "agent_returned")) - 1
        == len(of(events, "agent_started")) - 1
        == len(model.requests) / 3
    )
    assert not of(events, "agent_failed")


async def test_whom_a_limit_does_not_concern_is_asked_all_the_same():
    """A model whose prompt alone is too dear fails; one that costs nothing answers."""
    dear, asked = writer(
        lambda number: 100, disagree, name="dear", abilities=replace(ABLE, usd_per_prompt_token=1.0)
    )
    free, calls = writer(lambda number: 100, disagree, name="free")
    events, error, _ = await contemplated(
        Team(explorers=(dear, free), rounds=0), QUESTION, Budget(Limits(usd=0.01))
    )
    assert (
        error is None
        and not asked
        and len(calls) == 4
        and all(one.request.max_tokens is None for one in calls)
    )
    assert events[-1].finish_reason == "budget"


async def test_a_model_that_is_told_to_reason_gets_more_for_it():
    able = replace(ABLE, effort=True)
    model, calls = writer(lambda number: 2_000, lambda number, stage: "Answer: 42", abilities=able)
    events, _, _ = await contemplated(
        Team(explorers=(model,)), replace(QUESTION, effort="high"), Budget(Limits(tokens=6_000))
    )
    assert [one.whole for one in calls] == [True, True] and events[-1].finish_reason == "finished"
