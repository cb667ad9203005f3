"""What a request asks beside its messages: refused where a model cannot do it, else in pydantic-ai's words.

Nothing is dropped silently: whatever a model cannot do is refused before anything is sent.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from musespark.content import Effort, Image, Request, ToolResult
from musespark.errors import BeyondModel
from musespark.models.model import Abilities
from musespark.models.providers.provider import Lack, Profile, Provider

if TYPE_CHECKING:
    from pydantic_ai.models import ModelRequestParameters
    from pydantic_ai.settings import ModelSettings

EFFORTS: Mapping[Effort, bool | str] = {
    Effort.NONE: False,
    Effort.MINIMAL: "minimal",
    Effort.LOW: "low",
    Effort.MEDIUM: "medium",
    Effort.HIGH: "high",
    Effort.MAX: "max",
}
"""pydantic-ai's own ladder. Each of its models maps that to the nearest step of its provider; docs/providers.md has the table."""

_LEAVE_OUT = "leave it out, or choose another model"


def refuse(name: str, provider: Provider, abilities: Abilities, profile: Profile, request: Request) -> None:
    """Raise `BeyondModel` for the first thing of a request that the model cannot do."""
    for lacking, instead in (*_lacks(provider, abilities, request), *provider.lacks(request, profile)):
        raise BeyondModel(name, lacking, instead)


def _lacks(provider: Provider, can: Abilities, request: Request) -> Iterator[Lack]:
    """What is missing by the abilities, and by what the provider takes at all."""
    images = all_images(request)
    if images and not can.pictures_in:
        yield "look at pictures", ("ask without one, choose a model that sees, or set pictures_in = true among its abilities in "
                                   "the configuration if it can after all")
    for image in images:
        if image.media_type not in provider.image_types:
            yield f"read {image.media_type} pictures", "send it as image/png"
    if request.tools and not can.tools:
        yield "use tools", "ask without them, or choose another model"
    if request.tools and request.tool_choice != "auto" and not can.tool_choice:
        yield f"be told to choose tools by {request.tool_choice!r}", "ask with tool_choice auto"
    wanted = {"seed": request.seed is not None, "temperature": request.temperature is not None,
              "top_p": request.top_p is not None, "stop": bool(request.stop)}
    for option, is_wanted in wanted.items():
        if is_wanted and not getattr(can, option):
            yield f"be given {_ARTICLES[option]}", _LEAVE_OUT
    if request.temperature is not None and request.temperature > provider.max_temperature:
        yield f"be given a temperature of {request.temperature:g}", f"choose at most {provider.max_temperature:g}"
    if provider.most_stops is not None and len(request.stop) > provider.most_stops:
        yield f"be given {len(request.stop)} texts to stop at", f"name at most {provider.most_stops}"
    if request.effort is not None and not can.effort:
        yield "be told how long to reason", "leave the effort out, or choose a model that reasons"
    if request.schema is not None and not can.schema:
        yield "be held to a schema", "describe the form in the question, or choose another model"


_ARTICLES = {"seed": "a seed", "temperature": "a temperature", "top_p": "a top_p", "stop": "texts to stop at"}


def all_images(request: Request) -> list[Image]:
    """Every picture of a request, those that tools gave back included."""
    parts = [part for message in request.messages for part in message.parts]
    inside = [item for part in parts if isinstance(part, ToolResult) for item in part.content]
    return [item for item in (*parts, *inside) if isinstance(item, Image)]


def settings_of(provider: Provider, profile: Profile, request: Request) -> ModelSettings:
    """Sampling, limits, effort and the choice of tools."""
    given: dict[str, Any] = {
        "max_tokens": request.max_tokens,
        "temperature": request.temperature,
        "top_p": request.top_p,
        "seed": request.seed,
        "stop_sequences": list(request.stop) or None,
        "thinking": None if request.effort is None else EFFORTS[Effort(request.effort)],
        "tool_choice": _choice(request),
        # Who asks decides what is tried again; a second try inside the SDK would be neither seen nor counted.
        "max_retries": 0,
        **provider.settings(request, profile),
    }
    return {option: value for option, value in given.items() if value is not None}  # type: ignore[return-value]


def _choice(request: Request) -> str | list[str] | None:
    if not request.tools or request.tool_choice == "auto":
        return None
    return request.tool_choice if request.tool_choice in ("none", "required") else [request.tool_choice]


def parameters_of(request: Request) -> ModelRequestParameters:
    """The tools, and the schema of the answer."""
    from pydantic_ai.models import ModelRequestParameters
    from pydantic_ai.output import OutputObjectDefinition
    from pydantic_ai.tools import ToolDefinition

    # strict=False would be sent where a provider knows it; None leaves the schema as it is.
    tools = [ToolDefinition(name=tool.name, description=tool.description, parameters_json_schema=json.loads(tool.parameters))
             for tool in request.tools]
    if request.schema is None:
        return ModelRequestParameters(function_tools=tools)
    answer = OutputObjectDefinition(json_schema=json.loads(request.schema), name="answer")
    return ModelRequestParameters(function_tools=tools, output_mode="native", output_object=answer)
