"""The native model behind the protocol, with networks that say what they are told."""

import asyncio
import json
import threading
import time
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest
from networks import SMALL, Scripted, play, random_weights

from musespark import ask, ask_sync, errors
from musespark.cli.app import run
from musespark.content import Image, Message, Request
from musespark.events import AgentCancelled, AgentReturned, AgentStarted, Pictured, Spent, Thought
from musespark.images import encode_png
from musespark.models import nano
from musespark.models.model import Finish, UsageDelta, VerifiedDelta
from musespark.models.nano import NanoModel
from musespark.nano import weights
from musespark.nano.engine import Engine
from musespark.nano.tasks.decline import SENTENCE

QUESTION = "Use 25, 3 and 22 to make 44."
TEAM = play(
    "<countdown><spawn><th>25-3<th>25+3<join>|<answer>(25-3)+22<eos>",
    **{
        "25-3": "=22y<ret>(25-3)+22<win>",
        "25+3": "=28n;28,22+50n-6n*616n" + "n" * 30 + "<ret><end>",
    },
)
IMAGE = encode_png(np.full((80, 80, 3), 200, np.uint8))


@pytest.fixture
def says(monkeypatch):
    """Let the model's network follow a script; gives the network."""

    def follow(script):
        network = Scripted(script)
        monkeypatch.setattr(nano, "load_engine", lambda path: Engine.of(network))
        return network

    return follow


def of(kind, answer):
    return [event for event in answer.events if isinstance(event, kind)]


async def test_a_team_answers_and_the_world_verifies_it(says):
    network = says(TEAM)
    answer = await ask(QUESTION, mode="contemplating")
    assert str(answer) == "(25-3)+22" and answer.verified
    assert [event.task for event in of(AgentStarted, answer)] == [QUESTION, "25-3", "25+3"]
    assert [event.text for event in of(AgentReturned, answer)] == ["(25-3)+22", "(25-3)+22"]
    assert len(of(AgentCancelled, answer)) == 1
    assert answer.usage.threads == 2
    assert answer.usage.critical_path == len(network.steps) < answer.usage.tokens
    assert network.open_sequences == 0


async def test_a_list_that_is_broken_off_is_not_told_but_what_is_thought_after_it_is(says):
    script = play(
        "<countdown><spawn><th>25-3<th>25+3+1+1+1+1+1+1+1<join>|so<answer>(25-3)+22<eos>",
        **{"25-3": "<ret>(25-3)+22<win>"},
    )
    says(script)
    answer = await ask(QUESTION, mode="contemplating")
    assert "".join(event.text for event in of(Thought, answer)) == "countdown: so"
    assert [event.usage.threads for event in of(Spent, answer)][-1] == answer.usage.threads == 1


async def test_threads_that_write_past_the_limit_together_do_not_make_it_a_budget(says):
    says(TEAM)
    for limit in range(9, 20):
        answer = await ask(QUESTION, mode="contemplating", max_tokens=limit)
        assert answer.finish_reason == "length"


async def test_an_answer_that_is_whole_is_verified_whatever_the_limit(says):
    says(TEAM)
    whole = (await ask(QUESTION, mode="contemplating")).usage.tokens
    for limit in range(whole - 3, whole + 3):
        answer = await ask(QUESTION, mode="contemplating", max_tokens=limit)
        ended = "finished" if limit >= whole else "length"
        assert (answer.finish_reason, answer.verified) == (ended, limit >= whole), limit
        assert bool(answer.detail) == (ended == "length")


@pytest.mark.parametrize(
    ("thought", "reason"),
    [
        ("".join(str(number) for number in range(400)), "tokens the model can see"),
        ("1" * 1100, "repeats itself"),
        ("25-3=22n" * 130, "repeats itself"),
    ],
)
def test_a_thought_that_leads_nowhere_ends_in_abstaining_and_not_in_advice_about_tokens(
    says, capsys, thought, reason
):
    says(play(f"<countdown>{thought}<answer>1<eos>"))
    answer = ask_sync(QUESTION, mode="thinking")
    assert (answer.status, answer.finish_reason) == ("abstained", "finished")
    assert reason in answer.abstained and reason in str(answer)
    assert run(["ask", QUESTION, "--mode", "thinking"]) == 3
    shown = capsys.readouterr()
    assert reason in shown.out and "max-tokens" not in shown.out + shown.err


def test_a_thought_that_goes_round_in_circles_is_stopped_early(says):
    says(play("<countdown>" + "1" * 1100 + "<answer>1<eos>"))
    assert ask_sync(QUESTION, mode="thinking").usage.tokens < 200


async def test_a_wrong_answer_is_not_shown_as_verified(says):
    says(play("<countdown><answer>25+22<eos>"))
    answer = await ask(QUESTION, mode="instant")
    assert str(answer) == "25+22" and not answer.verified
    assert answer.usage.tokens == answer.usage.critical_path == 8


async def test_the_model_abstains_from_anything_else_in_a_sentence(says):
    says(play("<decline><eos>"))
    answer = await ask("Who are you?", mode="thinking")
    assert str(answer) == SENTENCE and answer.status == "abstained" and not answer.verified


@pytest.mark.parametrize(
    ("question", "reason"),
    [
        ("Use 25, 3 and 22 to make 440.", "the target 440"),
        ("Use 25, 3, 7, 9 and 22 to make 44.", "it has 5 numbers"),
        ("Use 25, 3 and 220 to make 44.", "the number 220"),
        ("Use 25, -3 and 22 to make 44.", "-3 is not a whole number"),
        ("Use 25, 3 and 22 to make 44.5.", "44.5 is not a whole number"),
        ("Use 2, 4 and 6 to make 97.", "nothing makes 97"),
        ("Use 25, 3 and 22 to make 44, but not with a minus.", '"but"'),
        ("Use 25, 3 and 22 to make 44 or 45.", '"or"'),
    ],
)
async def test_what_is_beyond_a_task_is_told_before_any_guess(says, question, reason):
    says(TEAM)
    answer = await ask(question)
    assert answer.status == "abstained" and reason in answer.abstained
    assert "from 1 to 99" in str(answer) and "muse nano tasks" in str(answer)
    assert answer.usage.tokens == 1 and not of(Pictured, answer)


async def test_an_answer_stays_unchecked_where_more_was_said_than_the_question(says):
    says(TEAM)
    messages = (Message.user("Never use a minus."), Message.user(QUESTION))
    deltas = [delta async for delta in NanoModel().stream(Request(messages=messages))]
    assert not any(isinstance(delta, VerifiedDelta) for delta in deltas)
    says(TEAM)
    unusual = await ask("Can you make me 44 please, from 25, 3 and 22?")
    assert (str(unusual), unusual.status) == ("(25-3)+22", "unchecked")


@pytest.mark.parametrize(
    ("script", "status", "code"),
    [
        ("<countdown><answer>(25-3)+22<eos>", "verified", 0),
        ("<countdown><answer>25+22<eos>", "refuted", 4),
        ("<decline><eos>", "abstained", 3),
    ],
)
def test_the_exit_code_tells_a_right_answer_from_a_wrong_one_and_from_none(
    says, capsys, script, status, code
):
    says(play(script))
    assert run(["ask", QUESTION, "--mode", "instant", "--json"]) == code
    told = json.loads(capsys.readouterr().out)
    assert told["status"] == status and told["verified"] is (status == "verified")
    assert bool(told["abstained"]) == (status == "abstained")


async def test_images_are_kept_and_control_tokens_are_not_shown(says):
    says(play("<maze><img><p0><t10><p1><t11></img><img><@1><p0><t57></img><answer>R<eos>"))
    maze = Path(__file__).parents[2] / "examples" / "maze.png"
    answer = await ask("Which moves solve this maze?", images=[maze], mode="thinking")
    assert answer.status == "refuted"
    assert [(image.width, image.agent) for image in of(Pictured, answer)] == [(256, "main")] * 2
    assert "".join(event.text for event in of(Thought, answer)) == "maze: "


async def test_a_stream_that_is_closed_leaves_nothing_behind(says):
    network = says(play("<countdown>" + "1" * 400 + "<answer>1<eos>"))
    stream = NanoModel().stream(Request.of(QUESTION, mode="thinking"))
    async for _ in stream:
        break
    await stream.aclose()
    assert network.open_sequences == 0
    assert len(asyncio.all_tasks()) == 1


async def test_a_task_that_is_cancelled_waits_for_the_step_in_hand_and_leaves_nothing_behind(says):
    network = says(play("<countdown>" + "1" * 400 + "<answer>1<eos>"))
    step, started, ended = network.step, threading.Event(), []

    def slow(feeds):
        started.set()
        time.sleep(0.05)
        ended.append(network.open_sequences)
        return step(feeds)

    network.step = slow
    task = asyncio.create_task(ask(QUESTION, mode="thinking"))
    await asyncio.to_thread(started.wait)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert ended == [1] and network.open_sequences == 0


async def test_the_tokens_of_a_request_are_a_hard_limit(says):
    says(play("<countdown>" + "1" * 400 + "<answer>1<eos>"))
    deltas = [
        delta
        async for delta in NanoModel().stream(Request.of(QUESTION, mode="thinking", max_tokens=20))
    ]
    assert deltas[-1] == Finish("length", "it wrote the 20 tokens it was allowed")
    assert [delta for delta in deltas if isinstance(delta, UsageDelta)][-1].usage.tokens == 20


@pytest.mark.parametrize("limit", [30, 50, 77])
async def test_all_threads_together_write_no_more_than_they_may(limit):
    answer = await ask("Use 25, 3, 7 and 12 to make 66.", max_tokens=limit)
    assert limit - 13 <= answer.usage.tokens <= limit and answer.truncated


@pytest.mark.parametrize("blanks", ["\n", "  ", "\r\n\t"])
async def test_blanks_around_a_question_are_no_part_of_it(blanks):
    answer = await ask(f"{blanks}Use 25, 3, 7 and 12 to make 66.{blanks}")
    assert answer.verified


async def test_two_images_are_one_too_many(says):
    says(play("<decline><eos>"))
    message = Message.user(Image.from_bytes(IMAGE), Image.from_bytes(IMAGE), "Which way?")
    with pytest.raises(errors.BeyondModel, match="more than one image"):
        await anext(NanoModel().stream(Request(messages=(message,))))


def said(answer):
    """What each agent has thought, whole."""
    thoughts = defaultdict(str)
    for event in answer.events:
        if event.kind == "thought":
            thoughts[event.agent] += event.text
    return thoughts


async def test_weights_are_read_from_a_file_and_a_damaged_one_is_named(tmp_path):
    path = tmp_path / "small.safetensors"
    weights.save(path, SMALL, random_weights(SMALL), {"command": "a test"})
    first, second = [
        await ask(QUESTION, model=f"nano:{path}", mode="thinking", max_tokens=40) for _ in range(2)
    ]
    assert said(first) == said(second) != {} and str(first) == str(second)
    damaged = tmp_path / "cut.safetensors"
    damaged.write_bytes(path.read_bytes()[:-1000])
    with pytest.raises(errors.WeightsDamaged, match="cut"):
        await ask(QUESTION, model=f"nano:{damaged}")
    with pytest.raises(errors.WeightsMissing):
        await ask(QUESTION, model="nano:nowhere.safetensors")


@pytest.mark.parametrize(
    "question",
    ["x" * 1_100, "é中" * 700, "中" * 2_000_000, "Use 25, 3, 7 and 12 to make 66. " * 100_000],
)
async def test_a_question_that_is_too_long_is_told_at_once(question):
    with pytest.raises(
        errors.QuestionTooLong, match=rf"has {len(question):,} characters; at most 1,021 are read"
    ):
        async for _ in NanoModel().stream(Request.of(question)):
            pass
