"""A conversation without a terminal: what is sent, what is kept, what it costs."""

from contextlib import aclosing

import numpy as np
import pytest
from models.providers.servers import Say, serving

from musespark.cli.chat.conversation import ChatSettings, Conversation, transcript
from musespark.config import Config, ModelConfig
from musespark.content import MAX_IMAGES, Mode
from musespark.errors import ModelFailed, MuseError
from musespark.events import AnswerDelta, RunEnded
from musespark.images import as_image
from musespark.models.fake import Fail, FakeModel, Hang
from musespark.models.model import Abilities, Finish, TextDelta, UsageDelta
from musespark.usage import Usage

ABLE = Abilities(conversation=True, pictures_in=True, tools=True, seed=True, context=100_000)
SPOT = as_image(np.zeros((4, 4, 3), np.uint8))


def fake(*replies, **abilities):
    """A model that says one reply after the other; a reply is a text, or steps of its script."""

    def play(request, number):
        reply = replies[min(number, len(replies) - 1)]
        usage = UsageDelta(Usage(tokens=5, usd=0.01))
        return [TextDelta(reply), usage, Finish()] if isinstance(reply, str) else reply

    return FakeModel(play, abilities=abilities.get("abilities", ABLE))


def conversation(model, **settings):
    return Conversation(ChatSettings(models=(model,), **settings))


async def said(events) -> str:
    async with aclosing(events):
        return [event async for event in events][-1].answer


def texts(request):
    return [(message.role, message.text) for message in request.messages]


async def test_a_model_is_sent_what_was_said_before():
    model = fake("Paris.", "Two million.")
    talk = conversation(model)
    assert await said(talk.ask("Capital of France?")) == "Paris."
    assert await said(talk.ask("How many live there?")) == "Two million."
    assert texts(model.requests[1]) == [
        ("user", "Capital of France?"),
        ("assistant", "Paris."),
        ("user", "How many live there?"),
    ]
    assert (talk.spent.tokens, round(talk.spent.usd, 2)) == (10, 0.02)
    talk.clear()
    await said(talk.ask("Hello?"))
    assert texts(model.requests[2]) == [("user", "Hello?")] and talk.spent.tokens == 15


async def test_a_hosted_model_and_a_team_are_sent_it_over_the_wire():
    async with serving("chat", *[Say("Answer: 4")] * 8) as server:
        config = Config(models={"far": ModelConfig(model="vllm:far", base_url=server.url)})
        talk = Conversation(ChatSettings(config=config, models=("far",), mode=Mode.INSTANT))
        await said(talk.ask("What is 2 + 2?"))
        talk.settings = ChatSettings(
            config=config, models=("far",), mode=Mode.CONTEMPLATING, options={"agents": 2}
        )
        await said(talk.ask("Are you sure?"))
        roles = [[message["role"] for message in body["messages"]] for body in server.bodies]
        assert roles[:3] == [["user"], *[["user", "assistant", "user"]] * 2]


async def test_a_model_that_reads_one_question_is_sent_the_last_alone():
    model = fake("a", "b", abilities=Abilities(seed=True))
    talk = conversation(model)
    await said(talk.ask("One?"))
    await said(talk.ask("Two?"))
    assert texts(model.requests[1]) == [("user", "Two?")]
    assert not talk.remembers(talk.settings.team()) and len(talk.exchanges) == 2


async def test_a_question_is_asked_again_in_place_of_its_answer():
    model = fake("first", "second", "third")
    talk = conversation(model, options={"seed": 7})
    assert not talk.can_retry
    await said(talk.ask("One?"))
    await said(talk.ask("Two?", [SPOT]))
    assert await said(talk.retry()) == "third"
    assert texts(model.requests[2]) == texts(model.requests[1])
    assert model.requests[2].images == (SPOT,)
    assert [request.seed for request in model.requests] == [7, 7, 8]
    assert [each.answer for each in talk.exchanges] == ["first", "third"]


async def test_a_turn_that_is_stopped_keeps_its_answer_so_far():
    talk = conversation(fake([TextDelta("Half an ans"), Hang()], "whole"))
    async with aclosing(talk.ask("Which?")) as events:
        async for event in events:
            if isinstance(event, AnswerDelta):
                break
    assert [each.answer for each in talk.exchanges] == ["Half an ans"]
    assert await said(talk.retry()) == "whole" and len(talk.exchanges) == 1


async def test_a_turn_that_fails_leaves_no_trace_but_can_be_asked_again():
    model = fake("one", [Fail(400, "no")], "two")
    talk = conversation(model)
    await said(talk.ask("One?"))
    with pytest.raises(ModelFailed):
        await said(talk.ask("Two?"))
    assert len(talk.exchanges) == 1
    assert await said(talk.retry()) == "two"
    assert texts(model.requests[-1])[-1] == ("user", "Two?") and len(talk.exchanges) == 2


async def test_the_oldest_images_are_left_out_where_there_are_too_many():
    model = fake("ok")
    talk = conversation(model)
    for _ in range(3):
        await said(talk.ask("And these?", [SPOT] * 6))
    counts = [len(message.images) for message in model.requests[-1].messages]
    assert counts == [4, 0, 6, 0, 6] and sum(counts) == MAX_IMAGES


async def test_options_of_a_team_wait_for_a_team():
    model = fake("Answer: 4")
    settings = ChatSettings(models=(model,), options={"agents": 3, "first_wave": 3})
    talk = Conversation(settings)
    await said(talk.ask("What is 2 + 2?"))
    talk.settings = ChatSettings(models=(model,), mode=Mode.CONTEMPLATING, options=settings.options)
    async with aclosing(talk.ask("And now?")) as events:
        ended = [event async for event in events][-1]
    assert isinstance(ended, RunEnded) and len(model.requests) == 4
    with pytest.raises(MuseError):
        ChatSettings(models=("nowhere",)).team()


async def test_the_native_model_answers_turn_after_exchange():
    talk = Conversation(ChatSettings(mode=Mode.INSTANT))
    for question in ("Use 25, 3, 7 and 12 to make 66.", "Use 1, 2 and 3 to make 6."):
        await said(talk.ask(question))
    assert [each.by for each in talk.exchanges] == ["nano", "nano"]
    kept = transcript(talk)
    assert "## Question\n\nUse 1, 2 and 3 to make 6.\n\n## nano\n\n" in kept
