"""The terminal's fold on the golden runs. The page's fold replays the same files in `web/test/golden.test.ts`."""

import json
from pathlib import Path

import pytest
from golden.state import state_of

from musespark.cli.view.board import Board
from musespark.events import from_json

RUNS = sorted((Path(__file__).parents[1] / "golden").glob("*.json"))
ENDINGS = {
    "agree",
    "tie",
    "all-differ",
    "merged",
    "judged",
    "stopped",
    "budget",
    "verified",
    "refuted",
    "abstained",
    "failed",
    "single-agent",
}


def test_there_is_a_run_for_each_way_to_end():
    assert {path.stem for path in RUNS} >= ENDINGS


@pytest.mark.parametrize("path", RUNS, ids=[path.stem for path in RUNS])
def test_a_golden_run_folds_into_its_state(path):
    golden = json.loads(path.read_text())
    board = Board()
    for event in golden["events"]:
        board = board.after(from_json(event))
    assert json.loads(json.dumps(state_of(board))) == golden["state"]


@pytest.mark.parametrize("path", RUNS, ids=[path.stem for path in RUNS])
def test_stored_events_are_read_and_written_unchanged(path):
    for event in json.loads(path.read_text())["events"]:
        assert from_json(event).to_json() == event
