import math

import pytest
from hypothesis import example, given, settings, strategies as st
from PIL import Image as pillow
from vision.samples import Tools, opened

from musespark.vision.coordinates import (
    IDENTITY,
    SPAN,
    WHOLE,
    Affine,
    Box,
    InvalidToolArguments,
    format_coordinate,
    format_point,
    parse_box,
    parse_point,
)
from musespark.vision.crop import covered_pixels, crop_transform, pixels_to_box
from musespark.vision.tools.measure import polygon_area
from musespark.vision.tools.rotate import rotate_image, rotation_transform

NUMBERS = st.one_of(st.floats(), st.integers(-3000, 4000), st.floats(-100, 1100))
ANYTHING = st.recursive(
    st.one_of(st.none(), st.booleans(), NUMBERS, st.text(max_size=5)),
    lambda inner: (
        st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
)
COORDINATE = st.floats(0, SPAN)
SIDE = st.integers(9, 300)


@given(st.one_of(ANYTHING, st.lists(NUMBERS, min_size=4, max_size=4)))
@example([1000.0, 0, 1001, 5])
@example([10**400, 0, 1, 1])
def test_whatever_a_model_writes_is_a_box_within_the_image_or_one_sentence(value):
    remarks = []
    try:
        box = parse_box(value, remarks)
    except InvalidToolArguments as error:
        assert str(error).count("\n") == 0 and str(error).endswith(".")
    else:
        assert 0 <= box.left < box.right <= SPAN and 0 <= box.top < box.bottom <= SPAN
        if isinstance(value, list) and all(type(each) in (int, float) for each in value):
            assert bool(remarks) == ([box.left, box.top, box.right, box.bottom] != value)


@given(st.one_of(ANYTHING, st.lists(NUMBERS, min_size=2, max_size=2)))
def test_whatever_a_model_writes_is_a_point_within_the_image_or_one_sentence(value):
    remarks = []
    try:
        x, y = parse_point(value, remarks)
    except InvalidToolArguments as error:
        assert str(error).endswith(".")
    else:
        assert 0 <= x <= SPAN and 0 <= y <= SPAN
        if isinstance(value, list) and all(type(each) in (int, float) for each in value):
            assert bool(remarks) == ([x, y] != value)


def test_what_was_done_to_a_box_is_said():
    remarks = []
    assert parse_box([500, 900, 100, 1200], remarks) == Box(100, 900, 500, 1000)
    assert remarks == [
        "The corners of the box [500, 900, 100, 1200] were swapped; it was read as [100, 900, 500, 1200].",
        "The box [500, 900, 100, 1200] reaches outside of the picture and was cut to [100, 900, 500, 1000].",
    ]
    assert parse_box([500, 100, 100, 900], remarks) == Box(100, 100, 500, 900)
    for empty in ([5, 5, 5, 9], [1100, 0, 1200, 10]):
        with pytest.raises(InvalidToolArguments, match=r"^The box .* is empty: .*\.$"):
            parse_box(empty, [])


@given(*[st.floats(-5, 5) for _ in range(6)], st.floats(-1000, 1000), st.floats(-1000, 1000))
def test_the_way_back_leads_back(a, b, c, d, e, f, x, y):
    there = Affine(a, b, c, d, e, f)
    if abs(a * e - b * d) > 0.01:
        assert there.inverse(there((x, y))) == pytest.approx((x, y), abs=1e-3)


@given(st.floats(-720, 720))
def test_a_turn_is_a_turn(degrees):
    x, y = Affine.rotation(degrees)((1.0, 0.0))
    assert math.hypot(x, y) == pytest.approx(1)
    assert (
        math.degrees(math.atan2(y, x)) % 360 == pytest.approx(degrees % 360, abs=1e-6)
        or degrees % 360 > 359.99
    )


@given(SIDE, SIDE, st.tuples(COORDINATE, COORDINATE, COORDINATE, COORDINATE))
def test_a_zoom_shows_all_of_the_box_and_hardly_more(width, height, edges):
    try:
        box = parse_box(list(edges), [])
    except InvalidToolArguments:
        return
    region = covered_pixels(box, width, height)
    left, top, right, bottom = region
    assert 0 <= left < right <= width and 0 <= top < bottom <= height
    seen = pixels_to_box(region, width, height)
    assert seen.left <= box.left + 1e-3 and seen.right >= box.right - 1e-3
    assert (right - left) <= max(8, box.width / SPAN * width + 2) and (bottom - top) <= max(
        8, box.height / SPAN * height + 2
    )


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("zoom"), COORDINATE, COORDINATE, COORDINATE, COORDINATE),
        st.tuples(
            st.just("turn"), st.sampled_from([0, 90, 180, 270]) | st.floats(0, 359.9), st.booleans()
        ),
    ),
    max_size=5,
)


@given(SIDE, SIDE, STEPS, COORDINATE, COORDINATE)
def test_a_point_of_a_view_of_views_leads_to_the_original_and_back(width, height, steps, x, y):
    to_original, size = IDENTITY, (width, height)
    for kind, *values in steps:
        if kind == "zoom":
            try:
                region = covered_pixels(parse_box(values, []), *size)
            except InvalidToolArguments:
                continue
            back, size = (
                crop_transform(pixels_to_box(region, *size)),
                (region[2] - region[0], region[3] - region[1]),
            )
        else:
            after = rotate_image(pillow.new("1", size), *values).size
            back, size = rotation_transform(size, after, *values), after
        to_original = back.then(to_original)
    assert to_original.inverse(to_original((x, y))) == pytest.approx((x, y), abs=1e-6)


@settings(deadline=None, max_examples=40)
@given(
    st.tuples(st.integers(20, 180), st.integers(20, 80)),
    st.integers(0, 359),
    st.booleans(),
    st.booleans(),
)
@example((20, 20), 90, True, True)
async def test_coordinates_lead_to_the_pixels_that_are_there(spot, degrees, mirror, first):
    image = pillow.new("RGB", (200, 100), "white")
    image.paste("red", (spot[0] - 2, spot[1] - 2, spot[0] + 3, spot[1] + 3))
    x, y = (spot[0] + 0.5) / 200 * SPAN, (spot[1] + 0.5) / 100 * SPAN
    tools = Tools(image)
    turn, box = (
        {"degrees": degrees, "mirror": mirror},
        [max(0, x - 90), max(0, y - 180), min(1000, x + 60), min(1000, y + 140)],
    )
    turns = bool(degrees or mirror)
    if first or not turns:
        await tools.zoom(box=box)
    if turns:
        await tools.rotate(**turn, picture=len(tools.album.images))
    if not first and turns:
        seen = tools.album.images[-1].to_original.inverse((x, y))
        near = [
            max(0, seen[0] - 100),
            max(0, seen[1] - 100),
            min(1000, seen[0] + 90),
            min(1000, seen[1] + 70),
        ]
        await tools.zoom(box=near, picture=2)
    view = tools.album.images[-1]
    there = view.to_original.inverse((x, y))
    pixels = tools.album.decode(view)
    assert pixels.size == (view.width, view.height)
    column, row = int(there[0] / SPAN * view.width), int(there[1] / SPAN * view.height)
    red, green, _ = pixels.getpixel((column, row))
    assert red > 200 and green < 90


async def test_a_zoom_of_a_zoom_loses_nothing():
    noise = pillow.effect_noise((300, 200), 90).convert("RGB")
    tools = Tools(noise)
    await tools.zoom(box=[100, 100, 900, 900])
    await tools.zoom(box=[250, 250, 750, 750], picture=2)
    assert (
        tools.album.decode(tools.album.images[2]).tobytes()
        == noise.crop((90, 60, 210, 140)).tobytes()
    )


async def test_marks_stand_where_they_were_asked_for():
    tools = Tools(pillow.new("RGB", (1000, 500), "white"))
    shown = opened((await tools.mark(points=[[250, 500]])).images[0])
    assert shown.size == (1000, 500) and shown.getpixel((250, 250)) != (
        255,
        255,
        255,
    ) == shown.getpixel((300, 250))


@given(st.lists(st.tuples(COORDINATE, COORDINATE), min_size=3, max_size=8), st.floats(0, 360))
def test_an_area_does_not_change_by_turning(corners, degrees):
    turned = list(map(Affine.rotation(degrees), corners))
    assert polygon_area(turned) == pytest.approx(polygon_area(corners), rel=1e-6, abs=1e-3)
    assert polygon_area(WHOLE.corners) == SPAN**2


@pytest.mark.parametrize(
    ("number", "written"),
    [(0.04, "0"), (-0.04, "0"), (333.33, "333.3"), (1000.0, "1000"), (1e9, "1000000000")],
)
def test_coordinates_are_told_to_a_tenth(number, written):
    assert format_coordinate(number) == written and format_point((number, 1)) == f"[{written}, 1]"
