"""Options of a request on the wire: sampling to those that know it, schemas as they were given, JSON mode."""

import json

import pytest
from models.providers.kinds import KINDS, VARIABLES
from models.providers.servers import Say, serving

from musespark.content import Request, ToolSpec
from musespark.errors import BeyondModel
from musespark.models.capabilities import require_supported
from musespark.sampling import ALL, Sampling

OPEN = {
    "type": "object",
    "properties": {"a": {"type": "integer"}, "meta": {"type": "object", "title": "M"}},
    "required": ["a"],
    "$defs": {"d": {"type": "object"}},
}
TOOL = ToolSpec.of("t", "d", {"type": "object", "properties": {"o": {"type": "object"}}})
CHAT = [kind for kind in KINDS if kind.wire == "chat"]
OWN = [kind for kind in CHAT if kind.provider.has_open_body]
EVERY = Sampling(
    top_k=5,
    min_p=0.1,
    presence_penalty=0.5,
    frequency_penalty=-0.5,
    repetition_penalty=1.1,
    verbosity="low",
    logit_bias='{"7": -1}',
    extra='{"chat_template_kwargs": {"enable_thinking": false}}',
)
FIELDS = {
    "top_k": 5,
    "min_p": 0.1,
    "presence_penalty": 0.5,
    "frequency_penalty": -0.5,
    "repetition_penalty": 1.1,
    "verbosity": "low",
    "logit_bias": {"7": -1},
    "chat_template_kwargs": {"enable_thinking": False},
}


@pytest.fixture(autouse=True)
def keys(monkeypatch):
    for variable in VARIABLES:
        monkeypatch.delenv(variable, raising=False)
    for kind in KINDS:
        monkeypatch.setenv(kind.provider.key_variables[0], "sk-key")


async def body_of(kind, **options):
    """The body of a request, and what the model replied."""
    reply = json.dumps({"a": 1}) if "schema" in options or "json_mode" in options else "ok"
    async with serving(kind.wire, Say(reply)) as server:
        request = Request.of("What?", **options)
        async for _ in kind.at(server.url, abilities={"schema": True}).stream(request):
            pass
        return server.bodies[-1]


@pytest.mark.parametrize("kind", OWN, ids=str)
@pytest.mark.parametrize("tools", [(), (TOOL,)], ids=["fast path", "library"])
async def test_every_sampling_option_reaches_servers_of_open_models(kind, tools):
    body = await body_of(kind, sampling=EVERY, tools=tools)
    assert {name: body.get(name) for name in FIELDS} == FIELDS
    assert body["repeat_penalty"] == 1.1  # llama.cpp's name for it


@pytest.mark.parametrize("kind", KINDS, ids=str)
async def test_each_provider_is_sent_what_it_knows_and_asked_for_nothing_else(kind):
    async with serving(kind.wire) as server:
        model = kind.at(server.url)
    known = model.abilities.sampling
    assert known == ALL if kind in OWN else known < ALL
    values = {name: getattr(EVERY, name) for name in ALL}
    for name, value in values.items():
        request = Request.of("What?", sampling=Sampling(**{name: value}))
        if name in known:
            require_supported(model, request)
            sent = json.dumps(await body_of(kind, sampling=request.sampling))
            assert (
                name in sent
                or name.replace("_k", "K") in sent
                or _camel(name) in sent
                or (name == "extra")
            )
        else:
            with pytest.raises(BeyondModel, match="cannot be given"):
                require_supported(model, request)


def _camel(name):
    first, *rest = name.split("_")
    return first + "".join(part.title() for part in rest)


@pytest.mark.parametrize("kind", CHAT, ids=str)
@pytest.mark.parametrize("strict", [None, False, True])
async def test_a_schema_goes_as_it_was_given_with_its_name(kind, strict):
    body = await body_of(
        kind, schema=json.dumps(OPEN), schema_name="mine", schema_strict=strict, tools=(TOOL,)
    )
    told = body["response_format"]["json_schema"]
    assert (told["schema"], told["name"]) == (OPEN, "mine")
    assert told.get("strict") == (None if str(kind) == "ollama" else strict)  # it has no such field
    assert body["tools"][0]["function"]["parameters"] == json.loads(TOOL.parameters)


@pytest.mark.parametrize("kind", CHAT, ids=str)
async def test_json_mode_is_asked_for_as_such(kind):
    body = await body_of(kind, json_mode=True)
    if "response_format" in body:
        assert body["response_format"] == {"type": "json_object"}
        assert [message["content"] for message in body["messages"]] == ["What?"]
    else:
        assert "JSON" in json.dumps(body["messages"])


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in CHAT], ids=str)
async def test_json_mode_is_asked_for_in_words_where_there_is_none(kind):
    sent = json.dumps(await body_of(kind, json_mode=True))
    assert "json" in sent.lower() and "additionalProperties" not in sent


@pytest.mark.parametrize(
    ("field", "value"),
    [("top_k", 0), ("min_p", 2), ("presence_penalty", 3), ("verbosity", "loud"), ("top_k", True)],
)
def test_options_out_of_their_range_are_refused(field, value):
    with pytest.raises(Exception, match=field):
        Sampling(**{field: value})
