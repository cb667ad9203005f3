import json
from itertools import pairwise

import pytest

torch = pytest.importorskip("torch")

from musespark.errors import BadOption  # noqa: E402
from musespark.nano.training.optimizer import orthogonalise  # noqa: E402
from musespark.nano.training.pack import pack  # noqa: E402
from musespark.nano.training.train import Recipe, Trainer, TrainingProgress, learning_rate  # noqa: E402
from musespark.nano.weights import load_half  # noqa: E402

SMALL = {"width": 64, "layers": 2, "heads": 2, "rows": 2, "shares": {"countdown": 1.0}}


def test_a_short_training_learns_and_can_be_killed_and_resumed(tmp_path):
    running = Trainer(Recipe(tokens=60_000, **SMALL), tmp_path, save_every=0.0).run()
    losses = [next(running)["loss"] for _ in range(12)]
    running.close()  # as when the process is killed: what was saved is what there is
    assert losses[-1] < losses[0] - 1
    resumed = Trainer(Recipe(tokens=60_000, **SMALL), tmp_path, resume=tmp_path / "checkpoint.pt")
    assert 0 < resumed.progress.step <= 12
    records = list(resumed.run())
    assert records[0]["loss"] < losses[0] - 1
    assert records[-1]["tokens"] >= 60_000 and records[-1]["share"] == 1
    assert (tmp_path / "before-decay.pt").exists()
    logged = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert logged[-1]["step"] == records[-1]["step"]


def test_a_training_that_is_told_to_stop_ends_with_its_step_and_is_saved(tmp_path):
    trainer = Trainer(Recipe(tokens=10**9, **SMALL), tmp_path)
    running = trainer.run()
    next(running)
    trainer.stop()
    assert list(running) == []
    assert (tmp_path / "checkpoint.pt").exists()


def test_a_training_resumed_in_its_decay_keeps_the_state_before_it(tmp_path):
    recipe = Recipe(tokens=12_000, decay=0.9, **SMALL)
    trainer = Trainer(recipe, tmp_path)
    running = trainer.run()
    while not (tmp_path / "before-decay.pt").exists():
        next(running)
    trainer.stop()
    list(running)
    kept = (tmp_path / "before-decay.pt").read_bytes()
    list(Trainer(recipe, tmp_path, resume=tmp_path / "checkpoint.pt").run())
    assert (tmp_path / "before-decay.pt").read_bytes() == kept


def test_the_rate_warms_up_stays_and_decays():
    recipe = Recipe(tokens=100, warmup=0.1, decay=0.3)
    rates = [learning_rate(share / 100, recipe) for share in range(101)]
    assert rates[0] < 0.1 and rates[20] == rates[60] == 1 and rates[100] == 0
    assert all(a <= b for a, b in pairwise(rates[:21]))
    assert all(a >= b for a, b in pairwise(rates[60:]))


def test_the_budget_is_whatever_is_used_up_first():
    recipe = Recipe(minutes=1, tokens=1000)
    assert TrainingProgress(seconds=30, tokens=100).share(recipe) == 0.5
    assert TrainingProgress(seconds=6, tokens=900).share(recipe) == 0.9


@pytest.mark.parametrize("shape", [(8, 32), (32, 8), (3, 16, 16)])
def test_muon_makes_every_direction_equally_long(shape):
    torch.manual_seed(0)
    values = torch.linalg.svdvals(orthogonalise(torch.randn(shape), steps=10).float())
    assert values.min() > 0.5 and values.max() < 1.5


def test_weights_are_packed_and_begin_another_training(tmp_path):
    recipe = Recipe(tokens=3_000, **SMALL)
    list(Trainer(recipe, tmp_path / "one").run())
    pack(tmp_path / "one" / "checkpoint.pt", tmp_path / "w.safetensors", note="short")
    config, tensors, about = load_half(tmp_path / "w.safetensors")
    assert (
        config == recipe.network() and about["notes"] == "short" and "CPU core" in about["machine"]
    )
    state = torch.load(tmp_path / "one" / "checkpoint.pt", weights_only=True)
    del state["machine"]  # as the first checkpoints were
    torch.save(state, tmp_path / "older.pt")
    pack(tmp_path / "older.pt", tmp_path / "older.safetensors")
    assert load_half(tmp_path / "older.safetensors")[2]["machine"] == ""
    again = Trainer(recipe, tmp_path / "two", start=tmp_path / "w.safetensors")
    assert again.progress.step == 0
    for name, tensor in again.network.state_dict().items():
        assert tensor.numpy() == pytest.approx(tensors[name], abs=1e-2)
    with pytest.raises(BadOption, match="weights of 3 layers"):
        Trainer(
            Recipe(**SMALL | {"layers": 3}), tmp_path / "three", start=tmp_path / "w.safetensors"
        )
