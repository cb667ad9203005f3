"""Vision tools in a run: their images are in the agent's conversation and in the trace."""

import asyncio
import io
import re

import pytest
from PIL import Image as pillow
from reasoning.teams import ABLE, calls, contemplated, of, says
from vision.samples import image_of, looking, opened, parts_of, receipt, red_on_white, scripted

from musespark import errors
from musespark.api import ask, build_team
from musespark.content import Image, Message, Request, Text, ToolCall, ToolResult, ToolSpec
from musespark.models.fake import DOT, FakeModel
from musespark.models.model import Abilities
from musespark.reasoning.agent.vision_tools import VisionToolFactory
from musespark.tools.registry import VISION_TOOLS
from musespark.tools.tool import ToolOutput
from musespark.trace import read_trace
from musespark.vision.album import Album

BLIND = Abilities(conversation=True, tools=True, context=100_000)


def images_of(request):
    return [part for part in parts_of(request) if isinstance(part, Image)]


def texts_of(request):
    return [part.text for part in parts_of(request) if isinstance(part, Text)]


async def test_what_a_tool_shows_is_in_the_next_call_and_in_the_trace():
    closer = ToolCall.of("a", "zoom", {"box": [250, 250, 300, 350]})
    half = ToolCall.of("b", "zoom", {"box": [0, 0, 500, 1000], "picture": 2})
    one = scripted(calls(closer), calls(half), says("red"))
    request = Request.of("What colour is the square?", [image_of(red_on_white())], mode="thinking")
    events, error, _ = await contemplated(looking(one, tools=("zoom",)), request)
    assert error is None and events[-1].answer == "red"
    kinds = [
        event.kind for event in events if event.kind in ("tool_called", "pictured", "tool_returned")
    ]
    assert kinds == ["tool_called", "pictured", "tool_returned"] * 2
    assert [event.caption for event in of(events, "pictured")] == [
        "picture 1, zoomed to [250, 250, 300, 350]",
        "picture 2, zoomed to [0, 0, 500, 1000]",
    ]
    assert [len(images_of(each)) for each in one.requests] == [1, 2, 3]
    for image in images_of(one.requests[-1])[1:]:
        seen = opened(image)
        assert seen.getcolors() == [(seen.width * seen.height, (255, 0, 0))]
    said = texts_of(one.requests[-1])
    assert said[0] == "[Picture 1: 400x200 pixels]"
    assert said[-1] == (
        "Picture 3: picture 2, zoomed to [0, 0, 500, 1000], 10x20 pixels; it shows [250, 250, 275, 350] of "
        "picture 1."
    )
    assert {tool.name for tool in one.requests[0].tools} == {"zoom"}


async def test_an_agent_reads_zooms_marks_and_answers_and_the_trace_keeps_it(tmp_path):
    def play(request, number):
        if number == 0:
            return calls(ToolCall.of("a", "find", {"what": "total"}))
        if number == 1:
            box = [
                float(edge)
                for edge in re.search(r"1\. \[(.*?)\]", texts_of(request)[-1])[1].split(",")
            ]
            wide = [0, box[1] - 20, 1000, box[3] + 20]
            return calls(
                ToolCall.of("b", "read", {"box": wide}),
                ToolCall.of("c", "mark", {"boxes": [wide], "labels": ["sum"]}),
            )
        return says(re.search(r"\d+\.\d\d", texts_of(request)[-2])[0])

    one = FakeModel(play, abilities=ABLE)
    answer = await ask(
        "What is the total?",
        model=one,
        mode="thinking",
        images=[receipt()],
        tools=["look"],
        trace=tmp_path,
    )
    assert str(answer) == "6.75"
    captions = {
        re.sub(r"\[.*\]", "[]", event.caption) for event in answer.images
    }  # of one turn, in any order
    assert captions == {
        "where 'total' is in picture 1",
        "the text in [] of picture 1",
        "picture 1, with 1 box marked",
    }
    kept = [event for event in read_trace(tmp_path) if event.kind == "pictured"]
    assert [event.caption for event in kept] == [event.caption for event in answer.images]
    assert all(
        pillow.open(io.BytesIO(event.image)).size == (event.width, event.height) for event in kept
    )
    assert [image.media_type for image in images_of(one.requests[-1])] == ["image/png"] * 4


async def test_views_of_one_turn_are_numbered_in_the_order_of_the_calls():
    both = calls(
        ToolCall.of("a", "rotate", {"degrees": 30}),
        ToolCall.of("b", "zoom", {"box": [0, 0, 500, 500]}),
        ToolCall.of("c", "measure", {"points": [[0, 0], [1000, 0]]}),
    )
    one = scripted(both, says("done"))
    await contemplated(looking(one), Request.of("?", [image_of(red_on_white())], mode="thinking"))
    told = [text for text in texts_of(one.requests[1]) if text.startswith("Picture")]
    assert [text.split(",")[0] for text in told] == [
        "Picture 2: picture 1",
        "Picture 3: picture 1",
        "Picture 4: picture 1",
    ]


async def test_every_agent_has_an_album_of_its_own():
    one = scripted(
        *[calls(ToolCall.of("a", "zoom", {"box": [0, 0, 500, 500]}))] * 2, says("Answer: 1")
    )
    request = Request.of("?", [image_of(red_on_white())])
    events, error, _ = await contemplated(looking(one, agents=2), request)
    assert error is None
    assert [event.text.split(":")[0] for event in of(events, "tool_returned")] == [
        "Picture 2",
        "Picture 2",
    ]


async def test_what_is_wrong_is_told_to_the_model_in_one_sentence():
    wrong = [
        ("zoom", {"box": [5, 5, 5, 9]}, "is empty"),
        ("zoom", {"box": "all"}, "A box is [x1, y1, x2, y2]"),
        ("zoom", {}, "needs box"),
        (
            "zoom",
            {"box": [0, 0, 9, 9], "picture": 7},
            "There is no picture 7; there is only picture 1.",
        ),
        ("zoom", {"colour": 1}, "zoom needs box; it takes box, picture."),
        ("rotate", {}, "Nothing would change"),
        ("rotate", {"degrees": "left"}, "degrees is a number"),
        ("enhance", {}, "Say what to enhance"),
        ("enhance", {"contrast": "more"}, "contrast is 'auto' or a number"),
        ("measure", {"points": [[1, 1]]}, "a list of 2 to 64"),
        ("mark", {}, "Say what to mark"),
        ("mark", {"boxes": [[1, 2]]}, "A box is"),
        ("mark", {"labels": 3, "points": [[1, 1]]}, "labels"),
        ("compare", {"pictures": [1, 1]}, "Both are picture 1"),
        ("compare", {"pictures": [1, 2], "how": "x"}, "how is"),
        ("sketch", {"svg": " "}, "svg is a text that is not empty"),
        ("find", {"what": [3]}, "what is a text"),
        ("read", {"box": [1]}, "A box is"),
    ]
    one = scripted(
        calls(
            *(ToolCall.of(str(index), name, given) for index, (name, given, _) in enumerate(wrong))
        ),
        says("sorry"),
    )
    await contemplated(looking(one), Request.of("?", [image_of(red_on_white())], mode="thinking"))
    results = [
        part
        for message in one.requests[1].messages
        for part in message.parts
        if isinstance(part, ToolResult)
    ]
    for result, (_, _, expected) in zip(results, wrong, strict=True):
        assert result.failed and len(result.content) == 1
        assert (
            expected in result.content[0].text
            and "\n" not in result.content[0].text
            and result.content[0].text.endswith(".")
        )


async def test_a_model_that_sees_nothing_has_it_read_and_is_sent_no_image():
    one = scripted(
        calls(ToolCall.of("a", "read", {}), ToolCall.of("b", "zoom", {"box": [0, 0, 500, 500]})),
        says("6.75"),
        abilities=BLIND,
    )
    events, error, _ = await contemplated(
        looking(one), Request.of("Total?", [image_of(receipt())], mode="thinking")
    )
    assert error is None and events[-1].answer == "6.75"
    assert not any(images_of(request) for request in one.requests)
    said = texts_of(one.requests[-1])
    assert (
        said[0] == "[Picture 1: 400x300 pixels]"
        and "TOTAL 6.75" in said[2]
        and said[3].endswith("You cannot see it.")
    )
    (noted,) = of(events, "noted")
    assert noted.agent == "main" and "blind" in noted.text
    captions = {event.caption for event in of(events, "pictured")}
    assert captions == {"the text of picture 1", "picture 1, zoomed to [0, 0, 500, 500]"}


@pytest.mark.parametrize(("tools", "abilities"), [(("zoom",), BLIND), ((), BLIND)])
async def test_a_model_that_sees_nothing_is_refused_where_nothing_is_read_to_it(tools, abilities):
    one = scripted(says("?"), abilities=abilities)
    with pytest.raises(errors.BeyondModel, match="read images"):
        await ask("?", model=one, images=[receipt()], tools=tools)


async def test_a_blind_team_refines_and_decides():
    def play(request, number):
        assert not images_of(request)
        if request.stage == "refine":
            return says("Answer: 6.75")
        return says("Answer: 6.75" if number % 2 else "Answer: 2.40")

    one = FakeModel(play, abilities=BLIND)
    events, error, _ = await contemplated(
        looking(one, agents=4, rounds=1), Request.of("Total?", [image_of(receipt())])
    )
    assert error is None and "6.75" in events[-1].answer
    assert of(events, "stage_started")[1].stage == "refine"


class Camera:
    """A tool of somebody's own that gives back a picture."""

    spec = ToolSpec.of("camera", "Takes a picture.", {"type": "object", "properties": {}})

    async def use(self, arguments):
        return ToolOutput("Here.", (image_of(red_on_white()),))


async def test_images_of_other_tools_can_be_looked_at_too():
    one = scripted(
        calls(ToolCall.of("a", "camera", {})),
        calls(ToolCall.of("b", "zoom", {"box": [250, 250, 300, 350], "picture": 1})),
        says("red"),
    )
    who = build_team({"model": one, "tools": [Camera(), "zoom"]})
    _, error, _ = await contemplated(who, Request.of("?", mode="thinking"))
    assert error is None
    assert "[Picture 1: 400x200 pixels]" in texts_of(one.requests[1])
    assert opened(images_of(one.requests[2])[-1]).getpixel((0, 0)) == (255, 0, 0)


async def test_without_an_image_only_a_sketch_can_be_looked_at():
    svg = '<svg viewBox="0 0 10 10"><rect width="5" height="10" fill="#0f0"/></svg>'
    one = scripted(
        calls(ToolCall.of("a", "zoom", {"box": [0, 0, 9, 9]})),
        calls(ToolCall.of("b", "sketch", {"svg": svg})),
        calls(ToolCall.of("c", "zoom", {"box": [0, 0, 400, 400]})),
        says("green"),
    )
    events, error, _ = await contemplated(looking(one), Request.of("?", mode="thinking"))
    assert error is None
    first, _, last = of(events, "tool_returned")
    assert first.failed and first.text == "There is no picture in this conversation to look at."
    assert last.text == "Picture 2: picture 1, zoomed to [0, 0, 400.4, 400.4], 410x410 pixels."
    assert opened(images_of(one.requests[-1])[-1]).getcolors() == [(768 * 768, (0, 255, 0))]


def test_the_image_that_is_meant_is_the_first_of_the_newest_question():
    album = Album()
    images = [image_of(pillow.new("RGB", (10 + index, 10))) for index in range(4)]
    first = Message.user(images[0], "?")
    album.label_images((first,))
    assert album.get().number == 1
    told = album.label_images(
        (first, Message("assistant", (Text("!"),)), Message.user(images[1], images[2], "?"))
    )
    assert album.get().number == 2 and album.get(3).width == 12 and album.get(3.0).number == 3
    assert [part.text for part in told[2].parts if isinstance(part, Text)] == [
        "[Picture 2: 11x10 pixels]",
        "[Picture 3: 12x10 pixels]",
        "?",
    ]
    assert album.label_images((first,))[0].images == (images[0],) and len(album.images) == 3


def test_an_image_that_cannot_be_opened_is_said_and_not_sent():
    album = Album()
    (told,) = album.label_images((Message.user(Image(b"\x89PNG\r\n\x1a\n", "image/png"), "?"),))
    assert not told.images
    assert told.parts[0].text == "[Picture 1: The image cannot be used: it is broken or cut short.]"


def test_names_of_tools():
    (every,) = build_team({"model": scripted(), "tools": ["look", "zoom", "watch"]}).tools
    assert isinstance(every, VisionToolFactory) and every.names == VISION_TOOLS
    python, some = build_team(
        {"model": scripted(), "tools": ["mark", "python", "zoom", "mark"]}
    ).tools
    assert python.spec.name == "python" and some.names == ("mark", "zoom")
    assert build_team({"model": scripted(), "tools": ["watch"]}).tools == ()
    with pytest.raises(
        errors.BadOption, match=r"tool cannot be 'see'; it must be one of: .*look.*zoom"
    ):
        build_team({"model": scripted(), "tools": ["see"]})


@pytest.mark.parametrize(("missing", "tool"), [("rapidocr", "read"), ("resvg_py", "look")])
def test_a_missing_library_is_told_before_anything_begins(missing, tool, monkeypatch):
    monkeypatch.setattr(
        "musespark.tools.registry.find_spec", lambda name: None if name == missing else object()
    )
    with pytest.raises(
        errors.NotInstalled,
        match=rf"needs {missing}, which is not installed; run: pip install .musespark\[vision\]",
    ):
        build_team({"model": scripted(), "tools": [tool]})
    assert build_team({"model": scripted(), "tools": ["zoom", "mark"]}).tools


async def test_a_tool_of_the_one_who_asks_may_not_have_the_name_of_one_that_looks():
    request = Request.of("?", mode="thinking", tools=(ToolSpec.of("zoom", "", {}),))
    _, error, _ = await contemplated(looking(scripted(says("?"))), request)
    assert isinstance(error, errors.BadOption)


async def test_a_look_that_is_cancelled_leaves_nothing_running():
    one = scripted(
        calls(ToolCall.of("a", "sketch", {"svg": "<svg><rect width='9' height='9'/></svg>"})),
        says("?"),
    )
    task = asyncio.create_task(contemplated(looking(one), Request.of("?", mode="thinking")))
    while not one.requests or one.running:
        await asyncio.sleep(0)
    await asyncio.sleep(0.05)
    task.cancel()
    await asyncio.wait([task])
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_an_image_of_one_pixel_can_be_looked_at():
    one = scripted(
        calls(
            *(
                ToolCall.of(name, name, given)
                for name, given in (
                    ("zoom", {"box": [0, 0, 1, 1]}),
                    ("rotate", {"degrees": 45}),
                    ("enhance", {"threshold": "auto"}),
                    ("mark", {"boxes": [[0, 0, 1000, 1000]]}),
                    ("read", {}),
                    ("find", {"what": "white square"}),
                    ("sketch", {"svg": "<svg><rect/></svg>", "over": 1}),
                )
            )
        ),
        says("white"),
    )
    events, error, _ = await contemplated(
        looking(one), Request.of("?", [Image.from_bytes(DOT)], mode="thinking")
    )
    assert (
        error is None
        and [event.text for event in of(events, "tool_returned") if event.failed] == []
    )
