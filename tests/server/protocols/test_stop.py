"""Texts to stop at: they reach the model, and which one ended the answer is told where the model tells."""

import anthropic
import openai
import pytest
from models.providers.servers import Say

from .test_signatures import asked, behind

ASK = [{"role": "user", "content": "What is 6 * 7?"}]
NATIVE = [{"role": "user", "content": "Use 25, 3, 7 and 12 to make 66."}]


@pytest.mark.parametrize("model", ["stops", "contemplating/stops"])
def test_which_one_it_was_in_every_protocol(openai_client, anthropic_client, model):
    options = {"model": model, "messages": ASK, "stop": ["END", "FIN"]}
    choice = openai_client.chat.completions.create(**options).choices[0]
    assert (choice.message.content, choice.finish_reason, choice.stop_reason) == (
        "4",
        "stop",
        "END",
    )
    last = list(openai_client.chat.completions.create(stream=True, **options))[-1].choices[0]
    assert (last.finish_reason, last.stop_reason) == ("stop", "END")
    asked_for = {
        "model": model,
        "messages": ASK,
        "max_tokens": 50,
        "stop_sequences": ["END", "FIN"],
    }
    done = anthropic_client.messages.create(**asked_for)
    assert (done.stop_reason, done.stop_sequence) == ("stop_sequence", "END")
    with anthropic_client.messages.stream(**asked_for) as stream:
        done = stream.get_final_message()
    assert (done.stop_reason, done.stop_sequence) == ("stop_sequence", "END")


def test_where_none_ended_it_none_is_named(openai_client, anthropic_client):
    choice = openai_client.chat.completions.create(model="plain", messages=ASK, stop="END").choices[
        0
    ]
    assert choice.finish_reason == "stop" and not hasattr(choice, "stop_reason")
    done = anthropic_client.messages.create(
        model="plain", messages=ASK, max_tokens=50, stop_sequences=["END"]
    )
    assert (done.stop_reason, done.stop_sequence) == ("end_turn", None)


@pytest.mark.parametrize("model", ["instant", "contemplating"])
def test_the_native_model_stops_too(native, model):
    with openai.OpenAI(base_url=f"{native.url}/v1", api_key="none", max_retries=0) as client:
        whole = (
            client.chat.completions.create(model=model, messages=NATIVE).choices[0].message.content
        )
        chunks = list(
            client.chat.completions.create(
                model=model, messages=NATIVE, stop=["-7", "never"], stream=True
            )
        )
        text = "".join(choice.delta.content or "" for chunk in chunks for choice in chunk.choices)
        assert "-7" in whole and text == whole.partition("-7")[0]
        assert chunks[-1].choices[0].stop_reason == "-7" and "verified" in chunks[-1].muse
    with anthropic.Anthropic(base_url=native.url, api_key="none", max_retries=0) as client:
        done = client.messages.create(
            model=model, messages=NATIVE, max_tokens=200, stop_sequences=["-7"]
        )
        assert (done.content[-1].text, done.stop_reason, done.stop_sequence) == (
            text,
            "stop_sequence",
            "-7",
        )


@pytest.mark.parametrize(("sequences", "named"), [(["END"], "END"), (["END", "FIN"], None)])
async def test_anthropic_tells_that_one_ended_it(monkeypatch, sequences, named):
    async with (
        behind(monkeypatch, Say("4", stop="END")) as (provider, server),
        asked(server) as client,
    ):
        done = await client.messages.create(
            model="there", messages=ASK, max_tokens=50, stop_sequences=sequences
        )
    assert provider.bodies[0]["stop_sequences"] == sequences
    assert (done.stop_reason, done.stop_sequence) == ("stop_sequence", named)


@pytest.mark.parametrize(("stop", "told"), [("END", "END"), ("", None), ("OTHER", None)])
async def test_vllm_tells_which(monkeypatch, stop, told):
    there = behind(monkeypatch, Say("4", stop=stop), wire="chat", kind="vllm:qwen3")
    async with there as (provider, server), asked(server) as client:
        done = await client.messages.create(
            model="there", messages=ASK, max_tokens=50, stop_sequences=["END", "FIN"]
        )
    assert provider.bodies[0]["stop"] == ["END", "FIN"]
    assert (done.stop_reason, done.stop_sequence) == ("stop_sequence" if told else "end_turn", told)
