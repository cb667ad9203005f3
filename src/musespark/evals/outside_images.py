"""Draw mazes, frozen lakes and shapes in styles that the model was not trained on, selected by the name of the style."""

from __future__ import annotations

import io
import math
import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from musespark.nano.arrays import Array
from musespark.nano.tasks import frames
from musespark.nano.tasks.shapes_images import COLOURS, SHAPES

_CELL = 40
"""Pixels per side of a maze's cell."""
_GREEN, _RED, _BLUE, _ORANGE = (0, 160, 60), (225, 40, 40), (30, 60, 220), (255, 140, 0)
_INKS = {
    "grey walls": (128,) * 3,
    "light grey walls": (190,) * 3,
    "blue walls": _BLUE,
    "dark theme": (255,) * 3,
}
_PAPERS = {"dark theme": (20,) * 3, "cream paper": (250, 240, 205)}
_EXTRA_WALLS = {"blue wall": _BLUE, "red wall": _RED, "light grey wall": (190,) * 3}
OTHER_COLOURS = {
    "orange": (255, 165, 0), "purple": (128, 0, 128), "pink": (255, 192, 203), "white": (255, 255, 255), "cyan": (0, 255, 255),
    "magenta": (255, 0, 255), "navy": (0, 0, 128), "lime": (50, 205, 50), "maroon": (128, 0, 0), "olive": (128, 128, 0),
    "dark green": (0, 100, 0), "sky blue": (135, 206, 235),
}  # fmt: skip
OTHER_SHAPES = (
    "triangle_down", "right triangle", "ellipse", "pentagon", "hexagon", "star", "diamond", "cross", "heart", "ring",
)  # fmt: skip
_CLASSIC = {"S": "stool", "H": "hole", "G": "goal"}


def draw_maze(maze: Mapping[str, Any], style: str) -> Array:
    """Draw a maze of R x C cells with passages P, from cell s to cell g; e: an edge with a wall of another colour."""
    rows, columns, passages = maze["R"], maze["C"], {tuple(sorted(pair)) for pair in maze["P"]}
    if style == "unsolvable":
        passages = {pair for pair in passages if maze["g"] not in pair}
    ink, paper = _of(_INKS, style, (0, 0, 0)), _of(_PAPERS, style, (255, 255, 255))
    width = 1 if "thin" in style else round(0.3 * _CELL) if "thick" in style else 4
    image = Image.new("RGB", (columns * _CELL + 41, rows * _CELL + 41), paper)
    pen = ImageDraw.Draw(image)
    if "blocks" in style:
        return _blocks(maze, passages)
    for cell in range(rows * columns):
        row, column = divmod(cell, columns)
        left, top = 20 + column * _CELL, 20 + row * _CELL
        for other, line in ((cell + 1, (left + _CELL, top, left + _CELL, top + _CELL)),
                            (cell + columns, (left, top + _CELL, left + _CELL, top + _CELL))):  # fmt: skip
            inner = column + 1 < columns if other == cell + 1 else row + 1 < rows
            if inner and (cell, other) not in passages:
                _line(pen, line, (200,) * 3 if "inner" in style else ink, width)
            if inner and [cell, other] == sorted(maze.get("e", ())):
                _line(pen, line, _of(_EXTRA_WALLS, style, ink), width)
    frame = (20, 20, 20 + columns * _CELL, 20 + rows * _CELL)
    right, bottom = frame[2:]
    for line in (
        (20, 20, right, 20),
        (20, bottom, right, bottom),
        (20, 20, 20, bottom),
        (right, 20, right, bottom),
    ):
        _line(pen, line, (0, 0, 0) if "frame" in style else ink, width)
    _marks(pen, maze, style, paper, frame)
    return _finished(image, style)


def _of(table: Mapping[str, Any], style: str, other: Any) -> Any:
    return next((value for name, value in table.items() if name in style), other)


def _line(pen: ImageDraw.ImageDraw, line: Sequence[int], ink: tuple[int, ...], width: int) -> None:
    left, top, right, bottom = line
    pen.rectangle(
        (left - width // 2, top - width // 2, right + (width - 1) // 2, bottom + (width - 1) // 2),
        fill=ink,
    )


def _marks(
    pen: ImageDraw.ImageDraw,
    maze: Mapping[str, Any],
    style: str,
    paper: tuple[int, ...],
    frame: Sequence[int],
) -> None:
    start, goal = (
        (_RED, _GREEN)
        if "red start" in style
        else (_BLUE, _ORANGE)
        if "blue start" in style
        else (_GREEN, _RED)
    )
    if "no marks" in style:
        for top in (frame[1], frame[3]):
            pen.rectangle((frame[0] + 6, top - 4, frame[0] + _CELL - 6, top + 4), fill=paper)
        return
    for cell, colour, letter in ((maze["s"], start, "S"), (maze["g"], goal, "G")):
        row, column = divmod(cell, maze["C"])
        x, y = 20 + (column + 0.5) * _CELL, 20 + (row + 0.5) * _CELL
        if "letters" in style:
            pen.text(
                (x, y),
                letter,
                fill=colour if "green" in style else (0, 0, 0),
                anchor="mm",
                font_size=24,
            )
        elif "squares" in style:
            pen.rectangle((x - 12, y - 12, x + 12, y + 12), fill=colour)
        elif "stars" in style:
            pen.polygon([(x + a, y + b) for a, b in _corners(5, 13, 0, 0.4)], fill=colour)
        else:
            pen.ellipse((x - 11, y - 11, x + 11, y + 11), fill=colour)


def _blocks(maze: Mapping[str, Any], passages: set[tuple[int, ...]]) -> Array:
    solid = np.zeros((2 * maze["R"] + 1, 2 * maze["C"] + 1, 3), np.uint8)
    for cell in range(maze["R"] * maze["C"]):
        row, column = divmod(cell, maze["C"])
        solid[2 * row + 1, 2 * column + 1] = (
            _GREEN if cell == maze["s"] else _RED if cell == maze["g"] else 255
        )
        if (cell, cell + 1) in passages and column + 1 < maze["C"]:
            solid[2 * row + 1, 2 * column + 2] = 255
        if (cell, cell + maze["C"]) in passages:
            solid[2 * row + 2, 2 * column + 1] = 255
    return solid.repeat(20, 0).repeat(20, 1)


def _finished(image: Image.Image, style: str) -> Array:
    if "rotated" in style:
        image = image.rotate(
            5 if "5" in style else 3,
            Image.Resampling.BICUBIC,
            expand=True,
            fillcolor=(255, 255, 255),
        )
    if "blur" in style:
        image = image.filter(ImageFilter.GaussianBlur(2))
    if "photo" in style:
        noise = np.random.default_rng(0).normal(0, 12, (image.height, image.width, 1))
        light = np.linspace(0.7, 1.0, image.width)[None, :, None]
        lit = np.clip(np.asarray(image) * light + noise, 0, 255).astype(np.uint8)
        image = Image.fromarray(lit).filter(ImageFilter.GaussianBlur(1))
    if "screenshot" in style:
        page = Image.new("RGB", (image.width + 220, image.height + 160), (246, 248, 250))
        pen = ImageDraw.Draw(page)
        pen.rectangle((0, 0, page.width, 48), fill=(36, 41, 47))
        pen.text((20, 14), "Puzzle of the day - level 3", fill=(255, 255, 255), font_size=18)
        page.paste(image, (90, 80))
        image = page
    if "jpeg" in style:
        packed = io.BytesIO()
        image.save(packed, "JPEG", quality=20)
        image = Image.open(packed).convert("RGB")
    return np.asarray(image)


def draw_lake(lake: Mapping[str, Any], style: str, classic: Path | None) -> Array | None:
    """Draw a map in gymnasium's letters; classic: directory with the art of gymnasium up to 1.2, for styles named "old ..."."""
    rows = tuple(lake["desc"])
    if "no picture" in style:
        return None
    walked = int(lake.get("walk", 1)) if "after some steps" in style else 0
    if style.startswith("old"):
        frame = _classic(rows, walked, classic) if classic else None
    elif "letter grid" in style:
        frame = _letters(rows)
    else:
        frame = frames.render_frame(rows)
        if walked:  # the figure stands elsewhere
            row, column = divmod(walked, len(rows))
            start, cell = (
                frames.render_cell("S"),
                frame[row * 64 : row * 64 + 64, column * 64 : column * 64 + 64],
            )
            cell[16:56, 16:48] = start[16:56, 16:48]
            frame[16:56, 16:48] = frames.render_cell("F")[16:56, 16:48]
    if frame is None:
        return None
    if "greyscale" in style:
        frame = np.asarray(Image.fromarray(frame).convert("L").convert("RGB"))
    if "mirrored" in style:
        frame = np.ascontiguousarray(frame[:, ::-1])
    return _finished(Image.fromarray(frame), style)


def _letters(rows: Sequence[str]) -> Array:
    image = Image.new("RGB", (len(rows) * 48,) * 2, (255, 255, 255))
    pen = ImageDraw.Draw(image)
    for row, letters in enumerate(rows):
        for column, letter in enumerate(letters):
            pen.rectangle(
                (column * 48, row * 48, column * 48 + 47, row * 48 + 47), outline=(0, 0, 0)
            )
            pen.text(
                (column * 48 + 24, row * 48 + 24), letter, fill=(0, 0, 0), anchor="mm", font_size=24
            )
    return np.asarray(image)


def _classic(rows: Sequence[str], walked: int, art: Path) -> Array:
    def laid(*names: str) -> Image.Image:
        cell = Image.new("RGBA", (64, 64))
        for name in names:
            cell.alpha_composite(Image.open(art / f"{name}.png").convert("RGBA").resize((64, 64)))
        return cell

    image = Image.new("RGB", (64 * len(rows),) * 2)
    for row, letters in enumerate(rows):
        for column, letter in enumerate(letters):
            over = [_CLASSIC[letter]] if letter in _CLASSIC else []
            elf = ["elf_down"] if (row * len(rows) + column) == walked else []
            image.paste(laid("ice", *over, *elf).convert("RGB"), (64 * column, 64 * row))
            frame = (64 * column, 64 * row, 64 * column + 63, 64 * row + 63)
            ImageDraw.Draw(image).rectangle(frame, outline=(180, 200, 230))
    return np.asarray(image)


def draw_shape(name: str, question: str, wanted: Sequence[str], rng: random.Random) -> Array | None:
    """Draw an image whose answer is in `want`: one shape on a pale ground, varied as the name says."""
    if "no picture" in name:
        return None
    named = [word.strip("?.,") for word in question.lower().split()]
    want = wanted[0] if wanted[0] != "square" else "rectangle"
    shape = want if want in SHAPES else rng.choice(SHAPES)
    colour = want if want in COLOURS else rng.choice(list(COLOURS))
    if want == "yes":
        shape, colour = (
            next((w for w in named if w in SHAPES), shape),
            next((w for w in named if w in COLOURS), colour),
        )
    if want == "no":
        shape = next(each for each in SHAPES if each not in named)
        colour = next(each for each in COLOURS if each not in named)
    ground = (
        (25, 25, 30)
        if "dark ground" in name
        else (170, 200, 235)
        if "pastel" in name
        else (245, 246, 240)
    )
    ink = OTHER_COLOURS.get(name.removeprefix("other colour "), COLOURS[colour])
    image = Image.new("RGB", (256, 256), ground)
    radius = rng.randint(32, 64)
    x, y = rng.randint(radius + 4, 250 - radius), rng.randint(radius + 4, 250 - radius)
    _shape(
        image,
        name.removeprefix("other shape ") if name.startswith("other shape") else shape,
        (x, y),
        radius,
        ink,
        name,
    )
    if "two" in name or "how many" in name:
        _shape(
            image,
            rng.choice(SHAPES),
            (250 - x if abs(125 - x) > 30 else 30, 250 - y),
            20,
            COLOURS["blue"],
            "",
        )
    if "rotated" in name:
        image = image.rotate(20, Image.Resampling.BICUBIC, fillcolor=ground)
    return np.asarray(image.resize((64, 64), Image.Resampling.BILINEAR))


def _shape(
    image: Image.Image, shape: str, middle: tuple[int, int], r: int, ink: tuple[int, ...], name: str
) -> None:
    pen = ImageDraw.Draw(image)
    x, y = middle
    paint: dict[str, Any] = {"outline": ink, "width": 12} if "outline" in name else {"fill": ink}
    polygons: dict[str, list[tuple[float, float]]] = {
        "triangle": _corners(3, r, 0), "triangle_down": _corners(3, r, math.pi), "right triangle": [(-r, r), (r, r), (-r, -r)],
        "pentagon": _corners(5, r, 0), "hexagon": _corners(6, r, 0), "star": _corners(5, r, 0, 0.4), "diamond": _corners(4, r, 0),
        "heart": [(r * math.sin(t) ** 3, -r * (13 * math.cos(t) - 5 * math.cos(2 * t) - 2 * math.cos(3 * t) - math.cos(4 * t)) / 16)
                  for t in np.linspace(0, 2 * math.pi, 80)],
    }  # fmt: skip
    if shape in polygons:
        pen.polygon([(x + a, y + b) for a, b in polygons[shape]], **paint)
    elif shape == "rectangle":
        pen.rectangle((x - r, y - 0.6 * r, x + r, y + 0.6 * r), **paint)
    elif shape == "cross":
        pen.rectangle((x - r, y - r / 3, x + r, y + r / 3), fill=ink)
        pen.rectangle((x - r / 3, y - r, x + r / 3, y + r), fill=ink)
    else:
        half = 0.55 * r if shape == "ellipse" else r
        pen.ellipse((x - r, y - half, x + r, y + half), **paint)
        if shape == "ring":
            pen.ellipse(
                (x - 0.6 * r, y - 0.6 * r, x + 0.6 * r, y + 0.6 * r), fill=image.getpixel((0, 0))
            )


def _corners(
    count: int, radius: float, turn: float, inner: float = 1.0
) -> list[tuple[float, float]]:
    """Return the corners of a regular polygon or a star about (0, 0); inner: radius of the star's inner corners, as a share."""
    steps = count * (2 if inner < 1 else 1)
    radii = [radius * (inner if inner < 1 and step % 2 else 1) for step in range(steps)]
    turns = [turn + 2 * math.pi * step / steps for step in range(steps)]
    return [
        (r * math.sin(angle), -r * math.cos(angle)) for r, angle in zip(radii, turns, strict=True)
    ]
