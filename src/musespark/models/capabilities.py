"""Requests that a model cannot serve: the one place that names what is missing and what to do instead.

An adapter asks before it sends anything, a team before it starts an agent, the server before it accepts a question.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

from musespark.content import Image, Request, ToolResult
from musespark.errors import BeyondModel
from musespark.models.model import Abilities, Model

Unsupported: TypeAlias = tuple[str, str]
"""A missing ability, as a verb phrase, and the way out: the last two arguments of `BeyondModel`."""

_OPTIONS = {
    "seed": "be given a seed",
    "temperature": "be given a temperature",
    "top_p": "be given a top_p",
    "stop": "be given texts to stop at",
    "effort": "be told how long to reason",
    "schema": "be held to a schema",
}
_INSTEAD = {
    "effort": "leave the effort out, or choose a model that reasons",
    "schema": "describe the form in the question, or choose another model",
}


def require_supported(model: Model, request: Request, *, images_as_text: bool = False) -> None:
    """Raise `BeyondModel` for the first thing of a request that a model cannot do.

    images_as_text: tools tell the model in words what an image shows, so that it need not see.
    """
    require_sight(model, request, images_as_text=images_as_text and model.abilities.tools)
    if request.tools:
        require_tools(model)
    for lacking, instead in _find_unsupported_options(model.abilities, request):
        raise BeyondModel(model.name, lacking, instead)


def require_sight(model: Model, request: Request, *, images_as_text: bool = False) -> None:
    """Raise `BeyondModel` if a request has images or videos and a model sees none and is told none in words."""
    if (list_images(request) or request.videos) and not (
        model.abilities.pictures_in or images_as_text
    ):
        raise BeyondModel(
            model.name,
            "read images",
            "ask without one, choose a model that sees, or set pictures_in = true among "
            "its abilities in the configuration if it can after all",
        )


def require_tools(model: Model) -> None:
    """Raise `BeyondModel` if a model cannot use tools."""
    if not model.abilities.tools:
        raise BeyondModel(model.name, "use tools", "ask without them, or choose another model")


def require_role(model: Model, role: str) -> None:
    """Raise `BeyondModel` if a model cannot read conversations, which every role in a team but the explorer's needs."""
    if not model.abilities.conversation:
        raise BeyondModel(model.name, f"be a {role}", "choose a model that reads conversations")


def _find_unsupported_options(can: Abilities, request: Request) -> Iterator[Unsupported]:
    """Yield the options of a request that a model with these abilities does not take."""
    if request.tools and request.tool_choice != "auto" and not can.tool_choice:
        yield f"be told to choose tools by {request.tool_choice!r}", "ask with tool_choice auto"
    for option, lacking in _OPTIONS.items():
        if option == "schema" and request.json_mode and can.conversation:
            continue  # a model without JSON mode is told in words to write an object
        if getattr(request, option) not in (None, ()) and not getattr(can, option):
            yield lacking, _INSTEAD.get(option, "leave it out, or choose another model")
    for field in request.sampling.set_fields():
        if field not in can.sampling:
            yield (
                f"be given {request.sampling.shown(field)}",
                "leave it out, or choose another model",
            )


def list_images(request: Request) -> list[Image]:
    """The images of a request, including those that tools returned."""
    parts = [part for message in request.messages for part in message.parts]
    inside = [item for part in parts if isinstance(part, ToolResult) for item in part.content]
    return [item for item in (*parts, *inside) if isinstance(item, Image)]
