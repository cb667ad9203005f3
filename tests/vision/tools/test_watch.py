"""The tool `watch`: its frames, and runs from a video file to an answer."""

import io
import json
import re

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from movies import BLUE, GREEN, RED, kept, movie, turned
from PIL import Image as pillow
from reasoning.teams import ABLE, calls, says

import musespark
from musespark import errors
from musespark.cli.app import run
from musespark.content import Image, Text, ToolCall, ToolResult
from musespark.models.fake import FakeModel
from musespark.models.model import Abilities
from musespark.vision.tools.watch import (
    LONGEST_SIDE,
    MAX_FRAMES,
    FrameRequest,
    WatchTool,
    extract_frames,
)
from musespark.vision.video.clip import Deadline
from musespark.vision.video.load import as_video

THREE = movie([(0.0, RED), (1.0, GREEN), (2.5, BLUE)], end=4.0)
NAMES = {RED: "red", GREEN: "green", BLUE: "blue"}


def colours(images):
    seen = []
    for image in images:
        decoded = pillow.open(io.BytesIO(image.data)).convert("RGB")
        pixel = decoded.getpixel((decoded.width // 2, decoded.height // 2))
        seen.append(
            NAMES[
                min(
                    NAMES,
                    key=lambda colour: sum(abs(a - b) for a, b in zip(colour, pixel, strict=True)),
                )
            ]
        )
    return seen


async def watched(data=THREE, **arguments):
    named = {"from": arguments.pop("start"), "to": arguments.pop("end"), **arguments}
    return await WatchTool((as_video(data),)).use(named)


@pytest.mark.parametrize(
    ("start", "end", "frames", "shows"),
    [
        (0, 0, 4, ["red"]),
        (0.5, 0.5, 1, ["red"]),
        (0.999, 0.999, 1, ["red"]),
        (1, 1, 1, ["green"]),
        (2.4, 2.6, 2, ["green", "blue"]),
        (0, 3, 4, ["red", "green", "blue"]),
        (0, 3, MAX_FRAMES, ["red", "green", "blue"]),
        (3.9, 4, 1, ["blue"]),
        (1.2, 1.4, 3, ["green"]),
    ],
)
async def test_the_frames_on_screen_at_those_times_come_back_each_once(start, end, frames, shows):
    output = await watched(start=start, end=end, frames=frames)
    assert not output.failed and colours(output.images) == shows == colours(output.images)
    assert len(output.captions) == len(shows)


async def test_what_comes_back_says_when_each_frame_came_on():
    output = await watched(start=0, end=3, frames=3)
    assert output.text == "The frames at 0.00 s, 1.00 s and 2.50 s, in order."
    assert output.captions == ("frame at 0.00 s", "frame at 1.00 s", "frame at 2.50 s")
    again = await watched(start=0, end=3)
    assert again.text.endswith("in order. There are no others between these times.")


@settings(max_examples=20, deadline=None)
@given(
    st.lists(st.integers(20, 900), min_size=2, max_size=12),
    st.floats(0, 1),
    st.sampled_from(["mp4", "matroska", "webm"]),
)
def test_of_a_variable_rate_the_frame_is_the_one_that_began_last(steps, share, format):
    times = np.cumsum([0, *steps]) / 1000
    video = as_video(
        movie(
            [(float(time), (RED, GREEN, BLUE)[index % 3]) for index, time in enumerate(times)],
            format=format,
            codec="libvpx" if format == "webm" else "libx264",
            key=3,
        )
    )
    wanted = share * video.seconds
    ((at, image),) = extract_frames(FrameRequest(video, wanted, wanted, 1), Deadline(60))
    index = int(np.searchsorted(times, wanted + 0.0011, "right")) - 1
    assert at == pytest.approx(times[index], abs=0.0011) or at == pytest.approx(
        times[max(0, index - 1)], abs=0.0011
    )
    assert at <= wanted + 0.0011 and colours([image]) == [
        list(NAMES.values())[list(times.round(3)).index(round(at, 3)) % 3]
    ]


@pytest.mark.parametrize("format", ["gif", "avi", "mov"])
async def test_files_with_no_index_or_another_are_watched_too(format):
    codec = {"gif": "gif", "avi": "mpeg4", "mov": "libx264"}[format]
    data = movie([(0.0, RED), (1.0, GREEN), (2.5, BLUE)], format=format, codec=codec, end=4.0)
    assert colours((await watched(data, start=1.5, end=3, frames=2)).images) == ["green", "blue"]


async def test_a_frame_is_full_size_and_upright():
    wide = np.zeros((1200, 2400, 3), np.uint8)
    wide[:, :1200], wide[:, 1200:] = RED, BLUE
    data = turned(movie([(0.0, wide)], size=(2400, 1200), end=1.0))
    (image,) = (await watched(data, start=0, end=0)).images
    assert pillow.open(io.BytesIO(image.data)).size == (LONGEST_SIDE // 2, LONGEST_SIDE)
    (image,) = (await watched(start=0, end=0)).images
    assert pillow.open(io.BytesIO(image.data)).size == (96, 64) and image.media_type == "image/jpeg"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({}, "Say from when to when"),
        ({"from": 1}, "Say from when to when"),
        ({"from": "soon", "to": 2}, "Say from when"),
        ({"from": True, "to": 2}, "Say from when"),
        ({"from": float("nan"), "to": 2}, "Say from when"),
        ({"from": 3, "to": 2}, r"from \(3\) is after to \(2\)"),
        ({"from": 1, "to": 2, "frames": 0}, "from 1 to 8, not 0"),
        ({"from": 1, "to": 2, "frames": "x" * 1000}, "from 1 to 8, not 'x{39}\\."),
        ({"from": 1, "to": 2, "frames": True}, "from 1 to 8"),
        ({"from": 1, "to": 2, "video": 2}, "no video 2; there is only video 1"),
        ({"from": 1, "to": 2, "video": []}, r"no video \[\]"),
    ],
)
async def test_what_cannot_be_watched_is_one_sentence_for_the_model(arguments, says):
    output = await WatchTool((as_video(THREE),)).use(arguments)
    assert output.failed and not output.images
    assert re.search(says, output.text)


async def test_times_outside_are_moved_inside_and_said_so():
    output = await watched(start=-5, end=1e300, frames=2)
    assert output.text.startswith(
        "The video lasts from 0 to 4.03 s; times outside of it were moved there."
    )
    assert colours(output.images) == ["red", "blue"]


async def test_of_several_videos_the_one_that_was_named():
    tool = WatchTool((as_video(THREE), as_video(movie([(0.0, BLUE)], end=1.0))))
    assert colours((await tool.use({"from": 0, "to": 0, "video": 2})).images) == ["blue"]
    assert "videos 1 to 2" in (await tool.use({"from": 0, "to": 0, "video": 3})).text
    assert (await WatchTool(()).use({"from": 0, "to": 0})).text == "There is no video to watch."


# From a file to an answer.


def watching_model(**abilities):
    """A model that looks once and then says what it has."""

    def play(request, number):
        looked = any(
            isinstance(part, ToolResult) for message in request.messages for part in message.parts
        )
        return (
            says("green") if looked else calls(ToolCall.of("c1", "watch", {"from": 1.2, "to": 1.2}))
        )

    return FakeModel(
        play,
        abilities=Abilities(
            **{**{name: getattr(ABLE, name) for name in Abilities.__slots__}, **abilities}
        ),
    )


async def test_a_model_gets_the_sheet_then_watches_and_all_of_it_is_in_the_trace(tmp_path):
    model = watching_model()
    clip = kept(tmp_path / "clip.mp4", THREE)
    answer = await musespark.ask(
        "What comes in the middle?",
        video=clip,
        model=model,
        mode="thinking",
        trace=tmp_path / "trace",
    )
    assert str(answer) == "green"
    caption, sheet, question = model.requests[0].messages[0].parts
    assert caption.text.startswith("A video of 4.03 seconds") and isinstance(sheet, Image)
    assert question == Text("What comes in the middle?")
    assert [tool.name for tool in model.requests[0].tools] == ["watch"]
    shown = [event for event in answer.events if event.kind == "pictured"]
    assert [event.caption for event in shown] == ["contact sheet of a video", "frame at 1.00 s"]
    assert shown[0].image.startswith(b"\x89PNG") and shown[0].at < shown[1].at
    assert colours([Image(shown[1].image, "image/png")]) == ["green"]
    assert len(list((tmp_path / "trace").glob("picture-*.png"))) == 2


async def test_a_model_that_takes_videos_gets_it_whole():
    model = watching_model(videos_in=True)
    await musespark.ask("What comes in the middle?", video=THREE, model=model, mode="thinking")
    video, _ = model.requests[0].messages[0].parts
    assert video.data == THREE and video.media_type == "video/mp4"


async def test_a_model_without_tools_gets_the_sheet_alone():
    model = FakeModel(lambda request, number: says("green"), abilities=Abilities(pictures_in=True))
    answer = await musespark.ask(
        "What comes in the middle?", video=[THREE, THREE], model=model, mode="contemplating"
    )
    assert str(answer) == "green" and not any(request.tools for request in model.requests)
    assert all(len(request.images) == 2 for request in model.requests)


async def test_a_model_that_sees_nothing_refuses():
    model = FakeModel(lambda request, number: says("green"), abilities=Abilities(conversation=True))
    with pytest.raises(errors.BeyondModel, match="images"):
        await musespark.ask("What comes in the middle?", video=THREE, model=model)


async def test_a_bad_video_is_told_before_anything_runs():
    for bad, error in (
        ("/nowhere.mp4", errors.MissingFile),
        (b"nothing", errors.BadVideo),
        (42, errors.BadVideo),
    ):
        with pytest.raises(error):
            await musespark.ask("What?", video=bad, model="fake")


def test_the_command_takes_a_video(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    clip = kept(tmp_path / "clip.mp4", THREE)
    shown = ["--json", "--save-images", str(tmp_path / "images")]
    assert run(["ask", "What?", "--video", str(clip), "--model", "fake", *shown]) == 0
    value = json.loads(capsys.readouterr().out)
    assert value["answer"] == "42" and len(value["pictures"]) == 1
    assert run(["ask", "What?", "--video", str(tmp_path / "none.mp4"), "--model", "fake"]) == 2
    assert (
        capsys.readouterr().err
        == f"The file {str(tmp_path / 'none.mp4')!r} cannot be read: it does not exist.\n"
    )


async def test_what_was_watched_is_looked_at_with_the_other_tools():
    steps = (
        calls(ToolCall.of("c1", "watch", {"from": 1.2, "to": 1.2})),
        calls(ToolCall.of("c2", "zoom", {"picture": 2, "box": [0, 0, 500, 500]})),
        says("green"),
    )
    model = FakeModel(lambda request, number: steps[number], abilities=ABLE)
    answer = await musespark.ask(
        "What comes in the middle?", video=THREE, model=model, mode="thinking", tools=["zoom"]
    )
    shown = [event for event in answer.events if event.kind == "pictured"]
    assert [event.caption for event in shown[:2]] == ["contact sheet of a video", "frame at 1.00 s"]
    assert shown[2].caption == "picture 2, zoomed to [0, 0, 500, 500]"
    assert colours([Image(shown[2].image, "image/png")]) == ["green"]
    told = [part.text for part in model.requests[0].messages[0].parts if isinstance(part, Text)]
    assert told[0].startswith("A video of") and told[1].startswith("[Picture 1: ")


async def test_a_model_that_sees_nothing_works_from_what_is_read_of_the_sheet():
    model = FakeModel(
        lambda request, number: says("nothing to read"),
        abilities=Abilities(conversation=True, tools=True),
    )
    answer = await musespark.ask(
        "What is written there?", video=THREE, model=model, mode="thinking", tools=["look"]
    )
    parts = model.requests[0].messages[0].parts
    assert (
        all(isinstance(part, Text) for part in parts) and "A video of 4.03 seconds" in parts[0].text
    )
    assert any(event.kind == "noted" and "blind" in event.text for event in answer.events)
