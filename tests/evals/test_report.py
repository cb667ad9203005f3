import json
from dataclasses import asdict

import pytest
from hypothesis import given, strategies as st

from musespark.evals.report import EvalRow, table, wilson, write


@given(st.integers(1, 5000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_the_interval_holds_the_share_and_stays_a_share(pair):
    low, high = wilson(*pair)
    assert 0 <= low <= pair[0] / pair[1] + 1e-12
    assert pair[0] / pair[1] - 1e-12 <= high <= 1
    assert high - low > 0


def test_a_known_interval():
    assert wilson(8, 10) == pytest.approx((0.4902, 0.9433), abs=1e-4)


def test_a_report_is_kept_whole(tmp_path):
    pytest.importorskip("matplotlib")
    rows = [
        EvalRow("maze", mode, 200, right, 2.0, 100.0, 150.0, 0.1)
        for mode, right in (("thinking", 0), ("contemplating", 200))
    ]
    write(rows, tmp_path / "eval", {"seed": 0})
    assert json.loads((tmp_path / "eval" / "results.json").read_text())["rows"][1]["right"] == 200
    assert (tmp_path / "eval" / "table.md").read_text() == table(rows)
    assert (tmp_path / "eval" / "accuracy.png").read_bytes().startswith(b"\x89PNG")
    assert not list(tmp_path.rglob("*.part"))


def test_a_row_of_an_older_file_opens() -> None:
    row = EvalRow("maze", "thinking (images ablated)", 200, 190, 2.0, 100.0, 150.0, 0.1)
    stored = {**asdict(row), "world": "maze", "mode": "thinking (pictures blanked)"}
    del stored["task"]
    assert EvalRow.from_json(stored) == EvalRow.from_json(asdict(row)) == row
