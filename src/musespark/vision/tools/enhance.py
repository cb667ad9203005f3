"""Enhance: what is too dark, too pale or too blurred to see, made plainer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from musespark.vision.album import View
from musespark.vision.coordinates import Unclear, box_asked
from musespark.vision.resize import encoded
from musespark.vision.tools.vision_tool import BOX, COORDINATES, PICTURE, Sight, ThreadedLook, flag, number
from musespark.vision.tools.zoom import cropped

if TYPE_CHECKING:
    import PIL.Image

AUTO = "auto"


class Enhance(ThreadedLook):
    """The tool `enhance`."""

    name = "enhance"
    does = "Shows a picture, or a box of it, with other contrast, brightness or sharpness, inverted, or in black and white by a " \
           f"threshold. Use it for what is faint, dark, overexposed or on a busy background. {COORDINATES}"
    takes: ClassVar[Mapping[str, Any]] = {
        "contrast": {"description": "'auto' spreads the tones from black to white; a number from 0 to 10 multiplies, 1 changes "
                                    "nothing.", "anyOf": [{"type": "number"}, {"type": "string", "enum": [AUTO]}]},
        "brightness": {"type": "number", "minimum": 0, "maximum": 10, "description": "Multiplies; 1 changes nothing."},
        "sharpness": {"type": "number", "minimum": 0, "maximum": 10, "description": "1 changes nothing, below 1 blurs."},
        "threshold": {"description": "Lighter pixels become white, the others black: 'auto', or a brightness from 0 to 255.",
                      "anyOf": [{"type": "number"}, {"type": "string", "enum": [AUTO]}]},
        "invert": {"type": "boolean"},
        "box": {**BOX, "description": "Only this region."},
        "picture": PICTURE,
    }

    def look(self, arguments: Mapping[str, Any]) -> Sight:
        remarks: list[str] = []
        wanted = Wanted(arguments)
        box = box_asked(arguments["box"], remarks) if "box" in arguments else None
        picture, pixels = self.picture(arguments)
        cut, back, seen = cropped(pixels, box)
        enhanced, how = wanted.done(cut)
        part = f" zoomed to {seen}," if box else ""
        view = View(enhanced, encoded(enhanced, self.album.side, enlarge=box is not None), f"picture {picture.number},{part} {how}",
                    lambda whole: wanted.done(cropped(whole, box)[0])[0], picture, back)
        return Sight(view, remarks=tuple(remarks))


class Wanted:
    """What is to be done to a picture, checked."""

    def __init__(self, arguments: Mapping[str, Any]) -> None:
        self.contrast = _number_or_auto(arguments, "contrast", 10)
        self.brightness = number(arguments, "brightness", 0, 10) if "brightness" in arguments else None
        self.sharpness = number(arguments, "sharpness", 0, 10) if "sharpness" in arguments else None
        self.threshold = _number_or_auto(arguments, "threshold", 255)
        self.invert = flag(arguments, "invert")
        if (self.contrast, self.brightness, self.sharpness, self.threshold) == (None,) * 4 and not self.invert:
            raise Unclear("Say what to enhance: contrast, brightness, sharpness, threshold or invert.")

    def done(self, pixels: PIL.Image.Image) -> tuple[PIL.Image.Image, str]:
        """The picture after all of it, in this order, and in words what was done."""
        from PIL import ImageEnhance, ImageOps

        how = []
        for name, factor, change in (("brightness", self.brightness, ImageEnhance.Brightness),
                                     ("sharpness", self.sharpness, ImageEnhance.Sharpness)):
            if factor is not None:
                pixels = change(pixels).enhance(factor)
                how.append(f"{name} {factor:g}")
        if self.contrast == AUTO:
            pixels = ImageOps.autocontrast(pixels, cutoff=1)
            how.append("contrast spread")
        elif self.contrast is not None:
            pixels = ImageEnhance.Contrast(pixels).enhance(float(self.contrast))
            how.append(f"contrast {float(self.contrast):g}")
        if self.invert:
            pixels = ImageOps.invert(pixels)
            how.append("inverted")
        if self.threshold is not None:
            grey = pixels.convert("L")
            level = best_threshold(grey) if self.threshold == AUTO else float(self.threshold)
            pixels = grey.point([255 if value > level else 0 for value in range(256)]).convert("RGB")
            how.append(f"black and white at {level:g}")
        return pixels, ", ".join(how)


def _number_or_auto(arguments: Mapping[str, Any], name: str, high: float) -> float | str | None:
    if arguments.get(name) is None or arguments[name] == AUTO:
        return arguments.get(name)
    try:
        return number(arguments, name, 0, high)
    except Unclear:
        raise Unclear(f"{name} is 'auto' or a number from 0 to {high:g}; this is {arguments[name]!r:.60}.") from None


def best_threshold(grey: PIL.Image.Image) -> int:
    """The brightness that best parts dark from light: the variance between the two is largest (Otsu, 1979)."""
    import numpy as np

    counts = np.asarray(grey.histogram()[:256], dtype=np.float64)
    below = np.cumsum(counts)
    total, sums = below[-1], np.cumsum(counts * np.arange(256))
    above = total - below
    with np.errstate(divide="ignore", invalid="ignore"):
        apart = (sums[-1] * below / total - sums) ** 2 / (below * above)
    return int(np.nanargmax(np.where(np.isfinite(apart), apart, -1.0)))
