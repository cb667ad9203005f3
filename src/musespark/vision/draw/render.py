"""Rendering of a sanitised drawing in a process of its own."""

from __future__ import annotations

import asyncio
import io
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from musespark.vision.coordinates import InvalidToolArguments
from musespark.vision.draw.marks import load_font
from musespark.vision.draw.sanitize import Drawing

if TYPE_CHECKING:
    import PIL.Image

TIMEOUT = 20.0
"""Seconds of wall time after which the process is killed; its limit of processor time is lower."""


async def render_svg(drawing: Drawing, size: tuple[int, int]) -> bytes:
    """Render to a PNG file's bytes, transparent where nothing is drawn.

    The process is killed when it takes too long, or when the caller is cancelled. Raises `InvalidToolArguments` if the drawing
    cannot be rendered within the limits.
    """
    with tempfile.TemporaryDirectory(prefix="muse-sketch-") as directory:
        font_file = await asyncio.to_thread(_write_font, Path(directory))
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-P",
            "-m",
            "musespark.vision.draw.render_process",
            *map(str, size),
            font_file,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            async with asyncio.timeout(TIMEOUT):
                png, stderr = await process.communicate(drawing.with_size(*size).encode())
        except TimeoutError:
            raise InvalidToolArguments(
                "The drawing took too long to render; draw something simpler."
            ) from None
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
    if process.returncode == 0:
        return png
    last = stderr.decode("utf-8", "replace").strip().rpartition("\n")[2]
    if last.startswith("resvg: "):
        raise InvalidToolArguments(
            f"The drawing cannot be rendered: {last.removeprefix('resvg: ')[:300]}."
        )
    raise InvalidToolArguments(
        "The drawing needs more time or memory than there is for it; draw something simpler."
    )


def compose_drawing(png: bytes, background: PIL.Image.Image | None) -> PIL.Image.Image:
    """Compose a rendered drawing over an image, scaled to the drawing's size; without one, on white."""
    from PIL import Image as pillow

    with pillow.open(io.BytesIO(png), formats=("PNG",)) as file:
        drawing = file.convert("RGBA")
    below = pillow.new("RGB", drawing.size, "white") if background is None else background
    if below.size != drawing.size:
        below = below.resize(drawing.size, pillow.Resampling.LANCZOS, reducing_gap=3.0)
    return pillow.alpha_composite(below.convert("RGBA"), drawing).convert("RGB")


def _write_font(directory: Path) -> str:
    """Write Pillow's font for machines without fonts; returns its path, empty if Pillow was built without FreeType."""
    source = getattr(load_font(16), "path", None)
    if not isinstance(source, io.BytesIO):
        return ""
    file = directory / "letters.ttf"
    file.write_bytes(source.getvalue())
    return str(file)
