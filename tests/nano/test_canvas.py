"""The canvas: base tiles replace, ink is laid over, copies go their own way."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, strategies as st

from musespark.images import as_image, to_array
from musespark.nano import tiles
from musespark.nano.canvas import SIDE, Canvas
from musespark.nano.vocabulary import PLACES, TILES

strokes = st.lists(st.tuples(st.integers(0, PLACES - 1), st.integers(0, TILES - 1)), max_size=30)


def painted(pairs: list[tuple[int, int]]) -> Canvas:
    canvas = Canvas()
    for place, tile in pairs:
        canvas.paint(place, tile)
    return canvas


def test_an_empty_canvas_is_white_paper() -> None:
    assert (Canvas().pixels() == 255).all()
    assert Canvas().pixels().shape == (SIDE, SIDE, 3)


@given(strokes)
def test_a_place_shows_its_last_base_tile_and_the_ink_on_it(pairs: list[tuple[int, int]]) -> None:
    canvas = painted(pairs)
    for place in range(PLACES):
        here = [tile for where, tile in pairs if where == place]
        bases = [index for index, tile in enumerate(here) if not tiles.is_ink(tile)]
        assert list(canvas.layers(place)) == (here[bases[-1] :] if bases else here)


@given(strokes)
def test_base_tiles_look_like_the_codebook(pairs: list[tuple[int, int]]) -> None:
    canvas = painted(pairs)
    pixels = canvas.pixels()
    for place in range(PLACES):
        if len(canvas.layers(place)) == 1 and not tiles.is_ink(canvas.layers(place)[0]):
            top, left = place // 8 * 8, place % 8 * 8
            tile = tiles.codebook()[canvas.layers(place)[0], ..., :3]
            assert (pixels[top : top + 8, left : left + 8] == tile).all()


@given(strokes, strokes)
def test_a_copy_is_painted_on_its_own(
    before: list[tuple[int, int]], after: list[tuple[int, int]]
) -> None:
    canvas = painted(before)
    seen = canvas.pixels()
    twin = canvas.copy()
    for place, tile in after:
        twin.paint(place, tile)
    assert (canvas.pixels() == seen).all()
    assert (twin.pixels() == painted(before + after).pixels()).all()


@given(strokes, st.integers(1, 4))
def test_its_file_holds_its_pixels(pairs: list[tuple[int, int]], scale: int) -> None:
    canvas = painted(pairs)
    file = to_array(as_image(canvas.png(scale)))
    assert (file == canvas.pixels(scale)).all()
    assert (file[::scale, ::scale] == canvas.pixels()).all()


@pytest.mark.parametrize(("place", "tile"), [(-1, 0), (PLACES, 0), (0, -1), (0, TILES)])
def test_what_is_off_the_canvas_or_the_codebook_is_refused(place: int, tile: int) -> None:
    with pytest.raises(IndexError):
        Canvas().paint(place, tile)


def test_tiles_that_mean_nothing_yet_leave_no_trace() -> None:
    assert np.array_equal(painted([(5, TILES - 1)]).pixels(), Canvas().pixels())
