import itertools

import pytest
from reasoning.teams import QUESTION, contemplated, model, of, says, stage_of, team

from musespark import errors
from musespark.budget import Budget, Cost, Limits
from musespark.content import Image, Request, ToolSpec
from musespark.models.fake import DOT, FakeModel, Hang
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
    with pytest.raises(errors.BeyondModel, match="read images"):
        await anext(run(team(blind), Request.of("Which?", [Image.from_bytes(DOT)])))
    with pytest.raises(errors.BeyondModel, match="use tools"):
        await anext(run(team(blind), Request.of("Which?", tools=(ToolSpec("a", "b"),))))
    assert blind.requests == []


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


async def test_roles_that_cannot_be_played_are_told_before_anybody_is_asked():
    one = model([says("Answer: 1")])
    blind = FakeModel(name="blind", abilities=Abilities(conversation=True))
    with pytest.raises(errors.BeyondModel, match="blind"):
        await anext(run(team(one, judge=blind), Request.of("?", [Image.from_bytes(DOT)])))
    with pytest.raises(errors.BeyondModel, match="be a judge"):
        await anext(run(team(one, judge=FakeModel()), QUESTION))
    assert one.requests == []
