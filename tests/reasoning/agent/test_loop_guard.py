"""Conversations that lead nowhere end after one reminder."""

from dataclasses import replace

import pytest
from reasoning.teams import ABLE, calls, contemplated, of, says, team

from musespark.content import Request, Text, ToolCall, ToolResult, ToolSpec
from musespark.errors import AllFailed, ModelFailed
from musespark.models.fake import FakeModel
from musespark.models.model import Finish, TextBecameThought, TextDelta, ThinkingDelta
from musespark.tools.tool import ToolOutput

THINK = Request.of("How high is it?", mode="thinking")


class Gauge:
    """Tells a height: the same each time, or one more each time."""

    spec = ToolSpec.of(
        "gauge", "Measures.", {"type": "object", "properties": {"of": {"type": "string"}}}
    )

    def __init__(self, grows=False):
        self.grows, self.uses = grows, 0

    async def use(self, arguments):
        self.uses += 1
        return ToolOutput(f"{self.uses if self.grows else 1} metres")


def playing(script):
    return FakeModel(script, abilities=replace(ABLE, tool_choice=True))


def gauging(number, **arguments):
    return calls(ToolCall.of(f"c{number}", "gauge", arguments))


def results_of(request):
    return [
        "".join(each.text for each in part.content if isinstance(each, Text))
        for message in request.messages
        for part in message.parts
        if isinstance(part, ToolResult)
    ]


async def test_a_tool_that_is_not_there_is_told_once():
    one = playing(lambda request, number: calls(ToolCall.of(f"c{number}", "ruler", {})))
    _, error, _ = await contemplated(team(one, tools=(Gauge(),)), THINK)
    assert isinstance(error, ModelFailed) and "'ruler'" in str(error) and len(one.requests) == 2
    assert "there are: gauge" in results_of(one.requests[1])[0]


async def test_a_model_without_tools_that_calls_one_is_told_once():
    one = playing(lambda request, number: calls(ToolCall.of(f"c{number}", "ruler", {})))
    _, error, _ = await contemplated(team(one), THINK)
    assert isinstance(error, ModelFailed) and len(one.requests) == 2


async def test_an_answer_beside_a_call_that_nobody_can_make_counts():
    one = playing(lambda request, number: calls(ToolCall("c", "ruler", "{}"), text="Answer: 8"))
    events, error, _ = await contemplated(team(one, tools=(Gauge(),)), THINK)
    assert error is None and events[-1].answer == "Answer: 8"


async def test_the_same_call_with_the_same_result_is_made_four_times_at_most():
    gauge = Gauge()
    one = playing(lambda request, number: gauging(number, of="tower"))
    _, error, _ = await contemplated(team(one, tools=(gauge,)), THINK)
    assert isinstance(error, ModelFailed) and "over and over" in str(error)
    assert gauge.uses == 3 and len(one.requests) == 4
    assert ["answer now" in each for each in results_of(one.requests[-1])] == [False, False, True]
    assert [request.tool_choice for request in one.requests] == ["auto"] * 3 + ["none"]


async def test_arguments_nested_beyond_reading_are_compared_as_text():
    nested = ToolCall("c", "gauge", "[" * 100_000)
    one = playing(lambda request, number: calls(nested) if number < 2 else says("1 metre"))
    events, error, _ = await contemplated(team(one, tools=(Gauge(),)), THINK)
    assert error is None and events[-1].answer == "1 metre"


async def test_after_the_reminder_an_answer_is_taken():
    one = playing(
        lambda request, number: gauging(number, of="tower") if number < 3 else says("1 m")
    )
    events, error, _ = await contemplated(team(one, tools=(Gauge(),)), THINK)
    assert error is None and events[-1].answer == "1 m"


async def test_calls_in_turn_are_a_loop_too():
    one = playing(lambda request, number: gauging(number, of=["tower", "hill"][number % 2]))
    _, error, _ = await contemplated(team(one, tools=(Gauge(),)), THINK)
    assert "over and over" in str(error) and len(one.requests) < 8


async def test_a_call_whose_result_changes_may_be_made_more_often():
    gauge = Gauge(grows=True)
    one = playing(
        lambda request, number: gauging(number, of="tower") if number < 5 else says("5 m")
    )
    events, error, _ = await contemplated(team(one, tools=(gauge,)), THINK)
    assert error is None and events[-1].answer == "5 m" and gauge.uses == 5


async def test_an_empty_reply_is_asked_once_more():
    one = playing(lambda request, number: [Finish()] if number == 0 else says("8 m"))
    events, error, _ = await contemplated(team(one), THINK)
    assert error is None and events[-1].answer == "8 m"
    assert one.requests[0].messages == one.requests[1].messages
    assert "empty" in of(events, "noted")[0].text


async def test_thoughts_without_an_answer_are_followed_by_the_question_for_one():
    thought = [ThinkingDelta("Eight metres, I think."), Finish()]
    one = playing(lambda request, number: thought if number == 0 else says("8 m"))
    events, error, _ = await contemplated(team(one), THINK)
    assert error is None and events[-1].answer == "8 m"
    *_, given, asked = one.requests[1].messages
    assert (given.role, given.text) == ("assistant", "Eight metres, I think.")
    assert asked.role == "user" and "answer" in asked.text


async def test_a_model_that_stays_silent_has_failed():
    one = playing(lambda request, number: [TextDelta(" \n"), Finish()])
    _, error, _ = await contemplated(team(one), THINK)
    assert isinstance(error, ModelFailed) and "empty" in str(error) and len(one.requests) == 2


async def test_a_text_to_stop_at_may_leave_nothing():
    one = playing([Finish(stop="END")])
    events, error, _ = await contemplated(
        team(one), Request.of("?", mode="thinking", stop=("END",))
    )
    assert error is None and events[-1].answer == "" and len(one.requests) == 1


@pytest.mark.parametrize(
    "steps", [[Finish()], calls(ToolCall("c", "ruler", "{}"))], ids=["empty", "unknown tool"]
)
async def test_a_team_of_which_nobody_answers_has_failed(steps):
    one = playing(lambda request, number: steps)
    _, error, _ = await contemplated(
        team(one, agents=3, first_wave=3), Request.of("How high is it?")
    )
    assert isinstance(error, AllFailed) and len(one.requests) == 6


async def test_a_team_does_without_the_one_that_says_nothing():
    one = playing(lambda request, number: [Finish()] if number % 3 == 0 else says("8 m"))
    events, error, _ = await contemplated(
        team(one, agents=3, first_wave=3), Request.of("How high?")
    )
    assert error is None and events[-1].answer == "8 m"


@pytest.mark.parametrize("agents", [1, 2])
async def test_text_that_turns_out_to_be_a_thought_is_none_of_the_answer(agents):
    said = [TextDelta("Hm, "), TextDelta("eight?"), TextBecameThought(), TextDelta("8 m"), Finish()]
    request = THINK if agents == 1 else Request.of("How high is it?")
    events, error, _ = await contemplated(team(playing(said), agents=agents), request)
    assert error is None and events[-1].answer == "8 m"
    assert len(of(events, "answer_dropped")) == (agents == 1)
    assert "Hm, eight?" in "".join(event.text for event in of(events, "thought"))
