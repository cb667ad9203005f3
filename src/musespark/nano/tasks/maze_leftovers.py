"""Check that an image shows a maze and nothing else: its walls, its two dots and plain ground, however faint or coloured the rest.

A reader of dark walls overlooks a wall of light grey, or of a colour among black ones; the verifier would then confirm a path
through it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageFilter

from musespark.nano.arrays import Array
from musespark.nano.tasks.maze_sheet import Sheet, edges
from musespark.nano.tasks.reading import is_noise

_FAINT = 6.0
"""Difference (of 255) from the ground that any pixel may have."""
_GRAINY = 60.0
"""Multiple of the mean difference around walls and dots that a pixel may have besides: JPEG leaves noise along them."""
_FAINT_LINE = 4.0
"""Mean difference from the ground that a line across an opening may have."""
_OFF_COLOUR = 45.0
"""Difference (of 255) that a pixel of a wall or a dot may have from all mixtures of its paint and the ground."""
_BLUR, _BLOCK = 2, 8
"""Pixels around walls and dots that may be mixtures, and the distance up to which JPEG noise reaches."""
_SOFT = 1.8
"""Pixels on either side of a dot's rim that may be mixtures."""
_UNBROKEN = 0.98
"""Least share of a wall's length that must be dark."""


def is_all(sheet: Sheet, size: int, exits: Sequence[int]) -> bool:
    """Return True if walls, dots and plain ground account for every pixel of an image that was read as size x size cells."""
    top, left = sheet.corner
    height, width = sheet.walls.shape
    ground = np.median(sheet.pixels[_is_ground(sheet)], axis=0)
    apart = np.abs(sheet.pixels - ground).max(-1)
    walls = np.zeros(sheet.walls.shape, bool)
    inner = sheet.pixels[top : top + height, left : left + width]
    for cell in range(size * size):
        for bit, y, x in edges(*divmod(cell, size)):
            if not exits[cell] & bit:
                if not _is_unbroken(sheet, y, x, size):
                    return False
                walls[sheet.strip(y, x, size, whole=True)] = True
    ink = np.median(inner[sheet.walls > 0.9], axis=0) if (sheet.walls > 0.9).any() else np.zeros(3)
    if (_off_mixture(inner[walls & ~_near_dots(sheet)], ground, ink) > _OFF_COLOUR).any():
        return False
    drawn = np.zeros(apart.shape, bool)
    drawn[top : top + height, left : left + width] = walls
    for middle in sheet.dots:
        dot = _dot(sheet, middle, ground, walls)
        if dot is None:
            return False
        drawn[top : top + height, left : left + width] |= dot
    left_over = np.where(_grown(drawn, _BLUR), 0.0, apart)
    near = _grown(drawn, _BLOCK) & ~_grown(drawn, _BLUR)
    mean = float(left_over[near].mean()) if near.any() else 0.0
    return is_noise(left_over, _FAINT + _GRAINY * mean, 0.0) and _openings_are_plain(
        sheet, size, exits, ground, left_over
    )


def _is_ground(sheet: Sheet) -> Array:
    """Return the light pixels within the outer walls."""
    top, left = sheet.corner
    mask = np.zeros(sheet.pixels.shape[:2], bool)
    inner = sheet.pixels[top : top + sheet.walls.shape[0], left : left + sheet.walls.shape[1]]
    mask[top : top + sheet.walls.shape[0], left : left + sheet.walls.shape[1]] = (
        sheet.walls < 0.02
    ) & (inner.min(-1) > 180)
    return mask if mask.any() else sheet.pixels.min(-1) > 180


def _is_unbroken(sheet: Sheet, y: float, x: float, size: int) -> bool:
    strip = sheet.walls[sheet.strip(y, x, size)]
    return float((strip.max(1 if x == int(x) else 0) > 0.25).mean()) >= _UNBROKEN


def _off_mixture(colours: Array, ground: Array, paint: Array) -> Array:
    """Return the distance of colours (n, 3) from all mixtures of two others, in the channel with the largest."""
    axis = paint - ground
    share = np.clip((colours - ground) @ axis / max(float(axis @ axis), 1.0), 0, 1)
    off: Array = np.abs(colours - ground - share[..., None] * axis).max(-1)
    return off


def _near_dots(sheet: Sheet) -> Array:
    """Return the places where a dot may touch a wall: a square that fills its cell."""
    near = np.zeros(sheet.walls.shape, bool)
    top, left = sheet.corner
    inner = sheet.pixels[top : top + sheet.walls.shape[0], left : left + sheet.walls.shape[1]]
    for paint in (1, 0):
        others = np.delete(inner, paint, axis=-1).max(-1)
        coloured = inner[..., paint] - others > 20
        near |= _grown(coloured, 1)
    return near


def _grown(mask: Array, by: int) -> Array:
    """Grow a mask by `by` rows and columns."""
    image = Image.fromarray(mask.astype(np.uint8) * 255)
    return (
        np.asarray(image.filter(ImageFilter.BoxBlur(by))) > 0
    )  # one pixel's share of 17 x 17 is still rounded up to 1


def _dot(sheet: Sheet, middle: tuple[float, float], ground: Array, walls: Array) -> Array | None:
    """Return the pixels of a dot if it is a plain disc or square; None for anything else."""
    top, left = sheet.corner
    inner = sheet.pixels[top : top + sheet.walls.shape[0], left : left + sheet.walls.shape[1]]
    y, x = (int(value) for value in middle)
    paint = np.median(inner[max(y - 1, 0) : y + 2, max(x - 1, 0) : x + 2].reshape(-1, 3), axis=0)
    axis = paint - ground
    share = np.clip((inner - ground) @ axis / max(float(axis @ axis), 1.0), 0, 1)
    share[_off_mixture(inner, ground, paint) > _OFF_COLOUR] = 0
    rows, columns = np.ogrid[: share.shape[0], : share.shape[1]]
    down, right = np.abs(rows + 0.5 - middle[0]), np.abs(columns + 0.5 - middle[1])
    reach = _reach(share, down, right, walls)
    for distance, radius in (
        (np.hypot(down, right), (reach / np.pi) ** 0.5), (np.maximum(down, right), reach**0.5 / 2),
    ):  # fmt: skip
        core: Array = distance < radius - _SOFT
        rim: Array = distance < radius + _SOFT
        around = (distance < 1.5 * radius + 2) & ~rim & ~walls
        if (share[core] > 0.85).all() and (share[around] < 0.15).all():
            return rim
    return None


def _reach(share: Array, down: Array, right: Array, walls: Array) -> float:
    """Return the area of a dot in pixels: its paint, as far as it is connected to the middle."""
    near, before = 2.0, -1.0
    area = 0.0
    while area > before:
        before = area
        near += 1.0
        area = float(share[(np.maximum(down, right) < near) & ~walls].sum())
        if area < 0.3 * near * near:
            break
    return max(area, 1.0)


def _openings_are_plain(
    sheet: Sheet, size: int, exits: Sequence[int], ground: Array, left_over: Array
) -> bool:
    """Return True if no faint line crosses an opening, which noise would hide in single pixels."""
    top, left = sheet.corner
    over = left_over[top : top + sheet.walls.shape[0], left : left + sheet.walls.shape[1]]
    inner = sheet.pixels[top : top + sheet.walls.shape[0], left : left + sheet.walls.shape[1]]
    for cell in range(size * size):
        for bit, y, x in edges(*divmod(cell, size)):
            if exits[cell] & bit:
                strip = sheet.strip(y, x, size)
                colours = np.where(over[strip][..., None] > 0, inner[strip], ground)
                lines = colours.mean(0 if x == int(x) else 1)
                if lines.size and float(np.abs(lines - ground).max()) > _FAINT_LINE:
                    return False
    return True
