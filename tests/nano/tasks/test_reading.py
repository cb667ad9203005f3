"""Measuring pictures: areas add up, and the model's own drawings are read back."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings, strategies as st

from musespark.nano import tiles
from musespark.nano.canvas import Canvas
from musespark.nano.tasks.reading import Areas, read_tiles


@settings(max_examples=50)
@given(
    st.integers(1, 40),
    st.integers(1, 40),
    st.integers(1, 50),
    st.integers(1, 50),
    st.integers(0, 9),
)
def test_parts_weigh_as_much_as_the_whole(
    height: int, width: int, rows: int, columns: int, seed: int
) -> None:
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    means = Areas(pixels).means(rows, columns)
    assert means.shape == (rows, columns, 3)
    np.testing.assert_allclose(means.mean((0, 1)), pixels.mean((0, 1)))
    assert means.min() > -1e-6
    assert means.max() < 255 + 1e-6


@given(st.integers(1, 5), st.integers(1, 5), st.integers(0, 9))
def test_whole_pixels_are_simply_averaged(rows: int, columns: int, seed: int) -> None:
    pixels = np.random.default_rng(seed).integers(
        0, 256, (rows * 3, columns * 2, 3), dtype=np.uint8
    )
    plain = pixels.reshape(rows, 3, columns, 2, 3).mean((1, 3))
    np.testing.assert_allclose(Areas(pixels).means(rows, columns), plain)


@settings(max_examples=30)
@given(st.integers(2, 8), st.integers(1, 3), st.data())
def test_own_drawings_are_read_at_any_scale(size: int, scale: int, data: st.DataObject) -> None:
    cells = st.integers(0, tiles.maze(15, "goal"))
    drawn = [[data.draw(cells) for _ in range(size)] for _ in range(size)]
    drawn[-1][-1] = tiles.maze(tiles.D | tiles.R)  # maps are closed
    canvas = Canvas()
    for row, line in enumerate(drawn):
        for column, tile in enumerate(line):
            canvas.paint(row * 8 + column, tile)
    assert read_tiles(canvas.pixels(scale)) == drawn


def test_other_images_are_not_tiles() -> None:
    noise = np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8)
    for image in (
        noise,
        noise[:63],
        np.full((64, 64, 3), 255, np.uint8),
        np.zeros((63, 63, 3), np.uint8),
    ):
        assert read_tiles(image) is None
