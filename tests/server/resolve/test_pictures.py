"""Pictures in bodies: every usual way to write base64, and formats that a model's provider does not read."""

import base64
import io

import pytest
from PIL import Image as pillow
from server.conftest import ABLE, live, says

from musespark.content import Image, Request
from musespark.errors import BadInput
from musespark.models.fake import FakeModel
from musespark.server.resolve.parsed_request import decode_image, load_image
from musespark.vision.resize import fit_images


def file(format, size=(9, 9)):
    made = io.BytesIO()
    pillow.frombytes("RGB", size, bytes(range(243))).save(made, format)
    return made.getvalue()


PNG = file("PNG")
PLAIN = base64.b64encode(PNG).decode()
# Bytes that the two alphabets write differently.
WRITTEN = {
    "data URL": f"data:image/png;base64,{PLAIN}",
    "charset": f"data:image/png;charset=utf-8;base64,{PLAIN}",
    "name": f"data:image/png;name=a.png;base64,{PLAIN}",
    "capitals": f"DATA:IMAGE/PNG;BASE64,{PLAIN}",
    "another type": f"data:image/jpeg;base64,{PLAIN}",
    "no type": f"data:;base64,{PLAIN}",
    "type of nothing": f"data:application/octet-stream;base64,{PLAIN}",
    "base64 alone": PLAIN,
    "MIME": f"data:image/png;base64,{base64.encodebytes(PNG).decode()}",
    "CRLF": f"data:image/png;base64,{PLAIN[:76]}\r\n{PLAIN[76:]}\r\n",
    "spaces around": f"  data:image/png;base64, {PLAIN} ",
    "no padding": f"data:image/png;base64,{PLAIN.rstrip('=')}",
    "URL-safe": f"data:image/png;base64,{base64.urlsafe_b64encode(PNG).decode()}",
    "URL-safe without padding": base64.urlsafe_b64encode(PNG).decode().rstrip("="),
    "percent": f"data:image/png;base64,{PLAIN.replace('=', '%3D').replace('+', '%2B')}",
}


@pytest.mark.parametrize("name", WRITTEN)
def test_a_picture_is_read_however_it_is_written(name):
    image = load_image(WRITTEN[name], {}, "messages[0]")
    assert (image.data, image.media_type) == (PNG, "image/png")


@pytest.mark.parametrize(
    "text",
    ["", "####", "data:image/png,abc", "file:///etc/passwd", "http://x/y.png", "data:;base64,AAAA"],
)
def test_what_is_no_picture_is_refused_by_its_path(text):
    with pytest.raises(BadInput) as refused:
        decode_image(text, "messages[3].content[0]")
    assert refused.value.param == "messages[3].content[0]" and "passwd" not in str(refused.value)


@pytest.mark.parametrize("format", ["BMP", "GIF", "WEBP", "JPEG"])
async def test_formats_that_a_provider_does_not_read_are_converted(format):
    image = Image.from_bytes(file(format))
    request = Request.of("What?", images=[image])
    same = await fit_images(request, 100, (image.media_type,))
    assert same.images == (image,)
    (converted,) = (await fit_images(request, None, ("image/png",))).images
    assert converted.media_type == "image/png"
    assert pillow.open(io.BytesIO(converted.data)).size == (9, 9)


def test_a_bitmap_reaches_a_model_that_reads_png():
    from dataclasses import replace

    able = replace(ABLE, image_types=("image/png",))
    model = FakeModel(says("seen"), name="m", abilities=able)
    url = "data:image/bmp;base64," + base64.b64encode(file("BMP")).decode()
    content = [{"type": "image_url", "image_url": {"url": url}}]
    with live({"m": model}) as server:
        import httpx

        body = {"model": "m", "messages": [{"role": "user", "content": content}]}
        assert httpx.post(f"{server.url}/v1/chat/completions", json=body).status_code == 200
    assert [image.media_type for image in model.requests[-1].images] == ["image/png"]
