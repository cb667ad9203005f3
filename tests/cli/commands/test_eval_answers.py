import json

import pytest

from musespark.cli.app import run


def test_sameness_is_measured_by_one_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["eval", "answers", "-n", "2", "--no-others", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    (ours,) = told["rules"]
    assert ours["rule"] == "musespark" and ours["pairs"] > 600
    assert ours["precision"] >= 0.998 and ours["recall"] >= 0.95


def test_the_table_has_rules_and_kinds_and_mistakes_hide_what_is_held_out(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(["eval", "answers", "-n", "1", "--no-others", "--mistakes"]) == 0
    told = capsys.readouterr().out
    assert (
        "| musespark |" in told
        and "| written: choice |" in told
        and "of the pairs that are held out." in told
    )
