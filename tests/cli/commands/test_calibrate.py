import json
from pathlib import Path

import pytest
from recordings import write_recording

from musespark.cli.app import run
from musespark.reasoning.consensus.panel import Panel
from musespark.store import VoteStore


def labels(path: Path, count: int = 20) -> str:
    path.write_text(
        "".join(
            json.dumps({"question": f"What is {number} + 0?", "answer": number}) + "\n"
            for number in range(count)
        )
    )
    return str(path)


def test_models_are_asked_and_who_was_right_is_kept(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    directory = write_recording(tmp_path / "data")
    models = [
        part
        for name in ("best", "fair", "weak-1", "weak-2")
        for part in ("--model", f"recorded:{directory}/gsm/{name}")
    ]
    store = tmp_path / "votes.db"
    assert (
        run(
            [
                "calibrate",
                labels(tmp_path / "labels.jsonl"),
                *models,
                "--kind",
                "sums",
                "--store",
                str(store),
                "--json",
            ]
        )
        == 0
    )
    told = json.loads(capsys.readouterr().out)
    assert told["votes"] == 80 and told["failed"] == []
    assert told["reliability"]["best"] > told["reliability"]["weak-1"]
    with VoteStore(store) as kept:
        panel = Panel.from_store(kept, "sums")
        assert all(vote.right is not None for vote in kept.votes("sums"))
    assert panel is not None and list(panel.models) == told["panel"] and panel.models[0] == "best"


def test_a_call_that_fails_is_no_wrong_answer(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = str(tmp_path / "votes.db")
    assert (
        run(
            [
                "calibrate",
                labels(tmp_path / "labels.jsonl", 2),
                "--model",
                "fake:error",
                "--store",
                store,
            ]
        )
        == 1
    )
    assert "500" in capsys.readouterr().err
    with VoteStore(store) as kept:
        assert kept.votes("general") == []


@pytest.mark.parametrize(
    ("content", "word"),
    [
        ("", "labelled"),
        ("nonsense\n", "line 1"),
        ('{"question": "x"}\n', "answer"),
        ('{"question": "", "answer": "1"}\n', "line 1"),
    ],
)
def test_labels_that_are_none_are_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: str, word: str
) -> None:
    (tmp_path / "labels.jsonl").write_text(content)
    assert (
        run(
            [
                "calibrate",
                str(tmp_path / "labels.jsonl"),
                "--model",
                "fake",
                "--store",
                str(tmp_path / "votes.db"),
            ]
        )
        == 2
    )
    error = capsys.readouterr().err
    assert word in error and error.count("\n") == 1


def test_missing_labels_and_models_of_one_name_are_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["calibrate", str(tmp_path / "none.jsonl"), "--model", "fake"]) == 2
    assert "none.jsonl" in capsys.readouterr().err
    path = labels(tmp_path / "labels.jsonl", 2)
    assert (
        run(
            [
                "calibrate",
                path,
                "--model",
                "fake",
                "--model",
                "fake:team",
                "--store",
                str(tmp_path / "votes.db"),
            ]
        )
        == 2
    )
    assert "different names" in capsys.readouterr().err
