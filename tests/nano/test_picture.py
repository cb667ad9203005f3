"""Pictures people give: every common file is read as it looks, everything else is refused in one sentence."""

from __future__ import annotations

import io
import struct
import time
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from PIL import Image

from musespark.errors import BadPicture, MissingFile
from musespark.nano import picture
from musespark.nano.picture import load, patches, shrink, trim

rng = np.random.default_rng(0)
PIXELS = np.asarray(Image.fromarray(rng.integers(0, 255, (4, 6, 3), dtype=np.uint8)).resize((60, 40), Image.Resampling.BICUBIC))


def file_of(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


PNG = file_of(Image.fromarray(PIXELS))
JPEG = file_of(Image.fromarray(PIXELS), "JPEG", quality=95)


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF", "PPM"])
def test_exact_formats_are_read_exactly(kind: str) -> None:
    assert (load(file_of(Image.fromarray(PIXELS), kind)) == PIXELS).all()


@pytest.mark.parametrize("mode", ["RGB", "CMYK", "L"])
def test_jpegs_of_every_colour_model_look_right(mode: str) -> None:
    image = Image.fromarray(PIXELS).convert(mode)
    read = load(file_of(image, "JPEG", quality=98))
    assert np.abs(read.astype(int) - np.asarray(image.convert("RGB"))).mean() < 6


@pytest.mark.parametrize("mode", ["1", "P", "L", "LA", "RGBA"])
def test_pngs_of_every_mode_look_right(mode: str) -> None:
    image = Image.fromarray(PIXELS).convert(mode)
    assert (load(file_of(image)) == np.asarray(image.convert("RGB"))).all()


def test_sixteen_bit_grey_keeps_its_brightness() -> None:
    grey = np.array([[0, 128, 255]] * 3, np.uint16) * 257
    assert (load(file_of(Image.fromarray(grey)))[0, :, 0] == [0, 128, 255]).all()
    assert (load(grey)[0, :, 2] == [0, 128, 255]).all()


def test_what_is_transparent_is_shown_on_white() -> None:
    see_through = np.dstack([PIXELS, np.full(PIXELS.shape[:2], 0, np.uint8)])
    assert (load(file_of(Image.fromarray(see_through))) == 255).all()
    assert (load(see_through) == 255).all()
    half = np.zeros((2, 2, 4), np.uint8) + np.array([0, 0, 0, 128], np.uint8)
    assert (np.abs(load(half).astype(int) - 127) <= 1).all()
    palette = Image.new("P", (8, 8), 0)
    palette.putpalette([10, 20, 30])
    assert (load(file_of(palette, transparency=0)) == 255).all()


def test_photographs_stand_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned to the right
    assert load(file_of(Image.fromarray(PIXELS), "JPEG", exif=exif)).shape == (60, 40, 3)


def test_of_an_animation_the_first_frame_counts() -> None:
    frames = [Image.new("RGB", (20, 20), colour) for colour in ("red", "blue")]
    for kind in ("GIF", "WEBP", "PNG", "TIFF"):
        animated = file_of(frames[0], kind, save_all=True, append_images=frames[1:])
        assert np.abs(load(animated)[10, 10].astype(int) - (255, 0, 0)).max() < 4, kind


def test_every_way_to_give_a_picture(tmp_path: Path) -> None:
    path = tmp_path / "picture.png"
    path.write_bytes(PNG)
    for source in (PNG, bytearray(PNG), path, str(path), Image.fromarray(PIXELS), PIXELS, PIXELS / 255.0):
        assert (load(source) == PIXELS).all()
    assert (load(PIXELS[..., 0]) == PIXELS[..., :1]).all()
    assert (load(PIXELS[..., 0] > 100) == (PIXELS[..., :1] > 100) * 255).all()


def bomb(width: int, height: int) -> bytes:
    """A small PNG that claims to be huge."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("source", "says"),
    [
        (b"", "empty"),
        (b"hello, I am a text", "none of PNG"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "none of PNG"),
        (PNG[:-40], "broken or cut off"),
        (JPEG[: len(JPEG) // 2], "broken or cut off"),
        (bomb(20_000, 20_000), "million pixels"),
        (bomb(8_000, 8_000), "8000 x 8000 pixels"),
        (PNG + bytes(picture.LARGEST_FILE), "more than 20 MB"),
        (np.zeros((3, 3, 2), np.uint8), "shape"),
        (np.zeros((0, 3, 3), np.uint8), "shape"),
        (np.zeros((3, 3), np.complex128), "complex128"),
        (np.full((3, 3), 1.5), "between 0 and 1"),
        (np.full((3, 3), np.nan), "between 0 and 1"),
    ],
)
def test_what_is_no_picture_is_refused_in_one_sentence(source: bytes | np.ndarray, says: str) -> None:
    with pytest.raises(BadPicture, match=says) as refused:
        load(source)
    assert str(refused.value).endswith(".")
    assert "\n" not in str(refused.value)


def test_a_bomb_is_refused_before_it_is_decoded() -> None:
    started = time.perf_counter()
    with pytest.raises(BadPicture):
        load(bomb(60_000, 60_000))
    assert time.perf_counter() - started < 0.5


def test_files_that_are_not_there(tmp_path: Path) -> None:
    for path in (tmp_path / "nothing.png", tmp_path, "a\0b", "x" * 5000):
        with pytest.raises(MissingFile):
            load(path)
    heavy = tmp_path / "heavy.png"
    with heavy.open("wb") as file:
        file.truncate(picture.LARGEST_FILE + 1)
    with pytest.raises(BadPicture, match="heavy"):
        load(heavy)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from([PNG, JPEG, file_of(Image.fromarray(PIXELS), "GIF"), file_of(Image.fromarray(PIXELS), "TIFF")]), st.data())
def test_damaged_files_are_read_or_refused(file: bytes, data: st.DataObject) -> None:
    damaged = bytearray(file)
    for _ in range(data.draw(st.integers(1, 4))):
        damaged[data.draw(st.integers(0, len(file) - 1))] = data.draw(st.integers(0, 255))
    cut = damaged[: data.draw(st.integers(0, len(file)))]
    try:
        pixels = load(bytes(cut))
    except BadPicture:
        return
    assert pixels.dtype == np.uint8
    assert pixels.shape[2] == 3


@given(st.integers(1, 200), st.integers(1, 200))
@settings(max_examples=40, deadline=None)
def test_the_model_sees_64_pixels_a_side_of_anything(height: int, width: int) -> None:
    small = shrink(np.full((height, width, 3), 7, np.uint8))
    assert small.shape == (64, 64, 3)
    assert small.dtype == np.uint8
    assert small.min() < 255, "however thin the picture is, something of it can be seen"


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
    assert seen.shape == (64, picture.PATCH_WIDTH) == (64, 256)
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
