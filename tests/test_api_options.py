"""Wrong arguments of `ask`: each is one sentence that names the argument, before a model is called."""

import errno
import json
from pathlib import Path

import pytest

import musespark
from musespark.errors import BadOption, MuseError, TraceUnwritable
from musespark.models.fake import FakeModel
from musespark.trace import TraceWriter

WRONG = [
    ("images", "one.png", "list of images"),
    ("images", b"\x89PNG", "list of images"),
    ("images", Path("one.png"), "list of images"),
    ("images", 3, "list of images"),
    ("budget", "60", "Limits"),
    ("budget", 60, "Limits"),
    ("budget", {"seconds": 60}, "Limits"),
    ("tools", "python", r"such as \['python'\]"),
    ("tools", [3], "list of names or tools"),
    ("model", [], "at least one"),
    ("judge", 3, "a name or a model"),
    ("approach", 3, "approach"),
    ("aggregate", 3, "function"),
    ("aggregate", "jugde", "did you mean 'judge'"),
    ("effort", "hihg", "did you mean 'high'"),
    ("task_kind", " ", "a word"),
    ("trace", "", "directory"),
    ("team", 3, "a Team"),
    ("config", {}, "load_config"),
    ("agents", "8", "whole number"),
]


@pytest.mark.parametrize(("name", "value", "says"), WRONG, ids=str)
def test_a_wrong_argument_is_named_with_what_it_must_be(name, value, says):
    model = FakeModel()
    with pytest.raises(BadOption, match=says) as raised:
        musespark.ask_sync("Which?", **{"model": model, name: value})
    assert str(raised.value).startswith(f"{name} cannot be") and model.requests == []
    assert str(raised.value).count(". ") == 0


@pytest.mark.parametrize("question", [3, None, b"Which?", ["Which?"]])
def test_a_question_is_a_text(question):
    with pytest.raises(BadOption, match="question cannot be"):
        musespark.ask_sync(question, model="fake")


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("deadline", r"budget=musespark.Limits\(seconds="),
        ("max_usd", r"budget=musespark.Limits\(usd="),
        ("image", r"images=\["),
        ("models", r"model=\["),
        ("mod", "'mode', perhaps"),
    ],
)
def test_an_option_of_another_name_says_where_it_is(name, says):
    with pytest.raises(BadOption, match=says):
        musespark.ask_sync("Which?", **{name: 1})


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"mode": "contemplate"}, "did you mean 'contemplating'"),
        ({"mode": 3}, "no mode 3"),
        ({"model": "opneai:gpt-5"}, "did you mean 'openai:gpt-5'"),
        ({"model": "nanno"}, "did you mean 'nano'"),
        ({"model": ""}, "no model ''"),
        ({"tools": ["pyton"]}, "tool cannot be 'pyton' \\(did you mean 'python'"),
        ({"model": "zzzz"}, "no model 'zzzz'; choose"),
    ],
)
def test_modes_and_models_that_are_mistyped_are_suggested(options, says):
    with pytest.raises(MuseError, match=says):
        musespark.ask_sync("Which?", **{"model": "fake", **options})


def test_none_is_as_good_as_left_out():
    names = set(musespark.api.Options.__annotations__) - {"model"}
    assert str(musespark.ask_sync("Which?", model="fake", **dict.fromkeys(names))) == "42"


@pytest.fixture
def filling(monkeypatch):
    """A disk that takes three events of a trace, and no more."""
    written = []
    write = TraceWriter.write

    def fill(self, event):
        if len(written) == 3:
            raise TraceUnwritable(self.directory, OSError(errno.ENOSPC, "full").strerror)
        written.append(event)
        return write(self, event)

    monkeypatch.setattr(TraceWriter, "write", fill)
    return written


def test_a_trace_that_cannot_be_finished_costs_no_answer(tmp_path, filling):
    with pytest.warns(RuntimeWarning, match="cannot be written"):
        answer = musespark.ask_sync("Which?", model="fake", trace=tmp_path / "trace")
    assert str(answer) == "42"
    lines = (tmp_path / "trace" / "events.jsonl").read_text().splitlines()
    assert len([json.loads(line) for line in lines]) == 3


async def test_a_stream_tells_of_it_after_its_last_event(tmp_path, filling):
    kinds = []
    with pytest.raises(TraceUnwritable):
        async for event in musespark.stream("Which?", model="fake", trace=tmp_path / "trace"):
            kinds.append(event.kind)
    assert kinds[-1] == "run_ended"


def test_a_trace_that_cannot_be_begun_is_told_before_anything_runs(tmp_path):
    (tmp_path / "file").write_text("")
    model = FakeModel()
    with pytest.raises(TraceUnwritable):
        musespark.ask_sync("Which?", model=model, trace=tmp_path / "file")
    assert model.requests == []
