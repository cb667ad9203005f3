"""One place says what a model cannot do of a request."""

from dataclasses import replace

import pytest

from musespark.content import Image, Message, Request, Text, ToolCall, ToolResult, ToolSpec
from musespark.errors import BeyondModel
from musespark.models.capabilities import (
    require_role,
    require_sight,
    require_supported,
    require_tools,
)
from musespark.models.fake import DOT, FakeModel
from musespark.models.model import Abilities

ABLE = Abilities(
    pictures_in=True,
    tools=True,
    tool_choice=True,
    top_p=True,
    stop=True,
    effort=True,
    schema=True,
    conversation=True,
)
IMAGE = Image.from_bytes(DOT)
LOOK = ToolSpec("look", "Looks.")
EVERYTHING = Request.of(
    "?",
    [IMAGE],
    tools=(LOOK,),
    tool_choice="required",
    seed=0,
    temperature=0,
    top_p=0.5,
    stop=("x",),
    effort="none",
    schema="{}",
)
RETURNED = Request(
    messages=(
        Message.user("?"),
        Message("assistant", (ToolCall("1", "look"),)),
        Message("tool", (ToolResult("1", (Text("here"), IMAGE)),)),
    )
)


def model(**lacking):
    return FakeModel(abilities=replace(ABLE, **lacking))


def test_a_model_with_all_abilities_is_asked_for_anything():
    require_supported(model(), EVERYTHING)


ABILITIES = (
    "pictures_in",
    "tools",
    "tool_choice",
    "seed",
    "temperature",
    "top_p",
    "stop",
    "effort",
    "schema",
)


@pytest.mark.parametrize("ability", ABILITIES)
def test_each_missing_ability_is_named_with_a_way_out(ability):
    with pytest.raises(BeyondModel, match=r"^The model 'fake' cannot [^;]*; [^;]*\.$"):
        require_supported(model(**{ability: False}), EVERYTHING)


def test_a_request_that_needs_no_ability_is_for_every_model():
    require_supported(
        FakeModel(abilities=Abilities(seed=False, temperature=False)), Request.of("?")
    )


@pytest.mark.parametrize("request_", [Request.of("?", [IMAGE]), RETURNED])
def test_images_need_sight_or_tools_that_describe_them(request_):
    blind = model(pictures_in=False)
    with pytest.raises(BeyondModel, match="read images"):
        require_sight(blind, request_)
    require_sight(blind, request_, images_as_text=True)
    require_supported(blind, request_, images_as_text=True)
    with pytest.raises(BeyondModel, match="read images"):
        require_supported(model(pictures_in=False, tools=False), request_, images_as_text=True)


def test_roles_need_conversation_and_tools_need_tools():
    require_role(model(), "judge")
    require_tools(model())
    with pytest.raises(BeyondModel, match="be a judge"):
        require_role(model(conversation=False), "judge")
    with pytest.raises(BeyondModel, match="use tools"):
        require_tools(model(tools=False))
