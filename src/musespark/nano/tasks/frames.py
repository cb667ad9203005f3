"""Images of lakes: gymnasium's frames, composed from its art, and the model's own tiles.

The art in `art/` is that of gymnasium 1.4 (MIT, see `art/LICENSE`). Older versions draw an elf and a stool, whose art may not be
shipped: the verifier reads their frames (`lake_reading.py`), but nothing here draws them.
"""

from __future__ import annotations

import functools
import random
from pathlib import Path

import numpy as np
from PIL import Image

from musespark.nano.arrays import Array
from musespark.nano.canvas import Canvas
from musespark.nano.tasks.grid import Grid

CELL = 64
"""Pixels per side of a cell in gymnasium's frames (of up to eight cells a side)."""
ART = Path(__file__).parent / "art"
_BORDER = (180, 200, 230)
CRACKS = ("tile_ice_crack_a", "tile_ice_crack_b")
_FILTERS = (
    Image.Resampling.BOX,
    Image.Resampling.BILINEAR,
    Image.Resampling.BICUBIC,
    Image.Resampling.LANCZOS,
)


def render_frame(rows: tuple[str, ...]) -> Array:
    """Render a map as gymnasium 1.4 does after a reset, (64 * n, 64 * n, 3) uint8."""
    return _mosaic(
        [
            [render_cell(letter, _crack(x, y, letter)) for x, letter in enumerate(row)]
            for y, row in enumerate(rows)
        ]
    )


def scale_randomly(frame: Array, rng: random.Random) -> Array:
    """Return half of the frames unchanged, the others scaled to a side between 64 pixels and their own."""
    if rng.random() < 0.5:
        return frame
    side = rng.randint(64, len(frame))
    return np.asarray(Image.fromarray(frame).resize((side, side), rng.choice(_FILTERS)))


def draw_own_tiles(grid: Grid, rng: random.Random) -> Array:
    """Draw a map in the model's own tiles, 64 to 384 pixels a side."""
    canvas = Canvas()
    for cell, tile in enumerate(grid.tiles):
        canvas.paint(grid.place(cell), tile)
    return canvas.pixels(rng.randint(1, 6))


def _mosaic(cells: list[list[Array]]) -> Array:
    return np.concatenate([np.concatenate(row, axis=1) for row in cells], axis=0)


def _crack(x: int, y: int, letter: str) -> int | None:
    """Return the number of the crack that gymnasium 1.4 draws on a frozen cell, by its position."""
    crack = (x * 3 + y * 5) % 7
    return crack if letter == "F" and crack < len(CRACKS) else None


@functools.cache
def render_cell(letter: str, crack: int | None = None) -> Array:
    """Render one cell of gymnasium 1.4, (64, 64, 3) uint8; `crack`: the crack on a frozen one, 0 or 1."""
    if letter == "H":
        return _bordered(_art("tile_hole")[..., :3].copy())
    cell = _art("tile_ice" if crack is None else CRACKS[crack])[..., :3].copy()
    margin = round(CELL * 0.06)
    if letter == "S":
        _blend(cell, _art("letter_s"), margin, margin)
    if letter == "G":
        flag = _art("goal_flag")
        _blend(cell, flag, CELL - len(flag) - round(CELL * 0.12), (CELL - flag.shape[1]) // 2)
        _blend(cell, _art("letter_g"), margin, margin)
    cell = _bordered(cell)
    if letter == "S":
        agent = _art("agent")
        _blend(cell, agent, (CELL - len(agent)) // 2, (CELL - agent.shape[1]) // 2)
    return cell


@functools.cache
def _art(name: str) -> Array:
    return np.asarray(Image.open(ART / f"{name}.png").convert("RGBA"))


def _bordered(cell: Array) -> Array:
    cell[[0, -1], :] = _BORDER
    cell[:, [0, -1]] = _BORDER
    return cell


def _blend(cell: Array, art: Array, top: int, left: int) -> None:
    """Blend as pygame does, bit for bit."""
    there = cell[top : top + art.shape[0], left : left + art.shape[1]]
    colour, alpha = art[..., :3].astype(np.int32), art[..., 3:].astype(np.int32)
    below = there.astype(np.int32)
    there[:] = (((colour - below) * alpha + colour) >> 8) + below
    np.copyto(there, art[..., :3], where=alpha == 255)
    np.copyto(there, below.astype(np.uint8), where=alpha == 0)
