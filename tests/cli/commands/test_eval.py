import json
from pathlib import Path

import pytest
from recordings import write_recording

from musespark.cli.app import run


def test_recorded_answers_are_measured_by_one_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    directory = write_recording(tmp_path)
    assert (
        run(
            [
                "eval",
                "recorded",
                "--data",
                str(directory),
                "--task",
                "gsm",
                "--labels",
                "20",
                "--draws",
                "2",
                "--json",
            ]
        )
        == 0
    )
    told = json.loads(capsys.readouterr().out)
    rules = {result["rule"] for result in told["results"]}
    assert {"panel by 20 labels", "three best by 20 labels, weighed"} <= rules
    assert told["labels"] == 20


def test_the_environment_may_name_the_data(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MUSE_RECORDED", str(write_recording(tmp_path)))
    assert run(["eval", "recorded", "--task", "gsm", "--labels", "20", "--draws", "1"]) == 0
    assert "| gsm | panel by 20 labels, at most 3 calls |" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ([], "MUSE_RECORDED"),
        (["--data", "/nowhere", "--task", "gsm"], "/nowhere/gsm.jsonl.gz"),
        (["--task", "knitting", "--data", "."], "knitting"),
        (["--data", "DATA", "--task", "gsm", "--labels", "100"], "labels"),
    ],
)
def test_what_is_wrong_is_told_in_a_sentence(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    options: list[str],
    word: str,
) -> None:
    monkeypatch.delenv("MUSE_RECORDED", raising=False)
    directory = str(write_recording(tmp_path))
    assert (
        run(
            [
                "eval",
                "recorded",
                *(directory if option == "DATA" else option for option in options),
                "--json",
            ]
        )
        == 2
    )
    error = capsys.readouterr().err
    assert word in error and error.count("\n") == 1


@pytest.mark.parametrize(
    ("command", "missing"),
    [
        ("eval recorded --data /nowhere", "/nowhere/gsm.jsonl.gz"),
        (
            "eval recorded --data /nowhere --task math-l5 --out /nowhere/out",
            "/nowhere/math-l5.jsonl.gz",
        ),
        ("eval grounding --screens /nowhere", "/nowhere/"),
        ("nano card /nowhere", "/nowhere"),
    ],
)
def test_missing_data_are_told_before_missing_libraries(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], command: str, missing: str
) -> None:
    monkeypatch.setattr("musespark.cli.extras.find_spec", lambda library: None)
    assert run(command.split()) == 2
    error = capsys.readouterr().err
    assert (
        missing in error
        and "installed" not in error
        and error.count("\n") == 1
        and "Path(" not in error
    )
