"""Weights come back as they were saved, and anything else is refused with one sentence."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import numpy as np
import pytest
from networks import SMALL, random_weights
from safetensors.numpy import load_file, save_file

from musespark.errors import WeightsDamaged, WeightsMissing
from musespark.nano import weights
from musespark.nano.weights import NanoConfig


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    path = tmp_path / "nano.safetensors"
    weights.save(path, SMALL, random_weights(SMALL), {"command": "muse nano train"})
    return path


def test_round_trip(saved: Path) -> None:
    config, tensors = weights.load(saved)
    assert config == SMALL
    for name, tensor in random_weights(SMALL).items():
        assert tensors[name].dtype == np.float32
        np.testing.assert_array_equal(tensors[name], tensor.astype(np.float16).astype(np.float32))
    assert weights.load_half(saved)[2]["command"] == "muse nano train"
    assert [path.name for path in saved.parent.iterdir()] == [saved.name], (
        "nothing unfinished is left"
    )


def test_whoever_the_umask_lets_can_read_it(tmp_path: Path) -> None:
    path = tmp_path / "nano.safetensors"
    before = os.umask(0o027)
    try:
        weights.save(path, SMALL, random_weights(SMALL), {})
    finally:
        os.umask(before)
    assert path.stat().st_mode & 0o777 == 0o640


def test_the_shape_is_that_of_the_recipe() -> None:
    pytest.importorskip("torch")
    from musespark.nano.training.train import Recipe

    assert Recipe().network() == NanoConfig()


def test_missing(tmp_path: Path) -> None:
    with pytest.raises(WeightsMissing):
        weights.load(tmp_path / "none.safetensors")


@pytest.mark.parametrize("kept", [0, 5, 300, -1])
def test_truncated(saved: Path, kept: int) -> None:
    saved.write_bytes(saved.read_bytes()[:kept])
    with pytest.raises(WeightsDamaged):
        weights.load(saved)


def test_any_altered_byte(saved: Path) -> None:
    good = saved.read_bytes()
    for place in np.random.default_rng(0).integers(0, len(good), 40):
        saved.write_bytes(good[:place] + bytes([good[place] ^ 1]) + good[place + 1 :])
        with pytest.raises(WeightsDamaged):
            weights.load(saved)


def test_another_model(saved: Path) -> None:
    save_file(load_file(saved), saved)
    with pytest.raises(WeightsDamaged):
        weights.load(saved)


def test_shapes_that_do_not_fit(saved: Path) -> None:
    _, stored, about = weights.load_half(saved)
    about["layers"] += 1
    about["sha256"] = weights.digest(about, stored)
    save_file(stored, saved, {"config": json.dumps(about)})
    with pytest.raises(WeightsDamaged, match="shapes"):
        weights.load(saved)
    with pytest.raises(ValueError, match="names and shapes"):
        weights.save(saved, NanoConfig(), stored, {})


def test_another_vocabulary(tmp_path: Path) -> None:
    other = NanoConfig(width=64, layers=1, heads=4, hidden=128, vocabulary=300)
    weights.save(tmp_path / "old.safetensors", other, random_weights(other), {})
    with pytest.raises(WeightsDamaged, match="300 tokens"):
        weights.load(tmp_path / "old.safetensors")


def test_a_large_file_loads_fast(tmp_path: Path) -> None:
    config = NanoConfig(width=512, hidden=2048)
    tensors = {name: np.zeros(shape, np.float32) for name, shape in config.shapes().items()}
    weights.save(tmp_path / "large.safetensors", config, tensors, {})
    seconds = []
    for _ in range(5):
        start = time.process_time()
        weights.load(tmp_path / "large.safetensors")
        seconds.append(time.process_time() - start)
    assert min(seconds) < 2  # processor time: 0.1 s on an idle machine
