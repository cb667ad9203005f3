"""Models by name. A new one is one line; its file is imported when it is first needed."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from musespark.config import LOCAL_FIELDS, REMOTE_FIELDS, Config, ModelConfig
from musespark.errors import BadOption, BeyondModel, MissingKey, UnknownModel
from musespark.models.model import Model

if TYPE_CHECKING:
    from musespark.models.providers.base import Provider

MODELS = {
    "nano": "musespark.models.nano:NanoModel",
    "fake": "musespark.models.fake:FakeModel",
    "recorded": "musespark.models.recorded:RecordedModel",
}
"""Models of this package; the text after the colon of a name is their one argument."""

LOCAL = {"gguf": "musespark.models.local.gguf_model:GGUFModel"}
"""Models in this process that take options; the text after the colon of a name is a file, or the name of a packaged one."""

PROVIDERS = {
    "openai": "musespark.models.providers.openai:OpenAI",
    "openai-responses": "musespark.models.providers.openai:OpenAIResponses",
    "anthropic": "musespark.models.providers.anthropic:Anthropic",
    "google": "musespark.models.providers.google:Google",
    "mistral": "musespark.models.providers.mistral:Mistral",
    "meta": "musespark.models.providers.meta:Meta",
    "vllm": "musespark.models.providers.compatible:VLLM",
    "ollama": "musespark.models.providers.ollama:Ollama",
    "llamacpp": "musespark.models.providers.compatible:LlamaCpp",
    "lmstudio": "musespark.models.providers.compatible:LMStudio",
    "openai-compatible": "musespark.models.providers.compatible:Compatible",
}
"""Kinds of provider; the text after the colon of a name is the provider's own name for a model."""


def create_model(name: str, config: Config | None = None) -> Model:
    """Create a model from an alias of the configuration, `nano`, `gguf:FILE`, or `provider:name`.

    Raises `UnknownModel`, `BadOption` for a name that lacks a part, `BeyondModel` for options that it does not take, `MissingFile`
    for a file that cannot be used, and `NotInstalled` if libraries are missing.
    """
    entry = config.models.get(name) if config is not None else None
    if entry is None:
        return _create(name, ModelConfig(model=name), config)
    return _create(entry.model, entry, config)


def require_key(name: str, config: Config | None = None) -> None:
    """Raise `MissingKey` if a provider's model has no key yet. Imports none of the provider's libraries."""
    entry = config.models.get(name) if config is not None else None
    entry = entry or ModelConfig(model=name)
    kind = entry.model.partition(":")[0]
    if kind in PROVIDERS:
        provider = create_provider(kind)
        variable, key = provider.find_key(entry.key_env)
        if key is None and (provider.needs_key or entry.key_env is not None):
            raise MissingKey(entry.model, variable)


def create_provider(kind: str) -> Provider:
    """Create the provider of that kind. Raises `UnknownModel`."""
    if kind not in PROVIDERS:
        raise UnknownModel(kind, PROVIDERS)
    provider: Provider = _import(PROVIDERS[kind])()
    return provider


def _create(name: str, entry: ModelConfig, config: Config | None) -> Model:
    kind, _, argument = name.partition(":")
    if kind in PROVIDERS:
        from musespark.models.providers.adapter.remote import RemoteModel

        _require_no_local_options(name, entry)
        return RemoteModel(create_provider(kind), argument, _to_options(entry))
    if kind in LOCAL:
        model: Model = _import(LOCAL[kind])(argument, _to_local_options(entry))
        return model
    if kind not in MODELS:
        aliases = config.models if config is not None else ()
        kinds = (*(f"{kind}:FILE" for kind in LOCAL), *(f"{kind}:NAME" for kind in PROVIDERS))
        raise UnknownModel(name, (*MODELS, *aliases, *kinds))
    if entry != ModelConfig(model=name):
        raise BeyondModel(
            name, "take options of the configuration", "leave only its name in the file"
        )
    factory = _import(MODELS[kind])
    created: Model = factory(argument) if argument else factory()
    return created


def _require_no_local_options(name: str, entry: ModelConfig) -> None:
    """Raise `BadOption` for an option of a model in this process: a server's own are set where it is started."""
    for option in LOCAL_FIELDS:
        if getattr(entry, option) is not None:
            raise BadOption(
                f"A configured model that is {name}",
                option,
                "without it: only models of gguf: take it",
            )


def _to_options(entry: ModelConfig) -> Any:
    """A configured entry as options of a `RemoteModel`."""
    from musespark.models.providers.adapter.remote import DEFAULT_TIMEOUT, RemoteOptions
    from musespark.models.providers.prices import Price

    price = (
        Price(entry.prices["prompt"] / 1e6, entry.prices["written"] / 1e6) if entry.prices else None
    )
    return RemoteOptions(
        base_url=entry.base_url,
        key_env=entry.key_env,
        timeout=entry.timeout or DEFAULT_TIMEOUT,
        price=price,
        abilities=entry.abilities,
        sampling=entry.sampling,
    )


def _to_local_options(entry: ModelConfig) -> Any:
    """A configured entry as options of a `GGUFModel`. Raises `BadOption` for options of a server."""
    from musespark.models.local.gguf_model import GGUFOptions

    for option in REMOTE_FIELDS:
        if getattr(entry, option):
            raise BadOption(
                f"A model of gguf: in the configuration: {option}",
                getattr(entry, option),
                "left out: it has no server",
            )
    return GGUFOptions(
        threads=entry.threads,
        slots=entry.slots,
        projector=entry.mmproj,
        abilities=entry.abilities,
        sampling=entry.sampling,
        llama_sampling=entry.local_sampling,
    )


def _import(path: str) -> Any:
    module, _, attribute = path.partition(":")
    return getattr(import_module(module), attribute)
