"""`muse nano train` and `pack`: a tiny network, trained, interrupted and resumed."""

import json
import os
import re
import signal
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest
import torch

import musespark
from musespark.cli.app import run
from musespark.cli.commands.nano_train import recipe_for
from musespark.cli.view.training_progress import TrainingStatus, line
from musespark.errors import BadInput
from musespark.nano.training.batches import SHARES
from musespark.nano.training.curve import draw_curve, read_log, spread
from musespark.nano.training.pack import command
from musespark.nano.training.train import Recipe, Trainer
from musespark.nano.weights import load, load_half

TINY = ["--width", "16", "--layers", "1", "--heads", "1", "--rows", "2", "--seed", "3"]
ENVIRONMENT = {
    **os.environ,
    "PYTHONPATH": str(Path(musespark.__file__).parents[1]),
    "OMP_NUM_THREADS": "1",
}


def train(*args: str) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-m", "musespark", "nano", "train", *args],
        env=ENVIRONMENT,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> tuple[Path, str, int]:
    """A training that Ctrl-C has stopped: its directory, what it said, and its exit code."""
    out = tmp_path_factory.mktemp("runs") / "a run"
    with train("--out", str(out), "--minutes", "30", *TINY, "--share", "countdown=0.9") as process:
        try:
            for shown in process.stdout:
                if "step" in shown:
                    break
            process.send_signal(signal.SIGINT)
            said, err = process.communicate(timeout=120)
        finally:
            process.kill()
    assert err == ""
    return out, said, process.returncode


def test_ctrl_c_saves_a_checkpoint_and_says_how_to_go_on(trained):
    out, said, code = trained
    assert code == 130
    assert (
        said.splitlines()[-1]
        == f"Stopped; go on with: muse nano train --resume '{out}/checkpoint.pt' --out '{out}'"
    )
    assert sorted(path.name for path in out.iterdir()) == ["checkpoint.pt", "log.jsonl", "loss.png"]
    assert (out / "loss.png").read_bytes().startswith(b"\x89PNG")


def test_a_resumed_training_ends_with_weights_that_say_how_they_were_made(trained):
    out, _, _ = trained
    before = len(read_log(out / "log.jsonl"))
    steps = read_log(out / "log.jsonl")[-1]
    recipe = recipe_for({"tokens": steps["tokens"] + 1.0}, [], out / "checkpoint.pt")
    assert recipe.shares["countdown"] == 0.9
    process = train(
        "--resume",
        str(out / "checkpoint.pt"),
        "--out",
        str(out),
        "--tokens",
        str(steps["tokens"] + 1),
    )
    said, err = process.communicate(timeout=120)
    assert (process.returncode, err) == (0, "")
    assert said.splitlines()[-3:] == [
        f"  weights     {out}/nano.safetensors",
        f"  checkpoint  {out}/checkpoint.pt",
        f"  loss curve  {out}/loss.png",
    ]
    assert len(read_log(out / "log.jsonl")) == before + 1
    config, _, about = load_half(out / "nano.safetensors")
    assert (config.width, config.layers) == (16, 1)
    made = (
        f"muse nano train --width 16 --layers 1 --heads 1 --rows 2 --minutes 30 --tokens {steps['tokens'] + 1} --seed 3"
        " --share countdown=0.9"
    )
    assert about["command"] == made and about["progress"]["step"] == before + 1


def test_pack_makes_weights_of_a_checkpoint(trained, tmp_path, capsys):
    assert (
        run(
            [
                "nano",
                "pack",
                str(trained[0] / "checkpoint.pt"),
                str(tmp_path / "deep" / "x.safetensors"),
            ]
        )
        == 0
    )
    config, tensors = load(tmp_path / "deep" / "x.safetensors")
    assert {name: tensor.shape for name, tensor in tensors.items()} == config.shapes()


@pytest.mark.parametrize(
    "args",
    [
        ["--width", "32"],
        ["--layers", "2"],
        ["--heads", "4"],
        ["--minutes", "1e-9"],
        ["--rows", "1"],
        ["--decay", "0"],
        ["--lr", "-1"],
        ["--minutes", "nan"],
        ["--share", "chess=1"],
        ["--share", "maze"],
        ["--share", "maze=-1"],
    ],
)
def test_what_does_not_fit_the_checkpoint_is_told(trained, tmp_path, capsys, args):
    out = tmp_path / "out"
    code = run(
        ["nano", "train", "--resume", str(trained[0] / "checkpoint.pt"), "--out", str(out), *args]
    )
    said = capsys.readouterr()
    assert code == 2 and said.out == "" and re.fullmatch(r".+\.\n", said.err) and not out.exists()


@pytest.mark.parametrize("args", [["train", "--resume"], ["pack"]])
@pytest.mark.parametrize("name", ["nowhere.pt", "text.pt", "short.pt", "other.pt", "."])
def test_what_is_no_checkpoint_is_told(trained, tmp_path, capsys, args, name):
    (tmp_path / "text.pt").write_text("hello")
    (tmp_path / "short.pt").write_bytes((trained[0] / "checkpoint.pt").read_bytes()[:5000])
    torch.save({"weights": [1, 2]}, tmp_path / "other.pt")
    code = run(
        [
            "nano",
            *args,
            str(tmp_path / name),
            *([str(tmp_path / "x.safetensors")] if args == ["pack"] else []),
        ]
    )
    said = capsys.readouterr()
    assert code == 2 and said.out == "" and re.fullmatch(r".+\.\n", said.err)
    assert not (tmp_path / "x.safetensors").exists()


def test_a_training_that_is_stopped_before_it_starts_leaves_a_checkpoint(tmp_path):
    trainer = Trainer(Recipe(width=16, layers=1, heads=1, rows=2, minutes=1), tmp_path)
    trainer.stop()
    assert list(trainer.run()) == [] and (tmp_path / "checkpoint.pt").exists()


def test_only_the_first_of_several_processes_speaks(trained, tmp_path):
    workers = {"RANK": "1", "LOCAL_RANK": "1", "WORLD_SIZE": "1", "TORCHELASTIC_RUN_ID": "none"}
    command = [
        sys.executable,
        "-m",
        "musespark",
        "nano",
        "train",
        "--out",
        str(tmp_path / "out"),
        *TINY,
        "--tokens",
        "1",
    ]
    said = subprocess.run(
        command, env={**ENVIRONMENT, **workers}, text=True, capture_output=True, timeout=120
    )
    assert (said.returncode, said.stdout, said.stderr) == (0, "", "")
    assert not list((tmp_path / "out").iterdir())


def test_a_recipe_and_its_command():
    assert recipe_for({}, [], None) == Recipe(minutes=90)
    assert recipe_for({"tokens": 2e7}, [], None).minutes is None
    recipe = recipe_for({"tokens": 12345678.0, "adam_lr": 0.001}, ["maze=0", "lake=0.5"], None)
    assert list(recipe.shares) == [task for task in SHARES if task != "maze"]
    assert (
        command(recipe)
        == "muse nano train --tokens 12345678 --adam-lr 0.001 --share maze=0 --share lake=0.5"
    )
    with pytest.raises(BadInput):
        recipe_for({}, [f"{task}=0" for task in SHARES], None)


def test_without_torch_the_command_says_what_to_install(capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    assert run(["nano", "train"]) == 1
    assert (
        capsys.readouterr().err
        == 'Training needs torch, which is not installed; run: pip install "musespark[train]".\n'
    )


def test_the_log_counts_a_step_once_and_survives_a_kill(tmp_path):
    log = tmp_path / "log.jsonl"
    records = [{"step": step, "tokens": 10 * step, "maze": 1 / step} for step in (1, 2, 3, 2, 3, 4)]
    log.write_text("\n".join(map(json.dumps, records)) + '\n{"step": 5, "tok')
    assert read_log(log) == [records[0], *records[3:]]
    draw_curve(log, tmp_path / "loss.png")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["log.jsonl", "loss.png"]
    log.write_text("")
    draw_curve(log, tmp_path / "none.png")
    assert not (tmp_path / "none.png").exists()


def test_labels_keep_their_order_and_their_distance():
    placed = spread([0.5, 0.52, 0.1, 0.51], 0.1)
    assert sorted(range(4), key=placed.__getitem__) == [2, 0, 3, 1]
    ordered = sorted(placed)
    assert all(high - low >= 0.0999 for low, high in pairwise(ordered))


def test_a_reading_in_one_line():
    reading = TrainingStatus(
        1204, 12_300_000, 0.58, 0.2314, {"maze": 0.5, "lake": 0.01}, 5120.4, 3725.0
    )
    assert (
        line(reading)
        == " 58%  1:02:05 left  step 1,204 · 12.30 M tokens · 5,120 tokens/s  loss 0.231  maze 0.5  lake 0.01"
    )
