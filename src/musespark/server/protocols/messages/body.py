"""The request body of Messages. Fields with a comment have no effect; the dialect rejects unsupported ones."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Field

from musespark.server.http.body import Name, StrictModel
from musespark.server.resolve.options import TeamOptions
from musespark.server.resolve.parsed_request import MAX_MESSAGES, MAX_PARTS, MAX_TOOLS


class _Block(StrictModel):
    cache_control: dict[str, Any] | None = None  # a hint to a provider's cache


class MessagesTextBlock(_Block):
    type: Literal["text"]
    text: str
    citations: list[Any] | None = None  # what an earlier answer background_runs


class MessagesBase64Source(StrictModel):
    type: Literal["base64"]
    media_type: str
    data: str


class MessagesUrlSource(StrictModel):
    type: Literal["url"]
    url: str


class MessagesImageBlock(_Block):
    type: Literal["image"]
    source: Annotated[MessagesBase64Source | MessagesUrlSource, Field(discriminator="type")]


class MessagesToolUseBlock(_Block):
    type: Literal["tool_use"]
    id: Name
    name: Name
    input: dict[str, Any]
    caller: dict[str, Any] | None = None


MessagesInputBlock: TypeAlias = Annotated[
    MessagesTextBlock | MessagesImageBlock, Field(discriminator="type")
]


class MessagesToolResultBlock(_Block):
    type: Literal["tool_result"]
    tool_use_id: Name
    content: str | Annotated[list[MessagesInputBlock], Field(max_length=MAX_PARTS)] | None = None
    is_error: bool | None = None


class MessagesThinkingBlock(_Block):
    """Thoughts before an earlier answer: what a provider signed of them is passed on to that provider, the rest is ignored."""

    type: Literal["thinking"]
    thinking: str
    signature: str | None = None


class MessagesRedactedThinkingBlock(_Block):
    """Encrypted thoughts of another service: they are ignored."""

    type: Literal["redacted_thinking"]
    data: str


MessagesUserBlock: TypeAlias = Annotated[
    MessagesTextBlock | MessagesImageBlock | MessagesToolResultBlock, Field(discriminator="type")
]
MessagesAssistantBlock: TypeAlias = Annotated[
    MessagesTextBlock
    | MessagesToolUseBlock
    | MessagesThinkingBlock
    | MessagesRedactedThinkingBlock,
    Field(discriminator="type"),
]


class MessagesUserTurn(StrictModel):
    role: Literal["user"]
    content: str | Annotated[list[MessagesUserBlock], Field(max_length=MAX_PARTS)]


class MessagesAssistantTurn(StrictModel):
    role: Literal["assistant"]
    content: str | Annotated[list[MessagesAssistantBlock], Field(max_length=MAX_PARTS)]


class MessagesSystemTurn(StrictModel):
    role: Literal["system"]
    content: str | Annotated[list[MessagesTextBlock], Field(max_length=MAX_PARTS)]


MessagesTurn: TypeAlias = Annotated[
    MessagesUserTurn | MessagesAssistantTurn | MessagesSystemTurn, Field(discriminator="role")
]


class MessagesTool(_Block):
    type: Literal["custom"] | None = None
    name: Name
    description: str | None = None
    input_schema: dict[str, Any]
    strict: bool | None = None
    eager_input_streaming: bool | None = None  # arguments are sent whole


class _Choice(StrictModel):
    disable_parallel_tool_use: bool | None = None


class MessagesToolChoiceAuto(_Choice):
    type: Literal["auto"]


class MessagesToolChoiceAny(_Choice):
    type: Literal["any"]


class MessagesToolChoiceTool(_Choice):
    type: Literal["tool"]
    name: Name


class MessagesToolChoiceNone(StrictModel):
    type: Literal["none"]


MessagesToolChoice: TypeAlias = Annotated[
    MessagesToolChoiceAuto
    | MessagesToolChoiceAny
    | MessagesToolChoiceTool
    | MessagesToolChoiceNone,
    Field(discriminator="type"),
]


class MessagesThinkingEnabled(StrictModel):
    type: Literal["enabled"]
    budget_tokens: int
    display: str | None = None  # thoughts are always shown


class MessagesThinkingAdaptive(StrictModel):
    type: Literal["adaptive"]
    display: str | None = None


class MessagesThinkingDisabled(StrictModel):
    type: Literal["disabled"]


MessagesThinking: TypeAlias = Annotated[
    MessagesThinkingEnabled | MessagesThinkingAdaptive | MessagesThinkingDisabled,
    Field(discriminator="type"),
]


class MessagesJsonSchemaFormat(StrictModel):
    type: Literal["json_schema"]
    schema_: Annotated[dict[str, Any], Field(alias="schema")]


class MessagesOutputConfig(StrictModel):
    effort: Literal["low", "medium", "high", "xhigh", "max"] | None = None
    format: MessagesJsonSchemaFormat | None = None


class MessagesCountBody(StrictModel):
    """The body of POST /v1/messages/count_tokens; a message's body has the same fields."""

    model: Name
    messages: Annotated[list[MessagesTurn], Field(min_length=1, max_length=MAX_MESSAGES)]
    system: str | Annotated[list[MessagesTextBlock], Field(max_length=MAX_PARTS)] | None = None
    tools: Annotated[list[MessagesTool], Field(max_length=MAX_TOOLS)] | None = None
    tool_choice: MessagesToolChoice | None = None
    thinking: MessagesThinking | None = None
    output_config: MessagesOutputConfig | None = None
    # Accepted without effect: a hint to a provider's cache.
    cache_control: dict[str, Any] | None = None
    # Rejected, except for the value that is the default here.
    context_management: Any = None
    mcp_servers: Any = None
    speed: Any = None


class MessagesBody(MessagesCountBody):
    """The body of POST /v1/messages."""

    max_tokens: int
    muse: TeamOptions | None = None
    stream: bool | None = None
    temperature: float | None = None
    top_p: float | None = None
    stop_sequences: Annotated[list[str], Field(max_length=16)] | None = None
    # Accepted without effect: the user's identity, and billing by a provider.
    metadata: dict[str, Any] | None = None
    service_tier: str | None = None
    inference_geo: str | None = None
    # Rejected, except for the value that is the default here.
    top_k: int | None = None
    container: Any = None
    diagnostics: Any = None
