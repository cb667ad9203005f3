"""Tools by name."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from musespark.errors import BadOption
from musespark.tools.registry import TOOLS, VISION_TOOLS, make_tools, make_vision_tools
from musespark.vision.album import Album


def test_every_registered_tool_is_made_and_tells_a_model_what_it_is():
    tools = (
        *make_tools(name for name in TOOLS if name not in VISION_TOOLS),
        *make_vision_tools(Album(), VISION_TOOLS),
    )
    assert [tool.spec.name for tool in tools] == list(TOOLS)
    assert all(len(tool.spec.description) > 40 for tool in tools)


def test_the_table_imports_no_tool():
    code = "import sys, musespark.tools.registry; print([name for name in sys.modules if 'vision' in name])"
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2] / "src")}
    printed = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    ).stdout
    assert printed == "[]\n"


def test_a_name_given_twice_is_one_tool_and_none_is_none():
    assert len(make_tools(["python", "python"])) == 1
    assert make_tools([]) == ()


@pytest.mark.parametrize("name", ["browser", "", "Python", "python "])
def test_an_unknown_tool_is_told_in_one_sentence_with_the_known_ones(name):
    hint = r" \(did you mean 'python'\?\)" if name.strip().lower() == "python" else ""
    with pytest.raises(
        BadOption, match=f"tool cannot be '{name}'{hint}; it must be one of: .*python, .*zoom\\.$"
    ):
        make_tools(["python", name])
