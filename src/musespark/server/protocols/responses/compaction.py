"""OpenAI's compaction of a conversation: one agent sums it up, and the summary stands for it from then on."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Annotated, Any

from pydantic import Field

from musespark.content import Message, Mode, Text
from musespark.server.errors import RequestRefused
from musespark.server.protocols.base import Chunk, Dialect, RequestContext
from musespark.server.protocols.responses.body import ResponsesBody, ResponsesItem
from musespark.server.protocols.responses.dialect import Responses
from musespark.server.protocols.responses.events import ResponsesEventEncoder
from musespark.server.protocols.responses.stored_items import input_items, pack_summary
from musespark.server.resolve.parsed_request import MAX_MESSAGES, ParsedRequest

INSTRUCTION = (
    "Sum up our conversation so far, so that it can be continued without it: what was asked and wanted, what was done and found "
    "out (with exact names, paths, numbers and results), what was decided and why, what is left to do. Write the summary alone."
)


class CompactionBody(ResponsesBody):
    """The body of POST /v1/responses/compact; fields of a response's body that have no meaning here have no effect."""

    input: str | Annotated[list[ResponsesItem], Field(max_length=MAX_MESSAGES)] | None = None  # type: ignore[assignment]


class Compaction(Dialect[CompactionBody]):
    """OpenAI's compaction. A team's summaries would never agree, so one agent writes it."""

    name = "compaction"
    path = "/v1/responses/compact"
    id_prefix = Responses.id_prefix
    body = CompactionBody

    def __init__(self) -> None:
        self._responses = Responses()

    def remote_image_urls(self, body: CompactionBody) -> list[str]:
        """Return the addresses of images that have to be fetched."""
        return self._responses.remote_image_urls(body)

    def previous_id(self, body: CompactionBody) -> str | None:
        """Return the id of the response whose conversation is compacted."""
        return body.previous_response_id

    def item_ids(self, body: CompactionBody) -> list[str]:
        """Return the ids of the stored items that the body refers to."""
        return self._responses.item_ids(body)

    def with_items(self, body: CompactionBody, items: dict[str, Chunk]) -> CompactionBody:
        """Return the body with items in place of references."""
        return body.model_copy(update={"input": self._responses.with_items(body, items).input})

    def parse(self, body: CompactionBody, context: RequestContext) -> ParsedRequest:
        """Translate a body. Raises subclasses of `BadInput`."""
        if not body.input and not context.earlier:
            raise RequestRefused("input: there is no conversation to compact.", param="input")
        whole = body.model_copy(
            update={"input": body.input or [], "text": None, "stream": False, "tool_choice": "none"}
        )
        parsed = self._responses.parse(whole, context)
        mode, slash, name = parsed.model.partition("/")
        alone = f"{Mode.THINKING.value}{slash}{name}"
        instruction = Message("user", (Text(INSTRUCTION),))
        return replace(
            parsed,
            model=alone if mode == Mode.CONTEMPLATING.value else parsed.model,
            request=replace(
                parsed.request, messages=(*parsed.request.messages, instruction), tool_choice="none"
            ),
            conversation=tuple(each for each in parsed.conversation if each.role == "user"),
        )

    def encoder(self, parsed: ParsedRequest, run: str, created: int) -> ResponsesEventEncoder:
        """Make the encoder of the summary, which is a response until it is collected."""
        head = {"created_at": created, "kept": input_items(run, parsed.conversation)}
        return ResponsesEventEncoder(run, self.id_prefix, head)

    def collect(self, chunks: Iterable[Chunk]) -> Chunk:
        """Return the messages of the user with the packed summary."""
        *_, last = chunks
        response: dict[str, Any] = last["response"]
        texts = [
            part["text"]
            for item in response["output"]
            if item["type"] == "message"
            for part in item["content"]
        ]
        run = response["id"].removeprefix(self.id_prefix)
        summary = {
            "id": f"cmp_{run}_0",
            "type": "compaction",
            "encrypted_content": pack_summary("".join(texts)),
        }
        return {
            "id": response["id"],
            "object": "response.compaction",
            "created_at": response["created_at"],
            "output": [*response["kept"], summary],
            "usage": response["usage"],
            "muse": response["muse"],
        }

    def error_body(self, reply: Any, request: str) -> Chunk:
        """Return the JSON of an error."""
        return self._responses.error_body(reply, request)
