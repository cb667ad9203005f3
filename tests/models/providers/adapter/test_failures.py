"""Whatever a provider does wrong is one sentence of ours, with what to do and without the key."""

import asyncio
import logging
import traceback
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from models.providers.kinds import KEY, KINDS
from models.providers.servers import WIRES, Raw, Say, serving

from musespark.content import Request
from musespark.errors import ModelFailed, MuseError, RateLimited
from musespark.models.model import AbstainedDelta, Finish, TextDelta

JSON = ("content-type", "application/json")
HTML = Raw(
    "<!doctype html><title>Welcome</title><p>nginx</p>", headers=(("content-type", "text/html"),)
)
SMALL = [kind for kind in KINDS if kind.model != "any"]


def error(status: int, said: str, *headers: tuple[str, str]) -> Raw:
    body = f'{{"error": {{"message": "{said}", "type": "t", "code": {status}, "status": "S"}}}}'
    return Raw(body, status, (JSON, *headers))


async def failing(kind, *script: Raw, **options) -> tuple[MuseError, int]:
    """What is raised, and how many requests were made."""
    async with serving(kind.wire, *script) as server:
        with pytest.raises(MuseError) as caught:
            async for _ in kind.at(server.url, **options).stream(Request.of("What?")):
                pass
        return caught.value, len(server.bodies)


def is_one_sentence(said: str) -> bool:
    return said.endswith(".") and "\n" not in said and len(said) < 500


@pytest.mark.parametrize("kind", SMALL, ids=str)
@pytest.mark.parametrize("status", [400, 401, 403, 404, 413, 422, 500, 502])
async def test_every_status_is_a_failure_that_says_what_to_do_and_is_tried_once(kind, status):
    raised, requests = await failing(kind, *[error(status, f"no, not with {KEY}")] * 3)
    assert type(raised) is ModelFailed and raised.status == status and requests == 1
    assert is_one_sentence(str(raised)) and KEY not in str(raised)
    wanted = {
        401: "refused the key in",
        403: "refused the key in",
        404: f"no model {kind.model!r}",
        500: "ask again later",
        502: "ask again later",
    }
    assert wanted.get(status, "rejected the request") in str(raised)


@pytest.mark.parametrize("kind", SMALL, ids=str)
@pytest.mark.parametrize(
    ("status", "header", "low", "high"),
    [(429, "7", 7, 7), (429, "", None, None), (503, "2", 2, 2), (429, "date", 20, 31)],
)
async def test_where_waiting_helps_it_says_how_long(kind, status, header, low, high):
    in_half_a_minute = format_datetime(datetime.now(UTC) + timedelta(seconds=30), usegmt=True)
    value = in_half_a_minute if header == "date" else header
    raised, requests = await failing(
        kind, *[error(status, "slow down", *([("retry-after", value)] if value else []))] * 3
    )
    assert (
        isinstance(raised, RateLimited)
        and raised.status == status
        and requests == 1
        and is_one_sentence(str(raised))
    )
    assert raised.retry_after is None if low is None else low <= raised.retry_after <= high


async def test_an_account_without_credit_is_not_worth_waiting_for():
    openai = KINDS[0]
    body = '{"error": {"message": "You exceeded your current quota", "type": "insufficient_quota", "code": "insufficient_quota"}}'
    raised, _ = await failing(openai, Raw(body, 429, (JSON,)))
    assert not isinstance(raised, RateLimited) and "OPENAI_API_KEY has no credit" in str(raised)


@pytest.mark.parametrize("kind", SMALL, ids=str)
@pytest.mark.parametrize(
    "raw",
    [
        HTML,
        Raw(HTML.body, 502, HTML.headers),
        Raw("", 200),
        Raw("data: {nonsense\n\n"),
        Raw("data: [1, 2]\n\n"),
        Raw('{"a": 1}', headers=(JSON,)),
        Raw("event: x\ndata: \x00\x01\n\n"),
        Raw('data: {"choices": 7, "candidates": 7}\n\n'),
    ],
    ids=[
        "html",
        "html-502",
        "nothing",
        "no-json",
        "a-list",
        "other-json",
        "control",
        "wrong-types",
    ],
)
async def test_garbage_is_a_failure(kind, raw):
    raised, requests = await failing(kind, raw)
    assert isinstance(raised, ModelFailed) and requests == 1, repr(raised)
    assert is_one_sentence(str(raised)) and "<" not in str(raised), str(raised)


@pytest.mark.parametrize("kind", SMALL, ids=str)
async def test_nobody_there(kind):
    async with serving(kind.wire) as server:
        url = server.url
    with pytest.raises(ModelFailed, match="cannot be reached") as caught:
        async for _ in kind.at(url).stream(Request.of("What?")):
            pass
    assert url in str(caught.value) and is_one_sentence(str(caught.value))


@pytest.mark.parametrize("kind", SMALL, ids=str)
async def test_a_provider_that_says_nothing_is_given_up(kind):
    raised, requests = await failing(kind, Raw("", end="hang"), timeout=0.3)
    assert isinstance(raised, ModelFailed) and "in time" in str(raised) and requests == 1, str(
        raised
    )


@pytest.mark.parametrize("kind", SMALL, ids=str)
@pytest.mark.parametrize("end", ["drop", ""])
async def test_a_reply_that_breaks_off_keeps_what_came(kind, end):
    whole = WIRES[kind.wire](Say("The answer is long " * 9))
    part = whole[: whole.index("\n\n", whole.index("is long")) + 2]
    async with serving(kind.wire, Raw(part, end=end)) as server:
        deltas = [delta async for delta in kind.at(server.url).stream(Request.of("What?"))]
    assert any(isinstance(delta, TextDelta) for delta in deltas) and not isinstance(
        deltas[-1], Finish
    )


@pytest.mark.parametrize("kind", SMALL, ids=str)
async def test_a_reply_that_breaks_off_before_anything_came_has_failed(kind):
    raised, _ = await failing(kind, Raw("", end="drop"))
    assert isinstance(raised, ModelFailed) and is_one_sentence(str(raised))


@pytest.mark.parametrize("kind", SMALL, ids=str)
async def test_the_key_is_in_no_error_no_repr_no_traceback_and_no_log(kind, caplog):
    caplog.set_level(logging.DEBUG)
    for raw in (
        error(401, f"Incorrect API key provided: {KEY}"),
        error(400, "sk-qu*************6789"),
        Raw(f"data: {KEY}\n\n"),
    ):
        raised, _ = await failing(kind, raw)
        told = "".join(traceback.format_exception(raised))
        assert KEY not in str(raised) + repr(raised) + repr(raised.__dict__) + told
        assert raised.__cause__ is None and raised.__context__ is None and "*" not in str(raised)
    assert (caplog.records or kind.provider.has_fast_path) and KEY not in caplog.text
    assert KEY not in repr(kind.at("http://127.0.0.1:1"))


async def test_a_refusal_and_a_filter_are_ends_of_their_own():
    openai = KINDS[0]
    refusal = (
        'data: {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": '
        '[{"index": 0, "delta": %s, "finish_reason": %s}]}\n\n'
    )
    declined = (
        refusal % ('{"refusal": "I will not."}', "null")
        + refusal % ("{}", '"stop"')
        + "data: [DONE]\n\n"
    )
    async with serving("chat", Raw(declined)) as server:
        deltas = [delta async for delta in openai.at(server.url).stream(Request.of("What?"))]
    assert TextDelta("I will not.") in deltas and deltas[-1].message.text == "I will not."
    assert deltas[-1].finish_reason == "refused"
    assert deltas.index(TextDelta("I will not.")) == 1 + next(
        index for index, delta in enumerate(deltas) if isinstance(delta, AbstainedDelta)
    )
    nothing = refusal % ("{}", '"content_filter"') + "data: [DONE]\n\n"
    async with serving("chat", Raw(nothing)) as server:
        deltas = [delta async for delta in openai.at(server.url).stream(Request.of("What?"))]
    assert deltas[-1].finish_reason == "filtered"
    assert not any(isinstance(delta, TextDelta) for delta in deltas)


async def test_a_server_that_wants_a_key_after_all_says_where_it_belongs(monkeypatch):
    vllm = next(kind for kind in KINDS if str(kind) == "vllm")
    monkeypatch.delenv("VLLM_API_KEY")
    raised, _ = await failing(vllm, error(401, "none of that"))
    assert "refused a request without a key (none of that); set VLLM_API_KEY" in str(raised)


async def test_cancelled_before_the_answer_leaves_nothing():
    kind = KINDS[0]
    async with serving(kind.wire, Raw("", end="hang")) as server:
        model = kind.at(server.url)

        async def read() -> None:
            async for _ in model.stream(Request.of("What?")):
                pass

        task = asyncio.create_task(read())
        while not server.bodies:
            await asyncio.sleep(0.01)
        task.cancel()
        await asyncio.wait_for(server.gone.wait(), 5)
        with pytest.raises(asyncio.CancelledError):
            await task
        assert (
            model._connections.count == 0
            and asyncio.all_tasks() - {asyncio.current_task(), *server.tasks} == set()
        )
