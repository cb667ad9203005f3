"""What a page sends to start a run, field by field, and how that becomes what any client asks."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field, ValidationError

from musespark.content import MAX_IMAGES, Message, Mode, Part, Request, Text, Video
from musespark.server.errors import RequestRefused
from musespark.server.resolve.options import EFFORTS, RunOptions, StrictModel, TeamOptions
from musespark.server.resolve.parsed_request import ParsedRequest, decoded
from musespark.server.runs.run_store import Kept
from musespark.store.kept import asked_in

if TYPE_CHECKING:
    from musespark.server.resolve.resolve import ResolvedRequest

_Id = Annotated[str, Field(min_length=1, max_length=80, pattern="^[A-Za-z0-9_-]+$")]


class UploadedFile(StrictModel):
    """A picture or a video. Its first bytes tell what it is, whatever its type says."""

    media_type: Annotated[str, Field(max_length=100)] = ""
    data: str
    """In base64."""


class RunBody(RunOptions):
    """The body of POST /v1/runs."""

    question: str | None = None
    """May be left out with `again`."""
    images: Annotated[list[UploadedFile], Field(max_length=MAX_IMAGES)] | None = None
    video: UploadedFile | None = None
    mode: Literal["instant", "thinking", "contemplating"] | None = None
    effort: Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"] | None = None
    seed: Annotated[int, Field(ge=0, le=2**63 - 1)] | None = None
    follows: _Id | None = None
    """A run whose conversation this one goes on with."""
    again: _Id | None = None
    """A run that is asked again, with its pictures and its options; other fields count more."""


def merged(body: RunBody, before: Kept | None) -> RunBody:
    """The body with the options of the run that is asked again, where it has none of its own. Raises `RequestRefused`."""
    own = body.model_dump(exclude_none=True)
    theirs = {name: value for name, value in (before.begun.options if before else {}).items() if name in RunOptions.model_fields
              or name in ("mode", "effort", "seed")}
    if {**theirs, **own}.get("mode", Mode.CONTEMPLATING) != Mode.CONTEMPLATING:
        theirs = {name: value for name, value in theirs.items() if name not in _OF_A_TEAM} | {
            "models": theirs.get("models", [])[:1] or None}  # one agent has the model that a team's first explorer had
    try:
        return RunBody.model_validate({**theirs, **own})
    except ValidationError:
        raise RequestRefused("The run to ask again was asked in a way that is no longer known; ask anew.", param="again") from None


_OF_A_TEAM = ("agents", "first", "rounds", "aggregate", "models", "judge", "refiner", "merger")


def read(body: RunBody, earlier: tuple[Message, ...], before: Kept | None, video: Video | None) -> ParsedRequest:
    """What was asked. earlier: the conversation that it goes on with. before: the run that is asked again. Raises `BadInput`."""
    *conversation, last = before.begun.conversation if before else (Message.user(),)
    if last.role != "user":
        raise RequestRefused("The run to ask again went on from its client's tools, which are not here; ask anew.", param="again")
    same = before.question if before else ""
    shown: list[Part] = [part for part in last.parts if not isinstance(part, Text) or part.text not in same]
    if body.images is not None or video is not None:
        images = [decoded(file.data, f"images[{index}].data") for index, file in enumerate(body.images or ())]
        shown = [*([video] if video else ()), *images]
    question = same if body.question is None else body.question
    messages = (*(earlier or conversation), Message.user(*shown, question))
    request = Request(messages=messages, seed=body.seed).checked()
    options = body.model_dump(exclude_none=True, include=set(RunOptions.model_fields) - ({"models"} if _one(body) else set()))
    return ParsedRequest(model=_model(body), request=request, conversation=request.messages, team=TeamOptions.model_validate(options),
                 effort=EFFORTS[body.effort] if body.effort else None, stream=True, follows=body.follows)


def _one(body: RunBody) -> bool:
    """Whether one model is named, which then is a part of the model's name."""
    return body.models is not None and len(body.models) == 1


def _model(body: RunBody) -> str:
    """Who is asked, as any client would name it."""
    mode = body.mode or Mode.CONTEMPLATING.value
    return f"{mode}/{body.models[0]}" if body.models and _one(body) else mode


def stored_options(resolved: ResolvedRequest) -> dict[str, Any]:
    """How it was asked, in the fields of `RunBody`, whichever protocol it came by; with the number of the question's pictures, and
    `limits`, which hold whoever set them.
    """
    asked, limits = resolved.asked, resolved.limits
    options = asked.team.model_dump(exclude_none=True, include=set(RunOptions.model_fields))
    mode, _, name = asked.model.partition("/")
    if mode not in list(Mode):
        mode, name = Mode.THINKING.value, asked.model
    if name:
        options.setdefault("models", [name])
    said = {"mode": mode, "effort": asked.effort and asked.effort.value, "seed": asked.request.seed,
            "pictures": len(asked_in(asked.conversation)), "follows": asked.follows, "limits": limits and _there(asdict(limits))}
    return {**options, **_there(said)}


def _there(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}
