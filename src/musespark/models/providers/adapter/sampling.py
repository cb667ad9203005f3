"""Sampling options under the names of a server's own fields, and as pydantic-ai's settings."""

from __future__ import annotations

from typing import Any

from musespark.sampling import EXTRA, Sampling

_JSON_FIELDS = ("logit_bias", EXTRA)
_SETTINGS = ("top_k", "presence_penalty", "frequency_penalty")
"""Options that pydantic-ai knows under the same names."""
_OPENAI_BODY = ("top_k", "min_p", "repetition_penalty")
"""Options that servers with OpenAI's protocol read, and OpenAI's SDK does not know."""


def sampling_fields(sampling: Sampling) -> dict[str, Any]:
    """Return the options as fields of a body of Chat Completions, as vLLM, SGLang and llama.cpp read them."""
    fields = {
        name: getattr(sampling, name)
        for name in sampling.set_fields()
        if name not in _JSON_FIELDS and name != "repetition_penalty"
    }
    if sampling.logit_bias is not None:
        fields["logit_bias"] = sampling.options("logit_bias")
    return {**fields, **_repetition(sampling), **sampling.options(EXTRA)}


def sampling_settings(sampling: Sampling, *, openai_protocol: bool) -> dict[str, Any]:
    """Return the options as pydantic-ai's settings. openai_protocol: True if other fields may be added to the body."""
    settings = {name: getattr(sampling, name) for name in _SETTINGS}
    if sampling.logit_bias is not None:
        settings["logit_bias"] = sampling.options("logit_bias")
    settings["openai_text_verbosity"] = sampling.verbosity
    if openai_protocol:
        body = {
            name: value
            for name in _OPENAI_BODY
            if name != "repetition_penalty" and (value := getattr(sampling, name)) is not None
        }
        settings["extra_body"] = {
            **body,
            **_repetition(sampling),
            **sampling.options(EXTRA),
        } or None
    return {name: value for name, value in settings.items() if value is not None}


def _repetition(sampling: Sampling) -> dict[str, float]:
    """Return the repetition penalty under both of its names: llama.cpp has one of its own."""
    penalty = sampling.repetition_penalty
    return {} if penalty is None else {"repetition_penalty": penalty, "repeat_penalty": penalty}
