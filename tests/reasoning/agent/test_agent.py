import asyncio
from contextlib import aclosing

import pytest
from hypothesis import given, strategies as st
from reasoning.teams import ABLE, calls, contemplated, of, says, team

from musespark import errors
from musespark.budget import Budget, Cost, Limits
from musespark.content import Image, Request, Text, ToolCall, ToolResult, ToolSpec
from musespark.models.fake import DOT, Fail, FakeModel, Hang
from musespark.reasoning.modes import run
from musespark.reasoning.parallel.spawn import MOST, SpawnAgents, messages
from musespark.tools.tool import ToolOutput


class Doubler:
    """Doubles a number, and shows a picture of it."""

    spec = ToolSpec.of(
        "double", "Doubles.", {"type": "object", "properties": {"n": {"type": "number"}}}
    )

    async def use(self, arguments):
        if "n" not in arguments:
            return ToolOutput("There is no n.", failed=True)
        return ToolOutput(str(2 * arguments["n"]), (Image.from_bytes(DOT),))


def told_results(request):
    return [
        part
        for message in request.messages
        for part in message.parts
        if isinstance(part, ToolResult)
    ]


def scripted(*scripts, **options):
    return FakeModel(
        lambda request, number: scripts[min(number, len(scripts) - 1)], abilities=ABLE, **options
    )


THINK = Request.of("What is 2 * 21?", mode="thinking")


async def test_an_agent_uses_its_tools_until_it_answers():
    both = calls(
        ToolCall.of("a", "double", {"n": 21}),
        ToolCall.of("b", "double", {"n": 1}),
        text="Let me see.",
    )
    one = scripted(both, says("42"))
    events, error, _ = await contemplated(team(one, tools=(Doubler(),)), THINK)
    assert error is None and events[-1].answer == "42"
    called = [(event.tool, event.arguments) for event in of(events, "tool_called")]
    assert called == [("double", '{"n": 21}'), ("double", '{"n": 1}')]
    assert sorted(event.text for event in of(events, "tool_returned")) == [
        "2",
        "42",
    ]  # side by side, whoever is first
    assert [event.caption for event in of(events, "pictured")] == ["from double"] * 2
    first, second = told_results(one.requests[1])
    assert (first.call_id, second.call_id) == ("a", "b")
    assert first.content == (Text("42"), Image.from_bytes(DOT))
    assert one.requests[1].messages[1].text == "Let me see."
    assert events[-1].usage.calls == 2


@pytest.mark.parametrize(
    ("arguments", "says_"), [("{", "not JSON"), ("[1]", "JSON object"), ("{}", "no n")]
)
async def test_bad_arguments_are_told_to_the_model(arguments, says_):
    one = scripted(calls(ToolCall("a", "double", arguments)), says("sorry"))
    events, error, _ = await contemplated(team(one, tools=(Doubler(),)), THINK)
    assert error is None and events[-1].answer == "sorry"
    (result,) = told_results(one.requests[1])
    assert result.failed and says_ in result.content[0].text


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (RuntimeError("a bug"), "RuntimeError: a bug"),
        (errors.NotInstalled("It", "this", "that"), "which is not installed"),
        (asyncio.CancelledError(), "cancelled itself"),
    ],
)
async def test_whatever_a_tool_raises_is_told_to_the_model(error, told):
    class Broken(Doubler):
        async def use(self, arguments):
            raise error

    one = scripted(calls(ToolCall("a", "double", "{}")), says("42"))
    events, raised, _ = await contemplated(team(one, tools=(Broken(),)), THINK)
    assert raised is None and events[-1].answer == "42"
    (result,) = told_results(one.requests[1])
    assert result.failed and told in result.content[0].text


@pytest.mark.parametrize("mode", ["thinking", "contemplating"])
async def test_a_tool_that_hangs_does_not_outlast_the_deadline(mode):
    class Endless(Doubler):
        async def use(self, arguments):
            await asyncio.get_running_loop().create_future()

    one = scripted(calls(ToolCall("a", "double", "{}"), text="Hm."))
    budget = Budget(Limits(seconds=0.2))
    events, _, _ = await contemplated(
        team(one, agents=2, tools=(Endless(),)), Request.of("?", mode=mode), budget
    )
    assert events[-1].kind in ("run_ended", "run_failed")
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_what_must_be_called_is_called_once():
    one = scripted(calls(ToolCall.of("a", "double", {"n": 1})), says("2"))
    request = Request.of("?", mode="thinking", tool_choice="required")
    await contemplated(team(one, tools=(Doubler(),)), request)
    assert [each.tool_choice for each in one.requests] == ["required", "auto"]


async def test_tools_of_the_one_who_asks_are_the_answer():
    search = ToolSpec.of("search", "Searches.", {"type": "object"})
    one = scripted(calls(ToolCall("a", "search", '{"q": 1}')))
    events, _, _ = await contemplated(
        team(one, tools=(Doubler(),)), Request.of("?", mode="thinking", tools=(search,))
    )
    assert events[-1].calls == (ToolCall("a", "search", '{"q": 1}'),)
    assert {tool.name for tool in one.requests[0].tools} == {"search", "double"}
    assert not of(events, "tool_called")


async def test_an_agent_that_never_stops_using_tools_is_stopped():
    one = FakeModel(
        lambda request, number: calls(ToolCall.of("a", "double", {"n": number}), text="more"),
        abilities=ABLE,
    )
    events, error, _ = await contemplated(team(one, tools=(Doubler(),)), THINK)
    assert error is None and len(one.requests) == 16
    assert events[-1].usage.calls == 16


def spawns(template, *subagents):
    return calls(
        ToolCall.of(
            "s", "spawn_agents", {"message_template": template, "subagents": list(subagents)}
        )
    )


async def test_spawned_agents_work_side_by_side_in_fresh_contexts():
    one = scripted(
        spawns("Add {a} and {b}.", {"a": 1, "b": 2}, {"a": 3, "b": 4}),
        says("3"),
        says("7"),
        says("Both."),
    )
    events, error, _ = await contemplated(team(one, tools=(SpawnAgents,)), THINK)
    assert error is None and events[-1].answer == "Both."
    started = {event.agent: (event.parent, event.task) for event in of(events, "agent_started")}
    assert started["main/sub-1"] == ("main", "Add 1 and 2.")
    assert started["main/sub-2"] == ("main", "Add 3 and 4.")
    for request in one.requests[1:3]:
        assert len(request.messages) == 1
        assert THINK.question not in request.messages[0].text
    (result,) = told_results(one.requests[3])
    assert "<subagent 1>\n3\n</subagent 1>" in result.content[0].text
    assert events[-1].usage.threads == 2
    assert events[-1].usage.critical_path < events[-1].usage.tokens


async def test_a_sub_agent_that_fails_is_told_and_the_others_count():
    one = scripted(
        spawns("Do {x}.", {"x": "this"}, {"x": "that"}),
        [Fail(400, "no")],
        says("done"),
        says("Half."),
    )
    events, _, _ = await contemplated(team(one, tools=(SpawnAgents,)), THINK)
    assert events[-1].answer == "Half."
    (result,) = told_results(one.requests[3])
    assert (
        "(failed:" in result.content[0].text
        and "done" in result.content[0].text
        and not result.failed
    )


async def test_depth_and_the_number_of_agents_have_caps():
    deep = FakeModel(
        lambda request, number: spawns("Go {x}.", {"x": "on"}) if number < 5 else says("end"),
        abilities=ABLE,
    )
    events, error, _ = await contemplated(
        team(deep, tools=(SpawnAgents,)), Request.of("?", mode="thinking", threads=3)
    )
    assert error is None
    depths = [event.agent.count("/") for event in of(events, "agent_started")]
    assert max(depths) <= 2
    assert len(of(events, "agent_started")) - 1 <= 3
    assert any("does its work itself" in event.text for event in of(events, "tool_returned"))
    wide = scripted(spawns("Go {x}.", *[{"x": "on"}] * 4), says("Alone, then."))
    events, _, _ = await contemplated(
        team(wide, tools=(SpawnAgents,)), Request.of("?", mode="thinking", threads=3)
    )
    assert "Only 3 more sub-agents" in of(events, "tool_returned")[0].text
    assert events[-1].answer == "Alone, then."


async def test_who_announces_sub_agents_and_calls_none_is_asked_once_again():
    one = scripted(
        says("I will spawn three sub-agents to work on this."),
        spawns("{x}?", {"x": "why"}),
        says("so"),
        says("Done."),
    )
    events, _, _ = await contemplated(team(one, tools=(SpawnAgents,)), THINK)
    assert "announced sub-agents" in of(events, "noted")[0].text
    assert events[-1].answer == "Done."
    stubborn = scripted(says("I will spawn three sub-agents to work on this."))
    events, _, _ = await contemplated(team(stubborn, tools=(SpawnAgents,)), THINK)
    assert len(stubborn.requests) == 2


@pytest.mark.parametrize(
    "reply",
    [
        "To restart the service, launch the monitoring agents first. Answer: 5",
        "Launch both cleaning agents, then wait an hour.",
        "I will not do that; the travel agents start selling in May.",
        "I'll spawn three helpers. Answer: 5",
    ],
)
async def test_advice_about_agents_and_an_answer_announce_nothing(reply):
    one = scripted(says(reply))
    await contemplated(team(one, tools=(SpawnAgents,)), THINK)
    assert len(one.requests) == 1


@pytest.mark.parametrize(
    "reply",
    [
        "Let me dispatch two helpers for this.",
        "Launching sub-agents now.",
        "I'm going to start several agents",
    ],
)
async def test_who_announces_them_in_other_words_is_reminded_too(reply):
    one = scripted(says(reply), says("Done."))
    await contemplated(team(one, tools=(SpawnAgents,)), THINK)
    assert len(one.requests) == 2


async def test_leaving_stops_sub_agents_too():
    one = FakeModel(
        lambda request, number: spawns("{x}", {"x": "a"}, {"x": "b"}) if not number else [Hang()],
        abilities=ABLE,
    )
    budget = Budget()
    async with aclosing(run(team(one, tools=(SpawnAgents,)), THINK, budget)) as events:
        async for _ in events:
            if one.running == 2:
                break
    assert one.running == 0 and budget.reserved == Cost()
    assert asyncio.all_tasks() == {asyncio.current_task()}


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(["message_template", "subagents", "other"]), anything))
def test_whatever_a_model_asks_to_spawn_is_messages_or_a_sentence(arguments):
    told = messages(arguments)
    assert isinstance(told, str) or (
        1 <= len(told) <= MOST and all(isinstance(each, str) for each in told)
    )


async def test_an_agent_that_calls_tools_to_the_end_and_answers_nothing_has_failed():
    one = FakeModel(
        lambda request, number: calls(ToolCall.of(f"c{number}", "double", {"n": number})),
        abilities=ABLE,
    )
    events, error, _ = await contemplated(team(one, tools=(Doubler(),)), THINK)
    assert error is not None and "called tools in all of its 16 replies" in str(error)
    assert not of(events, "run_ended")


async def test_a_tool_that_nobody_has_is_told_to_the_model():
    one = scripted(calls(ToolCall("a", "wish", "{}")), says("sorry"))
    events, _, _ = await contemplated(team(one, tools=(Doubler(),)), THINK)
    assert events[-1].answer == "sorry"
    assert "no tool 'wish'" in told_results(one.requests[1])[0].content[0].text


def test_a_value_is_not_a_template_again():
    assert messages({"message_template": "{a}", "subagents": [{"a": "{b}"}]}) == ["{b}"]
    assert "no value for b" in messages({"message_template": "{a}{b}", "subagents": [{"a": "1"}]})
