"""Repair of tool calls: what cannot be read stays as the model wrote it."""

import pytest

from musespark.content import ToolCall
from musespark.models.providers.adapter.tool_calls import repair_call


@pytest.mark.parametrize("arguments", ["[" * 100_000, '{"a":' * 100_000, "{", "7 apples"])
def test_arguments_that_cannot_be_read_stay_as_they_are(arguments):
    assert repair_call(ToolCall("c", "Find-It", arguments), ["find_it"]) == ToolCall(
        "c", "find_it", arguments
    )
