"""Agents that are cut off, asked again or asked to conclude, in virtual time: waits are exact and take none."""

import pytest
from reasoning.teams import contemplated, of, team

from musespark.budget import Budget, Limits
from musespark.content import Request
from musespark.evals import virtual_time
from musespark.models.fake import Fail, FakeModel, Hang, Wait
from musespark.models.model import Abilities, Finish, TextDelta, UsageDelta
from musespark.usage import Usage

ABLE = Abilities(conversation=True, context=100_000)
MACHINE = Abilities(conversation=True, context=100_000, one_machine=True)
QUESTION = Request.of("Which of them is it?")
NEVER = {"enough": lambda counts, remaining: (False, ""), "aggregate": "vote"}


def writes(answer, seconds, first=0.5, pieces=None):
    """A reply that comes piece by piece, evenly, after a first wait."""
    pieces = pieces or max(1, round((seconds - first) * 10))
    steps = [Wait(first)]
    for number in range(pieces):
        steps += [
            Wait((seconds - first) / pieces),
            TextDelta(f"word{number} "),
            UsageDelta(Usage(tokens=number + 1)),
        ]
    return [*steps, TextDelta(f"\nAnswer: {answer}"), Finish()]


def concludes(request):
    return request.stage == "conclude"


def played(*scripts, conclusion=None, abilities=ABLE):
    """A model that plays these for the agents in turn, the last one for all that follow, and another when asked to conclude."""
    explored = iter(range(10**6))

    def play(request, number):
        if concludes(request):
            return (
                conclusion
                if conclusion is not None
                else [Wait(0.3), TextDelta("Answer: concluded"), Finish()]
            )
        return scripts[min(next(explored), len(scripts) - 1)]

    return FakeModel(play, abilities=abilities)


def runs(model, deadline=None, **options):
    """Events, error and virtual seconds of a team's run."""

    async def contemplates():  # a budget takes its clock when it is made
        return await contemplated(
            team(model, **{**NEVER, **options}), QUESTION, Budget(Limits(seconds=deadline))
        )

    return virtual_time.run(contemplates())


def reasons(events):
    return {event.agent: event.reason for event in of(events, "agent_cancelled")}


def test_an_agent_that_writes_ten_times_as_much_is_heard_out():
    model = played(*[writes("a", 3)] * 4, *[writes("b", 3.2)] * 3, writes("b", 33))
    events, _, seconds = runs(model, agents=8, first_wave=8)
    assert not reasons(events) and len(model.requests) == 8 and 33 <= seconds < 34
    assert events[-1].answer.endswith("Answer: a")  # four to four; the one that came first


@pytest.mark.parametrize("length", [2, 5, 20, 60])
def test_one_that_never_begins_costs_little_more_than_the_slowest(length):
    model = played([Hang()], *[writes("a", length * (number + 5) / 11) for number in range(7)])
    events, error, seconds = runs(model, agents=8, first_wave=8)
    assert error is None and seconds <= 1.2 * length and "agent-1" in reasons(events)
    assert "silent" in reasons(events)["agent-1"] or events[-1].usage.hedges == 1


def test_one_that_falls_silent_is_asked_to_conclude_and_its_thought_is_not_lost():
    broken = [*writes("lost", 5)[:60], Hang()]
    model = played(broken, *[writes(f"{number}", 6 + number / 4, pieces=60) for number in range(7)])
    events, error, seconds = runs(model, agents=8, first_wave=8)
    assert error is None and seconds <= 1.2 * 7.5 + 0.01
    asked = [request for request in model.requests if concludes(request)]
    assert asked and "word0" in asked[0].messages[-2].text
    assert any("fell silent" in event.text for event in of(events, "noted"))


def test_a_silent_one_is_asked_again_while_others_write_and_that_is_counted():
    model = played([Hang()], *[writes("a", 20)] * 7, writes("again", 10))
    events, _, _ = runs(model, agents=8, first_wave=8)
    assert [event.agent for event in of(events, "agent_started")][-1] == "agent-1-again"
    assert events[-1].usage.hedges == 1 and events[-1].usage.calls == 9
    assert "answered sooner" in reasons(events)["agent-1"]


def test_the_next_in_line_is_sent_rather_than_the_same_again():
    model = played([Hang()], writes("a", 3), writes("a", 3))
    events, _, _ = virtual_time.run(
        contemplated(team(model, agents=8, first_wave=2), QUESTION, None)
    )
    assert events[-1].answer.endswith("Answer: a") and events[-1].usage.hedges == 0
    assert {"agent-1", "agent-2", "agent-3"} <= {
        event.agent for event in of(events, "agent_started")
    }


def test_one_busy_machine_is_not_asked_twice_and_those_in_its_queue_are_waited_for():
    queued = [
        writes("b", 11, first=8.3) for _ in range(3)
    ]  # they get a slot when the first five have theirs no more
    model = played(*[writes("a", 8)] * 5, *queued, abilities=MACHINE)
    events, _, _ = runs(model, agents=8, first_wave=8)
    assert not reasons(events) and len(model.requests) == 8 and events[-1].usage.hedges == 0


def test_who_waits_for_a_retry_is_not_asked_twice():
    model = played([Fail(503)], *[writes("a", 3)] * 7, writes("a", 1))
    events, error, _ = runs(model, agents=8, first_wave=8)
    assert error is None and events[-1].usage.hedges == 0


def test_before_a_deadline_those_that_write_conclude_and_count():
    model = played(
        writes("a", 4),
        *[writes("b", 60)] * 7,
        conclusion=[Wait(0.4), TextDelta("Answer: b"), Finish()],
    )
    events, error, seconds = runs(model, 20, agents=8, first_wave=8)
    assert error is None and 15 <= seconds <= 20
    assert (events[-1].answer, events[-1].finish_reason) == ("Answer: b", "budget")
    assert sum("Time is about to end" in event.text for event in of(events, "noted")) == 7


@pytest.mark.parametrize("conclusion", [[Hang()], [Fail(400)], [TextDelta("  "), Finish()]])
def test_a_conclusion_that_fails_leaves_what_was_written(conclusion):
    model = played([*writes("c", 4)[:-1], Hang()], conclusion=conclusion)
    events, error, _ = runs(model, 10, agents=1, first_wave=1)
    assert (
        error is None and "Answer: c" in events[-1].answer and events[-1].finish_reason == "budget"
    )


def test_a_reply_that_would_come_in_time_is_not_hurried():
    model = played(*[writes("a", 1)] * 8)
    events, _, _ = runs(model, 3, agents=8, first_wave=8)
    assert (
        not [request for request in model.requests if concludes(request)]
        and events[-1].finish_reason == "finished"
    )


def test_a_model_that_reasons_in_secret_is_not_hurried_either():
    whole = [Wait(9), TextDelta("Answer: a"), Finish()]
    model = played(*[whole] * 8)
    events, _, _ = runs(model, 10, agents=8, first_wave=8)
    assert (
        not [request for request in model.requests if concludes(request)]
        and events[-1].answer == "Answer: a"
    )
