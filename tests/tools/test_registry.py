"""Tools by name."""

import pytest

from musespark.errors import BadOption
from musespark.tools.registry import TOOLS, make_tools


def test_every_registered_tool_is_made_and_tells_a_model_what_it_is():
    tools = make_tools(TOOLS)
    assert [tool.spec.name for tool in tools] == list(TOOLS)
    assert all(len(tool.spec.description) > 40 for tool in tools)


def test_a_name_given_twice_is_one_tool_and_none_is_none():
    assert len(make_tools(["python", "python"])) == 1
    assert make_tools([]) == ()


@pytest.mark.parametrize("name", ["browser", "", "Python", "python "])
def test_an_unknown_tool_is_told_in_one_sentence_with_the_known_ones(name):
    with pytest.raises(BadOption, match=f"tool cannot be '{name}'; it must be one of: .*python, .*zoom\\.$"):
        make_tools(["python", name])
