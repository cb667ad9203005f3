"""Options of a request fitted to the models that answer it: efforts to the steps they have, sampling to what they know."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from musespark.content import Effort, Request
from musespark.models.model import Model
from musespark.models.providers.adapter.remote import RemoteModel
from musespark.sampling import EXTRA
from musespark.server.errors import RequestRefused

HINTS = ("verbosity",)
"""Sampling options that a model may leave unheeded: they ask for a manner, and not for another answer."""


def with_effort(
    request: Request, effort: Effort | None, explorers: Sequence[Model], contemplating: bool
) -> tuple[Request, tuple[str, ...]]:
    """Set the request's effort to the nearest that all models have. Returns the request, and a note on what was done otherwise."""
    if effort is None:
        return request, ()
    if not all(explorer.abilities.effort for explorer in explorers):
        if (
            contemplating or effort is Effort.NONE
        ):  # the team's size; or it reasons as little as it can
            return request, ()
        name = next(each.name for each in explorers if not each.abilities.effort)
        return request, (f"{name} has no efforts; the effort {effort} has no effect.",)
    if effort is Effort.NONE and not all(each.abilities.effort_none for each in explorers):
        name = next(each.name for each in explorers if not each.abilities.effort_none)
        note = f"{name} always reasons; the effort is minimal in place of none."
        return replace(request, effort=Effort.MINIMAL), (note,)
    asked = replace(request, effort=effort)
    for explorer in explorers:
        if lacking := _lacking_by_effort(explorer, request, asked):
            note = f"{explorer.name} cannot {lacking}; the effort {effort} has no effect."
            return request, (note,)
    return asked, ()


def _lacking_by_effort(model: Model, without: Request, asked: Request) -> str:
    """Return an ability that a provider's model lacks for a request with an effort and not without it; empty if there is none."""
    if not isinstance(model, RemoteModel):
        return ""
    before = set(model.provider.find_unsupported(without, model.profile))
    found = (
        lacking
        for lacking in model.provider.find_unsupported(asked, model.profile)
        if lacking not in before
    )
    return next(found, ("", ""))[0]


def with_sampling(request: Request, explorers: Sequence[Model]) -> tuple[Request, tuple[str, ...]]:
    """Leave out hints that a model does not know, with a note. Raises `RequestRefused` for an option that it lacks."""
    notes: list[str] = []
    # 1 is what a model that takes neither does anyway.
    if request.temperature == 1 and not all(each.abilities.temperature for each in explorers):
        request = replace(request, temperature=None)
    if request.top_p == 1 and not all(each.abilities.top_p for each in explorers):
        request = replace(request, top_p=None)
    for field in request.sampling.set_fields():
        unable = next((each for each in explorers if field not in each.abilities.sampling), None)
        if unable is None:
            continue
        if field in HINTS:
            notes.append(f"{unable.name} knows no {field}; it has no effect.")
            request = replace(request, sampling=replace(request.sampling, **{field: None}))
            continue
        shown = request.sampling.shown(field)
        param = next(iter(request.sampling.options(EXTRA))) if field == EXTRA else field
        raise RequestRefused(
            f"The model {unable.name!r} cannot be given {shown}; leave it out, or choose another model.",
            code="unsupported",
            param=param,
        )
    return request, tuple(notes)
