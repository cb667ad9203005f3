"""An image of a maze as dark walls and two dots, and the cells between the walls."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from musespark.nano import tiles
from musespark.nano.arrays import Array

_DARK = 0.25
"""Least darkness of a pixel of a wall: thin walls are blurred."""
_WALL, _GAP = 0.8, 0.15
"""Least dark share of an edge with a wall, and largest dark share of an edge without one."""
_STRAY = 0.03
"""Largest share of the ink outside the walls."""
_OFF_CENTRE = 0.15
"""Largest distance of a dot from the middle of its cell, in cells."""


@dataclass(frozen=True)
class DrawnMaze:
    """Contents of an image of a maze: for each cell, row by row, the sum of the moves that no wall stops."""

    size: int
    exits: list[int]
    start: int
    goal: int


@dataclass(frozen=True)
class Sheet:
    """The walls of an image (1: as dark as ink, 0: ground), cropped to their outer edge, and its dots."""

    walls: Array
    thick: float
    """Thickness of the walls, in pixels."""
    dots: tuple[tuple[float, float], tuple[float, float]]
    """Row and column of the middle of the green dot and of the red one, in pixels of `walls`."""
    pixels: Array
    """The whole image, (height, width, 3) float32."""
    corner: tuple[int, int]
    """Row and column of the image where `walls` begins."""

    @classmethod
    def of(cls, pixels: Array) -> Sheet | None:
        """Separate ink, ground and dots by colour; None if one of them is missing."""
        red, green, blue = pixels[..., 0], pixels[..., 1], pixels[..., 2]
        start, goal = (
            _middle(green - np.maximum(red, blue) > 45),
            _middle(red - np.maximum(green, blue) > 60),
        )
        if start is None or goal is None:
            return None
        light = np.maximum(
            np.maximum(red, green), blue
        )  # channel by channel: ten times as fast as pixels.max(-1)
        grey = light - np.minimum(np.minimum(red, green), blue) < 50
        paper = grey & (light > 200)
        if not paper.any():
            return None
        ground, ink = np.median(light[paper]), np.percentile(light[grey], 0.2)
        if ground - ink < 60:
            return None
        dark = np.where(grey, ((ground - light) / (ground - ink)).clip(0, 1), 0.0)
        rows, columns = _extent(dark.max(1)), _extent(dark.max(0))
        if rows is None or columns is None:
            return None
        walls = dark[rows[0] : rows[1], columns[0] : columns[1]]
        if not 0.97 < walls.shape[0] / walls.shape[1] < 1.03:
            return None
        top, left = rows[0], columns[0]
        return cls(
            walls,
            _thickness(walls),
            ((start[0] - top, start[1] - left), (goal[0] - top, goal[1] - left)),
            pixels,
            (top, left),
        )

    def read(self, size: int) -> DrawnMaze | None:
        """Read the maze with size x size cells; None unless dots are centred, walls whole or absent, and all ink on walls."""
        ends = [self._cell_of(dot, size) for dot in self.dots]
        pitch = min(self.walls.shape) - self.thick
        if None in ends or ends[0] == ends[1] or self.thick > 0.7 * pitch / size:
            return None
        exits, unexplained = [0] * (size * size), self.walls.copy()
        for cell in range(size * size):
            row, column = divmod(cell, size)
            for bit, y, x in edges(row, column):
                inner = 0 < y < size and 0 < x < size
                dark = self._share_dark(y, x, size)
                if dark >= _WALL:
                    unexplained[self.strip(y, x, size, whole=True)] = 0
                elif (
                    dark > _GAP or not inner
                ):  # neither a wall nor a gap, or a part of a larger maze
                    return None
                else:
                    exits[cell] |= bit
        if unexplained.sum() > _STRAY * self.walls.sum():
            return None
        start, goal = ends
        assert start is not None and goal is not None
        return checked(DrawnMaze(size, exits, start, goal))

    def _cell_of(self, dot: tuple[float, float], size: int) -> int | None:
        where = [
            (dot[axis] - self.thick / 2) / (self.walls.shape[axis] - self.thick) * size
            for axis in (0, 1)
        ]
        row, column = (int(np.floor(value)) for value in where)
        if not (0 <= row < size and 0 <= column < size):
            return None
        off = max(abs(where[0] - row - 0.5), abs(where[1] - column - 0.5))
        return row * size + column if off < _OFF_CENTRE else None

    def _share_dark(self, y: float, x: float, size: int) -> float:
        """Return the dark share of an edge's length; y, x: the middle of the edge, in cells."""
        strip = self.walls[self.strip(y, x, size)]
        return float((strip.max(1 if x == int(x) else 0) > _DARK).mean())

    def strip(self, y: float, x: float, size: int, whole: bool = False) -> tuple[slice, slice]:
        """Return the pixels of an edge: slightly wider than a wall, as long as the gap between two others (or all of it)."""
        down, right = ((length - self.thick) / size for length in self.walls.shape)
        upright = x == int(x)
        across = self.thick / 2 + 1.5
        along = (down if upright else right) / 2 + (
            across if whole else -min(across, 0.3 * min(down, right))
        )
        high, wide = (along, across) if upright else (across, along)
        top, left = self.thick / 2 + y * down, self.thick / 2 + x * right
        return (
            slice(max(round(top - high), 0), max(round(top + high), 1)),
            slice(max(round(left - wide), 0), max(round(left + wide), 1)),
        )


def edges(row: int, column: int) -> Iterator[tuple[int, float, float]]:
    """Yield the four edges of a cell: the bit of the move, and the row and column of the middle, in cells."""
    yield tiles.U, row, column + 0.5
    yield tiles.D, row + 1, column + 0.5
    yield tiles.L, row + 0.5, column
    yield tiles.R, row + 0.5, column + 1


def _middle(mask: Array) -> tuple[float, float] | None:
    """Return row and column of the middle of the one dot in a mask; None if there is none, or it is not one dot."""
    places = np.argwhere(mask) + 0.5
    if len(places) < 6:
        return None
    middle = np.median(places, axis=0)
    spread = np.abs(places - middle).max(1)
    within = (
        spread <= 1.3 * np.sqrt(len(places)) / 2 + 1.5
    )  # a disc and a square are about as wide as the root of their area
    if within.mean() < 0.97:
        return None
    return float(places[within, 0].mean()), float(places[within, 1].mean())


def _extent(darkest: Array) -> tuple[int, int] | None:
    inside = np.flatnonzero(darkest > 0.3)
    return (int(inside[0]), int(inside[-1]) + 1) if len(inside) else None


def _thickness(walls: Array) -> float:
    """Measure the thickness of the outer walls, in pixels: the dark run from the edge, as the median of all rows and columns."""
    widths = []
    for turn in range(4):
        rows = np.rot90(walls, turn)
        runs = np.minimum.accumulate((rows > 0.15), axis=1)
        widths.append(float(np.median((rows * runs).sum(1))))
    return max(float(np.median(widths)), 0.5)


def checked(maze: DrawnMaze) -> DrawnMaze | None:
    """Return the maze if neighbours agree on the walls between them and the border is closed; None otherwise."""
    size = maze.size
    for cell, exits in enumerate(maze.exits):
        row, column = divmod(cell, size)
        if exits & tiles.U and (row == 0 or not maze.exits[cell - size] & tiles.D):
            return None
        if exits & tiles.L and (column == 0 or not maze.exits[cell - 1] & tiles.R):
            return None
        if exits & tiles.D and (row == size - 1 or not maze.exits[cell + size] & tiles.U):
            return None
        if exits & tiles.R and (column == size - 1 or not maze.exits[cell + 1] & tiles.L):
            return None
    return maze
