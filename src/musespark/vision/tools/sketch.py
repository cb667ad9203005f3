"""Sketch: a drawing in SVG, rendered and shown back, alone or over a picture."""

from __future__ import annotations

import asyncio
import io
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from musespark.vision.album import Picture, View
from musespark.vision.coordinates import Unclear
from musespark.vision.draw.marks import font
from musespark.vision.resize import encoded
from musespark.vision.tools.vision_tool import Look, Sight, text
from musespark.vision.draw.sanitize import LONGEST, Drawing, safe

if TYPE_CHECKING:
    import PIL.Image

SIDE = 1024
"""Pixels of a drawing's longest side."""
OVER = 2048
"""Pixels of the longest side of a picture that is drawn over; a larger one is scaled down for it."""
SECONDS = 20.0
"""That rendering may take before it is ended; of a processor's time it has less."""


class Sketch(Look):
    """The tool `sketch`."""

    name = "sketch"
    does = "Draws what you write as SVG and shows it: a diagram, a plan, a construction in geometry, a guess at what something " \
           "looks like. Shapes, paths, text, gradients, patterns, masks and clips; no pictures, scripts, style sheets, filters. " \
           "Without a viewBox, coordinates run from 0 to 1000 each way. With over, the drawing goes over that picture, in its " \
           "coordinates, 0 to 1000 each way."
    takes: ClassVar[Mapping[str, Any]] = {
        "svg": {"type": "string", "description": "<svg xmlns=\"http://www.w3.org/2000/svg\">...</svg>"},
        "over": {"type": "integer", "minimum": 1, "description": "The number of a picture to draw over."},
        "caption": {"type": "string", "description": "What it shows, in a few words."},
    }
    needs = ("svg",)

    async def looked(self, arguments: Mapping[str, Any]) -> Sight:
        over = self.album.picture(arguments["over"]) if "over" in arguments else None
        drawing = safe(text(arguments, "svg", LONGEST), over=over is not None)
        size = _size(over.width, over.height, OVER) if over else _size(drawing.width, drawing.height, SIDE, enlarge=True)
        png = await rendered(drawing, size)
        return await asyncio.to_thread(self._sight, png, over, _caption(arguments), drawing.remarks)

    def _sight(self, png: bytes, over: Picture | None, caption: str, remarks: tuple[str, ...]) -> Sight:
        def made(whole: PIL.Image.Image | None = None) -> PIL.Image.Image:
            return laid(png, whole)

        pixels = made(self.album.pixels(over) if over else None)
        named = f"a sketch{f' of {caption}' if caption else ''}{f' over picture {over.number}' if over else ''}"
        return Sight(View(pixels, encoded(pixels, self.album.side), named, made, over), remarks=remarks)


def _caption(arguments: Mapping[str, Any]) -> str:
    caption = arguments.get("caption", "")
    if not isinstance(caption, str):
        raise Unclear("caption is a text.")
    return " ".join(caption.split())[:80]


def _size(width: float, height: float, side: int, *, enlarge: bool = False) -> tuple[int, int]:
    factor = side / max(width, height)
    factor = factor if enlarge else min(1.0, factor)
    return max(1, round(width * factor)), max(1, round(height * factor))


def laid(png: bytes, under: PIL.Image.Image | None) -> PIL.Image.Image:
    """A rendered drawing on white, or over a picture."""
    from PIL import Image as pillow

    with pillow.open(io.BytesIO(png), formats=("PNG",)) as file:
        drawing = file.convert("RGBA")
    ground = pillow.new("RGB", drawing.size, "white") if under is None else under
    if ground.size != drawing.size:
        ground = ground.resize(drawing.size, pillow.Resampling.LANCZOS, reducing_gap=3.0)
    return pillow.alpha_composite(ground.convert("RGBA"), drawing).convert("RGB")


async def rendered(drawing: Drawing, size: tuple[int, int]) -> bytes:
    """A PNG file's bytes, transparent where nothing is drawn, from a process of its own that is ended when it takes too long.

    Raises `Unclear` where the drawing cannot be rendered within the limits.
    """
    with tempfile.TemporaryDirectory(prefix="muse-sketch-") as directory:
        letters = await asyncio.to_thread(_letters, Path(directory))
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-P", "-m", "musespark.vision.draw.render_process", *map(str, size), letters,
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE)
        try:
            async with asyncio.timeout(SECONDS):
                png, said = await process.communicate(drawing.sized(*size).encode())
        except TimeoutError:
            raise Unclear("The drawing took too long to render; draw something simpler.") from None
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
    if process.returncode == 0:
        return png
    last = said.decode("utf-8", "replace").strip().rpartition("\n")[2]
    if last.startswith("resvg: "):
        raise Unclear(f"The drawing cannot be rendered: {last.removeprefix('resvg: ')[:300]}.")
    raise Unclear("The drawing needs more time or memory than there is for it; draw something simpler.")


def _letters(directory: Path) -> str:
    """The file of a font for machines that have none; empty where Pillow was built without."""
    source = getattr(font(16), "path", None)
    if not isinstance(source, io.BytesIO):
        return ""
    file = directory / "letters.ttf"
    file.write_bytes(source.getvalue())
    return str(file)
