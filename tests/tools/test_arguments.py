"""Arguments arrive in many forms; what is meant is found, and nothing else is changed."""

import pytest
from hypothesis import given, strategies as st

from musespark.tools.arguments import (
    parse_json,
    pick_arguments,
    to_flag,
    to_number,
    unwrap_arguments,
)
from musespark.tools.code_argument import find_code
from musespark.tools.python import PythonTool

NAMES = ("box", "picture")
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
)


@pytest.mark.parametrize(
    "given_",
    [
        {"box": [1, 2, 3, 4], "picture": 1},
        {"arguments": {"box": [1, 2, 3, 4], "picture": 1}},
        {"input": '{"box": [1, 2, 3, 4], "picture": 1}'},
        {"parameters": {"args": {"box": [1, 2, 3, 4], "picture": 1}}},
        {"zoom": {"box": [1, 2, 3, 4], "picture": 1}},
        {"arguments": "```json\n{'box': [1, 2, 3, 4], 'picture': 1}\n```", "name": "zoom"},
        {"Box": [1, 2, 3, 4], " picture ": 1, "why": "to see"},
    ],
)
def test_wrappers_are_taken_off(given_):
    found = pick_arguments(unwrap_arguments(given_, NAMES), NAMES)
    assert found == {"box": [1, 2, 3, 4], "picture": 1}


def test_an_argument_has_neighbouring_names_and_its_own_wins():
    aliases = {"picture": ("image", "img")}
    assert pick_arguments({"image": 2}, NAMES, aliases) == {"picture": 2}
    assert pick_arguments({"image": 2, "picture": 3}, NAMES, aliases) == {"picture": 3}
    assert pick_arguments({"picture": None, "colour": 3}, NAMES, aliases) == {}


@given(st.dictionaries(st.text(max_size=8), JSON, max_size=3))
def test_any_object_can_be_searched(arguments):
    found = pick_arguments(unwrap_arguments(arguments, NAMES), NAMES)
    assert set(found) <= set(NAMES)


@pytest.mark.parametrize(
    ("value", "number"),
    [("30", 30), (" 1.5 ", 1.5), ("-4", -4), ("30 degrees", 30), ("30°", 30), ("1e2", 100), (7, 7)],
)
def test_numbers_may_be_texts(value, number):
    assert to_number(value) == number


@pytest.mark.parametrize("value", ["", "soon", "1, 2", "3 of 4", True, None, [1]])
def test_what_is_no_number_is_none(value):
    assert to_number(value) is None


@pytest.mark.parametrize(
    ("value", "flag"),
    [
        ("true", True),
        ("False", False),
        (1, True),
        (0, False),
        ("yes", True),
        ("perhaps", None),
        ([], None),
    ],
)
def test_flags_may_be_texts(value, flag):
    assert to_flag(value) is flag


def test_json_is_parsed_also_as_python_writes_it():
    assert parse_json("{'a': [1, None]}") == {"a": [1, None]}
    assert parse_json("__import__('os')") is parse_json("{'a': open('x')}") is None


@pytest.mark.parametrize(
    "code",
    [
        "```python\nprint(6 * 7)\n```",
        "```py\r\nprint(6 * 7)\r\n```\r\n",
        "```\nprint(6 * 7)",
        "```print(6 * 7)```",
        "~~~~\nprint(6 * 7)\n~~~~",
        "`print(6 * 7)`",
        "Here it is:\n\n```python\nprint(6 * 7)\n```\nIt prints the product.",
        "    print(6 * 7)",
        ">>> print(6 * 7)\n42",
        "python\nprint(6 * 7)",
        ["x = 6", "print(x * 7)"],
        "x = 6\\nprint(x * 7)",
    ],
    ids=repr,
)
@pytest.mark.parametrize("name", ["code", "source", "python"])
async def test_a_snippet_may_come_in_a_fence(code, name):
    assert (await PythonTool().use({name: code})).text == "42"
    assert (await PythonTool().use({"arguments": {name: code}})).text == "42"


@pytest.mark.parametrize(
    "code",
    ["print('```')", "x = '''\n```python\n1\n```\n'''", "# ```\nprint(1)", "1 +", "\tdef", 7],
)
def test_a_snippet_that_has_no_fence_around_it_stays(code):
    assert find_code({"code": code}) == code
