"""The request body of Responses. Fields with a comment have no effect, as unknown ones; the dialect rejects unsupported ones."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BeforeValidator, Discriminator, Field, Tag, model_validator

from musespark.server.http.body import LeftOutModel, Name, OpenModel, type_tag
from musespark.server.protocols.forms import (
    AS_CONTENT,
    FLAT_FORMAT,
    Arguments,
    ImageAddress,
    PartText,
    WholeNumber,
    choice_form,
    function_fields,
    moved,
    part_form,
)
from musespark.server.protocols.sampling import SamplingFields
from musespark.server.resolve.options import TeamOptions
from musespark.server.resolve.parsed_request import MAX_MESSAGES, MAX_PARTS, MAX_TOOLS

ResponsesStatus: TypeAlias = Any
"""Status of an item of an earlier answer; it has no effect."""


class ResponsesInputText(OpenModel):
    type: Literal["input_text"]
    text: PartText
    prompt_cache_breakpoint: Any = None  # a hint to a provider's cache


class ResponsesInputImage(OpenModel):
    type: Literal["input_image"]
    image_url: ImageAddress | None = None
    file_id: None = None
    detail: Any = None  # models get the whole image
    prompt_cache_breakpoint: Any = None


class ResponsesOutputText(OpenModel):
    type: Literal["output_text"]
    text: str
    annotations: Any = None  # additions to an earlier answer
    logprobs: Any = None
    parsed: Any = None


class ResponsesRefusal(OpenModel):
    type: Literal["refusal"]
    refusal: str


_PART = part_form(
    "input_text",
    frozenset({"text"}),
    lambda address: {"type": "input_image", "image_url": address},
    frozenset({"input_image"}),
)
ResponsesInputPart: TypeAlias = Annotated[
    Annotated[ResponsesInputText | ResponsesInputImage, Field(discriminator="type")], _PART
]


class ResponsesOtherPart(LeftOutModel):
    """A part that is not known here: it is left out of an earlier answer, and refused in a question."""


ResponsesPart: TypeAlias = Annotated[
    Annotated[ResponsesInputText, Tag("input_text")]
    | Annotated[ResponsesInputImage, Tag("input_image")]
    | Annotated[ResponsesOutputText, Tag("output_text")]
    | Annotated[ResponsesRefusal, Tag("refusal")]
    | Annotated[ResponsesOtherPart, Tag("other")],
    Discriminator(
        type_tag({name: name for name in ("input_text", "input_image", "output_text", "refusal")})
    ),
    _PART,
]


class ResponsesMessageItem(OpenModel):
    type: Literal["message"] = "message"
    role: Literal["user", "assistant", "system", "developer"]
    content: str | Annotated[list[ResponsesPart], Field(max_length=MAX_PARTS)] | None = None
    id: str | None = None
    status: ResponsesStatus = None
    phase: Any = None


class ResponsesFunctionCall(OpenModel):
    type: Literal["function_call"]
    call_id: Name
    name: Name
    arguments: Arguments
    id: str | None = None
    status: ResponsesStatus = None
    caller: Any = None
    namespace: str | None = None
    parsed_arguments: Any = None  # added by the SDK's parser


ResponsesOutput: TypeAlias = Annotated[
    PartText | Annotated[list[ResponsesInputPart], Field(max_length=MAX_PARTS)], AS_CONTENT
]


class ResponsesFunctionOutput(OpenModel):
    type: Literal["function_call_output"]
    call_id: Name
    output: ResponsesOutput
    id: str | None = None
    status: ResponsesStatus = None
    caller: Any = None


class ResponsesReasoningItem(OpenModel):
    """Thoughts before an earlier answer: what a provider signed of them is passed on to that provider, the rest is ignored."""

    type: Literal["reasoning"]
    id: str | None = None
    summary: list[Any] | None = None
    content: list[Any] | None = None
    encrypted_content: str | None = None
    status: ResponsesStatus = None


class ResponsesImageItem(OpenModel):
    """An image of an earlier answer."""

    type: Literal["image_generation_call"]
    id: str | None = None
    result: str | None = None
    status: str | None = None
    revised_prompt: str | None = None
    output_format: str | None = None
    size: str | None = None
    background: str | None = None
    quality: str | None = None
    action: str | None = None


class ResponsesReference(OpenModel):
    """A reference to an item of a stored response."""

    type: Literal["item_reference"] | None = None
    id: Annotated[str, Field(max_length=128)]


class ResponsesCompactionItem(OpenModel):
    """A summary that stands for a conversation; one that another service made is left out."""

    type: Literal["compaction", "compaction_summary"]
    encrypted_content: str
    id: str | None = None


class ResponsesCustomCall(OpenModel):
    """A call of a tool whose input is a text."""

    type: Literal["custom_tool_call"]
    call_id: Name
    name: Name
    input: str
    id: str | None = None
    status: ResponsesStatus = None
    namespace: str | None = None


class ResponsesCustomOutput(OpenModel):
    type: Literal["custom_tool_call_output"]
    call_id: Name
    output: ResponsesOutput
    id: str | None = None


class ResponsesOtherItem(LeftOutModel):
    """An item of an earlier answer that its service alone understands, such as a search of its own: it is left out."""


_ITEMS = {
    name: name
    for name in (
        "message",
        "function_call",
        "function_call_output",
        "custom_tool_call",
        "custom_tool_call_output",
        "reasoning",
        "image_generation_call",
        "item_reference",
        "compaction",
    )
} | {"compaction_summary": "compaction"}


def _item_type(item: Any) -> str:
    """Return an item's type; messages and references may leave it out."""
    found = item.get("type") if isinstance(item, dict) else getattr(item, "type", None)
    if found is not None:
        return _ITEMS.get(str(found), "other")
    return "item_reference" if isinstance(item, dict) and "role" not in item else "message"


ResponsesItem: TypeAlias = Annotated[
    Annotated[ResponsesMessageItem, Tag("message")]
    | Annotated[ResponsesCustomCall, Tag("custom_tool_call")]
    | Annotated[ResponsesCustomOutput, Tag("custom_tool_call_output")]
    | Annotated[ResponsesOtherItem, Tag("other")]
    | Annotated[ResponsesFunctionCall, Tag("function_call")]
    | Annotated[ResponsesFunctionOutput, Tag("function_call_output")]
    | Annotated[ResponsesReasoningItem, Tag("reasoning")]
    | Annotated[ResponsesImageItem, Tag("image_generation_call")]
    | Annotated[ResponsesReference, Tag("item_reference")]
    | Annotated[ResponsesCompactionItem, Tag("compaction")],
    Discriminator(_item_type),
]


class ResponsesTool(OpenModel):
    type: Literal["function"]
    name: Name
    description: str | None = None
    parameters: dict[str, Any] | None = None
    strict: bool | None = None


class ResponsesCustomTool(OpenModel):
    """A tool whose input is a text."""

    type: Literal["custom"]
    name: Name
    description: str | None = None
    format: Any = None


class ResponsesOtherTool(LeftOutModel):
    """A tool that only its service can run, and that is left out."""


def _tool(value: Any) -> Any:
    """Return a function in the form of another protocol as one of this."""
    is_foreign = isinstance(value, dict) and (
        isinstance(value.get("function"), dict) or "input_schema" in value
    )
    fields = function_fields(value) if is_foreign else None
    return value if fields is None else {"type": "function", **fields}


ResponsesOwnTool: TypeAlias = Annotated[
    Annotated[ResponsesTool, Tag("function")]
    | Annotated[ResponsesCustomTool, Tag("custom")]
    | Annotated[ResponsesOtherTool, Tag("other")],
    Discriminator(type_tag({"function": "function", "custom": "custom"}, "function")),
]


class ResponsesNamespace(OpenModel):
    """Tools under a name that they share."""

    type: Literal["namespace"]
    name: Name
    description: str | None = None
    tools: Annotated[list[ResponsesOwnTool], Field(max_length=MAX_TOOLS)]


ResponsesAnyTool: TypeAlias = Annotated[
    Annotated[ResponsesTool, Tag("function")]
    | Annotated[ResponsesCustomTool, Tag("custom")]
    | Annotated[ResponsesNamespace, Tag("namespace")]
    | Annotated[ResponsesOtherTool, Tag("other")],
    Discriminator(
        type_tag({name: name for name in ("function", "custom", "namespace")}, "function")
    ),
    BeforeValidator(_tool),
]


class ResponsesToolChoice(OpenModel):
    """One tool that has to be called."""

    type: str
    name: Name | None = None


class ResponsesAllowedChoice(OpenModel):
    """Some of the tools, which may or have to be called."""

    type: Literal["allowed_tools"]
    mode: Literal["auto", "required"] = "auto"
    tools: Annotated[list[ResponsesToolChoice], Field(max_length=MAX_TOOLS)]


ResponsesAnyChoice: TypeAlias = Annotated[
    Annotated[ResponsesAllowedChoice, Tag("allowed_tools")]
    | Annotated[ResponsesToolChoice, Tag("other")],
    Discriminator(type_tag({"allowed_tools": "allowed_tools"})),
]


class ResponsesTextFormat(OpenModel):
    type: Literal["text"]


class ResponsesJsonObjectFormat(OpenModel):
    type: Literal["json_object"]


class ResponsesJsonSchemaFormat(OpenModel):
    type: Literal["json_schema"]
    name: str = "answer"
    schema_: Annotated[dict[str, Any], Field(alias="schema")]
    description: str | None = None
    strict: bool | None = None  # the answer must match the schema in either case


ResponsesFormat: TypeAlias = Annotated[
    Annotated[
        ResponsesTextFormat | ResponsesJsonObjectFormat | ResponsesJsonSchemaFormat,
        Field(discriminator="type"),
    ],
    FLAT_FORMAT,
]


class ResponsesTextConfig(OpenModel):
    format: ResponsesFormat | None = None
    verbosity: str | None = None


class ResponsesReasoning(OpenModel):
    effort: Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"] | str | None = None
    summary: Any = None  # there is one form of summary; muse.progress turns it off
    generate_summary: Any = None


class ResponsesStreamOptions(OpenModel):
    include_obfuscation: bool | None = None  # events are not padded


class ResponsesBody(SamplingFields):
    """The body of POST /v1/responses."""

    model: Name
    input: str | Annotated[list[ResponsesItem], Field(min_length=1, max_length=MAX_MESSAGES)]
    muse: TeamOptions | None = None
    stream: bool | None = None
    stream_options: ResponsesStreamOptions | None = None
    instructions: str | None = None
    previous_response_id: Annotated[
        Annotated[str, Field(max_length=128)] | None, BeforeValidator(lambda given: given or None)
    ] = None
    store: bool | None = None
    max_output_tokens: WholeNumber | None = None
    temperature: float | None = None
    top_p: float | None = None
    reasoning: ResponsesReasoning | None = None
    text: ResponsesTextConfig | None = None
    seed: WholeNumber | None = None
    stop: str | Annotated[list[str], Field(max_length=16)] | None = None
    tools: Annotated[list[ResponsesAnyTool], Field(max_length=MAX_TOOLS)] | None = None
    tool_choice: Annotated[
        Literal["none", "auto", "required"] | ResponsesAnyChoice | None,
        choice_form(lambda name: {"type": "function", "name": name}, words=True),
    ] = None
    parallel_tool_calls: bool | None = None
    include: list[str] | None = None
    # Accepted without effect: the user's identity, and billing and caching by a provider.
    user: Any = None
    metadata: Any = None
    safety_identifier: Any = None
    service_tier: Any = None
    prompt_cache_key: Any = None
    prompt_cache_retention: Any = None
    prompt_cache_options: Any = None
    # Rejected, except for the value that is the default here.
    background: bool | None = None
    conversation: Any = None
    prompt: Any = None
    top_logprobs: WholeNumber | None = None
    # Accepted without effect: an answer that does not fit is an error of its model.
    truncation: Any = None

    @model_validator(mode="before")
    @classmethod
    def _with_format(cls, value: Any) -> Any:
        """Take the form of the answer from the field that Chat Completions has for it: it must not get lost."""
        return moved(value, "response_format", "text")
