"""Images of one coloured shape: drawn like easy-VQA's, varied, and read by plain geometry.

Sizes, colours, grounds and soft edges were measured on easy-VQA's train split only.
"""

from __future__ import annotations

import random

import numpy as np
from PIL import Image, ImageDraw

from musespark.nano.arrays import Array

COLOURS: dict[str, tuple[int, int, int]] = {
    "red": (255, 0, 0),
    "green": (0, 255, 0),
    "blue": (0, 0, 255),
    "black": (0, 0, 0),
    "gray": (128, 128, 128),
    "teal": (0, 128, 128),
    "brown": (165, 42, 42),
    "yellow": (255, 255, 0),
}
SHAPES = ("rectangle", "circle", "triangle")
SIDE = 64
_FINE = 4
"""Factor of size at which shapes are drawn before they are shrunk, for soft edges like those of easy-VQA's images."""
_LARGEST_READ = 512


def draw(colour: str, shape: str, rng: random.Random) -> Array:
    """Draw the shape on a pale ground, (64, 64, 3) uint8."""
    ground = tuple(rng.randint(230, 255) for _ in range(3))
    full = SIDE * _FINE
    image = Image.new("RGB", (full, full), ground)
    width = rng.randint(32, 130)
    height = {"rectangle": rng.randint(32, 130), "circle": width, "triangle": round(width * 0.866)}[
        shape
    ]
    x, y = rng.randint(0, full - width), rng.randint(0, full - height)
    box = (x, y, x + width, y + height)
    pen = ImageDraw.Draw(image)
    if shape == "rectangle":
        pen.rectangle(box, fill=COLOURS[colour])
    elif shape == "circle":
        pen.ellipse(box, fill=COLOURS[colour])
    else:
        pen.polygon(
            [(x, y + height), (x + width, y + height), (x + width / 2, y)], fill=COLOURS[colour]
        )
    soft = rng.random() < 0.9  # sometimes hard edges, as other people's images have
    small = image.resize(
        (SIDE, SIDE), Image.Resampling.BILINEAR if soft else Image.Resampling.NEAREST
    )
    return np.array(small)


def vary_image(image: Array, rng: random.Random) -> Array:
    """Vary an image: mirrored, moved (within the edges), a little brighter or darker."""
    if rng.random() < 0.5:
        image = image[:, ::-1]
    ground = ground_of(image)
    rows, columns = _extent(np.abs(image.astype(int) - ground).sum(2) > 6)
    if rows and columns and 0 < rows[0] and rows[1] < SIDE and 0 < columns[0] and columns[1] < SIDE:
        down = rng.randint(-rows[0], SIDE - rows[1])
        right = rng.randint(-columns[0], SIDE - columns[1])
        moved = np.empty_like(image)
        moved[:] = ground
        moved[rows[0] + down : rows[1] + down, columns[0] + right : columns[1] + right] = image[
            rows[0] : rows[1], columns[0] : columns[1]
        ]
        image = moved
    light = np.array([rng.randint(-4, 4) for _ in range(3)])
    lit: Array = np.clip(image.astype(int) + light, 0, 255).astype(np.uint8)
    return lit


def read(image: Array) -> tuple[str, str] | None:
    """Read colour and shape by geometry; None unless there is clearly one shape of a known colour."""
    if image.ndim != 3 or min(image.shape[:2]) < 8:
        return None
    if max(image.shape[:2]) > _LARGEST_READ:
        small = Image.fromarray(image)
        small.thumbnail((_LARGEST_READ, _LARGEST_READ))
        image = np.array(small)
    pixels = image[..., :3].astype(float)
    ground = ground_of(image).astype(float)
    differs = np.abs(pixels - ground).sum(2)
    if differs.max() < 60:
        return None
    inside = pixels[differs > 0.75 * differs.max()]
    paint = np.median(inside, axis=0)
    colour = _nearest(paint)
    if colour is None or (np.abs(inside - paint).max(1) < 40).mean() < 0.7:
        return None
    axis = paint - ground
    covered = np.clip(((pixels - ground) @ axis) / (axis @ axis), 0, 1)
    shape = _shape(covered)
    return (colour, shape) if shape else None


def _shape(covered: Array) -> str | None:
    """Classify a shape: rectangle, circle and triangle fill 1, pi/4 and 1/2 of their bounding box."""
    width, height = covered.sum(1).max(), covered.sum(0).max()
    if min(width, height) < 4 or covered.sum() > 0.9 * covered.size:
        return None
    fill = covered.sum() / (width * height)
    if 0.91 < fill < 1.08:
        return "rectangle"
    if 0.72 < fill < 0.89 and 0.8 < width / height < 1.25:
        return "circle"
    return "triangle" if 0.42 < fill < 0.71 else None


def _nearest(paint: Array) -> str | None:
    distances = sorted(
        (float(np.abs(paint - np.array(value)).max()), name) for name, value in COLOURS.items()
    )
    return distances[0][1] if distances[0][0] < 48 else None


def ground_of(image: Array) -> Array:
    """Return the most frequent colour of the border."""
    border = np.concatenate([image[0], image[-1], image[:, 0], image[:, -1]])[..., :3]
    packed = border.reshape(-1, 3).astype(int) @ (
        1 << 16,
        1 << 8,
        1,
    )  # one number a pixel: much faster to count than rows of three
    values, counts = np.unique(packed, return_counts=True)
    most = int(values[counts.argmax()])
    return np.array((most >> 16, most >> 8 & 255, most & 255))


def _extent(mask: Array) -> tuple[tuple[int, int] | None, tuple[int, int] | None]:
    """Return the first row and column of a mask, and one past the last."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    if not len(rows):
        return None, None
    return (int(rows[0]), int(rows[-1]) + 1), (int(columns[0]), int(columns[-1]) + 1)
