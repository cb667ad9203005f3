import asyncio
import itertools
import random
from contextlib import aclosing

import pytest
from hypothesis import given, settings, strategies as st
from reasoning.teams import ABLE, QUESTION, calls, contemplated, model, of, says, stage_of, team

from musespark import errors
from musespark.budget import Budget, Cost, Limits
from musespark.content import Image, Request, ToolCall, ToolSpec
from musespark.evals import virtual_time
from musespark.models.fake import DOT, Crash, Fail, FakeModel, Garbage, Hang, Wait
from musespark.models.model import Abilities, Finish, TextDelta, UsageDelta, VerifiedDelta
from musespark.reasoning.modes import run
from musespark.reasoning.parallel.stragglers import EVERYONE
from musespark.reasoning.team.team import Team
from musespark.usage import Usage


async def test_sixteen_agents_that_agree_are_two_calls():
    one = model([says("Answer: 42")])
    events, error, _ = await contemplated(team(one, agents=16))
    assert error is None
    assert (events[-1].answer, events[-1].usage.calls, len(one.requests)) == ("Answer: 42", 2, 2)
    assert of(events, "agreed")[-1].enough
    assert of(events, "decided")[0].by == "vote"


async def test_who_had_too_few_tokens_to_begin_an_answer_says_so():
    one = model([[Finish(finish_reason="length")]] * 8)
    _, error, _ = await contemplated(team(one, agents=2), budget=Budget(Limits(tokens=700)))
    assert "share of the budget ended before its answer began; allow more tokens" in str(error)


async def test_where_they_disagree_more_are_asked_and_the_most_win():
    one = model([says(f"Answer: {answer}") for answer in (1, 2, 42, 42, 42, 42, 42, 42)])
    events, _, _ = await contemplated(team(one, agents=8))
    assert events[-1].answer == "Answer: 42"
    assert 4 <= events[-1].usage.calls <= 8
    assert of(events, "decided")[0].winners[:1] == ("agent-3",)


async def test_explorers_are_unlike_each_other_and_know_nothing_of_each_other():
    secrets = [f"Answer: secret-{number}" for number in range(8)]
    one = model(
        [says(secret, seconds=0.01 * number) for number, secret in enumerate(secrets)],
        judge=[says('{"better": "A"}')],
    )
    await contemplated(
        team(one, agents=8, first_wave=2, approach="varied", stragglers=EVERYONE),
        Request.of("Which?", seed=7),
    )
    explored = [request for request in one.requests if stage_of(request) == "explore"]
    assert len(explored) == 8
    told = ["".join(message.text for message in request.messages) for request in explored]
    assert all("secret" not in text for text in told)
    assert (
        len(
            {
                (text, request.seed, request.temperature)
                for text, request in zip(told, explored, strict=True)
            }
        )
        == 8
    )
    assert len(set(told)) > 4


async def test_a_mix_of_models_is_dealt_in_turn():
    first, second = model([says("Answer: 1")], name="one"), model([says("Answer: 2")], name="two")
    events, _, _ = await contemplated(team(first, second, agents=6, first_wave=6, aggregate="vote"))
    assert (len(first.requests), len(second.requests)) == (3, 3)
    assert events[0].model == "one + two"


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


async def test_a_straggler_is_relieved_before_there_is_a_quorum():
    one = model([[Hang()], says("Answer: 42", 0.05)])
    events, _, _ = await contemplated(team(one, agents=4, first_wave=2))
    assert events[-1].answer == "Answer: 42"
    assert one.running == 0


async def test_with_nobody_left_to_send_a_straggler_is_doubled():
    one = model([[Hang()], says("Answer: 42", 0.05), says("Answer: 42", 0.05)])
    events, _, _ = await contemplated(team(one, agents=2, first_wave=2))
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


async def test_out_of_time_gives_the_best_so_far_marked():
    one = model([says("Answer: 42"), [Hang()]])
    events, error, seconds = await contemplated(
        team(one, agents=2), budget=Budget(Limits(seconds=0.3))
    )
    assert error is None and seconds < 60  # without the limit it would never end
    assert (events[-1].answer, events[-1].finish_reason) == ("Answer: 42", "budget")


@pytest.mark.parametrize(
    "limits", [Limits(tokens=60), Limits(tokens=5), Limits(calls=2), Limits(usd=0.06)]
)
async def test_a_budget_holds_and_what_it_cut_short_is_marked(limits):
    numbers = itertools.count()

    def as_long_as_allowed(request):
        usage = Usage(tokens=request.max_tokens, usd=0.002 * request.max_tokens)
        return [TextDelta(f"Answer: {next(numbers)}"), UsageDelta(usage), Finish("length")]

    one = model(as_long_as_allowed, abilities=Abilities(usd_per_token=0.002, context=20))
    budget = Budget(limits)
    events, error, _ = await contemplated(team(one, agents=8), budget=budget)
    assert error is None
    assert (events[-1].answer, events[-1].finish_reason) == ("Answer: 0", "budget")
    assert budget.reserved == Cost()
    assert limits.tokens is None or budget.spent.tokens <= limits.tokens
    assert limits.calls is None or budget.spent.calls <= limits.calls
    assert limits.usd is None or budget.spent.usd <= limits.usd
    assert budget.spent.tokens == events[-1].usage.tokens
    assert budget.spent.calls == events[-1].usage.calls


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


async def test_verified_answers_win_and_end_the_search():
    right = [
        TextDelta("7 * 6"),
        VerifiedDelta(True, "arithmetic"),
        UsageDelta(Usage(tokens=3)),
        Finish(),
    ]
    wrong = [
        TextDelta("7 + 6"),
        VerifiedDelta(False, "arithmetic"),
        UsageDelta(Usage(tokens=3)),
        Finish(),
    ]
    one = model([wrong, wrong, wrong, right, [Hang()]])
    events, _, _ = await contemplated(team(one, agents=8, first_wave=8))
    assert (events[-1].answer, events[-1].verified) == ("7 * 6", True)
    assert (of(events, "decided")[0].by, of(events, "verified")[0].by) == ("verified", "arithmetic")


async def test_nobody_is_left_behind_for_answers_that_are_known_to_be_wrong():
    async def is_42(attempt):
        return attempt.answer == "42"

    one = model([says("Answer: 42", 0.4), says("Answer: 41", 0.01)])
    events, _, _ = await contemplated(team(one, agents=4, first_wave=4, verify=is_42))
    assert (events[-1].answer, events[-1].verified) == ("Answer: 42", True)


async def test_a_verifier_of_ones_own_is_believed():
    async def is_42(attempt):
        return attempt.answer == "42"

    one = model([says("Answer: 41"), says("Answer: 41"), says("Answer: 42")])
    events, _, _ = await contemplated(team(one, agents=4, verify=is_42))
    assert (events[-1].answer, events[-1].verified) == ("Answer: 42", True)


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
        (says(""), "reply was empty"),
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
    ("options", "says"),
    [
        ({"agents": 0}, "agents"),
        ({"agents": 1000}, "agents"),
        ({"agents": True}, "agents"),
        ({"rounds": -1}, "rounds"),
        ({"first_wave": 0}, "first_wave"),
        ({"aggregate": "wish"}, "aggregate"),
        ({"explorers": ()}, "explorers"),
    ],
)
def test_a_team_that_cannot_be_is_one_sentence(options, says):
    with pytest.raises(errors.BadOption, match=says):
        Team(**{"explorers": (FakeModel(),), **options})


async def test_what_the_models_cannot_do_is_told_before_any_is_called():
    blind = model([says("Answer: 1")], abilities=Abilities(conversation=True))
    with pytest.raises(errors.BeyondModel, match="read pictures"):
        await anext(run(team(blind), Request.of("Which?", [Image.from_bytes(DOT)])))
    with pytest.raises(errors.BeyondModel, match="use tools"):
        await anext(run(team(blind), Request.of("Which?", tools=(ToolSpec("a", "b"),))))
    assert blind.requests == []


async def test_a_model_that_cancels_itself_is_one_that_failed():
    one = model([[Crash(asyncio.CancelledError())], says("Answer: 42")])
    events, error, _ = await contemplated(team(one, agents=3, first_wave=3))
    assert error is None and events[-1].answer == "Answer: 42"
    _, error, _ = await contemplated(
        team(model([[Crash(asyncio.CancelledError())]])), Request.of("?", mode="thinking")
    )
    assert isinstance(error, errors.ModelFailed)


async def test_what_agents_say_to_each_other_may_be_longer_than_a_question():
    def long(request):
        return says("word " * 18_000 + f"Answer: {len(one.requests)}")

    one = model(long, refine=long, judge=[says('{"better": "A"}')], merge=[says("All of it.")])
    for aggregate in ("judge", "merge"):
        options = {
            "agents": 12,
            "first_wave": 12,
            "rounds": 1,
            "aggregate": aggregate,
            "stragglers": EVERYONE,
        }
        _, error, _ = await contemplated(team(one, **options), Request.of("x" * 99_990))
        assert error is None


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


async def test_what_cannot_be_kept_does_not_take_the_answer_away():
    def full(*anything):
        raise OSError("the disk is full")

    events, error, _ = await contemplated(
        team(model([says("Answer: 42")]), agents=2, remember=full)
    )
    assert error is None and events[-1].answer == "Answer: 42"
    assert "disk is full" in of(events, "noted")[0].text


async def test_waves_are_waited_for_one_after_the_other():
    one = model([says(f"Answer: {number}", tokens=10) for number in range(8)])
    events, _, _ = await contemplated(team(one, agents=8, aggregate="vote"))
    assert events[-1].usage.critical_path == 20  # two, then six


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


async def test_roles_that_cannot_be_played_are_told_before_anybody_is_asked():
    one = model([says("Answer: 1")])
    blind = FakeModel(name="blind", abilities=Abilities(conversation=True))
    with pytest.raises(errors.BeyondModel, match="blind"):
        await anext(run(team(one, judge=blind), Request.of("?", [Image.from_bytes(DOT)])))
    with pytest.raises(errors.BeyondModel, match="be a judge"):
        await anext(run(team(one, judge=FakeModel()), QUESTION))
    assert one.requests == []


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
