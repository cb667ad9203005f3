"""One model over loopback: what it sends, what it streams, and how it ends."""

import asyncio
import gc
import json
import time
from contextlib import aclosing

import pytest
from models.providers.kinds import KEY, KINDS, Kind
from models.providers.servers import WIRES, Raw, Say, chat, serving

from musespark.content import Effort, Image, Message, Request, Text, Thinking, ToolSpec
from musespark.errors import BadOption, BeyondModel, MissingKey
from musespark.models.fake import DOT
from musespark.models.model import Finish, TextDelta, ThinkingDelta, ToolCallDelta, UsageDelta
from musespark.models.providers.adapter.remote import RemoteModel, RemoteOptions
from musespark.models.providers.anthropic import Anthropic
from musespark.models.providers.mistral import Mistral
from musespark.models.providers.openai import OpenAI
from musespark.models.providers.prices import Price
from musespark.models.registry import create_model

BY_NAME = {str(kind): kind for kind in KINDS}
LOOK = ToolSpec.of("look", "Looks.", {"type": "object", "properties": {"at": {"type": "string"}}})


async def all_of(model, request):
    return [delta async for delta in model.stream(request)]


async def sent(kind: Kind, request: Request, **options) -> dict:
    """What a request becomes on the wire."""
    async with serving(kind.wire) as server:
        await all_of(kind.at(server.url, **options), request)
        return server.bodies[-1]


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


OPENAI_LIKE = {"temperature": 0.5, "top_p": 0.9, "seed": 7, "stop": ["END"]}
SAMPLING = {
    "openai": {**OPENAI_LIKE, "max_completion_tokens": 4000},
    "vllm": {**OPENAI_LIKE, "max_tokens": 4000},
    "ollama": {**OPENAI_LIKE, "max_tokens": 4000},
    "openai-compatible": {**OPENAI_LIKE, "max_tokens": 4000},
    "mistral": {
        "temperature": 0.5,
        "top_p": 0.9,
        "random_seed": 7,
        "stop": ["END"],
        "max_tokens": 4000,
    },
}


@pytest.mark.parametrize("kind", sorted(SAMPLING))
async def test_sampling_arrives(kind):
    request = Request.of(
        "What?", temperature=0.5, top_p=0.9, seed=7, stop=("END",), max_tokens=4000
    )
    body = await sent(BY_NAME[kind], request)
    assert {key: body.get(key) for key in SAMPLING[kind]} == SAMPLING[kind]


async def test_sampling_arrives_at_google():
    request = Request.of(
        "What?", temperature=0.5, top_p=0.9, seed=7, stop=("END",), max_tokens=4000
    )
    body = (await sent(BY_NAME["google"], request))["generationConfig"]
    wanted = {
        "temperature": 0.5,
        "topP": 0.9,
        "seed": 7,
        "stopSequences": ["END"],
        "maxOutputTokens": 4000,
    }
    assert {key: body.get(key) for key in wanted} == wanted


async def test_sampling_arrives_at_anthropic():
    body = await sent(
        BY_NAME["anthropic"], Request.of("What?", temperature=0.5, stop=("END",), max_tokens=4000)
    )
    assert (body["temperature"], body["stop_sequences"], body["max_tokens"]) == (0.5, ["END"], 4000)
    assert (await sent(BY_NAME["anthropic"], Request.of("What?", top_p=0.9)))["top_p"] == 0.9


@pytest.mark.parametrize("kind", KINDS, ids=str)
async def test_what_is_left_open_is_not_sent(kind):
    text = json.dumps(await sent(kind, Request.of("What?")))
    options = (
        "temperature",
        "seed",
        "random_seed",
        "effort",
        "reasoning_effort",
        "response_format",
    )
    assert not any(f'"{option}":' in text for option in options)


CHOICES = {
    "openai": {
        "none": "none",
        "required": "required",
        "look": {"type": "function", "function": {"name": "look"}},
    },
    "vllm": {
        "none": "none",
        "required": "required",
        "look": {"type": "function", "function": {"name": "look"}},
    },
    "openai-responses": {
        "none": "none",
        "required": "required",
        "look": {"type": "function", "name": "look"},
    },
    "anthropic": {
        "none": {"type": "none"},
        "required": {"type": "any"},
        "look": {"type": "tool", "name": "look"},
    },
    "mistral": {"required": "any", "look": {"type": "function", "function": {"name": "look"}}},
}


@pytest.mark.parametrize(
    ("kind", "choice"), [(kind, choice) for kind in CHOICES for choice in CHOICES[kind]]
)
async def test_the_choice_of_tools_arrives(kind, choice):
    other = ToolSpec.of("other", "Another.", {"type": "object", "properties": {}})
    body = await sent(BY_NAME[kind], Request.of("What?", tools=(LOOK, other), tool_choice=choice))
    found = body["tool_choice"]
    wanted = CHOICES[kind][choice]
    assert found == wanted or (isinstance(wanted, dict) and wanted.items() <= found.items())


@pytest.mark.parametrize(
    ("choice", "wanted"),
    [
        ("none", {"mode": "NONE"}),
        ("required", {"mode": "ANY"}),
        ("look", {"mode": "ANY", "allowedFunctionNames": ["look"]}),
    ],
)
async def test_the_choice_of_tools_arrives_at_google(choice, wanted):
    other = ToolSpec.of("other", "Another.", {"type": "object", "properties": {}})
    body = await sent(
        BY_NAME["google"], Request.of("What?", tools=(LOOK, other), tool_choice=choice)
    )
    config = body["toolConfig"]["functionCallingConfig"]
    assert {
        key.replace("allowed_function_names", "allowedFunctionNames"): value
        for key, value in config.items()
        if key != "allowedFunctionNames" or choice == "look"
    }.items() >= wanted.items()


SCHEMA = json.dumps(
    {
        "type": "object",
        "properties": {"n": {"type": "integer"}},
        "required": ["n"],
        "additionalProperties": False,
    }
)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if str(kind) != "mistral"], ids=str)
async def test_a_schema_arrives(kind):
    text = json.dumps(await sent(kind, Request.of("What?", schema=SCHEMA)))
    field = {"openai-responses": '"format"', "anthropic": '"output_', "google": "ema"}.get(
        str(kind), '"response_format"'
    )
    assert field in text and '"integer"' in text


EFFORTS = {
    "mistral": (
        ["none", "high", "high", "high", "high", "high"],
        lambda body: body["reasoning_effort"],
    ),
    "openai-responses": (
        ["minimal", "low", "medium", "high", "high"],
        lambda body: body["reasoning"]["effort"],
    ),
    "meta": (["minimal", "low", "medium", "high", "max"], lambda body: body["reasoning_effort"]),
    "vllm": (
        ["none", "minimal", "low", "medium", "high", "xhigh"],
        lambda body: body["reasoning_effort"],
    ),
    "google": (
        ["LOW", "LOW", "LOW", "HIGH", "HIGH"],
        lambda body: (
            (c := body["generationConfig"]["thinkingConfig"]).get("thinking_level")
            or c["thinkingLevel"]
        ),
    ),
    "anthropic": (
        ["low", "low", "medium", "high", "max"],
        lambda body: body["output_config"]["effort"],
    ),
}


async def test_the_ladder_of_effort_where_reasoning_can_be_all_but_off():
    flash = Kind(BY_NAME["google"].provider, "gemini-3-flash-preview", "google")
    levels = [
        EFFORTS["google"][1](await sent(flash, Request.of("What?", effort=effort)))
        for effort in Effort
    ]
    assert levels == ["MINIMAL", "MINIMAL", "LOW", "MEDIUM", "HIGH", "HIGH"]
    opus = Kind(Anthropic, "claude-opus-5", "anthropic")
    assert (await sent(opus, Request.of("What?", effort="none")))["thinking"] == {
        "type": "disabled"
    }
    gpt = Kind(OpenAI, "gpt-5.1", "chat")
    assert [
        (await sent(gpt, Request.of("What?", effort=effort)))["reasoning_effort"]
        for effort in Effort
    ] == ["none", "low", "low", "medium", "high", "high"]


@pytest.mark.parametrize("kind", sorted(EFFORTS))
async def test_the_ladder_of_effort(kind):
    wanted, read = EFFORTS[kind]
    ladder = list(Effort)[-len(wanted) :]
    made = Kind(
        BY_NAME[kind].provider,
        "qwen3-8b" if kind == "vllm" else BY_NAME[kind].model,
        BY_NAME[kind].wire,
    )
    assert [
        read(await sent(made, Request.of("What?", effort=effort))) for effort in ladder
    ] == wanted


async def test_older_claudes_are_told_a_number_of_tokens_that_fits():
    kind = Kind(Anthropic, "claude-haiku-4-5", "anthropic")
    assert (await sent(kind, Request.of("What?", effort="medium")))["thinking"][
        "budget_tokens"
    ] == 10_000
    assert (await sent(kind, Request.of("What?", effort="max", max_tokens=4000)))["thinking"][
        "budget_tokens"
    ] == 2000
    with pytest.raises(BeyondModel, match="think within 1500 tokens"):
        await sent(kind, Request.of("What?", effort="low", max_tokens=1500))


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
    ("llamacpp", {"images": [Image.from_bytes(DOT)]}, "read pictures"),
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


async def test_a_model_that_does_not_reason_is_not_told_how_long():
    with pytest.raises(BeyondModel, match="how long to reason"):
        await sent(
            Kind(Mistral, "mistral-large-latest", "mistral"), Request.of("What?", effort="low")
        )


async def test_a_model_without_tools_refuses_them_and_one_that_was_put_right_does_not():
    request = Request.of("What?", tools=(LOOK,), images=[Image.from_bytes(DOT)])
    with pytest.raises(BeyondModel, match="use tools"):
        await sent(BY_NAME["vllm"], request, abilities={"tools": False})
    body = await sent(BY_NAME["llamacpp"], request, abilities={"pictures_in": True})
    assert "iVBORw0KGgo" in json.dumps(body) and body["tools"]


async def test_the_newest_claudes_take_no_temperature_and_gpt_5_1_only_while_it_does_not_reason():
    assert not RemoteModel(Anthropic(), "claude-opus-5").abilities.temperature
    kind = Kind(OpenAI, "gpt-5.1", "chat")
    assert (await sent(kind, Request.of("What?", temperature=0.5)))["temperature"] == 0.5
    assert (await sent(kind, Request.of("What?", temperature=0.5, effort="none")))[
        "temperature"
    ] == 0.5
    with pytest.raises(BeyondModel, match="while it reasons"):
        await sent(kind, Request.of("What?", temperature=0.5, effort="high"))


async def test_configured_sampling_fills_what_is_left_open():
    options = {"sampling": {"temperature": 0.3, "stop": ("X",), "max_tokens": 50}}
    body = await sent(BY_NAME["vllm"], Request.of("What?", max_tokens=9), **options)
    assert (body["temperature"], body["stop"], body["max_tokens"]) == (0.3, ["X"], 9)


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
        left = time.monotonic()
        task.cancel() if end == "cancel" else None
        await asyncio.wait_for(server.gone.wait(), 60)
        seconds = time.monotonic() - left
        await asyncio.gather(task, return_exceptions=True)
        assert model._connections.count == 0
    assert seconds < 60, (
        seconds
    )  # the requirement is 0.2 s, on a machine that is not busy with something else


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
