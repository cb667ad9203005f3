"""One model over loopback: what it sends, what it streams, and how it ends."""

import asyncio
import gc
import json
from contextlib import aclosing

import pytest
from models.providers.kinds import KEY, KINDS
from models.providers.sending import BY_NAME, LOOK, SCHEMA, all_of, sent
from models.providers.servers import WIRES, Raw, Say, serving
from models.providers.wires import chat

from musespark.content import Image, Message, Request, Text, Thinking
from musespark.errors import BadOption, BeyondModel, MissingKey
from musespark.models.fake import DOT
from musespark.models.model import Finish, TextDelta, ThinkingDelta, ToolCallDelta, UsageDelta
from musespark.models.providers.adapter.remote import RemoteModel, RemoteOptions
from musespark.models.providers.openai import OpenAI
from musespark.models.providers.prices import Price
from musespark.models.registry import create_model


@pytest.mark.parametrize("kind", KINDS, ids=str)
async def test_a_reply_streams_as_it_comes_and_ends_whole(kind):
    say = Say(
        "The answer is 42.",
        "Let me think.",
        "c2ln",
        (("call_00001", "look", '{"at":"x"}'),),
        prompt=100,
        written=20,
    )
    async with serving(kind.wire, say) as server:
        model = kind.at(server.url)
        deltas = await all_of(model, Request.of("What?", tools=(LOOK,)))
        assert len(server.bodies) == 1
    assert (
        "".join(delta.text for delta in deltas if isinstance(delta, TextDelta))
        == "The answer is 42."
    )
    assert (
        "".join(delta.text for delta in deltas if isinstance(delta, ThinkingDelta))
        == "Let me think."
    )
    assert sum(isinstance(delta, TextDelta) for delta in deltas) > 1
    calls = [delta.call for delta in deltas if isinstance(delta, ToolCallDelta)]
    assert [(call.id, call.name, call.parsed()) for call in calls] == [
        ("call_00001", "look", {"at": "x"})
    ]
    first, last = (deltas[0], [delta for delta in deltas if isinstance(delta, UsageDelta)][-1])
    assert (first.usage.calls, first.usage.tokens) == (1, 0)
    usage = last.usage
    assert (usage.calls, usage.prompt_tokens, usage.tokens, usage.critical_path) == (
        1,
        100,
        120,
        20,
    )
    assert (usage.usd > 0) == (not kind.provider.is_local) and usage.usd < 0.01
    finish = deltas[-1]
    assert (
        isinstance(finish, Finish)
        and finish.finish_reason == "finished"
        and finish.message.text == "The answer is 42."
    )
    assert {part.made_by for part in finish.message.parts} == {model.name}


@pytest.mark.parametrize("kind", KINDS, ids=str)
async def test_a_reply_that_reached_its_limit_says_so(kind):
    async with serving(kind.wire, Say("So far", why="length")) as server:
        finish = (await all_of(kind.at(server.url), Request.of("What?", max_tokens=3000)))[-1]
    assert finish.finish_reason == "length"


@pytest.mark.parametrize("kind", KINDS, ids=str)
async def test_text_images_instructions_and_turns_arrive_in_order(kind):
    said = (
        Message("system", (Text("Be brief."),)),
        Message.user("one"),
        Message("assistant", (Text("two"),)),
        Message.user("three", Image.from_bytes(DOT), "four"),
    )
    can_see = kind.model != "any"
    messages = said if can_see else (*said[:3], Message.user("three", "four"))
    text = json.dumps(await sent(kind, Request(messages=messages)))
    order = ["one", "two", "three", *(["iVBORw0KGgo"] if can_see else []), "four"]
    places = [text.index(piece) for piece in order]
    assert places == sorted(places) and "Be brief." in text


@pytest.mark.parametrize("kind", KINDS, ids=str)
async def test_what_a_model_drew_is_shown_to_the_next(kind):
    if kind.model == "any":
        pytest.skip("it does not see")
    drew = Message("assistant", (Text("Here."), Image.from_bytes(DOT)))
    text = json.dumps(
        await sent(
            kind, Request(messages=(Message.user("Draw."), drew, Message.user("What is it?")))
        )
    )
    assert text.index("Here.") < text.index("iVBORw0KGgo") < text.index("What is it?")


REFUSED = [
    ("anthropic", {"seed": 1}, "be given a seed"),
    ("anthropic", {"temperature": 1.5}, "temperature of 1.5"),
    ("anthropic", {"temperature": 0.5, "top_p": 0.5}, "both"),
    ("anthropic", {"temperature": 0.5, "effort": "high"}, "while it thinks"),
    ("openai-responses", {"temperature": 0.5}, "be given a temperature"),
    ("openai-responses", {"seed": 1}, "be given a seed"),
    ("openai-responses", {"stop": ("x",)}, "texts to stop at"),
    ("openai-responses", {"effort": "none"}, "answer without reasoning"),
    ("openai", {"effort": "high"}, "how long to reason"),
    ("openai", {"stop": tuple("abcde")}, "5 texts to stop at"),
    ("meta", {"effort": "none"}, "answer without reasoning"),
    ("meta", {"stop": ("x",)}, "texts to stop at"),
    ("meta", {"tools": (LOOK,), "tool_choice": "required"}, "choose tools by 'required'"),
    ("meta", {"tools": (LOOK,), "tool_choice": "none"}, "choose tools by 'none'"),
    ("ollama", {"tools": (LOOK,), "tool_choice": "required"}, "choose tools"),
    ("mistral", {"schema": SCHEMA}, "held to a schema"),
    ("llamacpp", {"images": [Image.from_bytes(DOT)]}, "read images"),
    ("google", {"images": [Image(b"GIF89a", "image/gif")]}, "read image/gif"),
    ("openai", {"images": [Image(b"BM", "image/bmp")]}, "read image/bmp"),
]


@pytest.mark.parametrize(("kind", "options", "said"), REFUSED)
async def test_what_a_model_cannot_do_is_refused_before_anything_is_sent(kind, options, said):
    async with serving(BY_NAME[kind].wire) as server:
        model = BY_NAME[kind].at(server.url)
        with pytest.raises(BeyondModel, match=said) as caught:
            await all_of(model, Request.of("What?", **options))
        assert server.connections == 0
    assert (
        model.name in str(caught.value)
        and str(caught.value).count(";") == 1
        and str(caught.value).endswith(".")
    )


async def test_a_model_without_tools_refuses_them_and_one_that_was_put_right_does_not():
    request = Request.of("What?", tools=(LOOK,), images=[Image.from_bytes(DOT)])
    with pytest.raises(BeyondModel, match="use tools"):
        await sent(BY_NAME["vllm"], request, abilities={"tools": False})
    body = await sent(BY_NAME["llamacpp"], request, abilities={"pictures_in": True})
    assert "iVBORw0KGgo" in json.dumps(body) and body["tools"]


async def test_configured_prices_count():
    async with serving("chat", Say("4", prompt=1000, written=100)) as server:
        deltas = await all_of(
            BY_NAME["vllm"].at(server.url, price=Price(1e-6, 2e-6)), Request.of("What?")
        )
    assert deltas[-2].usage.usd == pytest.approx(1000e-6 + 200e-6)


async def test_usage_is_estimated_while_it_streams():
    async with serving("chat", Raw(_cut(Say("word " * 400)), end="hang")) as server:
        model = BY_NAME["openai"].at(server.url)
        seen = []
        async with aclosing(model.stream(Request.of("x" * 400))) as stream:
            async for delta in stream:
                seen += [delta.usage] if isinstance(delta, UsageDelta) else []
                if len(seen) == 4:
                    break
    assert (
        len({usage.prompt_tokens for usage in seen[1:]}) == 1
        and 100 <= seen[1].prompt_tokens < 150
        and seen[0].tokens == 0
    )
    assert seen[3].tokens > seen[2].tokens > 300 and seen[3].usd > 0


def _cut(say: Say) -> str:
    """A reply without its end."""
    return chat(say).partition('"finish_reason": "stop"')[0].rpartition("data: ")[0]


@pytest.mark.parametrize("end", ["close", "cancel"])
@pytest.mark.parametrize("kind", KINDS, ids=str)
async def test_who_leaves_closes_the_connection_at_once(kind, end):
    # All but the last events: the reply goes on.
    whole = WIRES[kind.wire](Say("The answer is long " * 9))
    part = whole[: whole.index("\n\n", whole.index("is long")) + 2]
    async with serving(kind.wire, Raw(part, end="hang")) as server:
        model = kind.at(server.url)
        began = asyncio.Event()

        async def read() -> None:
            async with aclosing(model.stream(Request.of("What?"))) as stream:
                async for delta in stream:
                    if isinstance(delta, TextDelta):
                        began.set()
                        if end == "close":
                            return

        task = asyncio.create_task(read())
        await asyncio.wait_for(began.wait(), 20)
        task.cancel() if end == "cancel" else None
        await asyncio.wait_for(server.gone.wait(), 60)
        await asyncio.gather(task, return_exceptions=True)
        assert model._connections.count == 0


def test_it_can_be_asked_from_one_event_loop_after_another():
    model = None

    async def ask() -> str:
        nonlocal model
        async with serving("chat", Say("one"), Say("two")) as server:
            model = model or BY_NAME["vllm"].at(server.url)
            if model.address != server.url:
                model = BY_NAME["vllm"].at(server.url)
            both = await asyncio.gather(*(all_of(model, Request.of("What?")) for _ in range(2)))
            assert server.connections <= 2 and model._connections.count == 0
        return both[0][-1].message.text

    assert {asyncio.run(ask()), asyncio.run(ask())} <= {"one", "two"}
    gc.collect()  # what was left open would be noticed here


async def test_connections_are_kept_while_a_model_is_held_open():
    async with serving("chat", Say("1"), Say("2"), Say("3")) as server:
        model = BY_NAME["vllm"].at(server.url)
        async with model.open():
            for _ in range(3):
                await all_of(model, Request.of("What?"))
        assert server.connections == 1 and model._connections.count == 0


async def test_without_a_key_nothing_is_sent(monkeypatch):
    for kind in KINDS:
        for variable in kind.provider.key_variables:
            monkeypatch.delenv(variable, raising=False)
    async with serving("chat") as server:
        model = BY_NAME["openai"].at(server.url)
        with pytest.raises(MissingKey, match="OPENAI_API_KEY"):
            await all_of(model, Request.of("What?"))
        assert server.connections == 0
        # One's own servers need none; one that was named has to be there all the same.
        assert await all_of(BY_NAME["vllm"].at(server.url), Request.of("What?"))
        with pytest.raises(MissingKey, match="MY_KEY"):
            await all_of(BY_NAME["vllm"].at(server.url, key_env="MY_KEY"), Request.of("What?"))


async def test_the_key_is_read_when_it_is_used_and_sent_to_the_provider_alone(monkeypatch):
    async with serving("chat") as server:
        model = BY_NAME["openai"].at(server.url, key_env="MY_KEY")
        monkeypatch.setenv("MY_KEY", "  another-key\n")
        await all_of(model, Request.of("What?"))
        head = server.raw[-1].decode().lower()
    assert "authorization: bearer another-key\r\n" in head and KEY not in head
    assert "another-key" not in repr(model) + repr(model.__dict__)


@pytest.mark.parametrize("key", ["sk-1\nsk-2", "sk-\u00e9", "sk-1\tx"])
@pytest.mark.parametrize("kind", ["vllm", "openai", "anthropic"])
async def test_a_key_that_no_header_can_hold_is_refused_and_not_shown(kind, key, monkeypatch):
    monkeypatch.setenv("MY_KEY", key)
    with pytest.raises(MissingKey, match="MY_KEY") as raised:
        await all_of(
            BY_NAME[kind].at("http://127.0.0.1:9/v1", key_env="MY_KEY"), Request.of("What?")
        )
    assert "sk-" not in str(raised.value)


@pytest.mark.parametrize(
    ("name", "address", "said"),
    [
        ("", None, "openai:NAME"),
        *(
            ("gpt", address, "https://")
            for address in (
                "ftp://x",
                "http://x:99999/v1",
                "http://x:y/v1",
                "http:///v1",
                "http://x/v1?version=2",
                "http://[x/v1",
            )
        ),
    ],
)
def test_a_name_that_lacks_a_part_is_refused(name, address, said):
    with pytest.raises(BadOption, match=said):
        RemoteModel(OpenAI(), name, RemoteOptions(base_url=address))


async def test_thoughts_of_a_person_or_of_nobody_known_are_not_sent():
    reply = Message("assistant", (Thinking("private", "some other signature", "nano"), Text("4")))
    body = await sent(
        BY_NAME["openai"], Request(messages=(Message.user("2+2?"), reply, Message.user("Sure?")))
    )
    assert "private" not in json.dumps(body) and [
        message["role"] for message in body["messages"]
    ] == ["user", "assistant", "user"]


@pytest.mark.parametrize(
    ("model", "pixels"),
    [
        ("mistral:mistral-medium-latest", 1540),
        ("mistral:pixtral-large-latest", 1024),
        ("mistral:pixtral-12b-2409", 1024),
        ("google:gemini-2.5-pro", 3072),
    ],
)
def test_images_are_sent_no_larger_than_the_model_takes_them(model, pixels):
    assert create_model(model).abilities.longest_side == pixels
