"""The body of `POST /v1/runs`, which the page sends, and how it becomes a parsed request."""

from __future__ import annotations

import base64
import binascii
from typing import Annotated, Literal

from pydantic import Field, ValidationError

from musespark.content import MAX_IMAGES, Message, Mode, Part, Request, Text, Video
from musespark.server.errors import RequestRefused
from musespark.server.http.body import StrictModel
from musespark.server.resolve.options import EFFORTS, TEAM_ONLY, RunOptions, TeamOptions
from musespark.server.resolve.parsed_request import ParsedRequest, decode_image
from musespark.store.runs.record import StoredRun
from musespark.vision.video.load import load_video

_Id = Annotated[str, Field(min_length=1, max_length=80, pattern="^[A-Za-z0-9_-]+$")]


class UploadedFile(StrictModel):
    """An image or a video. Its first bytes decide its format, whatever its media type says."""

    media_type: Annotated[str, Field(max_length=100)] = ""
    data: str
    """Base64."""


class RunBody(RunOptions):
    """The body of POST /v1/runs."""

    question: str | None = None
    """Optional with `again`."""
    images: Annotated[list[UploadedFile], Field(max_length=MAX_IMAGES)] | None = None
    video: UploadedFile | None = None
    mode: Literal["instant", "thinking", "contemplating"] | None = None
    effort: Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"] | None = None
    seed: Annotated[int, Field(ge=0, le=2**63 - 1)] | None = None
    follows: _Id | None = None
    """Id of the run whose conversation this one continues."""
    again: _Id | None = None
    """Id of a run to repeat with its images and options; other fields override them."""


def merge_rerun(body: RunBody, before: StoredRun | None) -> RunBody:
    """Fill the body's missing options from the run that it repeats, if any. Raises `RequestRefused`."""
    own = body.model_dump(exclude_none=True)
    theirs = {
        name: value
        for name, value in (before.header.options if before else {}).items()
        if name in RunOptions.model_fields or name in ("mode", "effort", "seed")
    }
    if {**theirs, **own}.get("mode", Mode.CONTEMPLATING) != Mode.CONTEMPLATING:
        theirs = {name: value for name, value in theirs.items() if name not in TEAM_ONLY} | {
            "models": theirs.get("models", [])[:1] or None
        }  # a single agent has the model of the team's first explorer
    try:
        return RunBody.model_validate({**theirs, **own})
    except ValidationError:
        raise RequestRefused(
            "The run to repeat has options that are no longer supported; start a new one.",
            param="again",
        ) from None


def parse_run(
    body: RunBody, earlier: tuple[Message, ...], before: StoredRun | None, video: Video | None
) -> ParsedRequest:
    """Parse the body. Raises `BadInput`.

    earlier: the conversation that it continues. before: the run that it repeats. video: the body's video, decoded.
    """
    *conversation, last = before.header.conversation if before else (Message.user(),)
    if last.role != "user":
        raise RequestRefused(
            "The run to repeat continued from its client's tools, which are not available here; start a new one.",
            param="again",
        )
    repeated = before.question if before else ""
    media: list[Part] = [
        part for part in last.parts if not isinstance(part, Text) or part.text not in repeated
    ]
    if body.images is not None or video is not None:
        images = [
            decode_image(file.data, f"images[{index}].data")
            for index, file in enumerate(body.images or ())
        ]
        media = [*([video] if video else ()), *images]
    question = repeated if body.question is None else body.question
    messages = (*(earlier or conversation), Message.user(*media, question))
    request = Request(messages=messages, seed=body.seed).checked()
    names = set(RunOptions.model_fields) - ({"models"} if _has_one_model(body) else set())
    options = body.model_dump(exclude_none=True, include=names)
    return ParsedRequest(
        model=_model(body),
        request=request,
        conversation=request.messages,
        options=TeamOptions.model_validate(options),
        effort=EFFORTS[body.effort] if body.effort else None,
        stream=True,
        previous_run=body.follows,
    )


async def decode_video(body: RunBody) -> Video | None:
    """Decode the body's video, if it has one. Raises `RequestRefused` and `BadVideo`."""
    if body.video is None:
        return None
    try:
        data = base64.b64decode(body.video.data, validate=True)
    except (binascii.Error, ValueError) as error:
        raise RequestRefused(
            f"The video is not valid base64: {error}.", param="video.data", code="bad_video"
        ) from None
    return await load_video(data)


def _has_one_model(body: RunBody) -> bool:
    """Return True if a single model is named; it then becomes a part of the model's name."""
    return body.models is not None and len(body.models) == 1


def _model(body: RunBody) -> str:
    """Return the model's name as a client of any protocol would write it."""
    mode = body.mode or Mode.CONTEMPLATING.value
    return f"{mode}/{body.models[0]}" if body.models and _has_one_model(body) else mode
