"""Responses over a WebSocket, through a client that knows nothing of this server."""

import json
import time

import httpx
import openai
import pytest
from server.conftest import live, says
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from musespark.models.fake import FakeModel, Hang
from musespark.server.http.bounded_protocol import BoundedHttpProtocol
from musespark.server.state import ServerSettings

TERMINAL = ("response.completed", "response.incomplete", "response.failed", "error")


@pytest.fixture
def socket(served):
    """A connection to the server that most tests share."""
    with connect(address(served)) as connection:
        yield connection


def address(server):
    """Destinations of connections."""
    return server.url.replace("http", "ws") + "/v1/responses"


def ask(connection, **body):
    """All events of a request."""
    connection.send(json.dumps({"type": "response.create", "model": "parrot", **body}))
    events = [json.loads(connection.recv(timeout=60))]
    while events[-1]["type"] not in TERMINAL:
        events.append(json.loads(connection.recv(timeout=60)))
    return events


def text_of(events):
    """The text of a response that is complete."""
    response = events[-1]["response"]
    assert response["status"] == "completed"
    return "".join(
        part["text"]
        for item in response["output"]
        if item["type"] == "message"
        for part in item["content"]
    )


def code_of(events):
    """The code of an error."""
    assert [event["type"] for event in events] == ["error"]
    return events[0]["error"]["code"]


@pytest.mark.parametrize("model", ["plain", "contemplating"])
def test_the_events_are_those_of_http(served, socket, model):
    events = ask(socket, model=model, input="6 * 7?")
    assert text_of(events) == "42"
    assert [event["sequence_number"] for event in events] == list(range(len(events)))
    with openai.OpenAI(base_url=f"{served.url}/v1", api_key="none") as client:
        streamed = client.responses.create(model=model, input="6 * 7?", stream=True)
        kinds = [event.type for event in streamed]
        assert sorted({event["type"] for event in events}) == sorted(set(kinds))
        stored = client.responses.retrieve(events[-1]["response"]["id"])
        assert stored.output_text == "42"


def test_responses_follow_each_other_on_one_connection(socket):
    for word in ("first", "second"):
        assert text_of(ask(socket, input=word, store=False)) == word


def test_what_is_not_stored_is_continued_on_its_connection_alone(served, socket):
    first = ask(socket, input="cobalt", store=False)[-1]["response"]["id"]
    second = ask(socket, input="And?", store=False, previous_response_id=first)
    assert text_of(second) == "And?"
    assert second[-1]["response"]["previous_response_id"] == first
    sent = served.models["parrot"].requests[-1].messages
    assert [message.text for message in sent] == ["cobalt", "cobalt", "And?"]
    third = ask(
        socket, input="Yes.", store=False, previous_response_id=second[-1]["response"]["id"]
    )
    assert text_of(third) == "Yes."
    assert len(served.models["parrot"].requests[-1].messages) == 5
    with connect(address(served)) as other:
        id = third[-1]["response"]["id"]
        missing = ask(other, input="Still there?", store=False, previous_response_id=id)
        assert code_of(missing) == "previous_response_not_found"
        assert text_of(ask(other, input="new")) == "new"


def test_a_stored_response_is_continued_on_any_connection(served, socket):
    first = ask(socket, input="cobalt")[-1]["response"]["id"]
    with connect(address(served)) as other:
        second = ask(other, input="And?", store=False, previous_response_id=first)
        third = ask(
            other, input="So?", store=False, previous_response_id=second[-1]["response"]["id"]
        )
    sent = served.models["parrot"].requests[-1].messages
    assert text_of(third) == "So?"
    assert [message.text for message in sent] == ["cobalt", "cobalt", "And?", "And?", "So?"]


def test_a_request_that_fails_drops_what_it_was_to_continue(socket):
    first = ask(socket, input="ember", store=False)[-1]["response"]["id"]
    result = {"type": "function_call_output", "call_id": "nothing", "output": "?"}
    failed = ask(socket, input=[result], store=False, previous_response_id=first)
    assert code_of(failed) == "unknown_call" and failed[0]["status"] == 400
    stale = ask(socket, input="stale", store=False, previous_response_id=first)
    assert code_of(stale) == "previous_response_not_found"


def test_a_compacted_conversation_begins_a_new_chain(served, socket):
    compacted = httpx.post(
        f"{served.url}/v1/responses/compact", json={"model": "plain", "input": "slate"}
    ).json()
    items = [*compacted["output"], {"role": "user", "content": "compacted"}]
    assert text_of(ask(socket, input=items, tools=[], store=False)) == "compacted"


def test_a_response_without_output_is_a_beginning(served, socket):
    (*_, last) = ask(socket, input="Listen.", generate=False)
    assert last["type"] == "response.completed" and last["response"]["output"] == []
    id = last["response"]["id"]
    assert text_of(ask(socket, input="Now.", previous_response_id=id)) == "Now."
    sent = served.models["parrot"].requests[-1].messages
    assert [message.text for message in sent] == ["Listen.", "Now."]


def test_a_conversation_that_is_not_stored_has_the_limits_of_a_body(socket):
    (*_, last) = ask(socket, input="Listen.", generate=False)
    for _ in range(100):
        id = last["response"]["id"]
        (last,) = ask(socket, input="a" * 900_000, generate=False, previous_response_id=id)[-1:]
        if last["type"] == "error":
            break
    assert (last["error"]["code"], last["status"]) == ("too_large", 413)
    assert text_of(ask(socket, input="A new one.")) == "A new one."


def test_a_model_that_fails_ends_its_response_and_not_the_connection(socket):
    assert ask(socket, model="late-broken", input="?")[-1]["type"] == "response.failed"
    assert code_of(ask(socket, model="broken", input="?")) == "model_rejected"
    assert code_of(ask(socket, model="nothing", input="?")) == "model_not_found"
    assert text_of(ask(socket, input="still here")) == "still here"


@pytest.mark.parametrize(
    "raw", ["", "{", "[]", '{"type": "response.cancel"}', '{"model": "plain"}']
)
def test_what_is_no_request_is_an_error(socket, raw):
    socket.send(raw)
    event = json.loads(socket.recv(timeout=60))
    assert (event["type"], event["status"]) == ("error", 400)
    assert text_of(ask(socket, input="still here")) == "still here"


def test_what_is_read_counts_until_it_is_read_and_no_longer():
    models = {
        "plain": FakeModel(says("42"), name="plain"),
        "hang": FakeModel([Hang()], name="hang"),
    }
    with live(models) as server, connect(address(server)) as connection:
        memory = server.server.config.app.state.body_memory
        assert text_of(ask(connection, model="plain", input="?")) == "42" and memory.used == 0
        memory.limit = 10_000
        large = ask(connection, model="plain", input="a" * 10_000)
        assert (code_of(large), large[0]["status"], memory.used) == ("busy", 429, 0)
        connection.send(
            json.dumps({"type": "response.create", "model": "hang", "input": "a" * 9000})
        )
        while json.loads(connection.recv(timeout=60))["type"] != "response.in_progress":
            pass
        with connect(address(server)) as other:
            assert text_of(ask(other, model="plain", input="a" * 9000)) == "42"


def test_a_client_that_leaves_cancels_its_run(served):
    with connect(address(served)) as connection:
        for _ in range(4):  # one is answered, and the others wait
            connection.send(json.dumps({"type": "response.create", "model": "hang", "input": "?"}))
        while json.loads(connection.recv(timeout=60))["type"] != "response.output_text.delta":
            pass
        assert served.running("hang") == 1
    with connect(address(served)) as connection:
        for _ in range(600):
            if not served.running("hang"):
                break
            ask(connection, input="wait")
    assert served.running("hang") == 0


def test_a_connection_may_be_silent_for_longer_than_a_head_may_take():
    class Impatient(BoundedHttpProtocol):
        head_timeout = 0.2

    models = {"parrot": FakeModel(says("hello"), name="parrot")}
    with live(models, protocol=Impatient) as server, connect(address(server)) as connection:
        assert text_of(ask(connection, input="?")) == "hello"
        time.sleep(3 * Impatient.head_timeout)
        assert text_of(ask(connection, input="?")) == "hello"


@pytest.mark.parametrize(
    ("headers", "status"),
    [({"Origin": "https://evil.example"}, 403), ({"Host": "evil.example"}, 421)],
)
def test_pages_of_other_origins_and_other_hosts_get_no_connection(served, headers, status):
    with (
        pytest.raises(InvalidStatus) as refused,
        connect(address(served), additional_headers=headers),
    ):
        pass
    assert refused.value.response.status_code == status


def test_an_allowed_origin_gets_one():
    settings = ServerSettings(hosts=("127.0.0.1",), origins=("https://chat.example.com",))
    models = {"parrot": FakeModel(says("hello"), name="parrot")}
    with (
        live(models, settings=settings) as server,
        connect(address(server), origin="https://chat.example.com") as connection,
    ):
        assert text_of(ask(connection, input="?")) == "hello"
