"""Vision tools over the providers' protocols, and from the command line to the files of a trace."""

import asyncio
import base64
import json
import os
import re
import sys
from pathlib import Path

import pytest
from models.providers.kinds import KEY, KINDS, VARIABLES
from models.providers.servers import Say, serving
from PIL import Image as pillow
from vision.samples import file_of, opened, receipt, red_on_white

from musespark.api import ask
from musespark.content import Image
from musespark.trace import read_trace

SOURCE = Path(__file__).parents[2] / "src"
SEES = [kind for kind in KINDS if kind.model != "any"]
BASE64 = re.compile(r"(?:iVBORw0KGgo|/9j/)[A-Za-z0-9+/]+=*")


@pytest.fixture(autouse=True)
def keys(monkeypatch):
    for variable in (
        *VARIABLES,
        "OLLAMA_HOST",
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "ALL_PROXY",
        "http_proxy",
        "https_proxy",
        "all_proxy",
    ):
        monkeypatch.delenv(variable, raising=False)
    for kind in KINDS:
        monkeypatch.setenv(kind.provider.key_variables[0], KEY)


def pictures_in(body):
    """Every picture of a request's body, as pixels."""
    text = (
        json.dumps(body).replace("-", "+").replace("_", "/")
        if "contents" in body
        else json.dumps(body)
    )  # Google's alphabet
    return [opened(Image.from_bytes(base64.b64decode(found))) for found in BASE64.findall(text)]


def zooms(box, **more):
    return Say(calls=(("call_0001"[:9], "zoom", json.dumps({"box": box, **more})),))


@pytest.mark.parametrize("kind", SEES, ids=str)
async def test_what_a_tool_shows_is_in_the_body_of_the_next_request(kind):
    async with serving(kind.wire, zooms([250, 250, 300, 350]), Say("Answer: red")) as server:
        answer = await ask(
            "Which colour?",
            model=kind.at(server.url),
            mode="thinking",
            images=[red_on_white()],
            tools=["zoom"],
        )
    assert str(answer) == "Answer: red" and len(server.bodies) == 2
    first, second = map(pictures_in, server.bodies)
    assert [seen.size for seen in first] == [(400, 200)] and [seen.size for seen in second] == [
        (400, 200),
        (160, 160),
    ]
    assert second[1].getcolors() == [(160 * 160, (255, 0, 0))]
    told = json.dumps(server.bodies[1])
    assert (
        "[Picture 1: 400x200 pixels]" in told
        and "Picture 2: picture 1, zoomed to [250, 250, 300, 350], 20x20 pixels." in told
    )


@pytest.mark.parametrize(
    "kind",
    [kind for kind in SEES if str(kind) in ("anthropic", "openai", "google", "mistral")],
    ids=str,
)
async def test_a_large_image_is_scaled_once_and_zoomed_into_as_it_was(kind):
    large = pillow.new("RGB", (4000, 2000), "white")
    large.paste("red", (3000, 1000, 3004, 1004))
    async with serving(kind.wire, zooms([749, 499, 752, 503]), Say("red")) as server:
        await ask(
            "Which colour?",
            model=kind.at(server.url),
            mode="thinking",
            images=[large],
            tools=["zoom"],
        )
    sent = [pictures_in(body) for body in server.bodies]
    side = kind.provider.longest_side
    assert [seen.size for seen in sent[0]] == [(side, side // 2)] and sent[1][0].tobytes() == sent[
        0
    ][0].tobytes()
    assert "[Picture 1: 4000x2000 pixels]" in json.dumps(server.bodies[0])
    zoomed = sent[1][
        1
    ]  # 12x8 pixels, eight times as large; the square is 4 pixels wide, from the fifth on
    assert zoomed.size == (96, 64)
    assert zoomed.getpixel((48, 32))[1] < 60 and zoomed.getpixel((8, 8))[1] > 240


async def test_an_image_is_scaled_without_any_tool_too():
    kind = next(kind for kind in SEES if str(kind) == "anthropic")
    async with serving(kind.wire, Say("white")) as server:
        await ask(
            "Which colour?",
            model=kind.at(server.url, abilities={"longest_side": 100}),
            mode="thinking",
            images=[pillow.new("RGB", (300, 60), "white")],
        )
    assert [seen.size for seen in pictures_in(server.bodies[0])] == [(100, 20)]


async def test_an_animation_is_shown_as_its_first_frame_and_that_is_said():
    kind = next(kind for kind in SEES if str(kind) == "anthropic")
    frames = [pillow.new("RGB", (40, 40), colour) for colour in ("red", "blue")]
    moving = file_of(frames[0], "GIF", save_all=True, append_images=frames[1:])
    async with serving(kind.wire, zooms([0, 0, 500, 500]), Say("red")) as server:
        await ask(
            "Which colour?",
            model=kind.at(server.url),
            mode="thinking",
            images=[moving],
            tools=["look"],
        )
    for seen in pictures_in(server.bodies[1]):
        assert seen.getpixel((5, 5))[0] > 200 > 60 > seen.getpixel((5, 5))[2]
    assert "[Picture 1: 40x40 pixels; only the first of its 2 frames is shown]" in json.dumps(
        server.bodies[0]
    )


async def test_a_receipt_is_read_from_the_command_line(tmp_path):
    receipt().save(tmp_path / "receipt.png")
    finds = Say(calls=(("c1", "find", '{"what": "total"}'),))
    async with serving("chat", finds, Say("Answer: 6.75")) as server:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "musespark",
            "ask",
            "What is the total?",
            "--image",
            str(tmp_path / "receipt.png"),
            "--model",
            "openai:gpt-4.1",
            "--mode",
            "thinking",
            "--tools",
            "look",
            "--trace",
            str(tmp_path / "trace"),
            stdout=asyncio.subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(SOURCE), "OPENAI_BASE_URL": server.url},
        )
        out = (await process.communicate())[0].decode()
    assert process.returncode == 0 and "6.75" in out
    (kept,) = [event for event in read_trace(tmp_path / "trace") if event.kind == "pictured"]
    assert kept.caption == "where 'total' is in picture 1"
    assert "uses find" in out and f"trace/picture-{kept.seq:04d}.png ({kept.caption})" in out
    assert (tmp_path / "trace" / f"picture-{kept.seq:04d}.png").read_bytes() == kept.image
