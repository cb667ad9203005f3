import asyncio
from contextlib import aclosing

import pytest

from musespark.content import Request
from musespark.errors import ModelFailed, UnknownModel
from musespark.models.fake import Fail, FakeModel, Garbage, Hang, Wait
from musespark.models.model import Finish, TextDelta

REQUEST = Request.of("Which?")


async def test_it_plays_a_script_and_keeps_the_requests():
    model = FakeModel([TextDelta("a"), Wait(0.001), Garbage(3), Finish()])
    assert [delta async for delta in model.stream(REQUEST)] == [TextDelta("a"), 3, Finish()]
    assert (model.requests, model.running) == ([REQUEST], 0)


async def test_it_fails_with_a_status():
    with pytest.raises(ModelFailed) as caught:
        async for _ in FakeModel([Fail(429, "too many requests")]).stream(REQUEST):
            pass
    assert (caught.value.status, caught.value.model) == (429, "fake")


async def test_it_hangs_until_it_is_cancelled():
    model = FakeModel([Hang()])
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05), aclosing(model.stream(REQUEST)) as deltas:
            await anext(deltas)
    assert model.running == 0


def test_an_unknown_script_lists_the_known():
    with pytest.raises(UnknownModel, match="fake:wrong-shape"):
        FakeModel("nice")
