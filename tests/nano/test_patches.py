"""Pictures as the model sees them: all of the drawing, and nothing of the page around it."""

from __future__ import annotations

import time
import tracemalloc

import numpy as np
from hypothesis import given, settings, strategies as st

from musespark.nano.patches import PATCH_WIDTH, patches, shrink, trim
from musespark.nano.weights import NanoConfig

rng = np.random.default_rng(0)


@given(st.integers(1, 200), st.integers(1, 200))
@settings(max_examples=40)
def test_the_model_sees_64_pixels_a_side_of_anything(height: int, width: int) -> None:
    small = shrink(np.full((height, width, 3), 7, np.uint8))
    assert small.shape == (64, 64, 3)
    assert small.dtype == np.uint8
    assert small.min() < 255, "however thin the picture is, something of it can be seen"


def test_a_strip_costs_no_more_memory_than_a_picture() -> None:
    tracemalloc.start()
    small = shrink(np.zeros((60_000, 2, 3), np.uint8))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert small.shape == (64, 64, 3) and peak < 100e6


def test_blank_margins_do_not_matter() -> None:
    drawing = np.zeros((128, 128, 3), np.uint8)
    page = np.full((300, 260, 3), 255, np.uint8)
    page[20:148, 100:228] = drawing
    assert (trim(page) == drawing).all()
    assert (shrink(page) == shrink(drawing)).all()
    assert shrink(np.full((90, 30, 3), 255, np.uint8)).min() == 255


def test_thin_lines_survive_shrinking() -> None:
    page = np.full((512, 512, 3), 255, np.uint8)
    page[[0, -1]] = 0
    page[:, [0, -1]] = 0
    page[:, 255] = 0
    assert shrink(page)[32, 30:33, 0].min() < 245


def test_patches_are_the_pixels_and_the_place() -> None:
    pixels = rng.integers(0, 255, (64, 64, 3), dtype=np.uint8)
    seen = patches(pixels)
    assert seen.shape == (64, PATCH_WIDTH) == (64, NanoConfig().patch)
    assert seen.dtype == np.float32
    for place in (0, 9, 63):
        top, left = place // 8 * 8, place % 8 * 8
        block = pixels[top : top + 8, left : left + 8].reshape(-1)
        np.testing.assert_allclose(seen[place, :192], block / 255 * 2 - 1, atol=1e-6)
        assert seen[place, 192:].argmax() == place
        assert seen[place, 192:].sum() == 1


def test_shrinking_takes_less_than_two_milliseconds() -> None:
    pixels = rng.integers(0, 255, (384, 384, 3), dtype=np.uint8)
    best = min(_seconds(pixels) for _ in range(20))
    assert best < 0.002


def _seconds(pixels: np.ndarray) -> float:
    started = time.process_time()
    shrink(pixels)
    return time.process_time() - started
