"""The options of a request in pydantic-ai's words, and the limits of a provider.

Nothing is dropped silently: what a model or its provider cannot do is refused before anything is sent.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from musespark.content import Effort, Request
from musespark.errors import BeyondModel
from musespark.models.capabilities import Unsupported, list_images, require_supported
from musespark.models.model import Model
from musespark.models.providers.adapter.sampling import sampling_settings
from musespark.models.providers.base import Profile, Provider

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
"""pydantic-ai's name of each effort. Each of its models maps it to the nearest step of its provider; see docs/providers.md."""


def require_supported_by_provider(
    model: Model, provider: Provider, profile: Profile, request: Request
) -> None:
    """Raise `BeyondModel` for the first thing of a request that the model or its provider cannot do."""
    require_supported(model, request)
    for lacking, instead in (
        *_find_beyond_limits(provider, request),
        *provider.find_unsupported(request, profile),
    ):
        raise BeyondModel(model.name, lacking, instead)


def _find_beyond_limits(provider: Provider, request: Request) -> Iterator[Unsupported]:
    """Yield what exceeds the numbers and formats that a provider accepts."""
    for image in list_images(request):
        if image.media_type not in provider.image_types:
            yield f"read {image.media_type} images", "send it as image/png"
    if request.temperature is not None and request.temperature > provider.max_temperature:
        yield (
            f"be given a temperature of {request.temperature:g}",
            f"choose at most {provider.max_temperature:g}",
        )
    if provider.max_stops is not None and len(request.stop) > provider.max_stops:
        yield f"be given {len(request.stop)} texts to stop at", f"name at most {provider.max_stops}"


def build_settings(provider: Provider, profile: Profile, request: Request) -> ModelSettings:
    """Build pydantic-ai's settings: sampling, limits, effort and the choice of tools."""
    given: dict[str, Any] = {
        "max_tokens": request.max_tokens,
        "temperature": request.temperature,
        "top_p": request.top_p,
        "seed": request.seed,
        "stop_sequences": list(request.stop) or None,
        "thinking": None if request.effort is None else EFFORTS[Effort(request.effort)],
        "tool_choice": _tool_choice(request),
        # Retries belong to the caller: a second attempt inside the SDK would be neither seen nor counted.
        "max_retries": 0,
        **sampling_settings(request.sampling, openai_protocol=provider.has_open_body),
        **provider.settings(request, profile),
    }
    return {option: value for option, value in given.items() if value is not None}  # type: ignore[return-value]


def _tool_choice(request: Request) -> str | list[str] | None:
    if not request.tools or request.tool_choice == "auto":
        return None
    return (
        request.tool_choice
        if request.tool_choice in ("none", "required")
        else [request.tool_choice]
    )


def build_parameters(request: Request, profile: Profile) -> ModelRequestParameters:
    """Build pydantic-ai's description of the tools and of the answer's schema."""
    from pydantic_ai.models import ModelRequestParameters
    from pydantic_ai.output import OutputObjectDefinition
    from pydantic_ai.tools import ToolDefinition

    # Schemas and `strict` are the caller's: None leaves both as they are, where the profile has no transformer.
    tools = [
        ToolDefinition(
            name=tool.name,
            description=tool.description,
            parameters_json_schema=json.loads(tool.parameters),
            strict=tool.strict,
        )
        for tool in request.tools
    ]
    if request.schema is None:
        return ModelRequestParameters(function_tools=tools)
    answer = OutputObjectDefinition(
        json_schema=json.loads(request.schema),
        name=request.schema_name,
        strict=request.schema_strict,
    )
    if request.json_mode:
        # A provider with JSON mode needs no instruction; any other is given the library's own.
        has_json_mode = profile.get("supports_json_object_output", False)
        return ModelRequestParameters(
            function_tools=tools,
            output_mode="prompted",
            output_object=answer,
            prompted_output_template=False if has_json_mode else None,
        )
    return ModelRequestParameters(function_tools=tools, output_mode="native", output_object=answer)
