import json

import pytest
from hypothesis import given
from strategies import events

from musespark.errors import BadEvent
from musespark.events import KINDS, AnswerDelta, RunEnded, Stamper, from_json
from musespark.usage import Usage


@given(events)
def test_every_event_survives_json(event):
    assert from_json(json.loads(json.dumps(event.to_json()))) == event


def test_kinds_tell_the_events_apart():
    assert len(KINDS) == 22
    assert all(KINDS[kind].kind == kind for kind in KINDS)


@pytest.mark.parametrize(
    "value",
    [
        {},
        {"kind": "unheard_of"},
        {"kind": "thought"},
        {"kind": "answer_delta", "text": "", "more": 1},
        {"kind": "run_started", "run": "", "mode": "hasty", "model": "", "question": ""},
        {
            "kind": "pictured",
            "agent": "",
            "picture": "not base64!",
            "caption": "",
            "width": 1,
            "height": 1,
        },
        {"kind": "spent", "agent": "", "usage": 3},
    ],
)
def test_what_is_no_event_is_refused(value):
    with pytest.raises(BadEvent):
        from_json(value)


def test_events_are_numbered_without_gaps_and_timed_from_the_start():
    now = iter([100.0, 100.0, 100.5, 102.0])
    stamp = Stamper(lambda: next(now))
    stamped = [stamp(AnswerDelta(text)) for text in "abc"]
    assert [(event.seq, event.at, event.text) for event in stamped] == [
        (0, 0.0, "a"),
        (1, 0.5, "b"),
        (2, 2.0, "c"),
    ]


def test_the_end_of_a_run_keeps_the_keys_that_stored_runs_have():
    ended = RunEnded("42", False, Usage(), finish_reason="budget", detail="it was stopped")
    stored = ended.to_json()
    assert (stored["why"], stored["reason"]) == ("budget", "it was stopped") and not {
        "finish_reason",
        "detail",
    } & stored.keys()
    assert from_json(stored) == ended
