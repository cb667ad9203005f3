"""Options of a request arrive at each provider in its own words: sampling, tools, schemas, efforts."""

import json

import pytest
from models.providers.kinds import KINDS, Kind
from models.providers.sending import BY_NAME, LOOK, SCHEMA, sent

from musespark.content import Effort, Request, ToolSpec
from musespark.errors import BeyondModel
from musespark.models.providers.adapter.remote import RemoteModel
from musespark.models.providers.anthropic import Anthropic
from musespark.models.providers.mistral import Mistral
from musespark.models.providers.openai import OpenAI

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


async def test_a_model_that_does_not_reason_is_not_told_how_long():
    with pytest.raises(BeyondModel, match="how long to reason"):
        await sent(
            Kind(Mistral, "mistral-large-latest", "mistral"), Request.of("What?", effort="low")
        )


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
