"""Read mazes from images: dark walls on a light ground, a green dot and a red one, at any size; and the model's own tiles."""

from __future__ import annotations

import numpy as np

from musespark.nano import tiles
from musespark.nano.arrays import Array
from musespark.nano.canvas import Canvas
from musespark.nano.tasks.maze_leftovers import is_all
from musespark.nano.tasks.maze_sheet import DrawnMaze, Sheet, checked
from musespark.nano.tasks.reading import Areas, explains, read_tiles
from musespark.nano.vocabulary import GRID

__all__ = ["DrawnMaze", "read_maze"]

_SIZES = range(2, 13)
_LARGEST = 768
"""Most pixels per side; larger images are averaged down."""


def read_maze(pixels: Array) -> DrawnMaze | None:
    """Read the maze in an image (height, width, 3) uint8; None if it is not clearly one, or there is more in the image."""
    if min(pixels.shape[:2]) < 48:
        return None
    return _read_own(pixels) or _read_drawn(pixels)


def _read_own(pixels: Array) -> DrawnMaze | None:
    drawn = read_tiles(pixels)
    if drawn is None:
        return None
    cells = [tiles.as_maze(tile) for row in drawn for tile in row]
    marks = [cell[1] for cell in cells if cell]
    if None in cells or marks.count("start") != 1 or marks.count("goal") != 1:
        return None
    exits = [15 - cell[0] for cell in cells if cell]
    maze = checked(DrawnMaze(len(drawn), exits, marks.index("start"), marks.index("goal")))
    return maze if maze and explains(_own(drawn), pixels) else None


def _own(drawn: list[list[int]]) -> Array:
    """Draw tiles as the model does, 64 pixels a side."""
    sheet = Canvas()
    for row, looks in enumerate(drawn):
        for column, tile in enumerate(looks):
            sheet.paint(row * GRID + column, tile)
    return sheet.pixels()


def _read_drawn(pixels: Array) -> DrawnMaze | None:
    if max(pixels.shape[:2]) > _LARGEST:
        scale = _LARGEST / max(pixels.shape[:2])
        pixels = Areas(pixels).means(round(pixels.shape[0] * scale), round(pixels.shape[1] * scale))
    sheet = Sheet.of(pixels.astype(np.float32))
    if sheet is None:
        return None
    readings = [reading for size in _SIZES if (reading := sheet.read(size)) is not None]
    # every maze can also be read with three times as many cells a side, without the walls between them
    if not readings or any(reading.size % readings[0].size for reading in readings):
        return None
    return readings[0] if is_all(sheet, readings[0].size, readings[0].exits) else None
