import json
import os
from contextlib import aclosing
from dataclasses import replace
from unittest import mock

import pytest
from hypothesis import given, strategies as st
from strategies import events

from musespark.content import Request
from musespark.errors import TraceDamaged, TraceUnwritable
from musespark.events import Pictured, Thought
from musespark.models.fake import FakeModel
from musespark.reasoning.modes import run
from musespark.reasoning.team.team import Team
from musespark.trace import TraceWriter, read_trace, traced

IMAGE = Pictured("main", b"\x89PNG...", "a", 1, 1, seq=3)


async def test_a_run_is_read_back_equal_with_its_images_as_files(tmp_path):
    seen = [
        event
        async for event in traced(
            run(Team.of(FakeModel("team")), Request.of("?")), tmp_path / "deep" / "trace"
        )
    ]
    assert read_trace(tmp_path / "deep" / "trace") == seen
    pictured = [event for event in seen if isinstance(event, Pictured)]
    assert len(pictured) == 1
    files = sorted(path.name for path in (tmp_path / "deep" / "trace").iterdir())
    assert files == ["events.jsonl", f"picture-{pictured[0].seq:04d}.png"]
    assert (tmp_path / "deep" / "trace" / files[1]).read_bytes() == pictured[0].image


@given(st.lists(events, max_size=5))
def test_any_events_are_read_back_equal(tmp_path_factory, several):
    directory = tmp_path_factory.mktemp("trace")
    numbered = [replace(event, seq=number) for number, event in enumerate(several)]
    with TraceWriter(directory) as trace:
        for event in numbered:
            trace.write(event)
    assert read_trace(directory) == numbered


def test_every_line_is_on_disk_before_the_next_event(tmp_path):
    with TraceWriter(tmp_path) as trace:
        trace.write(IMAGE)
        assert json.loads((tmp_path / "events.jsonl").read_text())["picture"] == {
            "file": "picture-0003.png"
        }


def test_an_older_trace_is_replaced_and_other_files_are_left_alone(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    (tmp_path / "picture-0007.png.part").write_bytes(b"\x89PNG")  # a killed run was writing it
    with TraceWriter(tmp_path) as trace:
        trace.write(IMAGE)
    with TraceWriter(tmp_path) as trace:
        trace.write(Thought("main", "again"))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["events.jsonl", "notes.txt"]


def test_an_image_that_cannot_be_finished_leaves_nothing(tmp_path):
    full = mock.patch.object(os, "replace", side_effect=OSError(28, "No space left"))
    with (
        TraceWriter(tmp_path) as trace,
        full,
        pytest.raises(TraceUnwritable, match="No space left"),
    ):
        trace.write(IMAGE)
    assert [path.name for path in tmp_path.iterdir()] == ["events.jsonl"]
    assert read_trace(tmp_path) == []


async def test_a_directory_that_cannot_be_written_is_told_before_the_run(tmp_path):
    (tmp_path / "file").touch()
    model = FakeModel()
    for directory in (tmp_path / "file", tmp_path / "file" / "below", "null\0character"):
        with pytest.raises(TraceUnwritable, match="name another directory"):
            async with aclosing(traced(run(Team.of(model), Request.of("?")), directory)) as stream:
                await anext(stream)
    assert model.requests == []


def test_a_trace_cut_by_a_kill_is_read_up_to_there(tmp_path):
    with TraceWriter(tmp_path) as trace:
        trace.write(IMAGE)
        trace.write(Thought("main", "half"))
    lines = (tmp_path / "events.jsonl").read_bytes()
    (tmp_path / "events.jsonl").write_bytes(lines[:-5])
    assert read_trace(tmp_path) == [IMAGE]


@pytest.mark.parametrize(
    "line",
    [
        "no json",
        "[]",
        '{"kind": "unheard_of"}',
        '{"kind": "pictured", "picture": {"file": "../x"}}',
        '{"kind": "pictured", "picture": {"file": "picture-0009.png"}}',
    ],
)
def test_a_damaged_trace_says_where(tmp_path, line):
    (tmp_path / "events.jsonl").write_text(line + "\n")
    with pytest.raises(TraceDamaged, match="line 1"):
        read_trace(tmp_path)


def test_a_directory_without_a_trace_is_said(tmp_path):
    with pytest.raises(TraceDamaged, match="No such file"):
        read_trace(tmp_path)
