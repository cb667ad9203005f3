"""Text recognition, and search by text, colour and shape."""

import asyncio
import threading
import time
from itertools import pairwise

import pytest
from hypothesis import given, strategies as st
from PIL import Image as pillow, ImageDraw, ImageFont
from vision.samples import TOTAL, Tools, receipt

from musespark.vision.coordinates import SPAN, Box
from musespark.vision.ocr.matching import find_matches, similarity
from musespark.vision.ocr.reader import (
    OVERLAP,
    TextLine,
    TextReader,
    Word,
    _scale,
    reading_order,
    shared_reader,
    split_bands,
)
from musespark.vision.ocr.strips import PIECE_WIDTH, split_columns
from musespark.vision.regions import Description, find_regions, parse_description
from musespark.vision.tools.find import find_places


def line(text, box, *words):
    return TextLine(text, Box(*box), 0.99, tuple(Word(word, Box(*place)) for word, place in words))


PAGE = (
    line(
        "Sign in to Example",
        (100, 50, 500, 80),
        ("Sign", (100, 50, 180, 80)),
        ("in", (190, 50, 220, 80)),
        ("to", (230, 50, 260, 80)),
        ("Example", (270, 50, 500, 80)),
    ),
    line("Password", (100, 200, 250, 225)),
    line("Forgot your password?", (400, 200, 700, 225)),
    line("Submit", (420, 310, 520, 340)),
    line("SubmitNow", (420, 410, 560, 440)),
    line("Terms and con-", (100, 800, 300, 820)),
    line("ditions apply here", (100, 825, 350, 845)),
    line("1nvoice nurnber 4711", (600, 50, 900, 80)),
)


@pytest.mark.parametrize(
    ("wanted", "box"),
    [
        ("Submit", (420, 310, 520, 340)),
        ("submit", (420, 310, 520, 340)),
        ("SIGN IN", (100, 50, 220, 80)),
        ("Example", (270, 50, 500, 80)),
        ("Password", (100, 200, 250, 225)),
        ("Invoice number", None),
        ("4711", None),
        ("signin", (100, 50, 220, 80)),
        ("Forgot your pasword", (400, 200, 700, 225)),
        ("conditions apply", None),
    ],
)
def test_a_text_is_found_where_it_stands(wanted, box):
    best = find_matches(wanted, PAGE)[0]
    if box:
        assert best.box.iou(Box(*box)) > 0.85
    elif "apply" in wanted:
        assert best.box.iou(Box(100, 825, 280, 845)) > 0.8
    else:
        assert 600 <= best.box.left and best.box.right <= 900


def test_what_is_the_same_leaves_out_what_is_only_alike():
    assert [match.text for match in find_matches("Submit", PAGE)] == ["Submit"]
    assert [match.text for match in find_matches("your password", PAGE)] == [
        "your password?"
    ] or find_matches("your password", PAGE)[0].score > 0.9
    assert find_matches("Cancel", PAGE) == [] == find_matches("  ", PAGE)


def test_a_part_of_a_word_is_found_where_nothing_else_is():
    best = find_matches("bmitN", PAGE)[0]
    assert Box(420, 410, 560, 440).left < best.box.left < best.box.right < 560


@given(st.text(max_size=30), st.text(max_size=30))
def test_likeness_is_a_share_and_whole_for_the_same(one, other):
    assert 0 <= similarity(one, other) <= 1 and similarity(one, one) == 1


@given(
    st.text(max_size=20),
    st.lists(st.tuples(st.text(max_size=30), st.integers(0, 900), st.integers(0, 900)), max_size=6),
)
def test_matches_lie_within_the_lines(wanted, placed):
    lines = [line(text, (left, top, left + 100, top + 20)) for text, left, top in placed]
    for match in find_matches(wanted, lines):
        assert any(match.box.iou(one.box) > 0 for one in lines) and 0 < match.score <= 1


def test_lines_are_read_row_by_row():
    lines = [
        line("right", (500, 100, 600, 120)),
        line("left", (100, 104, 200, 124)),
        line("above", (100, 50, 200, 70)),
        line("below", (300, 130, 400, 150)),
    ]
    assert [one.text for one in reading_order(lines)] == ["above", "left", "right", "below"]


def test_a_row_that_slants_or_a_tall_letter_does_not_swallow_the_next():
    lines = [
        line(str(number), (100, 100 + 22 * number, 300, 120 + 22 * number)) for number in range(30)
    ]
    assert [one.text for one in reading_order(lines[::-1])] == [str(number) for number in range(30)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("the blue circle", ("blue", "circle")),
        ("red button", ("red", None)),
        ("triangles", (None, "triangle")),
        ("a gray box", ("grey", "rectangle")),
        ("violet oval", ("purple", "ellipse")),
        ("a dog", None),
        ("total", None),
    ],
)
def test_a_description_names_a_colour_or_a_shape(text, expected):
    assert parse_description(text) == (Description(*expected) if expected else None)


def shapes():
    """1000x500, white: a red circle, a blue square, a green triangle, a yellow bar, a black line, a purple ellipse."""
    image = pillow.new("RGB", (1000, 500), "white")
    draw = ImageDraw.Draw(image)
    draw.ellipse((100, 100, 199, 199), fill="red")
    draw.rectangle((300, 100, 399, 199), fill="blue")
    draw.polygon([(500, 200), (550, 100), (600, 200)], fill="green")
    draw.rectangle((700, 100, 899, 139), fill="yellow")
    draw.line((100, 400, 500, 400), fill="black", width=4)
    draw.ellipse((600, 300, 799, 399), fill="purple")
    return image


@pytest.mark.parametrize(
    ("what", "box"),
    [
        ("red circle", (100, 200, 200, 400)),
        ("the blue square", (300, 200, 400, 400)),
        ("rectangle in blue", (300, 200, 400, 400)),
        ("green triangle", (500, 200, 600, 400)),
        ("yellow", (700, 200, 900, 280)),
        ("black line", (100, 797, 500, 805)),
        ("circle", (100, 200, 200, 400)),
        ("triangle", (500, 200, 600, 400)),
        ("purple ellipse", (600, 600, 800, 800)),
        ("pink oval", None),
        ("red triangle", None),
    ],
)
def test_regions_are_found_by_colour_and_shape(what, box):
    places = find_places(what, shapes(), ())
    assert len(places) == (1 if box else 0)
    if box:
        assert (
            places[0].box.iou(Box(*box)) > 0.6
            if "line" in what
            else places[0].box.iou(Box(*box)) > 0.95
        )


def test_every_rectangle_is_told_and_squares_are_rectangles():
    assert [
        (region.colour, region.shape)
        for region in find_regions(shapes(), Description(None, "rectangle"))
    ] == [("blue", "square"), ("yellow", "rectangle")]


@pytest.mark.parametrize(
    "colour",
    ["red", "orange", "yellow", "green", "cyan", "blue", "purple", "magenta", "black", "gray"],
)
@pytest.mark.parametrize("background", ["white", "#f4e8d0"])
def test_colours_have_their_usual_names(colour, background):
    image = pillow.new("RGB", (200, 200), background)
    image.paste(colour, (50, 50, 150, 150))
    places = find_places(colour, image, ())
    assert places[0].box.iou(Box(250, 250, 750, 750)) > 0.95


def test_a_text_that_is_written_there_comes_before_a_colour():
    red = line("Red", (10, 10, 50, 30))
    assert find_places("red", shapes(), (red,))[0].box == red.box
    assert find_places('"red"', shapes(), ()) == []
    assert find_places("the Submit button", pillow.new("RGB", (9, 9)), PAGE)[0].box == Box(
        420, 310, 520, 340
    )
    assert find_places("the button that says “Password”", pillow.new("RGB", (9, 9)), PAGE)[
        0
    ].box == Box(100, 200, 250, 225)


async def test_a_receipt_is_read_line_by_line_with_boxes_of_the_original():
    tools = Tools(receipt())
    told = (await tools.read()).text.splitlines()
    assert told[1] == "5 lines, with boxes of picture 1:"
    assert [entry.split("] ")[1] for entry in told[2:]] == [
        "CORNER SHOP",
        "Bread 2.40",
        "Milk 1.15",
        "Apples 3.20",
        "TOTAL 6.75",
    ]
    await tools.zoom(box=[0, 700, 600, 1000])
    closer = (await tools.read(picture=3)).text.splitlines()
    assert closer[1] == "1 line, with boxes of picture 1:" and closer[2].endswith("TOTAL 6.75")
    left, top, right, bottom = TOTAL
    truth = Box(left / 400 * SPAN, top / 300 * SPAN, right / 400 * SPAN, bottom / 300 * SPAN)
    for entry in (told[-1], closer[2]):
        box = Box(*map(float, entry.split("[")[1].split("]")[0].split(", ")))
        assert box.iou(truth) > 0.6


async def test_what_is_upside_down_is_read_once_it_is_turned():
    tools = Tools(receipt().transpose(pillow.Transpose.ROTATE_180))
    await tools.rotate(degrees=180)
    told = (await tools.find(what="TOTAL", picture=2)).text.splitlines()
    box = Box(*map(float, told[-1].split("[")[1].split("]")[0].split(", ")))
    assert told[1] == "1 place, with boxes of picture 1:"
    assert box.bottom < 250 and box.left > 500  # of the original, which stands on its head


async def test_what_is_not_there_is_said_with_what_can_be_found():
    output = await Tools(receipt()).find(what="a dog")
    assert not output.failed and not output.images
    assert output.text.startswith("'a dog' was not found. find knows no objects, only text")


async def test_a_blank_image_has_no_text():
    output = await Tools(pillow.new("RGB", (300, 200), "white")).read()
    assert "There is no text to be read." in output.text and not output.failed


def small_print(width, height, rows):
    """A large page with a short line of small print here and there, and their texts."""
    image = pillow.new("RGB", (width, height), "white")
    draw, font, texts = ImageDraw.Draw(image), ImageFont.load_default(22), []
    for index in range(rows):
        left, top = (index * 977) % (width - 300), 40 + index * (height - 100) // rows
        texts.append(f"Entry {1000 + 37 * index} open")
        draw.text((left, top), texts[-1], fill="black", font=font)
    return image, texts


@given(st.integers(1, 4096), st.integers(1, 20_000))
def test_bands_cover_an_image_and_overlap(width, height):
    found = list(split_bands(width, height))
    assert found[0][0] == 0 and found[-1][1] == height
    for (_, bottom), (top, _) in pairwise(found):
        assert bottom - top == OVERLAP


@given(st.integers(1, 60_000), st.integers(1, 60_000))
def test_what_is_read_is_bounded(width, height):
    scale = _scale(width, height)
    assert 0 < scale <= 3
    assert scale <= 1 or max(width, height) * scale <= 1101
    assert width * scale <= 4097 and width * height * scale**2 <= 9.1e6 + 1e5


async def test_small_print_on_a_large_page_is_read_once_each():
    page, texts = small_print(1600, 2600, 24)
    lines = await asyncio.to_thread(shared_reader().read, page)
    assert [one.text for one in lines] == texts
    assert all(0 <= one.box.left < one.box.right <= SPAN for one in lines)


async def test_reading_is_remembered_and_has_one_thread_for_all():
    reader, page = shared_reader(), receipt()
    first = reader.read(page)
    before = threading.active_count()
    tools = [Tools(page) for _ in range(5)]
    await asyncio.gather(*(each.read() for each in tools))
    assert reader.read(page.copy()) is first
    assert threading.active_count() <= before + 1 and shared_reader() is reader


async def test_a_reading_that_is_cancelled_is_not_waited_for():
    gate = threading.Event()
    waiting = asyncio.create_task(shared_reader().run(lambda _: gate.wait(30), {}))
    queued = asyncio.create_task(Tools(receipt()).read())
    await asyncio.sleep(0.05)
    queued.cancel()
    await asyncio.wait([queued], timeout=5)
    assert queued.cancelled()
    gate.set()
    assert await waiting


async def test_a_reading_that_is_cancelled_ends_with_its_band(monkeypatch):
    reader, begun, bands_read = TextReader(), threading.Event(), []

    def recognised(band):
        bands_read.append(band.size)
        begun.set()
        time.sleep(0.2)
        return iter(())

    monkeypatch.setattr(reader, "_recognize_band", recognised)
    page = pillow.new("RGB", (3000, 3000), "white")
    reading = asyncio.create_task(reader.run(lambda _: reader.read(page), {}))
    await asyncio.to_thread(begun.wait, 30)
    reading.cancel()
    await asyncio.wait([reading])
    assert await reader.run(lambda _: 42, {}) == 42  # its thread is free again
    assert len(bands_read) < len(list(split_bands(3000, 3000)))


def strip(width, height, *words, size=24):
    """A strip with words at these distances from its left."""
    image = pillow.new("RGB", (width, height), "white")
    draw = ImageDraw.Draw(image)
    for left, word in words:
        draw.text(
            (left, max(0, (height - size) // 2 - 4)),
            word,
            fill="black",
            font=ImageFont.load_default(size),
        )
    return image


@pytest.mark.slow
@pytest.mark.parametrize(
    ("width", "height", "size"), [(2400, 40, 24), (900, 40, 24), (5000, 30, 20), (2000, 20, 16)]
)
async def test_a_strip_is_read_where_its_words_stand(width, height, size):
    left = round(0.7 * width)
    output = await Tools(
        strip(width, height, (20, "Invoice"), (left, "TOTAL 6.75"), size=size)
    ).read()
    lines = [each for each in output.text.splitlines() if each[1:3] == ". "]
    assert [each.partition("] ")[2].split(" (")[0] for each in lines] == ["Invoice", "TOTAL 6.75"]
    starts = [float(each.partition("[")[2].split(",")[0]) for each in lines]
    assert starts == pytest.approx([20 / width * SPAN, 700], abs=15)


@given(
    width=st.integers(1, 9000),
    words=st.lists(st.tuples(st.integers(0, 8900), st.integers(1, 1500)), max_size=5),
)
def test_a_strip_is_cut_without_gaps_into_pieces_of_a_usual_width(width, words):
    image = pillow.new("RGB", (width, 10), "white")
    for left, length in words:
        image.paste("black", (left, 2, left + length, 8))
    pieces = list(split_columns(image))
    assert pieces[0][0] == 0 and pieces[-1][1] == width
    assert all(one[1] == other[0] for one, other in pairwise(pieces))
    assert all(0 < right - left <= PIECE_WIDTH for left, right in pieces)


def test_a_strip_is_cut_between_words():
    image = strip(4000, 30, (100, "one"), (1500, "two"), (2800, "three"))
    for _, cut in list(split_columns(image))[:-1]:
        assert image.crop((cut - 5, 0, cut + 5, 30)).getcolors() == [(300, (255, 255, 255))]


@pytest.mark.slow
@pytest.mark.parametrize("ink", ["white", "#eeeeee", "black", "red"])
async def test_print_on_a_transparent_ground_is_read(ink):
    image = pillow.new("RGBA", (400, 120), (0, 0, 0, 0))
    ImageDraw.Draw(image).text((40, 40), "TOTAL 6.75", fill=ink, font=ImageFont.load_default(28))
    assert "TOTAL 6.75" in (await Tools(image).read()).text
