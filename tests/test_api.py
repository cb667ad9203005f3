import asyncio
import os
import signal
import threading
import time
from contextlib import aclosing

import numpy as np
import pytest

import musespark
from musespark import errors
from musespark.models.fake import FakeModel
from musespark.models.model import Finish, TextDelta
from musespark.trace import read_trace


async def test_options_of_an_earlier_version_are_read(tmp_path):
    model = FakeModel(lambda request, number: [TextDelta("42"), Finish()])
    answer = await musespark.ask(
        "?", model=model, agents=3, first=3, rounds=0, kind="sums", store=tmp_path / "votes.db"
    )
    assert answer.answer == "42" and len(model.requests) == 3


async def test_ask_collects_the_stream(tmp_path):
    model = FakeModel("team")
    answer = await musespark.ask(
        "Which?",
        model=model,
        images=[np.zeros((2, 2, 3), np.uint8)],
        mode="contemplating",
        threads=3,
        seed=7,
        trace=tmp_path,
    )
    assert str(answer) == answer.answer == "42"
    assert answer.verified and not answer.truncated
    assert (answer.usage.tokens, answer.usage.critical_path, answer.usage.threads) == (20, 9, 2)
    assert len(answer.images) == 1
    assert read_trace(tmp_path) == list(answer.events)
    request = model.requests[0]
    assert (request.threads, request.seed, len(request.images), model.running) == (3, 7, 1, 0)


async def test_stream_gives_the_events_as_they_happen():
    kinds = [event.kind async for event in musespark.stream("Which?", model="fake")]
    assert kinds == [
        "run_started",
        "agent_started",
        "thought",
        "answer_delta",
        "verified",
        "spent",
        "agent_returned",
        "run_ended",
    ]


@pytest.mark.parametrize(
    "option", [{"agents": 3}, {"first_wave": 1}, {"rounds": 0}, {"aggregate": "vote"}]
)
async def test_what_only_a_team_has_is_refused_where_there_is_none(option):
    with pytest.raises(errors.BadOption, match="left out: only contemplating has a team"):
        await musespark.ask("Which?", model="fake", mode="thinking", **option)


async def test_leaving_the_stream_stops_the_model():
    model = FakeModel("hang")
    async with aclosing(musespark.stream("Which?", model=model)) as events:
        async for event in events:
            if event.kind == "answer_delta":
                break
        assert model.running == 1
    assert model.running == 0


async def test_limits_give_the_best_answer_so_far():
    answer = await musespark.ask("Which?", model="fake:hang", budget=musespark.Limits(seconds=0.05))
    assert (str(answer), answer.finish_reason) == ("4", "budget")


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"mode": "hasty"}, errors.UnknownMode),
        ({"model": "oracle"}, errors.UnknownModel),
        ({"model": "fake:oracle"}, errors.UnknownModel),
        ({"threads": 0}, errors.BadOption),
        ({"images": ["/nowhere.png"]}, errors.MissingFile),
        ({"images": [b"GIF89a"]}, errors.BadImage),
    ],
)
async def test_bad_input_is_told_before_anything_runs(options, error):
    with pytest.raises(error):
        await musespark.ask("Which?", **{"model": "fake", **options})


def test_ask_sync_in_a_script():
    assert str(musespark.ask_sync("Which?", model="fake")) == "42"


async def test_ask_sync_in_a_notebook_whose_loop_is_running():
    assert str(musespark.ask_sync("Which?", model="fake")) == "42"
    with pytest.raises(errors.ModelFailed):
        musespark.ask_sync("Which?", model="fake:error")


async def test_interrupting_ask_sync_in_a_notebook_stops_the_model():
    model = FakeModel("hang")

    def interrupt_once_it_runs() -> None:
        while not model.running:
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGINT)

    previous = signal.signal(signal.SIGINT, signal.default_int_handler)
    interrupter = threading.Thread(target=interrupt_once_it_runs)
    try:
        interrupter.start()
        with pytest.raises(KeyboardInterrupt):
            musespark.ask_sync("Which?", model=model)
    finally:
        interrupter.join()
        signal.signal(signal.SIGINT, previous)
    assert model.running == 0


async def test_a_cancelled_ask_leaves_no_task():
    model = FakeModel("hang")
    task = asyncio.create_task(musespark.ask("Which?", model=model))
    while not model.running:
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert model.running == 0
    assert asyncio.all_tasks() == {asyncio.current_task()}


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"agentz": 3}, "'agents', perhaps"),
        ({"zzz": 1}, "one of"),
        ({"model": 42}, "a name or a model"),
        ({"model": "fake", "judge": 42}, "a name or a model"),
        ({"temperature": "hot"}, "a number"),
        ({"model": "fake", "agents": 0}, "whole number"),
        ({"model": "fake", "tools": ["wish"]}, "python"),
    ],
)
async def test_an_option_that_cannot_be_is_one_sentence(options, says):
    with pytest.raises(errors.BadOption, match=says):
        await musespark.ask("Which?", **options)
