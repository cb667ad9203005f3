import random

import numpy as np
import pytest

from musespark.nano import vocabulary as v
from musespark.nano.tasks import load_task
from musespark.nano.training.batches import (
    LONG,
    SHORT,
    batches,
    compose,
    fill,
    in_background,
    pack,
    traces,
)

SHARES = {"countdown": 0.6, "lake": 0.3, "code": 0.1}


@pytest.fixture(scope="module")
def packs():
    return [
        pack for batch in [next(batches(4, traces(0, SHARES))) for _ in range(2)] for pack in batch
    ]


def test_every_token_sees_exactly_its_own_path():
    trace = compose(load_task("countdown"), random.Random(1))
    packed = pack([[(0, trace), (0, trace)]], 2 * len(trace))
    segments, ancestors = packed.segments[0], packed.ancestors[0]
    visible = ancestors[segments[:, None], segments[None, :]] & np.tri(len(segments), dtype=bool)
    starts = [0, len(trace)]
    for start in starts:
        column = start
        for index, segment in enumerate(trace.segments):
            line, parent = [index], segment.parent
            while parent is not None:
                line, parent = [parent, *line], trace.segments[parent].parent
            expected = [token for number in line for token in trace.segments[number].tokens]
            if segment.tokens:
                last = column + len(segment.tokens) - 1
                assert packed.tokens[0][visible[last]].tolist() == expected
                assert packed.positions[0][visible[last]].tolist() == list(range(len(expected)))
            column += len(segment.tokens)


def test_each_loss_is_predicted_from_the_token_before_it_on_its_path(packs):
    for packed in packs:
        width = packed.tokens.shape[1]
        rows, columns = packed.predict_at // width, packed.predict_at % width
        positions = packed.positions[rows, columns]
        for row, segment, position, target in zip(
            rows, packed.segments[rows, columns], positions, packed.targets, strict=True
        ):
            # A branch's first token is predicted at the end of its stem: look among the segments that descend from there.
            own = packed.ancestors[row][packed.segments[row], segment] & (
                packed.positions[row] == position + 1
            )
            assert target in packed.tokens[row][own]


def test_rows_are_full_and_no_trace_is_cut(packs):
    assert all(packed.tokens.shape[1] in (SHORT, LONG) for packed in packs)
    used = sum((packed.tokens != v.PAD).sum() for packed in packs) / sum(
        packed.tokens.size for packed in packs
    )
    assert used > 0.8
    for packed in packs:
        assert (packed.tokens == v.BOS).sum() == (
            packed.positions[packed.tokens == v.BOS] == 0
        ).sum()


def test_what_does_not_fit_waits():
    trace = compose(load_task("code"), random.Random(0))
    filled, left = fill([(0, trace)] * 3, 2, len(trace))
    assert [len(row) for row in filled] == [1, 1]
    assert len(left) == 1


def test_tasks_get_their_share_of_the_tokens():
    counted = dict.fromkeys(range(3), 0)
    source = traces(0, SHARES)
    for _ in range(300):
        task, trace = next(source)
        counted[task] += len(trace)
    shares = np.array(list(counted.values())) / sum(counted.values())
    assert np.allclose(shares, list(SHARES.values()), atol=0.03)


def test_a_trace_that_is_too_long_is_not_charged_to_its_world(monkeypatch):
    made = iter([LONG + 1, LONG, LONG + 1, 10, 20, LONG])
    monkeypatch.setattr(
        "musespark.nano.training.batches.compose", lambda task, rng: range(next(made))
    )
    source = traces(0, {"countdown": 0.5, "lake": 0.5})
    assert [(index, len(trace)) for index, trace in (next(source) for _ in range(4))] == [
        (0, LONG),
        (1, 10),
        (1, 20),
        (1, LONG),
    ]


def test_the_death_of_the_process_that_makes_batches_is_told():
    with (
        in_background(2, 0, {"nonsense": 1.0}, watch=0.1) as following,
        pytest.raises(RuntimeError, match="has died"),
    ):
        following()


def test_the_same_seed_makes_the_same_batches():
    first, second = (next(batches(2, traces(5, SHARES))) for _ in range(2))
    assert all(np.array_equal(a.tokens, b.tokens) for a, b in zip(first, second, strict=True))
