"""Images from outside: every common file is decoded correctly, all else is refused with one sentence."""

import io
import struct
import time
import zlib

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from PIL import Image as pillow

from musespark import errors, images as images
from musespark.content import MAX_IMAGE_BYTES, Image
from musespark.images import as_image, decode_visible, encode_png, to_array

rng = np.random.default_rng(0)
ARRAY = np.asarray(
    pillow.fromarray(rng.integers(0, 255, (4, 6, 3), np.uint8)).resize(
        (60, 40), pillow.Resampling.BICUBIC
    )
)
IMAGE = pillow.fromarray(ARRAY)
GREYS = np.array([[0, 1, 128, 255]] * 3, np.uint8)


def encoded(image: pillow.Image, kind: str = "PNG", **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def film(kind: str) -> bytes:
    """Two frames: an animation, or, as an MPO, a photograph and another view of it."""
    frames = [pillow.new("RGB", (4, 4), colour) for colour in ("red", "green")]
    return encoded(frames[0], kind, save_all=True, append_images=frames[1:])


def chunked(*chunks: tuple[bytes, bytes]) -> bytes:
    """A PNG file of these chunks, true or not."""
    whole = [
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in chunks
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(whole)


def bomb(width: int, height: int) -> bytes:
    """A small file that claims to be huge."""
    return chunked(
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)),
        (b"IDAT", zlib.compress(bytes(1000))),
    )


def deep_greys(transparent: int) -> bytes:
    """A row of three greys of sixteen bits, one of which is declared transparent."""
    row = b"\0" + struct.pack(">3H", 0, 300, 65535)
    return chunked(
        (b"IHDR", struct.pack(">IIBBBBB", 3, 1, 16, 0, 0, 0, 0)),
        (b"tRNS", struct.pack(">H", transparent)),
        (b"IDAT", zlib.compress(row)),
        (b"IEND", b""),
    )


def test_every_way_to_give_an_image_shows_the_same_pixels(tmp_path):
    data = encode_png(ARRAY)
    path = tmp_path / "picture.png"
    path.write_bytes(data)
    for source in (
        data,
        bytearray(data),
        memoryview(data),
        path,
        str(path),
        Image.from_bytes(data),
        IMAGE,
        ARRAY,
    ):
        assert np.array_equal(to_array(as_image(source)), ARRAY)


@pytest.mark.parametrize(
    ("kind", "mode", "options"),
    [
        *[("PNG", mode, {}) for mode in ("1", "L", "LA", "P", "RGB", "RGBA")],
        *[("BMP", mode, {}) for mode in ("1", "L", "P", "RGB")],
        ("GIF", "P", {}),
        ("WEBP", "RGB", {"lossless": True}),
        ("WEBP", "RGBA", {"lossless": True}),
        *[("JPEG", mode, {"quality": 98}) for mode in ("L", "RGB", "CMYK")],
    ],
)
def test_files_of_every_format_and_mode_look_right(kind, mode, options):
    image = IMAGE.convert(mode)
    found = to_array(as_image(encoded(image, kind, **options)))
    assert found.dtype == np.uint8
    off = np.abs(found.astype(int) - np.asarray(image.convert("RGB")))
    assert off.mean() < 6 if kind == "JPEG" else off.max() == 0


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGBA", "CMYK", "YCbCr", "HSV", "I", "F"])
def test_pil_images_of_every_mode_look_right(mode):
    image = IMAGE.convert(mode)
    shown = image.convert("L").convert("RGB") if mode in "IF" else image.convert("RGB")
    off = to_array(as_image(image)).astype(int) - np.asarray(shown)
    assert np.abs(off).max() <= (mode == "F"), "floats are rounded, where Pillow cuts them off"


@pytest.mark.parametrize(
    "source",
    [
        GREYS,
        GREYS[..., None],
        np.dstack([GREYS] * 3),
        GREYS.astype(np.uint16) * 257,
        (GREYS.astype(">u2") * 257),
        GREYS / 255,
        (GREYS / 255).astype(np.float32),
        (GREYS / 255).astype(np.float16),
        np.dstack([GREYS / 255] * 3),
        pillow.fromarray(GREYS.astype(np.uint16) * 257),
        pillow.fromarray(GREYS.astype(np.int32) * 257),
        pillow.fromarray(GREYS.astype(np.int32)),
        pillow.fromarray(GREYS / np.float32(255)),
        pillow.fromarray(GREYS.astype(np.float32)),
        encoded(pillow.fromarray(GREYS.astype(np.uint16) * 257)),
    ],
    ids=range(15),
)
def test_every_depth_is_scaled_to_eight_bits(source):
    assert (to_array(as_image(source)) == GREYS[..., None]).all()


def test_bits_are_black_and_white():
    assert (to_array(as_image(GREYS > 100)) == (GREYS[..., None] > 100) * 255).all()


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_photograph_is_turned_upright(kind):
    exif = pillow.Exif()
    exif[0x0112] = 6  # the camera was held on its side
    data = encoded(IMAGE, kind, exif=exif)
    assert to_array(as_image(data)).shape == (60, 40, 3)
    assert to_array(as_image(pillow.open(io.BytesIO(data)))).shape == (60, 40, 3)


def test_what_could_be_transparent_but_is_not_is_read():
    assert to_array(as_image(np.full((2, 2, 4), 255, np.uint8))).min() == 255
    assert to_array(as_image(deep_greys(299)))[0, :, 0].tolist() == [0, 1, 255]


def test_of_two_views_of_a_scene_the_first_counts():
    assert np.abs(to_array(as_image(film("MPO"))).astype(int) - (255, 0, 0)).max() < 4


@pytest.mark.parametrize(
    ("source", "says"),
    [
        (b"", "empty"),
        (b"%PDF-1.7", "not a PNG"),
        (Image(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "image/png"), "broken"),
        (b"\x89PNG\r\n\x1a\n and nothing", "broken"),
        *[
            (encoded(IMAGE, kind)[:share], "broken")
            for kind in ("PNG", "JPEG", "GIF", "WEBP", "BMP")
            for share in (30, 150, -60)
        ],
        (encode_png(ARRAY) + bytes(MAX_IMAGE_BYTES), "20,000,000"),
        (bomb(20_000, 20_000), "megapixels"),
        (bomb(8_000, 8_000), "8000x8000 pixels"),
        (np.broadcast_to(np.uint8(0), (8_000, 8_000, 3)), "8000x8000 pixels"),
        *[(film(kind), "animated") for kind in ("GIF", "WEBP", "PNG")],
        (pillow.open(io.BytesIO(film("GIF"))), "animated"),
        (np.zeros((2, 2, 4), np.uint8), "transparent"),
        (np.zeros((2, 2, 4)), "transparent"),
        (encode_png(np.full((2, 2, 4), 254, np.uint8)), "transparent"),
        (pillow.new("LA", (2, 2)), "transparent"),
        (encoded(pillow.new("P", (2, 2)), transparency=0), "transparent"),
        (deep_greys(300), "transparent"),
        (np.zeros((2, 2), np.int64), "int64"),
        (np.zeros((2, 2), object), "object"),
        (np.zeros((0, 2, 3), np.uint8), "uint8"),
        (np.zeros((2, 2, 7), np.uint8), "uint8"),
        (np.zeros(2, np.uint8), "uint8"),
        *[(np.full((2, 2), value), "between 0 and 1") for value in (1.5, -0.5, np.nan, np.inf)],
        (pillow.fromarray(np.full((2, 2), -7, np.int32)), "between 0 and 255"),
        (pillow.new("RGB", (0, 3)), "no pixels"),
        (42, "int is neither"),
    ],
)
def test_what_cannot_be_used_says_why_in_one_sentence(source, says):
    with pytest.raises(errors.BadImage, match=says) as refused:
        as_image(source)
    assert str(refused.value).endswith(".")
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("side", [300, 3000])
def test_huge_images_are_refused_before_they_are_decoded(monkeypatch, side):
    monkeypatch.setattr(images, "MAX_PIXELS", 50_000)
    monkeypatch.setattr(
        pillow, "MAX_IMAGE_PIXELS", 1_000_000
    )  # beyond twice this Pillow itself refuses
    data = encoded(pillow.new("L", (side, side)))
    with pytest.raises(errors.BadImage, match="megapixels"):
        as_image(data)


def test_a_bomb_costs_no_time():
    started = time.process_time()
    with pytest.raises(errors.BadImage):
        as_image(bomb(60_000, 60_000))
    assert time.process_time() - started < 0.5


def test_the_sentence_names_the_file(tmp_path):
    path = tmp_path / "half.png"
    for data in (
        encode_png(ARRAY)[:50],
        bomb(8_000, 8_000),
        film("PNG"),
        encode_png(np.zeros((2, 2, 4), np.uint8)),
    ):
        path.write_bytes(data)
        with pytest.raises(errors.BadImage, match=r"half\.png"):
            as_image(path)


@settings(max_examples=200)
@given(
    st.sampled_from(
        [encoded(IMAGE, kind) for kind in ("PNG", "JPEG", "GIF", "WEBP", "BMP")]
        + [film("MPO"), b""]
    ),
    st.lists(st.tuples(st.integers(0, 7000), st.integers(0, 255)), max_size=4),
    st.none() | st.integers(0, 7000),
    st.binary(max_size=40),
)
def test_damaged_files_are_read_or_refused(file, damage, end, tail):
    data = bytearray(file or b"\0")
    for where, byte in damage:
        data[where % len(data)] = byte
    try:
        found = to_array(Image(bytes(data[:end]) + tail, "image/png"))  # whatever it calls itself
    except errors.BadImage:
        return
    assert found.dtype == np.uint8
    assert found.shape[2:] == (3,)


@pytest.mark.parametrize(
    ("drawn", "ground"),
    [
        (["white"], (0, 0, 0)),
        (["white", "black"], (128, 128, 128)),
        (["black"], (255, 255, 255)),
        (["red"], (255, 255, 255)),
        ([], (255, 255, 255)),
    ],
)
def test_a_transparent_ground_becomes_one_that_the_rest_stands_out_from(drawn, ground):
    image = pillow.new("RGBA", (60, 20), (0, 0, 0, 0))
    for number, colour in enumerate(drawn):
        image.paste(colour, (10 + 20 * number, 5, 20 + 20 * number, 15))
    file = io.BytesIO()
    image.save(file, "PNG")
    assert decode_visible(Image.from_bytes(file.getvalue())).getpixel((0, 0)) == ground
