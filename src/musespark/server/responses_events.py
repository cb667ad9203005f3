"""The events of one response of OpenAI's Responses: items one after the other, each closed before the next."""

from __future__ import annotations

import base64
from typing import Any

from musespark.server.dialect import Chunk, Chunks
from musespark.server.failures import Failure
from musespark.server.telling import Called, Drew, Ended, Mused, Piece, Said, Sealed


class ResponseChunks(Chunks):
    """The events of one response, numbered from 0."""

    def __init__(self, run: str, prefix: str, head: dict[str, Any], seals: bool = False) -> None:
        """head: what the response says of itself from the beginning. seals: whether it holds what a provider wants back."""
        self._run, self._seals = run, seals
        self._head = {"id": f"{prefix}{run}", "object": "response", "error": None, "incomplete_details": None, "usage": None,
                      **head}
        self._number = 0
        self._output: list[dict[str, Any]] = []
        """The items, the open one last."""
        self._open = ""
        """The kind of the item that is open."""
        self._text = ""
        """What it says so far."""

    def begin(self) -> list[Chunk]:
        """That it has begun."""
        return [self._event("response.created", response=self._response("in_progress")),
                self._event("response.in_progress", response=self._response("in_progress"))]

    def tell(self, piece: Piece) -> list[Chunk]:
        """What a piece becomes."""
        match piece:
            case Mused():
                return [*self._in("reasoning"), self._delta("response.reasoning_summary_text.delta", piece.text, summary_index=0)]
            case Said():
                return [*self._in("message"), self._delta("response.output_text.delta", piece.text, content_index=0, logprobs=[])]
            case Drew():
                return [*self._close(), *self._drew(piece)]
            case Sealed():
                if not self._seals:
                    return []
                item = {"type": "reasoning", "summary": [], "status": "completed", "encrypted_content": piece.seal}
                return [*self._close(), self._add(item), self._done()]
            case Called():
                return [*self._close(), *self._called(piece)]
            case Ended():
                return [*self._close(), self._end(piece)]

    def failed(self, failure: Failure) -> list[Chunk]:
        """The response as it failed; what it said until then stays in it."""
        code = "rate_limit_exceeded" if failure.status == 429 else "server_error"
        closed = self._close(whole=False)
        error = {"code": code, "message": failure.message}
        return [*closed, self._event("response.failed", response=self._response("failed") | {"error": error})]

    def _end(self, ended: Ended) -> Chunk:
        used = ended.usage
        usage = {"input_tokens": used.prompt_tokens, "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
                 "output_tokens": used.tokens - used.prompt_tokens, "output_tokens_details": {"reasoning_tokens": 0},
                 "total_tokens": used.tokens}
        whole = ended.called or ended.finish_reason == "finished"
        response = self._response("completed" if whole else "incomplete") | {"usage": usage, "muse": ended.muse}
        if not whole:
            response["incomplete_details"] = {"reason": "max_output_tokens"}
        return self._event("response.completed" if whole else "response.incomplete", response=response)

    def so_far(self, status: str) -> dict[str, Any]:
        """The response as it is now."""
        self._close(whole=False)
        return self._response(status)

    def _response(self, status: str) -> dict[str, Any]:
        return {**self._head, "status": status, "output": list(self._output)}

    def _event(self, kind: str, **values: Any) -> Chunk:
        self._number += 1
        return {"type": kind, "sequence_number": self._number - 1, **values}

    def _delta(self, kind: str, text: str, **values: Any) -> Chunk:
        self._text += text
        return self._event(kind, **self._place, **values, delta=text)

    @property
    def _place(self) -> dict[str, Any]:
        """Which item an event is about."""
        return {"item_id": self._output[-1]["id"], "output_index": len(self._output) - 1}

    def _add(self, item: dict[str, Any]) -> Chunk:
        short = {"reasoning": "rs", "message": "msg", "function_call": "fc", "image_generation_call": "ig"}[item["type"]]
        self._output.append({"id": f"{short}_{self._run}_{len(self._output)}", **item})
        return self._event("response.output_item.added", output_index=len(self._output) - 1, item=dict(self._output[-1]))

    def _done(self, **values: Any) -> Chunk:
        self._output[-1] |= values
        return self._event("response.output_item.done", output_index=len(self._output) - 1, item=dict(self._output[-1]))

    # Reasoning and text, which are written piece by piece.

    def _in(self, kind: str) -> list[Chunk]:
        """Open an item of that kind, unless it is open."""
        if self._open == kind:
            return []
        closed = self._close()
        self._open, self._text = kind, ""
        if kind == "reasoning":
            return [*closed, self._add({"type": kind, "summary": [], "status": "in_progress"}),
                    self._event("response.reasoning_summary_part.added", **self._place, summary_index=0, part=_summary(""))]
        return [*closed, self._add({"type": kind, "role": "assistant", "status": "in_progress", "content": []}),
                self._event("response.content_part.added", **self._place, content_index=0, part=_content(""))]

    def _close(self, whole: bool = True) -> list[Chunk]:
        kind, text, self._open = self._open, self._text, ""
        status = "completed" if whole else "incomplete"
        if kind == "reasoning":
            return [self._event("response.reasoning_summary_text.done", **self._place, summary_index=0, text=text),
                    self._event("response.reasoning_summary_part.done", **self._place, summary_index=0, part=_summary(text)),
                    self._done(summary=[_summary(text)], status=status)]
        if kind == "message":
            return [self._event("response.output_text.done", **self._place, content_index=0, text=text, logprobs=[]),
                    self._event("response.content_part.done", **self._place, content_index=0, part=_content(text)),
                    self._done(content=[_content(text)], status=status)]
        return []

    # Pictures and calls, which come whole.

    def _drew(self, drew: Drew) -> list[Chunk]:
        added = self._add({"type": "image_generation_call", "status": "in_progress", "result": None})
        steps = [self._event(f"response.image_generation_call.{step}", **self._place) for step in ("in_progress", "generating")]
        done = self._event("response.image_generation_call.completed", **self._place)
        return [added, *steps, done, self._done(
            status="completed", result=base64.b64encode(drew.png).decode("ascii"), output_format="png", revised_prompt=drew.caption,
            size=f"{drew.width}x{drew.height}")]

    def _called(self, called: Called) -> list[Chunk]:
        call = called.call
        added = self._add({"type": "function_call", "call_id": call.id, "name": call.name, "arguments": "",
                           "status": "in_progress"})
        return [added, self._event("response.function_call_arguments.delta", **self._place, delta=call.arguments),
                self._event("response.function_call_arguments.done", **self._place, name=call.name, arguments=call.arguments),
                self._done(arguments=call.arguments, status="completed")]


def _summary(text: str) -> dict[str, Any]:
    return {"type": "summary_text", "text": text}


def _content(text: str) -> dict[str, Any]:
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}
