"""What Messages accepts, field by field. Fields with a note are taken and have no effect; `messages.read` refuses others."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Field

from musespark.server.resolve.options import Name, Strict, TeamOptions
from musespark.server.resolve.parsed_request import MAX_MESSAGES, MAX_PARTS, MAX_TOOLS


class _Block(Strict):
    cache_control: dict[str, Any] | None = None  # a hint to another's cache


class TextBlock(_Block):
    type: Literal["text"]
    text: str
    citations: list[Any] | None = None  # what an earlier answer carried


class Base64Source(Strict):
    type: Literal["base64"]
    media_type: str
    data: str


class UrlSource(Strict):
    type: Literal["url"]
    url: str


class ImageBlock(_Block):
    type: Literal["image"]
    source: Annotated[Base64Source | UrlSource, Field(discriminator="type")]


class ToolUseBlock(_Block):
    type: Literal["tool_use"]
    id: Name
    name: Name
    input: dict[str, Any]
    caller: dict[str, Any] | None = None


Seen: TypeAlias = Annotated[TextBlock | ImageBlock, Field(discriminator="type")]


class ToolResultBlock(_Block):
    type: Literal["tool_result"]
    tool_use_id: Name
    content: str | Annotated[list[Seen], Field(max_length=MAX_PARTS)] | None = None
    is_error: bool | None = None


class ThinkingBlock(_Block):
    """What came before an earlier answer: of it, only what a provider has signed is passed on, to the same provider."""

    type: Literal["thinking"]
    thinking: str
    signature: str | None = None


class RedactedBlock(_Block):
    """Another's thoughts, encrypted: they are not passed on."""

    type: Literal["redacted_thinking"]
    data: str


UserBlock: TypeAlias = Annotated[TextBlock | ImageBlock | ToolResultBlock, Field(discriminator="type")]
SaidBlock: TypeAlias = Annotated[TextBlock | ToolUseBlock | ThinkingBlock | RedactedBlock, Field(discriminator="type")]


class UserTurn(Strict):
    role: Literal["user"]
    content: str | Annotated[list[UserBlock], Field(max_length=MAX_PARTS)]


class AssistantTurn(Strict):
    role: Literal["assistant"]
    content: str | Annotated[list[SaidBlock], Field(max_length=MAX_PARTS)]


class SystemTurn(Strict):
    role: Literal["system"]
    content: str | Annotated[list[TextBlock], Field(max_length=MAX_PARTS)]


Turn: TypeAlias = Annotated[UserTurn | AssistantTurn | SystemTurn, Field(discriminator="role")]


class Tool(_Block):
    type: Literal["custom"] | None = None
    name: Name
    description: str | None = None
    input_schema: dict[str, Any]
    strict: bool | None = None
    eager_input_streaming: bool | None = None  # arguments come whole


class _Choice(Strict):
    disable_parallel_tool_use: bool | None = None


class Auto(_Choice):
    type: Literal["auto"]


class AnyTool(_Choice):
    type: Literal["any"]


class OneTool(_Choice):
    type: Literal["tool"]
    name: Name


class NoTool(Strict):
    type: Literal["none"]


class Enabled(Strict):
    type: Literal["enabled"]
    budget_tokens: int
    display: str | None = None  # what is thought is shown


class Adaptive(Strict):
    type: Literal["adaptive"]
    display: str | None = None


class Disabled(Strict):
    type: Literal["disabled"]


class Format(Strict):
    type: Literal["json_schema"]
    schema_: Annotated[dict[str, Any], Field(alias="schema")]


class OutputConfig(Strict):
    effort: Literal["low", "medium", "high", "xhigh", "max"] | None = None
    format: Format | None = None


class CountBody(Strict):
    """The body of POST /v1/messages/count_tokens: what a message's has, too."""

    model: Name
    messages: Annotated[list[Turn], Field(min_length=1, max_length=MAX_MESSAGES)]
    system: str | Annotated[list[TextBlock], Field(max_length=MAX_PARTS)] | None = None
    tools: Annotated[list[Tool], Field(max_length=MAX_TOOLS)] | None = None
    tool_choice: Annotated[Auto | AnyTool | OneTool | NoTool, Field(discriminator="type")] | None = None
    thinking: Annotated[Enabled | Adaptive | Disabled, Field(discriminator="type")] | None = None
    output_config: OutputConfig | None = None
    # Taken, without effect: how another's service should cache it.
    cache_control: dict[str, Any] | None = None
    # Refused, unless they say what is so without them.
    context_management: Any = None
    mcp_servers: Any = None
    speed: Any = None


class MessagesBody(CountBody):
    """The body of POST /v1/messages."""

    max_tokens: int
    muse: TeamOptions | None = None
    stream: bool | None = None
    temperature: float | None = None
    top_p: float | None = None
    stop_sequences: Annotated[list[str], Field(max_length=16)] | None = None
    # Taken, without effect: they say who asks, or how another's service should bill it.
    metadata: dict[str, Any] | None = None
    service_tier: str | None = None
    inference_geo: str | None = None
    # Refused, unless they say what is so without them.
    top_k: int | None = None
    container: Any = None
    diagnostics: Any = None
