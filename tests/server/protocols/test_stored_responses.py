"""Stored responses, through OpenAI's own client."""

import openai
import pytest
from server.conftest import ABLE, live, says

from musespark.config import Config, Roles
from musespark.content import Mode
from musespark.events import AnswerDelta, RunStarted, Thought
from musespark.models.fake import FakeModel, Wait
from musespark.server.protocols.responses.stored_responses import response_of
from musespark.store.runs.record import RunHeader, StoredRun

from .test_responses import ASK, TOOLS


@pytest.mark.parametrize("model", ["plain", "painter", "weather", "long"])
def test_a_response_is_read_again_as_it_was(openai_client, model):
    done = openai_client.responses.create(model=model, input=ASK, tools=TOOLS)
    again = openai_client.responses.retrieve(done.id)
    assert again.model_copy(update={"tools": done.tools}) == done and again.tools == []


def test_of_a_team_too_and_without_what_was_void(openai_client):
    done = openai_client.responses.create(model="contemplating", input=ASK)
    again = openai_client.responses.retrieve(done.id)
    assert again.output_text == "42" and again.usage == done.usage and again.status == "completed"
    assert "Decided by vote" in again.output[0].summary[0].text
    void = openai_client.responses.create(
        model="contemplating/forgetful",
        input=ASK,
        extra_body={"muse": {"aggregate": "merge", "agents": 2, "rounds": 0}},
    )
    assert openai_client.responses.retrieve(void.id).output_text == void.output_text


def test_a_failed_one_says_so(openai_client, served):
    with openai_client.responses.stream(model="late-broken", input=ASK) as stream:
        id = next(iter(stream)).response.id
        assert [event.type for event in stream][-1] == "response.failed"
    again = openai_client.responses.retrieve(id)
    assert (
        again.status == "failed" and "it broke" in again.error.message and again.output_text == ""
    )  # it counts for nothing


def test_a_deleted_one_is_gone(openai_client):
    done = openai_client.responses.create(model="plain", input=ASK)
    assert openai_client.responses.delete(done.id) is None
    for ask in (openai_client.responses.retrieve, openai_client.responses.delete):
        with pytest.raises(openai.NotFoundError, match="There is no response"):
            ask(done.id)
    with pytest.raises(openai.BadRequestError, match="There is no response"):
        openai_client.responses.create(model="plain", input="And?", previous_response_id=done.id)


def test_what_is_no_response_is_not_found(openai_client):
    unstored = openai_client.responses.create(model="plain", input=ASK, store=False)
    chat = openai_client.chat.completions.create(
        model="plain", messages=[{"role": "user", "content": ASK}]
    )
    for id in (unstored.id, chat.muse["run"], "resp_nothing"):
        with pytest.raises(openai.NotFoundError):
            openai_client.responses.retrieve(id)
    with pytest.raises(openai.BadRequestError, match="cannot be streamed"):
        openai_client.responses.retrieve("resp_nothing", stream=True)


def test_one_that_goes_on_is_told_as_far_as_it_is_and_not_deleted():
    script = [*says("4", "2")[:-2], Wait(3.0), *says()[-2:]]
    models = {"pauses": FakeModel(script, name="pauses", abilities=ABLE)}
    with (
        live(models, Config(roles=Roles(explorer=("pauses",)))) as server,
        openai.OpenAI(base_url=f"{server.url}/v1", api_key="none", max_retries=0) as client,
        client.responses.stream(model="pauses", input=ASK) as stream,
    ):
        id = next(iter(stream)).response.id
        next(event for event in stream if event.type == "response.output_text.delta")
        now = client.responses.retrieve(id)
        assert now.status == "in_progress" and "42".startswith(now.output_text)
        with pytest.raises(openai.BadRequestError, match="still in progress"):
            client.responses.delete(id)
        assert [event.type for event in stream][-1] == "response.completed"


def test_one_that_was_interrupted_or_cancelled():
    events = [RunStarted("r", Mode.THINKING, "m", "?"), Thought("main", "Hm."), AnswerDelta("4")]
    kept = StoredRun(
        header=RunHeader(id="r", protocol="responses", model="m", conversation=()),
        events=events,
        status="interrupted",
    )
    found = response_of(kept)
    assert (found["status"], found["error"]["message"]) == ("failed", "The server had to stop.")
    kept.status = "cancelled"
    found = response_of(kept)
    assert found["status"] == "cancelled" and found["output"][-1]["content"][0]["text"] == "4"
