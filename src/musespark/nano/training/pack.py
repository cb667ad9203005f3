"""A checkpoint becomes a weights file: what the engine needs, in float16, and how it was made."""

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
    """A checkpoint's parts: `network`, `optimizers`, `progress`, `recipe`, `machine` (empty where an older one does not say it).

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
    except (RuntimeError, pickle.UnpicklingError, EOFError, KeyError, TypeError, ValueError) as error:
        raise MissingFile(path, "it is not a checkpoint of this training") from error


def fitting_state(path: Path) -> dict[str, Any]:
    """A checkpoint's parts, if its network is one that this version trains. Raises `MissingFile`."""
    state = read_checkpoint(path)
    expected = recipe_of(state).network().shapes()
    if {name: tuple(tensor.shape) for name, tensor in state["network"].items()} != expected:
        raise MissingFile(path, "its network has a shape that this version does not train")
    return state


def recipe_of(state: dict[str, Any]) -> Recipe:
    """The recipe in a checkpoint, what it does not say left as it is by default."""
    return Recipe(**{field.name: state["recipe"][field.name] for field in fields(Recipe) if field.name in state["recipe"]})


def command(recipe: Recipe) -> str:
    """The command that trains by a recipe: every option that is not left as it is by default."""
    plain = Recipe()
    given = [(field.name.replace("_", "-"), getattr(recipe, field.name)) for field in fields(Recipe)
             if field.name != "shares" and getattr(recipe, field.name) != getattr(plain, field.name)]
    shares = [(f"share {task}=", recipe.shares.get(task, 0.0)) for task in plain.shares
              if recipe.shares.get(task, 0.0) != plain.shares[task]]
    return " ".join(["muse nano train", *(f"--{name} {value:.12g}" for name, value in given),
                     *(f"--{name}{value:.12g}" for name, value in shares)])


def pack(checkpoint: Path, file: Path, note: str = "") -> weights.NanoConfig:
    """Write the weights file of a checkpoint; returns the shape of its network. Raises `MissingFile`, `OSError`.

    note: what the command does not tell about how these weights came about; the model card shows it.
    """
    state = fitting_state(checkpoint)
    recipe = recipe_of(state)
    tensors = {name: tensor.float().numpy() for name, tensor in state["network"].items()}
    about = {"command": command(recipe), "recipe": asdict(recipe), "progress": state["progress"],
             "machine": state["machine"], "notes": note}
    file.parent.mkdir(parents=True, exist_ok=True)
    weights.save(file, recipe.network(), tensors, about)
    return recipe.network()
