"""Sampling options in a body, the same in every protocol: those that ask for something reach models that know them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from musespark.sampling import EXTRA, VERBOSITIES, Sampling
from musespark.server.http.body import OpenModel
from musespark.server.protocols.forms import WholeNumber
from musespark.server.protocols.warnings import RequestWarnings

PASSED_ON: Mapping[str, tuple[Any, ...]] = {
    "chat_template_kwargs": ({},),
    "mm_processor_kwargs": ({},),
    "enable_thinking": (),
    "thinking_budget": (),
    "reasoning_format": ("auto",),
    "typical_p": (1, 0),
    "top_a": (0,),
    "tfs_z": (1,),
    "epsilon_cutoff": (0,),
    "eta_cutoff": (0,),
    "top_n_sigma": (0, -1),
    "min_tokens": (0,),
    "ignore_eos": (False,),
    "stop_token_ids": ([],),
    "bad_words": ([],),
    "include_stop_str_in_output": (False,),
    "skip_special_tokens": (True,),
    "length_penalty": (1, 0),
    "no_repeat_ngram_size": (0,),
    "repeat_last_n": (64,),
    "mirostat": (0,),
    "mirostat_mode": (0,),
    "mirostat_tau": (),
    "mirostat_eta": (),
    "dynatemp_range": (0,),
    "dynatemp_exponent": (),
    "smoothing_factor": (0,),
    "dry_multiplier": (0,),
    "dry_base": (),
    "dry_allowed_length": (),
    "dry_penalty_last_n": (),
    "dry_sequence_breakers": (),
    "xtc_probability": (0,),
    "xtc_threshold": (),
    "samplers": ([],),
    "grammar": ("",),
    "guided_json": (),
    "guided_regex": ("",),
    "guided_choice": ([],),
    "guided_grammar": ("",),
    "structured_outputs": ({},),
    "num_ctx": (),
    "options": ({},),
    "thinking": (),
}
"""Fields that servers of open models know and that go to them as they are, each with the values that ask for nothing."""
_TUNING = frozenset(
    {
        "mirostat_tau",
        "mirostat_eta",
        "dynatemp_exponent",
        "dry_base",
        "dry_allowed_length",
        "dry_penalty_last_n",
        "dry_sequence_breakers",
        "xtc_threshold",
        "num_ctx",
    }
)
"""Fields that alone change nothing: they tune another, or the server."""


class SamplingFields(OpenModel):
    """Sampling options of a body beside temperature and top_p."""

    top_k: WholeNumber | None = None
    min_p: float | None = None
    presence_penalty: float | None = None
    frequency_penalty: float | None = None
    repetition_penalty: float | None = None
    repeat_penalty: float | None = None
    logit_bias: dict[str, float] | None = None


def passed_on(body: OpenModel) -> dict[str, Any]:
    """Return the fields of a body that go on to servers as they are, if any of them asks for something."""
    given = {name: value for name, value in (body.model_extra or {}).items() if name in PASSED_ON}
    asking = [
        name
        for name, value in given.items()
        if name not in _TUNING and value not in PASSED_ON[name]
    ]
    return given if asking else {}


def parse_sampling(
    body: SamplingFields, warnings: RequestWarnings, verbosity: str | None = None
) -> Sampling:
    """Return the sampling options of a body, without values that mean the default. Raises `BadOption`."""
    if verbosity not in (None, *VERBOSITIES):
        warnings.ignore(f"verbosity ({verbosity})")
        verbosity = None
    penalty = (
        body.repetition_penalty if body.repetition_penalty is not None else body.repeat_penalty
    )
    extra = passed_on(body)
    return Sampling(
        top_k=None if body.top_k in (0, -1) else body.top_k,
        min_p=body.min_p or None,
        presence_penalty=body.presence_penalty or None,
        frequency_penalty=body.frequency_penalty or None,
        repetition_penalty=None if penalty == 1 else penalty,
        verbosity=None if verbosity == "medium" else verbosity,
        logit_bias=json.dumps(body.logit_bias) if body.logit_bias else None,
        **({EXTRA: json.dumps(extra)} if extra else {}),
    )


def parse_seed(seed: int | None) -> int | None:
    """Return a seed; None for a negative one, which asks for a random one."""
    return None if seed is not None and seed < 0 else seed


def parse_max_tokens(limit: int | None) -> int | None:
    """Return a limit of tokens; None for -1, which asks for none."""
    return None if limit == -1 else limit
