import io

import numpy as np
import pytest
from PIL import Image as pillow

from musespark import errors, pictures
from musespark.content import Image
from musespark.pictures import as_image, pixels, png

ARRAY = np.arange(4 * 5 * 3, dtype=np.uint8).reshape(4, 5, 3)


def encoded(picture: pillow.Image, kind: str = "PNG", **options: object) -> bytes:
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


def test_every_way_to_give_a_picture_shows_the_same_pixels(tmp_path):
    data = png(ARRAY)
    path = tmp_path / "picture.png"
    path.write_bytes(data)
    for source in (data, path, str(path), ARRAY, pillow.fromarray(ARRAY), Image.from_bytes(data), memoryview(data)):
        assert np.array_equal(pixels(as_image(source)), ARRAY)


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "CMYK", "RGBA"])
def test_any_opaque_kind_of_picture_is_read(mode):
    picture = pillow.new("RGB", (3, 2), (255, 255, 255)).convert(mode)
    found = pixels(as_image(encoded(picture, "JPEG" if mode == "CMYK" else "PNG")))
    assert found.shape == (2, 3, 3)
    assert found.dtype == np.uint8
    assert found.min() > 250


def test_a_photograph_is_turned_upright():
    exif = pillow.Exif()
    exif[0x0112] = 6  # the camera was held on its side
    assert pixels(as_image(encoded(pillow.fromarray(ARRAY), "JPEG", exif=exif))).shape == (5, 4, 3)


def animated() -> bytes:
    frames = [pillow.new("RGB", (4, 4), colour) for colour in ("red", "green")]
    return encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])


def glassy_palette() -> bytes:
    return encoded(pillow.new("P", (2, 2)), transparency=0)


@pytest.mark.parametrize(("source", "says"), [
    (b"", "empty"),
    (b"%PDF-1.7", "not a PNG"),
    (png(ARRAY)[:50], "broken"),
    (encoded(pillow.fromarray(np.zeros((64, 64, 3), np.uint8)), "JPEG")[:-300], "broken"),
    (b"\x89PNG\r\n\x1a\n and nothing", "broken"),
    (animated(), "animated"),
    (png(np.zeros((2, 2, 4), np.uint8)), "transparent"),
    (glassy_palette(), "transparent"),
    (np.zeros((2, 2), np.float32), "uint8"),
    (np.zeros((0, 2, 3), np.uint8), "uint8"),
    (np.zeros((2, 2, 7), np.uint8), "uint8"),
    (42, "int is neither"),
])
def test_what_cannot_be_used_says_why(source, says):
    with pytest.raises(errors.BadPicture, match=says):
        as_image(source)


@pytest.mark.parametrize("side", [300, 3000])
def test_huge_pictures_are_refused_before_they_are_decoded(monkeypatch, side):
    monkeypatch.setattr(pictures, "MAX_PIXELS", 50_000)
    monkeypatch.setattr(pillow, "MAX_IMAGE_PIXELS", 1_000_000)  # beyond twice this Pillow itself refuses
    data = encoded(pillow.new("L", (side, side)))
    with pytest.raises(errors.BadPicture, match="megapixels"):
        as_image(data)


def test_the_sentence_names_the_file(tmp_path):
    path = tmp_path / "half.png"
    path.write_bytes(png(ARRAY)[:50])
    with pytest.raises(errors.BadPicture, match=r"half\.png"):
        as_image(path)
