"""The values of a configuration file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

LOCAL_SAMPLING = ("top_k", "min_p", "repeat_penalty", "presence_penalty", "frequency_penalty")
"""Sampling options that only models of this process take."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelConfig:
    """A model under a configured name."""

    model: str
    """Provider and model, such as `openai:gpt-5`; a file, such as `gguf:qwen3.gguf`; or `nano`."""
    base_url: str | None = None
    key_env: str | None = None
    """Name of an environment variable, never a key."""
    timeout: float | None = None
    """Seconds without a byte after which a call has failed."""
    temperature: float | None = None
    top_p: float | None = None
    seed: int | None = None
    stop: tuple[str, ...] = ()
    max_tokens: int | None = None
    effort: str | None = None
    threads: int | None = None
    """Threads that decode a model of this process."""
    slots: int | None = None
    """Agents that a model of this process decodes at once."""
    mmproj: str | None = None
    """File of the projector with which a model of this process reads images."""
    top_k: int | None = None
    min_p: float | None = None
    repeat_penalty: float | None = None
    presence_penalty: float | None = None
    frequency_penalty: float | None = None
    prices: Mapping[str, float] = field(default_factory=dict)
    """US dollars per million tokens: `prompt` and `written`."""
    abilities: Mapping[str, Any] = field(default_factory=dict)
    """Abilities of the model that override what is known of it."""

    @property
    def sampling(self) -> dict[str, Any]:
        """Sampling options of a request that does not set them."""
        options = {
            option: getattr(self, option)
            for option in ("temperature", "top_p", "seed", "stop", "max_tokens", "effort")
        }
        return {option: value for option, value in options.items() if value not in (None, ())}

    @property
    def local_sampling(self) -> dict[str, float]:
        """Sampling options that only models of this process take."""
        values = {option: getattr(self, option) for option in LOCAL_SAMPLING}
        return {option: value for option, value in values.items() if value is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class Roles:
    """Models by role; None leaves the role to the request."""

    explorer: tuple[str, ...] = ()
    """One model, or a mix from which agents are assigned in turn."""
    refiner: str | None = None
    judge: str | None = None
    merger: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamConfig:
    """A team's defaults; None leaves it to the command."""

    agents: int | None = None
    first: int | None = None
    """Number of agents in the first wave."""
    rounds: int | None = None
    aggregate: str | None = None
    deadline: float | None = None
    max_usd: float | None = None
    max_tokens: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TelemetryConfig:
    """Export of spans (docs/telemetry.md)."""

    endpoint: str | None = None
    """Base URL of an OTLP collector; None leaves it to `OTEL_EXPORTER_OTLP_ENDPOINT`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """A whole file; `Config()` is the configuration without one."""

    path: Path | None = None
    """The file it was read from; None without one."""
    models: Mapping[str, ModelConfig] = field(default_factory=dict)
    roles: Roles = field(default_factory=Roles)
    team: TeamConfig = field(default_factory=TeamConfig)
    telemetry: TelemetryConfig = field(default_factory=TelemetryConfig)
