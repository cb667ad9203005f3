"""VisionToolFactory, for a client of the server: the agents' own tools look at the pictures that it sends."""

import base64
import io
from typing import get_args

import openai
import pytest
from PIL import Image as pillow
from server.conftest import ABLE, live, says

from musespark.content import Image, ToolCall, ToolResult
from musespark.models.fake import FakeModel
from musespark.models.model import Abilities, ToolCallDelta
from musespark.server.resolve.options import VisionToolName
from musespark.tools.registry import VISION_TOOLS


def images_of(request):
    parts = [part for message in request.messages for part in message.parts]
    inside = [item for part in parts if isinstance(part, ToolResult) for item in part.content]
    return [item for item in (*parts, *inside) if isinstance(item, Image)]


def zooming(request, number):
    """Zooms into the middle, then says which colour is there."""
    if not any(message.role == "tool" for message in request.messages):
        return [
            ToolCallDelta(ToolCall.of("a", "zoom", {"box": [400, 400, 600, 600]})),
            *says("", thought=""),
        ]
    seen = [
        pillow.open(io.BytesIO(image.data)).convert("RGB").getpixel((9, 9))
        for image in images_of(request)
    ]
    return says(f"Answer: {seen[-1] if seen else 'unseen'}")


@pytest.fixture(scope="module")
def client():
    blind = Abilities(conversation=True, tools=True, context=100_000)
    models = {
        "sees": FakeModel(zooming, name="sees", abilities=ABLE),
        "blind": FakeModel(zooming, name="blind", abilities=blind),
    }
    with (
        live(models) as server,
        openai.OpenAI(base_url=f"{server.url}/v1", api_key="none", max_retries=0) as found,
    ):
        yield found


def question():
    image = pillow.new("RGB", (200, 100), "white")
    image.paste((0, 0, 255), (80, 40, 120, 60))
    file = io.BytesIO()
    image.save(file, "PNG")
    url = f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"
    return [
        {
            "role": "user",
            "content": [
                {"type": "image_url", "image_url": {"url": url}},
                {"type": "text", "text": "Which colour?"},
            ],
        }
    ]


def test_every_tool_that_looks_can_be_asked_for():
    assert get_args(VisionToolName) == tuple(VISION_TOOLS)


@pytest.mark.parametrize(
    ("model", "tool", "answer"),
    [
        ("sees", "look", "Answer: (0, 0, 255)"),
        ("contemplating/sees", "zoom", "Answer: (0, 0, 255)"),
        ("blind", "look", "Answer: unseen"),
    ],
)
def test_an_image_is_looked_at_and_what_was_seen_is_linked(client, model, tool, answer):
    done = client.chat.completions.create(
        model=model, messages=question(), extra_body={"muse": {"tools": [tool]}}
    )
    assert done.choices[0].message.content == answer
    assert len(done.muse["pictures"]) >= 1


def test_a_model_that_sees_nothing_is_refused_without_them(client):
    for tools in ([], ["zoom"]):
        with pytest.raises(openai.BadRequestError, match="read images"):
            client.chat.completions.create(
                model="blind", messages=question(), extra_body={"muse": {"tools": tools}}
            )


def test_a_client_s_own_tool_may_not_have_the_name_of_one(client):
    own = [
        {
            "type": "function",
            "function": {"name": "zoom", "parameters": {"type": "object", "properties": {}}},
        }
    ]
    with pytest.raises(openai.BadRequestError, match="zoom"):
        client.chat.completions.create(
            model="sees", messages=question(), tools=own, extra_body={"muse": {"tools": ["look"]}}
        )
