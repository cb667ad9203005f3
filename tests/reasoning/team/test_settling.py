"""A team settles on one answer: rounds of refinement, judges and mergers."""

import asyncio

import pytest
from hypothesis import given, settings, strategies as st
from reasoning.teams import ABLE, calls, contemplated, model, of, says, stage_of, team

from musespark.budget import Budget, Limits
from musespark.content import Image, Request, ToolCall, ToolSpec
from musespark.models.fake import DOT, Crash, Fail, FakeModel, Garbage, Wait
from musespark.models.model import Abilities, Finish, TextDelta, UsageDelta
from musespark.usage import Usage


async def test_a_judge_decides_what_a_vote_cannot_in_both_orders():
    def prefers_2(request):
        said = request.messages[-1].text
        better = "A" if said.index("Answer: 2") < said.index('id="B"') else "B"
        return says(f'{{"reason": "It is right.", "better": "{better}"}}')

    one = model([says("Answer: 1"), says("Answer: 2")], judge=prefers_2)
    events, _, _ = await contemplated(team(one, agents=2, first_wave=2, judge_ties=True))
    assert events[-1].answer == "Answer: 2"
    decided = of(events, "decided")[0]
    assert decided.by == "judge" and "It is right." in decided.reason
    assert of(events, "judged")[0].winner == "agent-2"


@pytest.mark.parametrize(
    ("verdict", "why"),
    [
        (says('{"better": "A"}'), "favoured neither"),
        (says("I like them all."), "no verdict"),
        (says('{"better": "neither"}'), "equally good"),
        (says("I cannot decide between them."), "no verdict"),
        ([Fail(400)], "judge failed"),
        ([Garbage()], "judge failed"),
        (says(""), "was empty"),
    ],
)
async def test_a_judge_that_goes_by_the_order_or_fails_decides_nothing(verdict, why):
    one = model([says("Answer: 1"), says("Answer: 2")], judge=[verdict])
    events, error, _ = await contemplated(team(one, agents=2, first_wave=2, judge_ties=True))
    assert error is None and events[-1].answer == "Answer: 1"
    assert why in of(events, "decided")[0].reason


async def test_a_merger_streams_what_it_writes():
    written = [
        TextDelta("Forty"),
        Wait(0.05),
        TextDelta("-two"),
        UsageDelta(Usage(tokens=2)),
        Finish(),
    ]
    one = model([says("Answer: 1"), says("Answer: 2")], merge=[written])
    events, _, _ = await contemplated(team(one, agents=2, first_wave=2, aggregate="merge"))
    assert [event.text for event in of(events, "answer_delta")] == ["Forty", "-two"]
    assert (events[-1].answer, of(events, "decided")[0].by) == ("Forty-two", "merge")


async def test_a_merger_that_breaks_off_leaves_the_vote():
    one = model([says("Answer: 1"), says("Answer: 2")], merge=[[TextDelta("Forty")]])
    events, error, _ = await contemplated(team(one, agents=2, first_wave=2, aggregate="merge"))
    assert error is None and events[-1].answer == "Answer: 1"
    assert of(events, "answer_dropped")
    assert "Merging failed" in of(events, "decided")[0].reason


@pytest.mark.parametrize("aggregate", ["merge", "auto"])
async def test_calls_of_the_client_are_voted_on_and_never_merged_away(aggregate):
    tool = ToolSpec.of(
        "weather",
        "says the weather",
        {"type": "object", "properties": {"city": {"type": "string"}}},
    )
    cities = ["Oslo", "Rome", "Rome"]
    one = FakeModel(
        lambda request, number: (
            calls(ToolCall(f"c{number}", "weather", f'{{"city": "{cities[number % 3]}"}}'))
            if request.tools
            else says("Some text.")
        ),
        abilities=ABLE,
    )
    request = Request.of("Is it wet?", tools=(tool,), mode="contemplating")
    events, error, _ = await contemplated(
        team(one, agents=3, first_wave=3, rounds=0, aggregate=aggregate), request
    )
    assert error is None
    assert [call.parsed() for call in events[-1].calls] == [{"city": "Rome"}]


async def test_answers_that_could_not_be_compared_in_time_are_said_so_once():
    pytest.importorskip("sympy")
    huge = [says(rf"\boxed{{{number}^{{9^{{9^{{9}}}}}}}}") for number in (3, 4, 5)]
    events, error, _ = await contemplated(team(model(huge), agents=3, first_wave=3, rounds=0))
    assert error is None
    assert (
        len([event for event in of(events, "noted") if "could not be compared" in event.text]) == 1
    )


async def test_rivals_are_shown_once_each_anonymous_and_uncounted():
    one = model(
        [says(f"Because. Answer: {answer}") for answer in (1, 2, 2, 2, 3, 3, 4, 5)],
        refine=[says("Answer: 2")],
        judge=[says("?")],
    )
    await contemplated(
        team(one, agents=8, first_wave=8, rounds=1, enough=lambda counts, remaining: (False, ""))
    )
    shown = [request.messages[-1].text for request in one.requests if stage_of(request) == "refine"]
    assert len(shown) == 8
    for text in shown:
        assert "agent" not in text and "fake" not in text
        assert all(text.count(f"Answer: {answer}\n") <= 1 for answer in range(1, 6))
    orders = {tuple(part for part in text.split("Answer: ")) for text in shown}
    assert len(orders) > 1


async def test_who_changed_to_what_is_reported():
    def refined(request):
        mine = next(
            message.text
            for message in reversed(request.messages[:-1])
            if message.role == "assistant"
        )
        return says("Answer: 2") if mine == "Answer: 1" else says(mine)

    one = model([says("Answer: 1"), says("Answer: 2")], refine=refined)
    events, _, _ = await contemplated(team(one, agents=2, first_wave=2, rounds=3))
    changed = {
        event.agent: (event.before, event.after, event.kept) for event in of(events, "changed")
    }
    assert changed == {"agent-1": ("1", "2", False), "agent-2": ("2", "2", True)}
    assert events[-1].answer == "Answer: 2"
    assert len([event for event in of(events, "stage_started") if event.stage == "refine"]) == 1


@settings(max_examples=30)
@given(
    st.lists(st.tuples(st.sampled_from("1234"), st.sampled_from("1234")), min_size=2, max_size=6)
)
def test_a_round_never_lowers_the_number_of_verified_answers(answers):
    async def is_4(attempt):
        return None if attempt.answer == "3" else attempt.answer == "4"

    async def go():
        changes = iter(after for before, after in answers if before != "4")
        one = model(
            [says(f"Answer: {before}") for before, _ in answers],
            refine=lambda request: says(f"Answer: {next(changes)}"),
        )
        options = {
            "agents": len(answers),
            "first_wave": len(answers),
            "verify": is_4,
            "rounds": 1,
            "aggregate": "vote",
        }
        events, error, _ = await contemplated(
            team(one, **options, enough=lambda counts, remaining: (False, ""))
        )
        assert error is None
        return events[-1]

    end = asyncio.run(go())
    if any(before == "4" for before, _ in answers):
        assert end.verified and end.answer == "Answer: 4"


async def test_images_and_tools_reach_the_judge():
    tool = ToolSpec.of("search", "Searches.", {"type": "object"})
    searches = [calls(ToolCall(str(number), "search", f'{{"q": {number}}}')) for number in (1, 2)]
    one = model(searches, judge=[says('{"better": "A"}')])
    request = Request.of("What is this?", [Image.from_bytes(DOT)], tools=(tool,))
    events, error, _ = await contemplated(
        team(one, agents=2, first_wave=2, judge_ties=True), request
    )
    assert error is None
    judged = [each for each in one.requests if stage_of(each) == "judge"]
    assert len(judged) == 2 and all(each.images for each in judged)
    assert "search" in judged[0].messages[-1].text
    assert events[-1].calls == (ToolCall("1", "search", '{"q": 1}'),)


@pytest.mark.parametrize(
    "written", [[Finish()], says(""), says("  "), [Crash(ValueError("?"))], [TextDelta("half")]]
)
async def test_a_merger_that_writes_nothing_whole_does_not_win(written):
    one = model([says("Answer: 1"), says("Answer: 2")], merge=[written])
    events, error, _ = await contemplated(team(one, agents=2, first_wave=2, aggregate="merge"))
    assert error is None and events[-1].answer == "Answer: 1"


@pytest.mark.parametrize("aggregate", ["merge", "judge", "vote", "weigh"])
async def test_a_verified_answer_wins_whatever_was_asked_for(aggregate):
    async def is_8(attempt):
        return attempt.answer == "8"

    one = model(
        [says("Answer: 7"), says("Answer: 8")],
        merge=[says("Answer: 7")],
        judge=[says('{"better": "A"}')],
    )
    events, _, _ = await contemplated(
        team(one, agents=2, first_wave=2, aggregate=aggregate, verify=is_8)
    )
    assert (events[-1].answer, events[-1].verified) == ("Answer: 8", True)


async def test_a_dear_judge_gets_its_share_of_the_money_too():
    cheaply, dearly = (
        Abilities(conversation=True, context=100_000, usd_per_token=price) for price in (1e-7, 1e-4)
    )
    cheap = model([says("Answer: 1"), says("Answer: 2")], abilities=cheaply)
    dear = FakeModel(says('{"better": "A"}'), name="dear", abilities=dearly)
    events, error, _ = await contemplated(
        team(cheap, agents=2, first_wave=2, judge=dear), budget=Budget(Limits(usd=0.5))
    )
    assert error is None and len(dear.requests) == 2
    assert not of(events, "agent_failed")


async def test_rivals_of_tool_calls_are_shown_and_the_calls_are_answered():
    search = ToolSpec.of("search", "Searches.", {"type": "object"})
    asked = [calls(ToolCall(str(number), "search", f'{{"q": {number}}}')) for number in (1, 2)]
    one = model(asked, refine=[says("Answer: 1")])
    await contemplated(
        team(one, agents=2, first_wave=2, rounds=1, aggregate="vote"),
        Request.of("?", tools=(search,)),
    )
    refined = [request for request in one.requests if stage_of(request) == "refine"]
    assert len(refined) == 2
    for request in refined:
        assert (
            request.messages[-1].text.count("<answer>") == 1
            and "search" in request.messages[-1].text
        )
        assert request.messages[-2].role == "tool"
