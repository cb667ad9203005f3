"""The form of an answer: JSON found in a reply, and asked for once more where there is none."""

import json

import pytest
from hypothesis import given, strategies as st

from musespark.content import Message, Request, Text
from musespark.models.fake import Fail, FakeModel
from musespark.models.model import Abilities, Finish, TextDelta, UsageDelta
from musespark.reasoning.agent.form import candidates
from musespark.reasoning.modes import run
from musespark.reasoning.team.team import Team
from musespark.usage import Usage

ABLE = Abilities(conversation=True, schema=True, tools=True)


@pytest.mark.parametrize(
    ("reply", "found"),
    [
        ('{"a": 1}', ['{"a": 1}']),
        ("42", ["42"]),
        ('```json\n{"a": 1}\n```', ['{"a": 1}', '{"a": 1}']),
        ("```\n[1]\n```\nor\n```\n[2, 3]\n```", ["[2, 3]", "[1]", "[2, 3]", "[1]"]),
        ('So: {"a": {"b": [1]}}.', ['{"a": {"b": [1]}}']),
        ('[1] then {"a": 1}', ['{"a": 1}', "[1]"]),
        ('A brace { and {"a": 1}', ['{"a": 1}']),
        ("Nothing { of [ that kind", []),
        ("", []),
    ],
)
def test_values_are_found_the_likeliest_first(reply, found):
    assert list(candidates(reply)) == found


@given(st.text('{}[]"\\:,1a \n`', max_size=60))
def test_whatever_is_found_is_json(reply):
    for value in candidates(reply):
        json.loads(value)


def says(*texts):
    """A script that says these in turn."""

    def script(request, number):
        text = texts[min(number, len(texts) - 1)]
        if text is None:
            return [Fail(400, "it broke")]
        usage = UsageDelta(Usage(tokens=10 + number, prompt_tokens=7))
        return [TextDelta(text), usage, Finish()]

    return FakeModel(script, abilities=ABLE)


def is_a(text):
    """Reason why a text is not the object {"a": 1}."""
    try:
        return "" if json.loads(text) == {"a": 1} else "it has another value"
    except ValueError:
        return "it is not JSON"


async def answered(model, fits=is_a, **options):
    """The last event of a run, and the others."""
    request = Request.of("q", schema='{"type": "object"}', mode="thinking", **options)
    team = Team(explorers=(model,), fits=fits)
    events = [event async for event in run(team, request)]
    return events[-1], events


async def test_an_answer_that_fits_is_left_as_it_is():
    model = says('{"a": 1}')
    end, events = await answered(model)
    assert end.answer == '{"a": 1}' and len(model.requests) == 1
    assert not [event for event in events if event.kind == "answer_dropped"]


async def test_of_several_values_the_one_that_fits_is_taken():
    model = says('{"a": 2, "more": [1, 2, 3]} no, {"a": 1}')
    end, events = await answered(model)
    assert end.answer == '{"a": 1}' and len(model.requests) == 1
    assert [event.text for event in events if event.kind == "answer_delta"][-1] == '{"a": 1}'


async def test_the_second_question_says_what_is_wrong_and_its_reply_is_the_answer():
    model = says('{"a": 2}', 'Sorry: {"a": 1}')
    end, _ = await answered(model)
    assert end.answer == '{"a": 1}' and end.usage.calls == 2
    asked = model.requests[1]
    assert "it has another value" in asked.messages[-1].text and not asked.tools
    assert asked.messages[-2] == Message("assistant", (Text('{"a": 2}', "fake"),))
    assert end.answer_usage.tokens == 7 + 4  # the first prompt, and the reply that counts


@pytest.mark.parametrize("second", ["No.", None])
async def test_the_first_answer_stays_where_the_second_is_no_better(second):
    end, _ = await answered(says("No.", second))
    assert end.answer == "No." and end.usage.calls == 2


async def test_without_a_rule_any_json_will_do():
    model = says('Here: {"b": 2}')
    end, _ = await answered(model, fits=None)
    assert end.answer == '{"b": 2}' and len(model.requests) == 1


async def test_a_reply_that_its_limit_broke_off_is_not_asked_again():
    cut = FakeModel([TextDelta('{"a":'), Finish("length")], abilities=ABLE)
    end, _ = await answered(cut)
    assert (end.finish_reason, len(cut.requests)) == ("length", 1)


async def test_an_agent_of_a_team_without_the_form_counts_less():
    def script(request, number):
        again = "does not have the form" in request.messages[-1].text
        text = "Prose." if again or number < 2 else '{"a": 1}'
        return [TextDelta(text), UsageDelta(Usage(tokens=9, prompt_tokens=5)), Finish()]

    model = FakeModel(script, abilities=ABLE)
    team = Team(explorers=(model,), fits=is_a, agents=3, first_wave=3, rounds=0)
    request = Request.of("q", schema='{"type": "object"}', mode="contemplating")
    events = [event async for event in run(team, request)]
    assert events[-1].answer == '{"a": 1}'


async def test_python_gets_json_alone_too():
    request = Request.of("q", schema='{"type": "object"}', mode="thinking")
    events = [event async for event in run(Team.of(says('```\n{"b": 2}\n```')), request)]
    assert events[-1].answer == '{"b": 2}'
