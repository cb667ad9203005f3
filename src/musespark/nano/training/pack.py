"""Conversion of a checkpoint to a weights file: tensors in float16, and the record of the training."""

from __future__ import annotations

import pickle
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import torch

from musespark.errors import MissingFile
from musespark.nano import weights
from musespark.nano.training.train import Recipe


def read_checkpoint(path: Path) -> dict[str, Any]:
    """Read a checkpoint: `network`, `optimizers`, `progress`, `recipe`, `machine` (empty if an older one does not name it).

    Raises `MissingFile` for anything else.
    """
    try:
        state = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
        parts = {part: state[part] for part in ("network", "optimizers", "progress", "recipe")}
        return parts | {"machine": state.get("machine", "")}
    except FileNotFoundError:
        raise MissingFile(path) from None
    except OSError as error:
        raise MissingFile(path, error.strerror or str(error)) from error
    except (
        RuntimeError,
        pickle.UnpicklingError,
        EOFError,
        KeyError,
        TypeError,
        ValueError,
    ) as error:
        raise MissingFile(path, "it is not a checkpoint of this training") from error


def fitting_state(path: Path) -> dict[str, Any]:
    """Read a checkpoint whose network this version trains. Raises `MissingFile`."""
    state = read_checkpoint(path)
    expected = recipe_of(state).network().shapes()
    if {name: tuple(tensor.shape) for name, tensor in state["network"].items()} != expected:
        raise MissingFile(path, "its network has a shape that this version does not train")
    return state


def recipe_of(state: dict[str, Any]) -> Recipe:
    """Return the recipe in a checkpoint, with defaults for missing fields."""
    return Recipe(
        **{
            field.name: state["recipe"][field.name]
            for field in fields(Recipe)
            if field.name in state["recipe"]
        }
    )


def command(recipe: Recipe) -> str:
    """Return the command that trains by a recipe, with every option that is not the default."""
    plain = Recipe()
    given = [
        (field.name.replace("_", "-"), getattr(recipe, field.name))
        for field in fields(Recipe)
        if field.name != "shares" and getattr(recipe, field.name) != getattr(plain, field.name)
    ]
    shares = [
        (f"share {task}=", recipe.shares.get(task, 0.0))
        for task in plain.shares
        if recipe.shares.get(task, 0.0) != plain.shares[task]
    ]
    return " ".join(
        [
            "muse nano train",
            *(f"--{name} {value:.12g}" for name, value in given),
            *(f"--{name}{value:.12g}" for name, value in shares),
        ]
    )


def pack(checkpoint: Path, file: Path, note: str = "") -> weights.NanoConfig:
    """Write the weights file of a checkpoint; return the shape of its network. Raises `MissingFile`, `OSError`.

    note: how the weights were made, as far as the command does not say it; the model card shows it.
    """
    state = fitting_state(checkpoint)
    recipe = recipe_of(state)
    tensors = {name: tensor.float().numpy() for name, tensor in state["network"].items()}
    about = {
        "command": command(recipe),
        "recipe": asdict(recipe),
        "progress": state["progress"],
        "machine": state["machine"],
        "notes": note,
    }
    file.parent.mkdir(parents=True, exist_ok=True)
    weights.save(file, recipe.network(), tensors, about)
    return recipe.network()
