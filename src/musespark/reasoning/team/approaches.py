"""Ways to ask the explorers of a team: all alike by default, or each in a way of its own.

Plain, equal sampling is the default (Wang et al., Self-Consistency, 2022). Instructions help some models on some kinds of question
and pull others off the question; which of them help is measured by `muse calibrate` and not assumed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from musespark.content import Effort, Message, Mode, Request, Text
from musespark.errors import BadOption
from musespark.models.model import Model

PLAIN = "plain"
VARIED = "varied"

APPROACHES: Mapping[str, tuple[str, ...]] = {
    PLAIN: ("",),
    "answer only": ("Reply with only the answer.",),
    "answer line": ("End your reply with a line of the form `Answer: <the answer>`.",),
    "step by step": (
        "Think step by step, then end your reply with a line of the form `Answer: <the answer>`.",
    ),
    VARIED: (
        "",
        "Work through it step by step and check every step before the next.",
        "Before anything else, say what exactly is asked and what is given; then solve it from the definitions.",
        "Solve it in two different ways; where the results differ, find out why before you answer.",
        "Work backwards from what is asked to what is given.",
        "Look for the trap: the detail most people would overlook. Then answer.",
        "Estimate the answer first, then work it out exactly, and explain any difference.",
        "Try small or concrete cases first, find the pattern, then solve the whole.",
    ),
}
"""Instructions that are added to the question, by name; if there are several, agents get them in turn."""

WARM = 0.8
"""Temperature of explorers if neither the request nor a calibration has chosen one."""


def explorer_request(
    request: Request,
    model: Model,
    index: int,
    approach: str = PLAIN,
    temperature: float | None = None,
) -> tuple[Request, str]:
    """The request for explorer number `index` (from 0), and a name for its approach.

    It contains nothing of other agents, and leaves out options that the model does not take. Raises `BadOption` for an unknown
    approach.
    """
    abilities = model.abilities
    instruction = (
        instructions(approach)[index % len(instructions(approach))]
        if abilities.conversation
        else ""
    )
    changed = replace(request, mode=Mode.CONTEMPLATING if abilities.native_spawn else Mode.THINKING)
    if abilities.seed and (request.seed is not None or not abilities.conversation):
        changed = replace(changed, seed=((request.seed or 0) + index) % 2**63)
    # Providers take no temperature from a model that is to reason first.
    reasons = abilities.effort and request.effort not in (None, Effort.NONE)
    if abilities.temperature and request.temperature is None and not reasons:
        changed = replace(changed, temperature=WARM if temperature is None else temperature)
    return with_instruction(changed, instruction), instruction or "as it would alone"


def instructions(approach: str) -> tuple[str, ...]:
    """The instructions of an approach; raises `BadOption`."""
    if approach not in APPROACHES:
        raise BadOption.choice("approach", approach, APPROACHES)
    return APPROACHES[approach]


def with_instruction(request: Request, instruction: str) -> Request:
    """The request with an instruction after the last question; as part of the question, for weak models lose sight of it when the
    instruction stands in a system message."""
    at = max(
        (index for index, message in enumerate(request.messages) if message.role == "user"),
        default=None,
    )
    if not instruction or at is None:
        return request
    asked = request.messages[at]
    told = Message("user", (*asked.parts, Text(f"\n\n{instruction}")))
    return replace(request, messages=(*request.messages[:at], told, *request.messages[at + 1 :]))
