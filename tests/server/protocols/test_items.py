"""Items of stored responses: references to them, lists of them, and the compaction of a conversation."""

import openai
import pytest
from server.conftest import ABLE, live, says

from musespark.config import Config, Roles
from musespark.content import Image, Message, Text, ToolCall, ToolResult
from musespark.models.fake import DOT, FakeModel
from musespark.models.model import Finish, TextDelta, ToolCallDelta
from musespark.server.protocols.responses.stored_items import (
    input_items,
    pack_summary,
    unpack_summary,
)

from .test_responses import ASK, TOOLS


def reference(item):
    """The reference to an item, as the AI SDK sends it."""
    return {"type": "item_reference", "id": item.id}


def test_items_by_reference_are_what_the_model_reads(openai_client, served):
    first = openai_client.responses.create(model="weather", input=ASK, tools=TOOLS)
    calls = [item for item in first.output if item.type == "function_call"]
    results = [
        {"type": "function_call_output", "call_id": call.call_id, "output": f"fine in {call.name}"}
        for call in calls
    ]
    said = {
        how: openai_client.responses.create(
            model="weather", input=[{"role": "user", "content": ASK}, *items, *results], tools=TOOLS
        ).output_text
        for how, items in {
            "by reference": map(reference, first.output),
            "without a type": ({"id": item.id} for item in first.output),
            "whole": first.output,
        }.items()
    }
    assert set(said.values()) == {"It is fine in weather and fine in weather."}


def test_inputs_and_every_kind_of_output_can_be_referred_to(openai_client, served):
    first = openai_client.responses.create(model="painter", input=ASK)
    asked = openai_client.responses.input_items.list(first.id).data
    kinds = [item.type for item in (*asked, *first.output)]
    assert kinds == ["message", "image_generation_call", "reasoning", "message"] or set(kinds) == {
        "message",
        "image_generation_call",
        "reasoning",
    }
    items = [*map(reference, asked), *map(reference, first.output)]
    openai_client.responses.create(
        model="parrot", input=[*items, {"role": "user", "content": "And?"}]
    )
    sent = served.models["parrot"].requests[-1].messages
    assert [message.role for message in sent] == ["user", "assistant", "user"]
    assert sent[0].text == ASK and sent[1].images and "Done." in sent[1].text


def test_a_call_of_a_tool_whose_input_is_a_text_can_be_referred_to():
    call = ToolCall("c1", "f", '{"input": "x"}')

    def play(request, number):
        return [TextDelta("ok") if number else ToolCallDelta(call), Finish()]

    model = FakeModel(play, name="caller", abilities=ABLE)
    tools = [{"type": "custom", "name": "f"}]
    with (
        live({"caller": model}) as server,
        openai.OpenAI(base_url=f"{server.url}/v1", api_key="none") as client,
    ):
        first = client.responses.create(model="caller", input=ASK, tools=tools)
        result = {"type": "custom_tool_call_output", "call_id": "c1", "output": "y"}
        client.responses.create(
            model="caller",
            input=[{"role": "user", "content": ASK}, reference(first.output[-1]), result],
            tools=tools,
        )
    assert [part for message in model.requests[-1].messages for part in message.parts][1] == call


def test_items_are_found_whatever_else_the_response_had():
    call = ToolCall("c1", "f", "{}", made_by="caller", signature="sealed")
    model = FakeModel([ToolCallDelta(call), Finish()], name="caller", abilities=ABLE)
    tools = [{"type": "function", "name": "f", "parameters": {"type": "object"}}]
    with (
        live({"caller": model}) as server,
        openai.OpenAI(base_url=f"{server.url}/v1", api_key="none") as client,
    ):
        for extra in ({}, {"extra_body": {"muse": {"progress": False}}}):
            for name in ("caller", "contemplating/caller"):
                first = client.responses.create(model=name, input=ASK, tools=tools, **extra)
                stored = client.responses.retrieve(first.id)
                mine, kept = (
                    {item.id: item.type for item in each.output} for each in (first, stored)
                )
                assert mine.items() <= kept.items() and "function_call" in mine.values()


def test_references_reach_from_one_response_into_the_next(openai_client):
    first = openai_client.responses.create(model="plain", input=ASK)
    second = openai_client.responses.create(
        model="parrot",
        input=[reference(first.output[-1]), {"role": "user", "content": "Again"}],
        previous_response_id=first.id,
    )
    assert second.output_text == "Again"


@pytest.mark.parametrize("id", ["msg_1", "rs_" + "0" * 32 + "_0", "nonsense"])
def test_a_reference_to_nothing_is_not_found(openai_client, id):
    with pytest.raises(openai.NotFoundError, match="There is no item") as missing:
        openai_client.responses.create(
            model="plain",
            input=[{"type": "item_reference", "id": id}, {"role": "user", "content": "?"}],
        )
    assert missing.value.code == "no_such_item"


def test_items_that_were_not_stored_are_not_found(openai_client):
    first = openai_client.responses.create(model="plain", input=ASK, store=False)
    with pytest.raises(openai.NotFoundError, match="was not stored"):
        openai_client.responses.create(model="plain", input=[reference(first.output[-1])])


def test_input_items_are_listed_in_pages(openai_client):
    first = openai_client.responses.create(
        model="plain",
        input=[
            {"role": "system", "content": "Be short."},
            {"role": "user", "content": [{"type": "input_text", "text": ASK}]},
        ],
    )
    second = openai_client.responses.create(
        model="plain", input="And?", previous_response_id=first.id
    )
    items = openai_client.responses.input_items.list(second.id, order="asc", limit=2)
    assert items.has_more and [item.content[0].text for item in items.data] == ["Be short.", ASK]
    whole = list(items)  # the client turns the pages
    assert [(item.role, item.content[0].text) for item in whole] == [
        ("system", "Be short."),
        ("user", ASK),
        ("assistant", "42"),
        ("user", "And?"),
    ]
    newest = openai_client.responses.input_items.list(second.id).data
    assert [item.id for item in newest] == [item.id for item in reversed(whole)]
    with pytest.raises(openai.BadRequestError, match="after"):
        openai_client.responses.input_items.list(second.id, after="msg_0")
    with pytest.raises(openai.NotFoundError):
        openai_client.responses.input_items.list("resp_nothing")


def test_every_part_of_a_conversation_has_an_item():
    image = Image.from_bytes(DOT)
    conversation = (
        Message("user", (Text("Look."), image)),
        Message("assistant", (Text("I call."), ToolCall("c1", "look", '{"at": 1}'))),
        Message(
            "tool", (ToolResult("c1", (Text("It is"), image)), ToolResult("c2", (Text("no"),)))
        ),
    )
    items = input_items("0" * 32, conversation)
    assert [item["type"] for item in items] == [
        "message",
        "message",
        "function_call",
        "function_call_output",
        "function_call_output",
    ]
    assert [part["type"] for part in items[0]["content"]] == ["input_text", "input_image"]
    assert items[2]["arguments"] == '{"at": 1}' and items[4]["output"] == "no"
    assert [part["type"] for part in items[3]["output"]] == ["input_text", "input_image"]
    assert len({item["id"] for item in items}) == len(items)


def test_a_conversation_goes_on_from_its_summary():
    def answer(request, number):
        if "Sum up our conversation" in request.messages[-1].text:
            return says("Alice wants a boat.")
        return says(" / ".join(message.text for message in request.messages))

    models = {"clerk": FakeModel(answer, name="clerk", abilities=ABLE)}
    with (
        live(models, Config(roles=Roles(explorer=("clerk",)))) as server,
        openai.OpenAI(base_url=f"{server.url}/v1", api_key="none", max_retries=0) as client,
    ):
        first = client.responses.create(model="clerk", input="I am Alice.", instructions="Listen.")
        calls = len(models["clerk"].requests)
        done = client.responses.compact(
            model="contemplating", previous_response_id=first.id, input="I want a boat."
        )
        assert len(models["clerk"].requests) == calls + 1  # one agent writes it, not a team
        assert done.object == "response.compaction" and done.usage.total_tokens > 0
        assert [item.type for item in done.output] == ["message", "message", "compaction"]
        items = [item.model_dump(exclude_none=True, warnings=False) for item in done.output]
        follow = {"role": "user", "content": "And?"}
        whole = client.responses.create(model="clerk", input=[*items, follow])
        assert "I am Alice. / I want a boat. / Summary" in whole.output_text
        assert "Alice wants a boat. / And?" in whole.output_text
        kept = client.responses.create(model="clerk", input="And?", previous_response_id=done.id)
        assert kept.output_text == "I am Alice. / I want a boat. / Alice wants a boat. / And?"


def test_a_compaction_of_nothing_is_refused(openai_client):
    with pytest.raises(openai.BadRequestError, match="no conversation"):
        openai_client.responses.compact(model="plain")


def test_a_summary_of_another_service_is_left_out(openai_client):
    items = [
        {"type": "compaction", "encrypted_content": "gAAAA-not-ours"},
        {"type": "compaction_summary", "encrypted_content": pack_summary("ours")},
    ]
    done = openai_client.responses.create(
        model="parrot", input=[*items, {"role": "user", "content": "Still there?"}]
    )
    assert done.output_text == "Still there?"


@pytest.mark.parametrize("text", ["", "Ja, schön.", "two\nlines"])
def test_a_summary_is_packed_and_unpacked(text):
    assert unpack_summary(pack_summary(text)) == text


@pytest.mark.parametrize("packed", ["", "x", "muse1:!", "muse1:gA"])
def test_what_is_no_summary_is_none(packed):
    assert unpack_summary(packed) is None


def test_input_tokens_are_estimated(openai_client):
    short = openai_client.responses.input_tokens.count(model="plain", input=ASK)
    long = openai_client.responses.input_tokens.count(
        model="plain", input=ASK * 20, instructions="Be short.", tools=TOOLS
    )
    assert short.object == "response.input_tokens" and long.input_tokens > short.input_tokens > 0
