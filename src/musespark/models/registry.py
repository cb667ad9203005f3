"""Models by name. Adding one is one line; its file is imported when it is first asked for."""

from __future__ import annotations

from importlib import import_module

from musespark.errors import UnknownModel
from musespark.models.model import Model

MODELS = {
    "nano": "musespark.models.nano:NanoModel",
    "fake": "musespark.models.fake:FakeModel",
}


def model_named(name: str) -> Model:
    """A new model of that name; what follows a colon is its one argument (`fake:hang`). Raises `UnknownModel`."""
    kind, _, argument = name.partition(":")
    if kind not in MODELS:
        raise UnknownModel(name, MODELS)
    module, _, attribute = MODELS[kind].partition(":")
    factory = getattr(import_module(module), attribute)
    model: Model = factory(argument) if argument else factory()
    return model
