"""The canvas of a thread: a grid of 8x8 tiles, 64x64 pixels."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

from musespark.nano import tiles
from musespark.nano.arrays import Array
from musespark.nano.vocabulary import GRID, PLACES

SIDE = GRID * tiles.SIDE
"""Pixels per side of a canvas."""


class Canvas:
    """A white sheet of GRID x GRID places; base tiles replace what is there, ink tiles are laid over it."""

    def __init__(self) -> None:
        self._layers: list[tuple[int, ...]] = [()] * PLACES

    def paint(self, place: int, tile: int) -> None:
        """Paint a tile of the codebook at a place (0..63, row by row)."""
        if not 0 <= place < PLACES:
            raise IndexError(f"place {place} is not on the canvas")
        if not 0 <= tile < len(tiles.codebook()):
            raise IndexError(f"tile {tile} is not in the codebook")
        self._layers[place] = (*self._layers[place], tile) if tiles.is_ink(tile) else (tile,)

    def layers(self, place: int) -> tuple[int, ...]:
        """The tiles at a place, the lowest first."""
        return self._layers[place]

    def copy(self) -> Canvas:
        """Return an independent canvas with the same tiles."""
        twin = Canvas()
        twin._layers = list(self._layers)
        return twin

    def pixels(self, scale: int = 1) -> Array:
        """Render the canvas, (64 * scale, 64 * scale, 3) uint8."""
        sheet = np.full((GRID, GRID, tiles.SIDE, tiles.SIDE, 3), 255, np.uint8)
        for place, stack in enumerate(self._layers):
            cell = sheet[place // GRID, place % GRID]
            for tile in stack:  # ink is either there or not, so there is nothing to blend
                rgba = tiles.codebook()[tile]
                np.copyto(cell, rgba[..., :3], where=rgba[..., 3:] > 0)
        flat = sheet.transpose(0, 2, 1, 3, 4).reshape(SIDE, SIDE, 3)
        return flat.repeat(scale, 0).repeat(scale, 1)

    def png(self, scale: int = 1) -> bytes:
        """Render the canvas as a PNG file."""
        out = io.BytesIO()
        Image.fromarray(self.pixels(scale)).save(out, "PNG")
        return out.getvalue()
