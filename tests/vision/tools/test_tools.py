"""Results of each vision tool."""

import numpy as np
import pytest
from PIL import Image as pillow, ImageDraw
from vision.samples import Tools, opened, red_on_white

from musespark.tools.registry import VISION_TOOLS, make_vision_tools
from musespark.vision.tools.enhance import otsu_threshold

GREY = (128, 128, 128)


def last(tools):
    return tools.album.decode(tools.album.images[-1])


def test_every_tool_tells_the_model_what_it_is():
    tools = make_vision_tools(Tools().album, VISION_TOOLS)
    assert [tool.spec.name for tool in tools] == list(VISION_TOOLS)
    for tool in tools:
        assert 40 < len(tool.spec.description) < 900
        assert set(tool.required) <= set(tool.parameters)
        assert "0 to 1000" in tool.spec.description


async def test_what_is_too_small_to_be_seen_is_widened_and_that_is_said():
    tools = Tools(red_on_white())
    output = await tools.zoom(box=[250, 250, 251, 252])
    assert (
        "The box [250, 250, 251, 252] is too small to be seen, and was widened to [242.5, 235, 262.5, 275]."
        in output.text
    )
    assert last(tools).size == (8, 8)


async def test_a_small_region_is_enlarged_and_a_large_one_is_not():
    tools = Tools(pillow.effect_noise((3000, 2000), 50))
    small, large = [
        opened((await tools.zoom(box=box)).images[0]).size
        for box in ([0, 0, 20, 30], [0, 0, 1000, 1000])
    ]
    assert small == (480, 480) and large == (1568, 1045)


@pytest.mark.parametrize(
    ("given", "where"),
    [
        ({"degrees": 90}, (135, 110)),
        ({"degrees": 180}, (285, 135)),
        ({"degrees": -90}, (60, 285)),
        ({"degrees": 270}, (60, 285)),
        ({"mirror": True}, (285, 60)),
        ({"degrees": 90, "mirror": True}, (135, 285)),
        ({"degrees": 45}, None),
    ],
)
async def test_an_image_is_turned_clockwise_after_it_is_mirrored(given, where):
    tools = Tools(red_on_white())  # the square's middle is at (110, 60)
    await tools.rotate(**given)
    seen = last(tools)
    degrees = given.get("degrees", 0)
    assert seen.size == ((400, 200) if degrees % 180 == 0 else (200, 400)) or (
        degrees == 45 and seen.width == seen.height > 420
    )
    red = np.argwhere((np.asarray(seen)[..., 1] < 100) & (np.asarray(seen)[..., 0] > 200))
    row, column = red.mean(axis=0)
    if where:
        assert (column, row) == pytest.approx(where, abs=6)
    back = tools.album.images[-1].to_original(
        ((column + 0.5) / seen.width * 1000, (row + 0.5) / seen.height * 1000)
    )
    assert back == pytest.approx((110 / 400 * 1000, 60 / 200 * 1000), abs=4)


async def test_faint_print_is_made_plain():
    faint = pillow.new("RGB", (100, 50), (200, 200, 200))
    faint.paste((190, 190, 190), (20, 20, 60, 30))
    tools = Tools(faint)
    await tools.enhance(contrast="auto")
    assert last(tools).getpixel((30, 25)) == (0, 0, 0) and last(tools).getpixel((5, 5)) == (
        255,
        255,
        255,
    )
    await tools.enhance(threshold="auto", invert=True)
    assert set(last(tools).getcolors()) == {(400, (255, 255, 255)), (4600, (0, 0, 0))}
    assert tools.album.images[-1].caption == "picture 1, inverted, black and white at 55"


@pytest.mark.parametrize(
    ("given", "expected", "how"),
    [
        ({"brightness": 0.5}, (64, 64, 64), "brightness 0.5"),
        ({"contrast": 0}, GREY, "contrast 0"),
        ({"invert": True}, (127,) * 3, "inverted"),
        ({"threshold": 200}, (0, 0, 0), "black and white at 200"),
        ({"threshold": 100}, (255,) * 3, "black and white at 100"),
        ({"sharpness": 2, "brightness": 1}, GREY, "brightness 1, sharpness 2"),
    ],
)
async def test_enhancements_do_what_they_say(given, expected, how):
    tools = Tools(pillow.new("RGB", (20, 20), GREY))
    output = await tools.enhance(**given)
    assert last(tools).getpixel((10, 10)) == expected and output.captions == (f"picture 1, {how}",)


async def test_a_box_alone_is_enhanced_and_leads_back():
    tools = Tools(red_on_white())
    await tools.enhance(invert=True, box=[250, 250, 300, 350])
    view = tools.album.images[-1]
    assert last(tools).getcolors() == [(400, (0, 255, 255))]
    assert view.to_original((500, 500)) == pytest.approx((275, 300))


def test_the_threshold_parts_two_tones():
    values = (
        np.concatenate([np.full(500, 40), np.full(300, 90), np.full(200, 200)])
        .astype(np.uint8)
        .reshape(20, 50)
    )
    assert 90 <= otsu_threshold(pillow.fromarray(values)) < 200
    assert 0 <= otsu_threshold(pillow.new("L", (5, 5), 7)) <= 255


async def test_lengths_are_of_the_original_whatever_the_view():
    tools = Tools(pillow.new("RGB", (400, 300), "white"))
    told = (await tools.measure(points=[[0, 0], [1000, 0], [1000, 1000]], closed=True)).text
    assert "A to B: 400.0 pixels (400.0 right, 0.0 down), 0.0 degrees" in told
    assert (
        "B to C: 300.0 pixels (0.0 right, 300.0 down), 270.0 degrees" in told
        and "C to A: 500.0 pixels" in told
    )
    assert (
        "Angle at B: 90.0 degrees." in told
        and "Angle at C: 53.1 degrees." in told
        and "Angle at A: 36.9 degrees." in told
    )
    assert (
        "Around: 1200.0 pixels." in told
        and "Area: 60000 square pixels, 50.00% of the picture." in told
    )
    await tools.zoom(box=[500, 0, 1000, 1000])
    await tools.rotate(degrees=90, picture=3)
    for number, across in ((3, [[0, 500], [1000, 500]]), (4, [[500, 0], [500, 1000]])):
        told = (await tools.measure(points=across, picture=number)).text
        assert (
            "A to B: 200.0 pixels (200.0 right, 0.0 down)" in told
            and "A is [500, 500] of picture 1." in told
        )
    assert "In all" not in told and "Angle" not in told


async def test_points_that_are_the_same_have_no_angle():
    told = (await Tools(red_on_white()).measure(points=[[5, 5], [5, 5], [9, 9]])).text
    assert "Angle" not in told and "A to B: 0.0 pixels" in told and "In all:" in told


async def test_marks_are_around_what_they_mark_and_have_their_labels():
    tools = Tools(pillow.new("RGB", (1000, 1000), "white"))
    output = await tools.mark(
        boxes=[[200, 200, 400, 400], [-50, 0, 20, 20]],
        points=[[700, 700]],
        paths=[[[0, 900], [1000, 900]]],
        labels=["a" * 90, "two", "three", "four", "five", "six"],
    )
    assert output.captions == ("picture 1, with 2 boxes and 1 point and 1 path marked",)
    for remark in ("was cut to [0, 0, 20, 20]", "6 labels for 4 marks", "cut to 60 characters"):
        assert remark in output.text
    seen = last(tools)
    assert seen.crop((203, 203, 397, 397)).getcolors() == [(194 * 194, (255, 255, 255))]
    assert seen.getpixel((198, 300)) != (255, 255, 255) and seen.getpixel((500, 899)) != (
        255,
        255,
        255,
    )
    assert tools.album.decode(tools.album.images[0]).getcolors() == [(1_000_000, (255, 255, 255))]


async def test_where_two_images_differ_is_told_in_boxes_of_the_first():
    one, other = red_on_white(), red_on_white()
    ImageDraw.Draw(other).rectangle((300, 100, 319, 119), fill="blue")
    ImageDraw.Draw(other).rectangle((10, 150, 19, 169), fill="black")
    tools = Tools(one, other.resize((800, 400), pillow.Resampling.NEAREST))
    output = await tools.compare(pictures=[1, 2], how="difference")
    assert output.text.endswith(
        "They differ in 2 regions; boxes of picture 1:\n1: [750, 500, 800, 600]\n2: [25, 750, 50, 850]"
    )
    boxed = await tools.compare(pictures=[1, 2], how="difference", box=[700, 400, 900, 700])
    assert boxed.text.endswith(
        "They differ in 1 region; boxes of picture 1:\n1: [750, 500, 800, 600]"
    )
    assert (
        "No difference to be seen."
        in (await tools.compare(pictures=[1, 2], how="difference", box=[0, 0, 500, 500])).text
    )


async def test_differences_are_told_of_the_original_behind_a_view():
    one, other = pillow.new("RGB", (200, 200), "white"), pillow.new("RGB", (100, 200), "white")
    ImageDraw.Draw(other).rectangle((40, 80, 59, 119), fill="black")
    tools = Tools(one, other)
    await tools.zoom(box=[500, 0, 1000, 1000])
    output = await tools.compare(pictures=[3, 2], how="difference")
    assert output.text.endswith("boxes of picture 1:\n1: [700, 400, 800, 600]")


async def test_two_images_stand_side_by_side():
    tools = Tools(red_on_white(), pillow.new("RGB", (100, 400), "blue"))
    output = await tools.compare(pictures=[1, 2])
    seen = last(tools)
    assert seen.width == 800 + 8 + 100 and seen.height == 420
    assert seen.getpixel((850, 300)) == (0, 0, 255) and seen.getpixel((220, 130))[1] < 60
    assert tools.album.images[-1].original == 3 and "Its coordinates are its own" in output.text


async def test_another_shape_is_said():
    tools = Tools(red_on_white(), pillow.new("RGB", (100, 400), "blue"))
    assert (
        "has another shape than picture 1"
        in (await tools.compare(pictures=[1, 2], how="difference")).text
    )


async def test_views_are_made_anew_when_they_are_no_longer_kept():
    tools = Tools(red_on_white())
    await tools.rotate(degrees=30)
    await tools.enhance(invert=True, picture=2, box=[100, 100, 900, 900])
    await tools.compare(pictures=[1, 3], how="difference")
    before = [tools.album.decode(image).tobytes() for image in tools.album.images]
    tools.album.cached_pixels = 0
    assert [tools.album.decode(image).tobytes() for image in tools.album.images] == before


async def test_an_album_has_an_end():
    tools = Tools(red_on_white(), max_images=2)
    assert not (await tools.zoom(box=[0, 0, 9, 9])).failed
    full = await tools.zoom(box=[0, 0, 9, 9])
    assert full.failed and "no more can be made" in full.text
