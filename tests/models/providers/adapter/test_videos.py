"""A video reaches a provider whole where it takes videos, and as a captioned sheet anywhere else."""

import base64
import json
from dataclasses import replace

import pytest
from models.providers.kinds import KINDS
from models.providers.servers import serving

from musespark.content import Image, Request, Video
from musespark.models.estimate import TOKENS_PER_SECOND, estimate_prompt_tokens
from musespark.models.fake import DOT

CLIP = Video(
    b"\0\0\0\x18ftypmp42 a clip",
    "video/mp4",
    Image(DOT, "image/png"),
    "A video of 2 seconds.\n",
    2.0,
)
SEEING = [kind for kind in KINDS if kind.model != "any"]


async def wire(kind, video, **options):
    async with serving(kind.wire) as server:
        model = kind.at(server.url, **options)
        async for _ in model.stream(Request.of("What happens?", videos=[video])):
            pass
        return json.dumps(server.bodies[-1])


def has(text: str, data: bytes) -> bool:
    return any(
        encoded in text
        for encoded in (base64.b64encode(data).decode(), base64.urlsafe_b64encode(data).decode())
    )


@pytest.mark.parametrize("kind", SEEING, ids=str)
async def test_it_is_sent_whole_or_as_its_sheet(kind):
    text = await wire(kind, CLIP)
    whole = str(kind) == "google"
    assert (
        has(text, CLIP.data) == whole
        and has(text, DOT) != whole
        and ("A video of 2 seconds." in text) != whole
    )
    assert ('"mime_type": "video/mp4"' in text) == whole and "What happens?" in text


GOOGLE = next(kind for kind in KINDS if str(kind) == "google")


@pytest.mark.parametrize(
    "video",
    [
        replace(CLIP, media_type="video/x-matroska"),
        replace(CLIP, data=CLIP.data + bytes(14_000_000)),
    ],
)
async def test_what_the_provider_does_not_take_is_sent_as_its_sheet(video):
    text = await wire(GOOGLE, video)
    assert has(text, DOT) and "video/" not in text


async def test_a_person_can_say_that_a_model_takes_no_videos():
    assert not has(await wire(GOOGLE, CLIP, abilities={"videos_in": False}), CLIP.data)


def test_its_seconds_count_as_tokens():
    longer = Request.of("What?", videos=[replace(CLIP, seconds=12.0)])
    assert (
        estimate_prompt_tokens(longer) - estimate_prompt_tokens(Request.of("What?", videos=[CLIP]))
        == 10 * TOKENS_PER_SECOND
    )
