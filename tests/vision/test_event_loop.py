"""Images are decoded, scaled and encoded in worker threads: the event loop goes on meanwhile."""

import threading
from pathlib import Path

import pytest
from PIL import Image as pillow, ImageFile, ImageOps
from reasoning.teams import ABLE, calls, says
from vision.samples import file_of, image_of, looking, red_on_white, scripted

import musespark
from musespark.content import Image, Request, ToolCall
from musespark.images import load_images
from musespark.models.model import Abilities, ImageDelta
from musespark.models.nano import NanoModel
from musespark.reasoning.modes import run
from musespark.vision.video.load import load_video

HEAVY = [
    (ImageFile.ImageFile, "load"),
    (pillow.Image, "resize"),
    (pillow.Image, "rotate"),
    (pillow.Image, "save"),
    (pillow.Image, "convert"),
    (ImageOps, "exif_transpose"),
]
"""Work of Pillow that takes time in proportion to the pixels."""


@pytest.fixture
def decoding_threads(monkeypatch):
    """The threads in which Pillow works from here on."""
    threads = set()

    def watch(owner, name):
        original = getattr(owner, name)

        def watched(*arguments, **options):
            threads.add(threading.get_ident())
            return original(*arguments, **options)

        monkeypatch.setattr(owner, name, watched)

    for owner, name in HEAVY:
        watch(owner, name)
    return threads


async def collect(stream):
    return [event async for event in stream]


@pytest.mark.parametrize(
    "source",
    [red_on_white(), file_of(red_on_white()), image_of(red_on_white())],
    ids=["PIL", "bytes", "Image"],
)
async def test_checking_an_image_leaves_the_loop_free(decoding_threads, source):
    await load_images([source])
    assert decoding_threads and threading.get_ident() not in decoding_threads


async def test_asking_about_an_image_leaves_the_loop_free(decoding_threads):
    small = Abilities(
        **{**{name: getattr(ABLE, name) for name in Abilities.__slots__}, "longest_side": 64}
    )
    await musespark.ask(
        "?", model=scripted(says("red"), abilities=small), mode="thinking", images=[red_on_white()]
    )
    assert decoding_threads and threading.get_ident() not in decoding_threads


async def test_every_vision_tool_leaves_the_loop_free(decoding_threads):
    used = (
        ("zoom", {"box": [0, 0, 500, 500]}),
        ("rotate", {"degrees": 45}),
        ("enhance", {"contrast": "auto"}),
        ("mark", {"boxes": [[0, 0, 500, 500]]}),
        ("measure", {"points": [[0, 0], [1000, 0]]}),
        ("read", {}),
        ("compare", {"pictures": [1, 2]}),
        ("find", {"what": "red square"}),
        ("sketch", {"svg": "<svg><rect width='9' height='9'/></svg>", "over": 1}),
    )
    model = scripted(
        calls(*(ToolCall.of(name, name, arguments) for name, arguments in used)), says("red")
    )
    images = [image_of(red_on_white()), image_of(red_on_white().convert("L"))]
    decoding_threads.clear()
    events = await collect(run(looking(model), Request.of("?", images, mode="thinking")))
    assert [event.text for event in events if event.kind == "tool_returned" and event.failed] == []
    assert len([event for event in events if event.kind == "pictured"]) == len(used)
    assert decoding_threads and threading.get_ident() not in decoding_threads


async def test_the_native_model_leaves_the_loop_free(decoding_threads):
    lake = Image.from_path(Path(__file__).parents[2] / "examples" / "lake.png")
    question = Request.of(
        "Find a safe shortest way across the frozen lake to the goal.", [lake], threads=4
    )
    deltas = await collect(NanoModel().stream(question))
    assert any(isinstance(delta, ImageDelta) for delta in deltas)
    assert decoding_threads and threading.get_ident() not in decoding_threads


async def test_a_video_leaves_the_loop_free(decoding_threads):
    from movies import RED, movie

    await load_video(movie([(0.0, RED)], end=1.0))
    assert decoding_threads and threading.get_ident() not in decoding_threads
