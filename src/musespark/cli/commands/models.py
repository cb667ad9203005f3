"""`muse models`: the models there are, their abilities and prices, and if they can be asked now."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Annotated, Any

import typer

from musespark.config import Config, load_config
from musespark.errors import MuseError

if TYPE_CHECKING:
    from musespark.models.model import Abilities

ABILITIES = (
    "pictures_in",
    "pictures_out",
    "tools",
    "native_spawn",
    "conversation",
    "schema",
    "effort",
    "seed",
    "temperature",
)


@dataclass(frozen=True)
class ModelListing:
    """A model, or a provider whose models need a name."""

    name: str
    """Name to write after --model."""
    model: str
    ready: bool
    why: str
    """Its address, or what is missing."""
    abilities: tuple[str, ...] | None = None
    """None if that depends on the model."""
    context: int | None = None
    usd_per_million: tuple[float, float] | None = None
    """Prices of prompt and completion tokens; None if unknown."""


def models(
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object and nothing else.")
    ] = False,
) -> None:
    """List the models: configured, served on this machine, or one key away."""
    rows = all_rows(load_config())
    if as_json:
        print(json.dumps({"models": [asdict(row) for row in rows]}, ensure_ascii=False), flush=True)
    else:
        _show(rows)


def all_rows(config: Config) -> list[ModelListing]:
    """The native model, then what the configuration names, then what else there is. Servers are asked side by side."""
    from musespark.models.registry import PROVIDERS

    with ThreadPoolExecutor(len(PROVIDERS), "musespark-models") as pool:
        others = list(pool.map(_provider_rows, PROVIDERS))
    return [
        _native(),
        *_local_rows(),
        *(_configured(alias, config) for alias in config.models),
        *(row for rows in others for row in rows),
    ]


def _native() -> ModelListing:
    from musespark.models.nano import NanoModel

    can = NanoModel().abilities
    return ModelListing(
        "nano", "nano", True, "in this package", _named(can), can.context, (0.0, 0.0)
    )


def _local_rows() -> list[ModelListing]:
    """The packaged GGUF files that are installed, or one line that says how any file is named."""
    from musespark.models.local.model_file import PACKAGED
    from musespark.models.registry import create_model

    rows = []
    for name, packaged in PACKAGED.items():
        if packaged.find() is None:
            continue
        try:
            model = create_model(f"gguf:{name}")
        except MuseError as error:
            rows.append(ModelListing(f"gguf:{name}", f"gguf:{name}", False, str(error)))
            continue
        can, where = model.abilities, _in_process(model)
        rows.append(
            ModelListing(model.name, model.name, True, where, _named(can), can.context, (0.0, 0.0))
        )
    is_ready = find_spec("xllamacpp") is not None
    why = "any GGUF file, in this process" if is_ready else 'pip install "musespark[local]"'
    return [*rows, ModelListing("gguf:FILE", "gguf:FILE", is_ready, why)]


def _in_process(model: Any) -> str:
    """Place of a model of this process."""
    head = getattr(model, "head", None)
    return "in this package" if head is None else f"in this process, from {head.path}"


def _configured(alias: str, config: Config) -> ModelListing:
    """A model of the configuration."""
    from musespark.models.registry import create_model

    try:
        model = create_model(alias, config)
    except MuseError as error:
        return ModelListing(alias, config.models[alias].model, False, str(error))
    from musespark.models.providers.adapter.remote import RemoteModel

    if not isinstance(model, RemoteModel):
        can = model.abilities
        where = _in_process(model)
        return ModelListing(alias, model.name, True, where, _named(can), can.context, (0.0, 0.0))
    return _remote(alias, model)


def _remote(name: str, model: Any, there: bool | None = None) -> ModelListing:
    """A model of a provider. there: true if its server is known to serve it."""
    from musespark.models.providers.base import is_loopback
    from musespark.models.providers.discovery import list_served_models

    ready, why = True, model.shown_address
    if not model.has_key:
        ready, why = False, f"set {model.key_variable}"
    elif there is None and is_loopback(model.address):
        found = list_served_models(model.provider, model.address, model.read_key())
        if found is None:
            ready, why = False, f"no server answers at {model.shown_address}"
        elif found and model.model not in found:
            ready, why = False, f"{model.shown_address} does not serve it"
    price = None if model.price is None else (model.price.prompt * 1e6, model.price.written * 1e6)
    return ModelListing(
        name, model.name, ready, why, _named(model.abilities), model.abilities.context, price
    )


def _provider_rows(kind: str) -> list[ModelListing]:
    """A local server's models; a hosted provider as a whole, for only it knows its models."""
    from musespark.models.providers.discovery import list_served_models
    from musespark.models.registry import create_model, create_provider

    provider = create_provider(kind)
    address = provider.find_address(None)
    variable, key = provider.find_key(None)
    if not provider.is_local:
        why = f"{variable} is set" if key else f"set {variable}"
        return [ModelListing(f"{kind}:NAME", f"{kind}:NAME", key is not None, why)]
    if address is None:
        name = f"{kind}:NAME@URL"
        return [
            ModelListing(
                name, name, False, "say where: any server that speaks OpenAI's Chat Completions"
            )
        ]
    found = list_served_models(provider, address, key)
    if found is None:
        return [
            ModelListing(f"{kind}:NAME", f"{kind}:NAME", False, f"no server answers at {address}")
        ]
    try:
        return [
            _remote(f"{kind}:{name}", create_model(f"{kind}:{name}"), there=True) for name in found
        ]
    except MuseError as error:
        return [
            ModelListing(f"{kind}:{name}", f"{kind}:{name}", False, str(error)) for name in found
        ]


def _named(can: Abilities) -> tuple[str, ...]:
    return tuple(ability for ability in ABILITIES if getattr(can, ability))


WORDS = {"pictures_in": "sees", "pictures_out": "draws", "native_spawn": "own team"}
"""Words for abilities whose own name says too little."""


def _show(rows: list[ModelListing]) -> None:
    """A line for each: ready or not, what to write, and where it is; below it what it can do and costs."""
    width = max(len(_title(row)) for row in rows)
    for row in rows:
        print(f"{'+' if row.ready else '-'} {_title(row):<{width}}  {row.why}", flush=True)
        if row.abilities is not None:
            print(f"  {'':<{width}}  {' · '.join(_details(row))}", flush=True)


def _title(row: ModelListing) -> str:
    return row.name if row.model == row.name else f"{row.name} = {row.model}"


def _details(row: ModelListing) -> Iterator[str]:
    if row.context:
        yield f"{row.context:,} tokens"
    yield ", ".join(WORDS.get(ability, ability) for ability in row.abilities or ())
    if row.usd_per_million is None:
        yield "price unknown"
    elif any(row.usd_per_million):
        yield "${:g} and ${:g} for a million tokens read and written".format(*row.usd_per_million)
    else:
        yield "free"
