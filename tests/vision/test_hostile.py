"""Untrusted images: each is decoded correctly or refused with one sentence."""

import io
import struct
import zlib

import numpy as np
import pytest
from hypothesis import example, given, settings, strategies as st
from PIL import Image as pillow
from vision.samples import Tools, file_of, opened, red_on_white

from musespark.content import Image
from musespark.errors import BadImage
from musespark.images import as_image, decode_visible, read_header

RED, BLUE, WHITE = (255, 0, 0), (0, 0, 255), (255, 255, 255)


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width, height, *, data=b"", depth=8, colour=2):
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(data))
        + chunk(b"IEND", b"")
    )


def two_halves(mode="RGB"):
    """40x20: red to the left, blue to the right."""
    image = pillow.new("RGB", (40, 20), BLUE)
    image.paste(RED, (0, 0, 20, 20))
    return image.convert(mode)


def turned(orientation):
    """Encode an image that is 40x20, red to the left, once it is upright."""
    undo = {
        3: pillow.Transpose.ROTATE_180,
        6: pillow.Transpose.ROTATE_90,
        8: pillow.Transpose.ROTATE_270,
    }
    exif = pillow.Exif()
    exif[0x0112] = orientation
    return file_of(two_halves().transpose(undo[orientation]), "PNG", exif=exif)


def paletted():
    """Red to the left, a hole to the right."""
    image = two_halves("P")
    return file_of(image, "PNG", transparency=image.getpixel((30, 5)))


def with_a_hole():
    image = two_halves("RGBA")
    image.paste((0, 0, 0, 0), (20, 0, 40, 20))
    return file_of(image)


def moving(format):
    frames = [
        two_halves(),
        pillow.new("RGB", (40, 20), "green"),
        pillow.new("RGB", (40, 20), "yellow"),
    ]
    return file_of(frames[0], format, save_all=True, append_images=frames[1:], duration=100)


def grey16(top):
    values = np.zeros((20, 40), dtype=np.uint16)
    values[:, :20] = top
    return file_of(pillow.fromarray(values))


HALVES = [
    ("a PNG", file_of(two_halves()), RED, BLUE, ""),
    (
        "a JPEG in CMYK",
        file_of(two_halves("CMYK"), "JPEG", quality=95, subsampling=0),
        RED,
        BLUE,
        "",
    ),
    ("a BMP", file_of(two_halves(), "BMP"), RED, BLUE, ""),
    ("a WebP", file_of(two_halves(), "WEBP", lossless=True), RED, BLUE, ""),
    ("a PNG of a camera held sideways", turned(6), RED, BLUE, ""),
    ("the other way", turned(8), RED, BLUE, ""),
    ("upside down", turned(3), RED, BLUE, ""),
    (
        "a palette with a hole",
        paletted(),
        RED,
        WHITE,
        "what is transparent is shown on a plain ground",
    ),
    ("a hole", with_a_hole(), RED, WHITE, "what is transparent is shown on a plain ground"),
    ("an animated GIF", moving("GIF"), RED, BLUE, "only the first of its 3 frames is shown"),
    ("an animated PNG", moving("PNG"), RED, BLUE, "only the first of its 3 frames is shown"),
    ("an animated WebP", moving("WEBP"), RED, BLUE, "only the first of its 3 frames is shown"),
    ("sixteen bits", grey16(65535), WHITE, (0, 0, 0), ""),
    ("sixteen bits, dim", grey16(32768), (128, 128, 128), (0, 0, 0), ""),
    (
        "one bit",
        file_of(two_halves("L").point(lambda value: 255 if value > 50 else 0, "1")),
        WHITE,
        (0, 0, 0),
        "",
    ),
]


@pytest.mark.parametrize(
    ("file", "left", "right", "remark"),
    [each[1:] for each in HALVES],
    ids=[each[0] for each in HALVES],
)
async def test_every_kind_of_image_is_seen_upright_and_in_its_colours(file, left, right, remark):
    tools = Tools(Image.from_bytes(file))
    image = tools.album.get()
    assert (image.width, image.height) == (40, 20) == decode_visible(Image.from_bytes(file)).size
    assert image.remarks == ((remark,) if remark else ())
    output = await tools.zoom(box=[0, 0, 1000, 1000])
    seen = tools.album.decode(tools.album.images[1])
    for colour, column in ((left, 8), (right, 32)):
        assert seen.getpixel((column, 10)) == pytest.approx(colour, abs=12)
    assert opened(output.images[0]).size == (320, 160)
    assert as_image(file, strict=False).data == file


BROKEN = [
    ("a bomb by its header", png(100_000, 100_000)),
    ("a row of a hundred million", png(100_000_000, 1)),
    ("no width", png(0, 10)),
    ("a bomb of zeros", png(7_500, 7_500, data=b"\0" * 10_000_000)),
    ("cut short", file_of(red_on_white())[:200]),
    ("no data", png(10, 10)),
    ("too little", png(10, 10, data=b"\0" * 30)),
    ("a header alone", b"\x89PNG\r\n\x1a\n"),
    ("a wrong checksum", png(4, 4, data=b"\0" * 52)[:40] + b"\xff" * 9),
    ("a JPEG's first bytes", b"\xff\xd8\xff\xe0"),
    ("a GIF without a picture", b"GIF89a\x0a\x00\x0a\x00\x00\x00\x00;"),
    ("a broken WebP", b"RIFF\xff\xff\xff\xffWEBPVP8 " + b"\0" * 40),
    (
        "a BMP of huge size",
        b"BM"
        + struct.pack("<IHHIIiiHHIIiiII", 0, 0, 0, 54, 40, 2**30, 2**30, 1, 24, 0, 0, 0, 0, 0, 0),
    ),
    (
        "a PNG with a text bomb",
        png(4, 4, data=b"\0" * 52)[:33]
        + chunk(b"zTXt", b"k\0\0" + zlib.compress(b"a" * 50_000_000))
        + png(4, 4, data=b"\0" * 52)[33:],
    ),
]


@pytest.mark.parametrize("file", [each[1] for each in BROKEN], ids=[each[0] for each in BROKEN])
async def test_what_is_broken_or_huge_is_refused_in_a_sentence_by_every_tool(file):
    image = Image.from_bytes(file)
    with pytest.raises(BadImage):
        as_image(image, strict=False)
    tools = Tools(image, red_on_white())
    for name, arguments in (
        ("zoom", {"box": [0, 0, 500, 500]}),
        ("rotate", {"degrees": 90}),
        ("enhance", {"invert": True}),
        ("read", {}),
        ("measure", {"points": [[0, 0], [1, 1]]}),
        ("mark", {"points": [[1, 1]]}),
        ("find", {"what": "x"}),
        ("compare", {"pictures": [2, 1], "how": "difference"}),
        ("compare", {"pictures": [1, 2]}),
        ("sketch", {"svg": "<svg/>", "over": 1}),
    ):
        output = await getattr(tools, name)(**arguments)
        assert output.failed and not output.images and "\n" not in output.text
        assert output.text.startswith("The image cannot be used: ")
    assert len(tools.album.images) == 2


@pytest.mark.parametrize(
    "data",
    [
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"%PDF-1.7",
        b"MM\x00*",
        b"\x00\x00\x00\x0cjP  ",
        b"8BPS",
        b"%!PS-Adobe-3.0 EPSF-3.0",
        b"plain text",
        b"RIFF\x00\x00\x00\x00WAVE",
    ],
)
def test_other_files_are_no_images(data):
    with pytest.raises(BadImage, match="it is not a PNG, JPEG, GIF, WebP or BMP file"):
        Image.from_bytes(data)


async def test_shapes_that_would_grow_without_bounds_do_not():
    wide = pillow.new("RGB", (40_000, 1), "red")
    tools = Tools(wide, pillow.new("RGB", (1, 4_000), "blue"), red_on_white())
    assert (await tools.rotate(degrees=45)).text.startswith(
        "The picture is too large to be turned that far"
    )
    for output in (
        await tools.rotate(degrees=90),
        await tools.compare(pictures=[1, 2]),
        await tools.mark(points=[[5, 5]]),
        await tools.compare(pictures=[1, 2], how="difference"),
        await tools.compare(pictures=[3, 2]),
        await tools.zoom(box=[0, 0, 1, 1000]),
        await tools.sketch(svg="<svg><rect/></svg>", over=1),
    ):
        assert not output.failed and max(opened(output.images[0]).size) <= 1600


SEEDS = [
    file_of(two_halves()),
    file_of(two_halves(), "JPEG"),
    moving("GIF"),
    file_of(two_halves(), "WEBP"),
    file_of(two_halves(), "BMP"),
    paletted(),
    grey16(500),
    turned(6),
]


@settings(deadline=None, max_examples=200)
@given(
    st.sampled_from(SEEDS),
    st.lists(st.tuples(st.integers(0, 2000), st.binary(max_size=8)), min_size=1, max_size=6),
    st.integers(20, 3000),
)
@example(SEEDS[0], [(16, b"\x7f\xff\xff\xff")], 3000)
@example(SEEDS[1], [(0, b"")], 100)
def test_a_damaged_file_is_an_image_or_a_sentence(file, damages, length):
    data = bytearray(file)
    for at, damage in damages:
        at %= len(data)
        data[at : at + len(damage)] = damage
    try:
        image = Image.from_bytes(bytes(data[:length]))
        known, seen = read_header(image), decode_visible(image)
    except BadImage as error:
        assert "\n" not in str(error)
    else:
        assert seen.mode == "RGB" and seen.size == (known.width, known.height)


def test_a_bomb_is_refused_by_its_header_before_anything_is_decoded():
    image = Image.from_bytes(png(60_000, 60_000))
    with pytest.raises(BadImage, match=r"60000x60000 pixels|megapixels"):
        read_header(image)


def test_the_corpus_is_what_it_says():
    assert pillow.open(io.BytesIO(moving("GIF"))).n_frames == 3
    assert pillow.open(io.BytesIO(HALVES[1][1])).mode == "CMYK"
    assert pillow.open(io.BytesIO(paletted())).mode == "P"
    assert pillow.open(io.BytesIO(grey16(1))).mode.startswith("I")
