"""An agent that looks: the pictures of its tools are in its conversation, and in the trace."""

import io

from PIL import Image as pillow
from reasoning.teams import ABLE, calls, contemplated, of, says, team

from musespark.asking import Options, thinkers
from musespark.content import Image, Request, Text, ToolCall, ToolResult
from musespark.models.fake import FakeModel


def red_on_white():
    """400x200, white, with a red square from (100, 50) to (120, 70)."""
    picture = pillow.new("RGB", (400, 200), "white")
    picture.paste("red", (100, 50, 120, 70))
    return picture


def image_of(picture, format="PNG"):
    file = io.BytesIO()
    picture.save(file, format)
    return Image.from_bytes(file.getvalue())


def scripted(*scripts, **options):
    return FakeModel(lambda request, number: scripts[min(number, len(scripts) - 1)], **{"abilities": ABLE, **options})


def looking(*models, tools=("look",)):
    """A team of these with tools that look."""
    return team(*models, tools=thinkers(Options(model=models[0], tools=tools)).tools)


def parts_of(request):
    """Every part of a request, those of tool results included."""
    for message in request.messages:
        for part in message.parts:
            yield from part.content if isinstance(part, ToolResult) else (part,)


async def test_what_a_tool_shows_is_in_the_next_call_and_in_the_trace():
    zooms = calls(ToolCall.of("a", "zoom", {"box": [250, 250, 300, 350]})), calls(ToolCall.of("b", "zoom", {"box": [0, 0, 500, 1000],
                                                                                                          "picture": 2}))
    one = scripted(*zooms, says("red"))
    request = Request.of("What colour is the square?", [image_of(red_on_white())], mode="thinking")
    events, error, _ = await contemplated(looking(one, tools=("zoom",)), request)
    assert error is None and events[-1].answer == "red"
    kinds = [event.kind for event in events if event.kind in ("tool_called", "pictured", "tool_returned")]
    assert kinds == ["tool_called", "pictured", "tool_returned"] * 2
    assert [event.caption for event in of(events, "pictured")] == ["picture 1, zoomed to [250, 250, 300, 350]",
                                                                   "picture 2, zoomed to [0, 0, 500, 1000]"]
    first, second, third = ([part for part in parts_of(each) if isinstance(part, Image)] for each in one.requests)
    assert (len(first), len(second), len(third)) == (1, 2, 3)
    for image in third[1:]:
        seen = pillow.open(io.BytesIO(image.data)).convert("RGB")
        assert seen.getcolors() == [(seen.width * seen.height, (255, 0, 0))]
    said = [part.text for part in parts_of(one.requests[-1]) if isinstance(part, Text)]
    assert said[0] == "[Picture 1: 400x200 pixels]"
    assert said[-1] == "Picture 3: picture 2, zoomed to [0, 0, 500, 1000], 10x20 pixels; it shows [250, 250, 275, 350] of picture 1."
