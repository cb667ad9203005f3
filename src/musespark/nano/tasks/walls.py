"""Images of mazes: dark walls on white, a green dot and a red one, in many styles."""

from __future__ import annotations

import random
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

from musespark.nano import tiles
from musespark.nano.arrays import Array
from musespark.nano.tasks import frames
from musespark.nano.tasks.grid import Grid

Colour = tuple[int, int, int]
GREENS: tuple[Colour, ...] = (
    (0, 128, 0),
    (0, 160, 60),
    (0, 200, 0),
    (46, 204, 64),
    (34, 139, 34),
    (0, 255, 0),
    (76, 175, 80),
)
REDS: tuple[Colour, ...] = (
    (255, 0, 0),
    (220, 20, 60),
    (225, 40, 40),
    (200, 0, 0),
    (244, 67, 54),
    (178, 34, 34),
    (255, 65, 54),
)


@dataclass(frozen=True)
class Style:
    """A style of drawing a maze."""

    side: int
    """Pixels per side of the image."""
    margin: float
    """Share of the image on each side that is left white."""
    wall: float
    """Thickness of the walls as a share of a cell."""
    dot: float
    """Radius of the dots as a share of a cell."""
    green: Colour
    red: Colour
    ground: Colour = (255, 255, 255)
    ink: Colour = (0, 0, 0)
    smooth: bool = True
    """True for antialiased edges."""
    square: bool = False
    """True if start and goal are squares that fill their cells."""


def draw(maze: Grid, rng: random.Random) -> Array:
    """Draw the maze in a random style, (side, side, 3) uint8: lines, full blocks, or the model's own tiles."""
    kind = rng.random()
    if kind < 0.15:
        return frames.draw_own_tiles(maze, rng)
    if kind < 0.19:
        return draw_blocks(maze, _style(rng, squares=0.4))
    return draw_lines(maze, _style(rng))


def draw_lines(maze: Grid, style: Style) -> Array:
    """Draw walls as lines between the cells."""
    zoom = 2 if style.smooth else 1
    side = style.side * zoom
    image = Image.new("RGB", (side, side), style.ground)
    pen = ImageDraw.Draw(image)
    cell = (
        side * (1 - 2 * style.margin) / (maze.size + style.wall)
    )  # half of the thickness of the outer walls is outside the cells
    left = side * style.margin + cell * style.wall / 2
    half = max(cell * style.wall, zoom) / 2  # at least one pixel

    for number in range(maze.size**2):
        row, column = divmod(number, maze.size)
        if number in (maze.start, maze.goal):
            middle = (left + (column + 0.5) * cell, left + (row + 0.5) * cell)
            _mark(
                pen,
                middle,
                cell * (0.5 - style.wall / 2),
                cell * style.dot,
                number == maze.start,
                style,
            )
    for number in range(maze.size**2):
        row, column = divmod(number, maze.size)
        x, y = left + column * cell, left + row * cell
        for side_bit, (x0, y0, x1, y1) in (
            (tiles.U, (x, y, x + cell, y)),
            (tiles.D, (x, y + cell, x + cell, y + cell)),
            (tiles.L, (x, y, x, y + cell)),
            (tiles.R, (x + cell, y, x + cell, y + cell)),
        ):
            if not maze.exits[number] & side_bit:
                _box(pen, x0 - half, y0 - half, x1 + half, y1 + half, style.ink)
    return _finished(image, style)


def draw_blocks(maze: Grid, style: Style) -> Array:
    """Draw walls as full blocks, on (2n + 1) x (2n + 1) of them."""
    zoom = 2 if style.smooth else 1
    side = style.side * zoom
    image = Image.new("RGB", (side, side), style.ground)
    pen = ImageDraw.Draw(image)
    count = 2 * maze.size + 1
    left, block = side * style.margin, side * (1 - 2 * style.margin) / count
    solid = np.ones((count, count), bool)
    for number in range(maze.size**2):
        row, column = (2 * index + 1 for index in divmod(number, maze.size))
        solid[row, column] = False
        if maze.exits[number] & tiles.D:
            solid[row + 1, column] = False
        if maze.exits[number] & tiles.R:
            solid[row, column + 1] = False
    for row, column in np.argwhere(solid):
        x, y = left + column * block, left + row * block
        _box(pen, x, y, x + block, y + block, style.ink)
    for number in (maze.start, maze.goal):
        down, right = (2 * index + 1.5 for index in divmod(number, maze.size))
        _mark(
            pen,
            (left + right * block, left + down * block),
            block / 2,
            block * style.dot,
            number == maze.start,
            style,
        )
    return _finished(image, style)


def _style(rng: random.Random, squares: float = 0.0) -> Style:
    wall = rng.uniform(0.06, 0.16) if rng.random() < 0.85 else rng.uniform(0.03, 0.25)
    margin = rng.uniform(0, 0.08) if rng.random() < 0.8 else 0.0
    return Style(
        side=rng.randint(96, 512),
        margin=margin,
        wall=wall,
        dot=rng.uniform(0.18, 0.38),
        green=_jittered(rng.choice(GREENS), rng),
        red=_jittered(rng.choice(REDS), rng),
        ground=_shade(rng, 240, 255) if rng.random() < 0.1 else (255, 255, 255),
        ink=_shade(rng, 0, 60) if rng.random() < 0.1 else (0, 0, 0),
        smooth=rng.random() < 0.7,
        square=rng.random() < squares,
    )


def _jittered(colour: Colour, rng: random.Random) -> Colour:
    red, green, blue = (min(255, max(0, channel + rng.randint(-20, 20))) for channel in colour)
    return red, green, blue


def _shade(rng: random.Random, low: int, high: int) -> Colour:
    shade = rng.randint(low, high)
    return shade, shade, shade


def _mark(
    pen: ImageDraw.ImageDraw,
    middle: tuple[float, float],
    half: float,
    radius: float,
    start: bool,
    style: Style,
) -> None:
    colour = style.green if start else style.red
    x, y = middle
    if style.square:
        _box(pen, x - half, y - half, x + half, y + half, colour)
    else:
        pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=colour)


def _box(
    pen: ImageDraw.ImageDraw, x0: float, y0: float, x1: float, y1: float, colour: Colour
) -> None:
    """Fill a box rounded to pixels, at least one."""
    left, top = round(x0), round(y0)
    pen.rectangle((left, top, max(round(x1) - 1, left), max(round(y1) - 1, top)), fill=colour)


def _finished(image: Image.Image, style: Style) -> Array:
    return np.asarray(image.reduce(2) if style.smooth else image)
