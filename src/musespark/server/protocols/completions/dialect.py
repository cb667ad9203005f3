"""OpenAI's Completions: how its body is parsed, and how its chunks add up."""

from __future__ import annotations

from collections.abc import Iterable

from musespark.content import Message, Request, Text
from musespark.server.errors import ErrorReply, RequestRefused
from musespark.server.protocols.base import Chunk, Dialect, RequestContext
from musespark.server.protocols.chat.events import error_body
from musespark.server.protocols.completions.body import CompletionsBody
from musespark.server.protocols.completions.events import CompletionsChunkEncoder
from musespark.server.protocols.sampling import (
    PASSED_ON,
    parse_max_tokens,
    parse_sampling,
    parse_seed,
)
from musespark.server.protocols.warnings import RequestWarnings
from musespark.server.resolve.options import TeamOptions
from musespark.server.resolve.parsed_request import ParsedRequest, refuse_unsupported


class Completions(Dialect[CompletionsBody]):
    """OpenAI's Completions. The prompt is the question: models that converse answer it, and continue no text."""

    name = "completions"
    path = "/v1/completions"
    id_prefix = "cmpl-"
    end_marker = b"data: [DONE]\n\n"
    body = CompletionsBody

    def remote_image_urls(self, body: CompletionsBody) -> list[str]:
        """Return no addresses: a prompt has no images."""
        return []

    def parse(self, body: CompletionsBody, context: RequestContext) -> ParsedRequest:
        """Translate a body. Raises subclasses of `BadInput`."""
        refuse_unsupported(
            body,
            suffix=("",),
            n=(1,),
            best_of=(1,),
            logprobs=(0,),
        )
        prompt = body.prompt if isinstance(body.prompt, str) else body.prompt[0]
        if not prompt:
            raise RequestRefused("prompt: it is empty.", param="prompt")
        warnings = RequestWarnings()
        warnings.ignore_unknown(body, but=PASSED_ON)
        stop = [body.stop] if isinstance(body.stop, str) else body.stop or []
        request = Request(
            messages=(Message("user", (Text(prompt),)),),
            max_tokens=parse_max_tokens(body.max_tokens),
            temperature=body.temperature,
            top_p=body.top_p,
            seed=parse_seed(body.seed),
            sampling=parse_sampling(body, warnings),
            stop=tuple(dict.fromkeys(text for text in stop if text)),
        )
        options = body.muse or context.options or TeamOptions()
        return ParsedRequest(
            model=body.model,
            request=request,
            conversation=request.messages,
            options=options,
            stream=bool(body.stream),
            usage_chunk=bool(body.stream_options and body.stream_options.include_usage),
            store=body.store is not False and options.store is not False,
            warnings=warnings.told,
            echo={"prompt": prompt} if body.echo else {},
        )

    def encoder(self, parsed: ParsedRequest, run: str, created: int) -> CompletionsChunkEncoder:
        """Make the encoder of a reply."""
        return CompletionsChunkEncoder(
            f"{self.id_prefix}{run}",
            parsed.model,
            created,
            usage_chunk=parsed.usage_chunk,
            prompt=parsed.echo.get("prompt", ""),
        )

    def collect(self, chunks: Iterable[Chunk]) -> Chunk:
        """Add up the chunks to a completion."""
        whole: Chunk = {}
        text, finish = "", None
        for chunk in chunks:
            whole |= {key: value for key, value in chunk.items() if key != "choices"}
            for choice in chunk["choices"]:
                text += choice["text"]
                finish = choice["finish_reason"] or finish
        choice = {"index": 0, "text": text, "logprobs": None, "finish_reason": finish}
        return {**whole, "choices": [choice]}

    def error_body(self, reply: ErrorReply, request: str) -> Chunk:
        """Return the JSON of an error."""
        return error_body(reply)
