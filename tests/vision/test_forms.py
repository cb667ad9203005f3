"""Boxes, points and pictures in the forms in which models name them."""

import pytest
from hypothesis import given, strategies as st
from PIL import Image as pillow
from vision.samples import Tools, red_on_white

from musespark.vision.coordinates import InvalidToolArguments, parse_box, parse_point
from musespark.vision.forms import to_box, to_boxes, to_paths, to_point, to_points

EDGES = [100, 200, 300, 400]


@pytest.mark.parametrize(
    "value",
    [
        "100, 200, 300, 400",
        "[100, 200, 300, 400]",
        "(100 200 300 400)",
        "x1=100, y1=200, x2=300, y2=400",
        "10%, 20%, 30%, 40%",
        "<box>100 200 300 400</box>",
        ["100", "200", "300", "400"],
        ["10%", "20%", "30%", "40%"],
        [[100, 200], [300, 400]],
        [[100, 200, 300, 400]],
        (100, 200, 300, 400),
        {"x1": 100, "y1": 200, "x2": 300, "y2": 400},
        {"xmin": "100", "ymin": "200", "xmax": "300", "ymax": "400"},
        {"left": 100, "top": 200, "right": 300, "bottom": 400},
        {"x": 100, "y": 200, "w": 200, "h": 200},
        {"left": 100, "top": 200, "width": 200, "height": 200},
        {"top_left": [100, 200], "bottom_right": {"x": 300, "y": 400}},
        {"bbox": [100, 200, 300, 400], "label": "door"},
        "{'x': 100, 'y': 200, 'width': 200, 'height': 200}",
        '{"x1": 100, "y1": 200, "x2": 300, "y2": 400}',
        [0.1, 0.2, 0.3, 0.4],
        [[100, 200], [300, 200], [300, 400], [100, 400]],
        [{"x": 300, "y": 200}, {"x": 300, "y": 400}, {"x": 100, "y": 400}, {"x": 100, "y": 200}],
        [100, 200, 300, 200, 300, 400, 100, 400],
        "(100,200),(300,200),(300,400),(100,400)",
        {"cx": 200, "cy": 300, "w": 200, "h": 200},
        {"center_x": 200, "center_y": 300, "width": 200, "height": 200},
    ],
    ids=repr,
)
async def test_a_box_is_read_in_every_form(value):
    box = parse_box(value, [])
    assert [round(edge) for edge in (box.left, box.top, box.right, box.bottom)] == EDGES
    exact = await Tools(red_on_white()).zoom(box=EDGES)
    assert (await Tools(red_on_white()).zoom(box=value)).text.endswith(exact.text)


@pytest.mark.parametrize(
    "value", ["100, 200", "[100, 200]", ["100", 200], {"x": 100, "y": "200"}, [[100, 200]]]
)
def test_a_point_is_read_in_every_form(value):
    assert parse_point(value, []) == (100, 200)


@pytest.mark.parametrize(
    "value",
    ["all of it", "1, 2, 3", [1, 2, 3], [1, 2, 3, 4, 5, 6], {"x": 1}, None, True, {}, [[1], [2]]],
)
def test_what_is_no_box_stays_none(value):
    with pytest.raises(InvalidToolArguments, match="A box is"):
        parse_box(value, [])


def test_lists_of_boxes_points_and_paths_may_be_flat_and_may_be_texts():
    assert to_boxes(EDGES) == to_boxes("[100, 200, 300, 400]") == [EDGES]
    assert to_boxes([EDGES, EDGES]) == [EDGES, EDGES]
    assert (
        to_points([1, 2, 3, 4])
        == to_points("1,2 3,4")
        == to_points("[[1, 2], [3, 4]]")
        == [[1, 2], [3, 4]]
    )
    assert to_paths([[1, 2], [3, 4]]) == [[[1, 2], [3, 4]]]
    assert to_paths([[[1, 2], [3, 4]]]) == [[[1, 2], [3, 4]]]


ANY = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=12),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=3)
    ),
)


@given(ANY)
def test_any_value_can_be_read(value):
    for read in (to_box, to_boxes, to_point, to_points, to_paths):
        read(value)


def test_fractions_are_read_as_such_and_said():
    remarks = []
    assert str(parse_box([0.25, 0.25, 0.75, 0.75], remarks)) == "[250, 250, 750, 750]"
    assert "fractions" in remarks[0]


@pytest.mark.parametrize(
    "picture",
    [
        1,
        "1",
        "1.0",
        1.0,
        "picture 1",
        "Picture 1",
        "#1",
        "image_1",
        [1],
        {"number": 1},
        "first",
        "receipt.png",
    ],
)
@pytest.mark.parametrize("name", ["picture", "image", "image_number"])
async def test_a_picture_is_named_in_every_form(picture, name):
    output = await Tools(red_on_white()).zoom(box=EDGES, **{name: picture})
    assert not output.failed and "picture 1, zoomed" in output.text


async def test_of_several_pictures_an_unknown_name_is_none():
    tools = Tools(red_on_white(), pillow.new("RGB", (30, 30)))
    assert "There is no picture 'receipt'" in (await tools.zoom(box=EDGES, picture="receipt")).text
    assert "There is no picture 9" in (await tools.zoom(box=EDGES, picture="9")).text
    assert "picture 2, zoomed" in (await tools.zoom(box=EDGES, picture="last")).text


@pytest.mark.parametrize(
    ("tool", "arguments", "expected"),
    [
        ("zoom", {"x1": 100, "y1": 200, "x2": 300, "y2": 400}, "zoomed to [100, 200, 300, 400]"),
        (
            "zoom",
            {"x": 100, "y": 200, "width": 200, "height": 200},
            "zoomed to [100, 200, 300, 400]",
        ),
        ("zoom", {"bbox_2d": EDGES, "reason": "to see"}, "zoomed to [100, 200, 300, 400]"),
        ("zoom", {"arguments": {"box": EDGES}}, "zoomed to [100, 200, 300, 400]"),
        ("zoom", {"input": '{"box": "100, 200, 300, 400"}'}, "zoomed to [100, 200, 300, 400]"),
        ("rotate", {"degrees": "90"}, "turned 90 degrees"),
        ("rotate", {"angle": "90 degrees", "mirror": "true"}, "mirrored and turned 90"),
        ("enhance", {"contrast": "Auto"}, "contrast spread"),
        ("enhance", {"contrast": "2", "invert": "false"}, "contrast 2"),
        ("measure", {"points": "0,0 1000,0"}, "400.0 pixels"),
        ("mark", {"box": EDGES, "labels": "door"}, "1 box marked"),
        ("mark", {"points": [100, 200, 300, 400]}, "2 points marked"),
        ("compare", {"pictures": "1 and 2", "how": "Side by side"}, "side by side"),
        ("compare", {"images": {"first": 1, "second": 2}, "how": "diff"}, "differ"),
    ],
    ids=str,
)
async def test_every_tool_takes_the_forms_of_models(tool, arguments, expected):
    output = await getattr(Tools(red_on_white(), red_on_white().rotate(180)), tool)(**arguments)
    assert not output.failed and expected in output.text, output.text
