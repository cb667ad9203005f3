"""Scaling images to the size that a model takes."""

import pytest
from hypothesis import given, strategies as st
from PIL import Image as pillow
from vision.samples import file_of, image_of, opened, red_on_white

from musespark.content import Image, Message, Request, ToolResult
from musespark.vision.resize import encode_image, fit_images


@given(st.integers(1, 3000), st.integers(1, 300), st.integers(64, 2000), st.booleans())
def test_no_side_is_longer_than_a_model_takes(width, height, side, enlarge):
    shown = opened(encode_image(pillow.new("RGB", (width, height)), side, enlarge=enlarge))
    assert max(shown.size) <= max(side, 768 if enlarge else 0)
    if max(width, height) <= side and not enlarge:
        assert shown.size == (width, height)
    if min(shown.size) >= 8:
        assert shown.width / shown.height == pytest.approx(width / height, rel=0.1)


def test_a_photograph_goes_as_jpeg_and_a_screen_as_png():
    noise = pillow.merge("RGB", [pillow.effect_noise((1000, 800), 100) for _ in "RGB"])
    assert (
        encode_image(noise).media_type == "image/jpeg"
        and encode_image(red_on_white()).media_type == "image/png"
    )


async def test_only_what_is_too_large_is_scaled_also_within_results():
    small, large = image_of(red_on_white()), image_of(pillow.new("RGB", (3000, 10), "red"))
    broken = Image(file_of(red_on_white())[:50], "image/png")
    request = Request(
        messages=(
            Message.user(small, large, broken, "?"),
            Message("tool", (ToolResult("a", (large,)),)),
        )
    )
    done = await fit_images(request, 1000)
    assert done.images[0] is small and done.images[2] is broken
    assert opened(done.images[1]).size == (1000, 3)
    assert done.messages[1].parts[0].content[0] is done.images[1]
    assert await fit_images(request, None) is request
    plain = Request.of("?")
    assert await fit_images(plain, 10) is plain


@pytest.mark.parametrize("orientation", [1, 6])
async def test_an_image_that_is_scaled_stays_upright(orientation):
    exif = pillow.Exif()
    exif[0x0112] = orientation
    request = Request.of(
        "?", [Image.from_bytes(file_of(pillow.new("RGB", (2000, 1000)), "JPEG", exif=exif))]
    )
    (image,) = (await fit_images(request, 500)).images
    assert opened(image).size == ((500, 250) if orientation == 1 else (250, 500))
