"""Images, albums and models for the tests of vision."""

import io

from PIL import Image as pillow, ImageDraw, ImageFont
from reasoning.teams import ABLE, team

from musespark.api import Options, build_team
from musespark.content import Image, Message, ToolResult
from musespark.models.fake import FakeModel
from musespark.tools.registry import VISION_TOOLS, make_vision_tools
from musespark.vision.album import Album


def file_of(image, format="PNG", **options):
    """Encode a PIL image as a file."""
    file = io.BytesIO()
    image.save(file, format, **options)
    return file.getvalue()


def image_of(image, format="PNG", **options):
    return Image.from_bytes(file_of(image, format, **options))


def opened(image):
    return pillow.open(io.BytesIO(image.data)).convert("RGB")


def red_on_white():
    """400x200, white, with a red square from (100, 50) to (120, 70)."""
    image = pillow.new("RGB", (400, 200), "white")
    image.paste("red", (100, 50, 120, 70))
    return image


def receipt():
    """400x300, with five lines of print."""
    image = pillow.new("RGB", (400, 300), "white")
    draw = ImageDraw.Draw(image)
    for index, line in enumerate(
        ("CORNER SHOP", "Bread 2.40", "Milk 1.15", "Apples 3.20", "TOTAL 6.75")
    ):
        draw.text((40, 30 + 50 * index), line, fill="black", font=ImageFont.load_default(22))
    return image


TOTAL = (40, 230, 170, 258)
"""The pixels of a receipt's last line, roughly."""


class Tools:
    """All the tools over an album, by name."""

    def __init__(self, *images, **options):
        self.album = Album(**options)
        self.album.label_images(
            [
                Message.user(
                    *(one if isinstance(one, Image) else image_of(one) for one in images), "?"
                )
            ]
        )
        self._tools = {tool.spec.name: tool for tool in make_vision_tools(self.album, VISION_TOOLS)}

    def __getattr__(self, name):
        return lambda **arguments: self._tools[name].use(arguments)


def scripted(*scripts, **options):
    """Return a model that plays these scripts in turn."""
    return FakeModel(
        lambda request, number: scripts[min(number, len(scripts) - 1)],
        **{"abilities": ABLE, **options},
    )


def looking(*models, tools=("look",), **options):
    """Return a team of these models with vision tools."""
    return team(*models, tools=build_team(Options(model=models[0], tools=tools)).tools, **options)


def parts_of(request):
    """Yield every part of a request, those within tool results included."""
    for message in request.messages:
        for part in message.parts:
            yield from part.content if isinstance(part, ToolResult) else (part,)
