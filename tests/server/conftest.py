"""A live server on loopback for the whole session, over models that play scripts and over the native one."""

import asyncio
import threading
import time
from contextlib import contextmanager

import pytest
import uvicorn

from musespark.config import Config, Roles
from musespark.content import ToolCall
from musespark.models.fake import DOT, Fail, FakeModel, Hang, Wait
from musespark.models.model import (
    Abilities,
    Finish,
    ImageDelta,
    TextDelta,
    ThinkingDelta,
    ToolCallDelta,
    UsageDelta,
)
from musespark.server.app import make_app
from musespark.server.http.bounded_protocol import BoundedHttpProtocol
from musespark.server.state import ServerSettings
from musespark.usage import Usage

ABLE = Abilities(
    conversation=True,
    tools=True,
    tool_choice=True,
    pictures_in=True,
    pictures_out=True,
    context=100_000,
    top_p=True,
    stop=True,
    schema=True,
    effort=True,
)


def says(*texts, thought="Hm. ", tokens=10, prompt=4, wait=0.0, why="finished"):
    """A script that answers in pieces."""
    thoughts = [ThinkingDelta(thought)] if thought else []
    return [
        Wait(wait),
        *thoughts,
        *map(TextDelta, texts),
        UsageDelta(Usage(tokens=tokens, prompt_tokens=prompt, usd=0.001)),
        Finish(why),
    ]


def parrot(request, number):
    """Repeats the last thing it was told, whoever said it."""
    last = request.messages[-1]
    results = [
        item.text
        for part in last.parts
        for item in getattr(part, "content", ())
        if hasattr(item, "text")
    ]
    return says(" | ".join(results) or last.text)


def weather(request, number):
    """Asks for the weather in two cities at once, then says what it was told."""
    results = [
        item.text
        for message in request.messages
        for part in message.parts
        for item in getattr(part, "content", ())
    ]
    if results:
        return says("It is " + " and ".join(results) + ".")
    return [
        ToolCallDelta(ToolCall("call_paris", "weather", '{"city": "Paris"}')),
        ToolCallDelta(ToolCall("call_rome", "weather", '{"city": "Rome"}')),
        UsageDelta(Usage(tokens=9, prompt_tokens=5)),
        Finish(),
    ]


def forgetful(request, number):
    """Writes half an answer as the merger and breaks off."""
    if request.stage == "merge":
        return [TextDelta("Half an ans"), Fail(400, "it fell over")]
    return says(
        f"Prose number {number}: the weather of day {number} was unlike any other day, said nobody twice."
    )


def scripts():
    """The models of the server under test, by name."""
    return {
        "plain": FakeModel(says("4", "2"), name="plain", abilities=ABLE),
        "parrot": FakeModel(parrot, name="parrot", abilities=ABLE),
        "weather": FakeModel(weather, name="weather", abilities=ABLE),
        "json": FakeModel(says('{"answer": 42}'), name="json", abilities=ABLE),
        "prose": FakeModel(says("The answer is 42."), name="prose", abilities=ABLE),
        "long": FakeModel(says("one two", why="length"), name="long", abilities=ABLE),
        "stops": FakeModel(
            [TextDelta("4"), UsageDelta(Usage(tokens=3, prompt_tokens=2)), Finish(stop="END")],
            name="stops",
            abilities=ABLE,
        ),
        "painter": FakeModel(
            [ImageDelta(DOT, 1, 1, "a dot"), *says("Done.")], name="painter", abilities=ABLE
        ),
        "halting": FakeModel(
            [*says("4")[:-2], Wait(0.1), *says("2")[2:]], name="halting", abilities=ABLE
        ),
        "broken": FakeModel([Wait(0.0), Fail(400, "it is broken")], name="broken", abilities=ABLE),
        "late-broken": FakeModel(
            [TextDelta("Well, "), Wait(0.1), Fail(400, "it broke")],
            name="late-broken",
            abilities=ABLE,
        ),
        "slow": FakeModel(says("slowly", wait=1.5), name="slow", abilities=ABLE),
        "hang": FakeModel([TextDelta("4"), Hang()], name="hang", abilities=ABLE),
        "crash": FakeModel("crash", name="crash", abilities=ABLE),
        "forgetful": FakeModel(forgetful, name="forgetful", abilities=ABLE),
        "half": FakeModel(says("half a character: \ud83d"), name="half", abilities=ABLE),
    }


class Live:
    """A server at work in a thread."""

    def __init__(self, server, url, models):
        self.server, self.url, self.models = server, url, models

    def running(self, name):
        """Streams of a model that are open."""
        return self.models[name].running


@contextmanager
def live(models=None, config=None, *, protocol=BoundedHttpProtocol, **options):
    """Start a server, and stop it in the end."""
    models = models if models is not None else scripts()
    options.setdefault("settings", ServerSettings(hosts=("127.0.0.1", "localhost")))
    app = make_app(config, models=models, **options)
    server = uvicorn.Server(
        uvicorn.Config(
            app,
            host="127.0.0.1",
            port=0,
            log_level="critical",
            timeout_graceful_shutdown=2,
            ws="websockets-sansio",
            http=protocol,
        )
    )
    thread = threading.Thread(target=lambda: asyncio.run(server.serve()))
    thread.start()
    end = time.monotonic() + 60
    while not server.started and time.monotonic() < end:
        time.sleep(0.01)
    assert server.started
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield Live(server, f"http://127.0.0.1:{port}", models)
    finally:
        server.should_exit = True
        thread.join(60)
        assert not thread.is_alive()


@pytest.fixture(scope="session")
def served():
    """The server that most tests share; `contemplating` and the other modes mean the model that says 42."""
    with live(config=Config(roles=Roles(explorer=("plain",)))) as server:
        yield server


@pytest.fixture(scope="session")
def native():
    """A server with nothing but the native model."""
    with live(models={}) as server:
        yield server


@pytest.fixture(scope="session")
def openai_client(served):
    """OpenAI's own client."""
    import openai

    with openai.OpenAI(base_url=f"{served.url}/v1", api_key="none", max_retries=0) as client:
        yield client


@pytest.fixture(scope="session")
def anthropic_client(served):
    """Anthropic's own client."""
    import anthropic

    with anthropic.Anthropic(base_url=served.url, api_key="none", max_retries=0) as client:
        yield client
