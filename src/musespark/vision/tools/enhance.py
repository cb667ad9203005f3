"""Enhance: contrast, brightness, sharpness and threshold of an image that is too dark, too pale or too blurred."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from musespark.vision.album import View
from musespark.vision.coordinates import InvalidToolArguments, parse_box
from musespark.vision.crop import crop_to_box
from musespark.vision.resize import encode_image
from musespark.vision.tools.vision_tool import (
    BOX,
    COORDINATES,
    IMAGE,
    ThreadedVisionTool,
    ToolView,
    parse_flag,
    parse_number,
)

if TYPE_CHECKING:
    import PIL.Image

AUTO = "auto"
_AUTOMATIC = (AUTO, "automatic", "otsu")


class EnhanceTool(ThreadedVisionTool):
    """The tool `enhance`."""

    name = "enhance"
    description = (
        "Shows a picture, or a box of it, with other contrast, brightness or sharpness, inverted, or in black and white by a "
        f"threshold. Use it for what is faint, dark, overexposed or on a busy background. {COORDINATES}"
    )
    parameters: ClassVar[Mapping[str, Any]] = {
        "contrast": {
            "description": "'auto' spreads the tones from black to white; a number from 0 to 10 multiplies, 1 changes "
            "nothing.",
            "anyOf": [{"type": "number"}, {"type": "string", "enum": [AUTO]}],
        },
        "brightness": {
            "type": "number",
            "minimum": 0,
            "maximum": 10,
            "description": "Multiplies; 1 changes nothing.",
        },
        "sharpness": {
            "type": "number",
            "minimum": 0,
            "maximum": 10,
            "description": "1 changes nothing, below 1 blurs.",
        },
        "threshold": {
            "description": "Lighter pixels become white, the others black: 'auto', or a brightness from 0 to 255.",
            "anyOf": [{"type": "number"}, {"type": "string", "enum": [AUTO]}],
        },
        "invert": {"type": "boolean"},
        "box": {**BOX, "description": "Only this region."},
        "picture": IMAGE,
    }

    def compute(self, arguments: Mapping[str, Any]) -> ToolView:
        remarks: list[str] = []
        enhancement = Enhancement(arguments)
        box = parse_box(arguments["box"], remarks) if "box" in arguments else None
        image, pixels = self.source(arguments)
        cropped, to_source, covered = crop_to_box(pixels, box)
        enhanced, done = enhancement.apply(cropped)
        part = f" zoomed to {covered}," if box else ""
        view = View(
            enhanced,
            encode_image(enhanced, self.album.longest_side, enlarge=box is not None),
            f"picture {image.number},{part} {done}",
            lambda whole: enhancement.apply(crop_to_box(whole, box)[0])[0],
            image,
            to_source,
        )
        return ToolView(view, remarks=tuple(remarks))


class Enhancement:
    """The changes that a call asks for."""

    def __init__(self, arguments: Mapping[str, Any]) -> None:
        """Check the arguments. Raises `InvalidToolArguments`."""
        self.contrast = _number_or_auto(arguments, "contrast", 10)
        self.brightness = (
            parse_number(arguments, "brightness", 0, 10) if "brightness" in arguments else None
        )
        self.sharpness = (
            parse_number(arguments, "sharpness", 0, 10) if "sharpness" in arguments else None
        )
        self.threshold = _number_or_auto(arguments, "threshold", 255)
        self.invert = parse_flag(arguments, "invert")
        if (self.contrast, self.brightness, self.sharpness, self.threshold) == (
            None,
        ) * 4 and not self.invert:
            raise InvalidToolArguments(
                "Say what to enhance: contrast, brightness, sharpness, threshold or invert."
            )

    def apply(self, pixels: PIL.Image.Image) -> tuple[PIL.Image.Image, str]:
        """Return the enhanced image, and a description of the changes in the order in which they were made."""
        from PIL import ImageEnhance, ImageOps

        done = []
        for name, factor, change in (
            ("brightness", self.brightness, ImageEnhance.Brightness),
            ("sharpness", self.sharpness, ImageEnhance.Sharpness),
        ):
            if factor is not None:
                pixels = change(pixels).enhance(factor)
                done.append(f"{name} {factor:g}")
        if self.contrast == AUTO:
            pixels = ImageOps.autocontrast(pixels, cutoff=1)
            done.append("contrast spread")
        elif self.contrast is not None:
            pixels = ImageEnhance.Contrast(pixels).enhance(float(self.contrast))
            done.append(f"contrast {float(self.contrast):g}")
        if self.invert:
            pixels = ImageOps.invert(pixels)
            done.append("inverted")
        if self.threshold is not None:
            grey = pixels.convert("L")
            level = otsu_threshold(grey) if self.threshold == AUTO else float(self.threshold)
            pixels = grey.point([255 if value > level else 0 for value in range(256)]).convert(
                "RGB"
            )
            done.append(f"black and white at {level:g}")
        return pixels, ", ".join(done)


def _number_or_auto(arguments: Mapping[str, Any], name: str, high: float) -> float | str | None:
    given = arguments.get(name)
    if given is None:
        return None
    if given is True or (isinstance(given, str) and given.strip().lower() in _AUTOMATIC):
        return AUTO
    try:
        return parse_number(arguments, name, 0, high)
    except InvalidToolArguments:
        raise InvalidToolArguments(
            f"{name} is 'auto' or a number from 0 to {high:g}; this is {arguments[name]!r:.60}."
        ) from None


def otsu_threshold(grey: PIL.Image.Image) -> int:
    """Return the brightness that best separates dark from light: it maximises the variance between the two (Otsu, 1979)."""
    import numpy as np

    counts = np.asarray(grey.histogram()[:256], dtype=np.float64)
    below = np.cumsum(counts)
    total, sums = below[-1], np.cumsum(counts * np.arange(256))
    above = total - below
    with np.errstate(divide="ignore", invalid="ignore"):
        variance = (sums[-1] * below / total - sums) ** 2 / (below * above)
    return int(np.nanargmax(np.where(np.isfinite(variance), variance, -1.0)))
