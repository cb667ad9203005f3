"""What makes explorers unlike each other on purpose: model, seed, temperature and the way they are told to go about it.

Agents that think alike make the same mistake together; a vote among them buys nothing.
"""

from __future__ import annotations

from dataclasses import replace

from musespark.content import Effort, Message, Mode, Request, Text
from musespark.models.model import Model

APPROACHES = (
    "",  # the first agent answers as the model would alone
    "Work through it step by step and check every step before the next.",
    "Before anything else, say what exactly is asked and what is given; then solve it from the definitions.",
    "Solve it in two different ways; where the results differ, find out why before you answer.",
    "Work backwards from what is asked to what is given.",
    "Look for the trap: the detail most people would overlook. Then answer.",
    "Estimate the answer first, then work it out exactly, and explain any difference.",
    "Try small or concrete cases first, find the pattern, then solve the whole.",
)
"""Ways to go about a question, dealt to the agents in turn."""

SHORT_ANSWER = "If the question has a short definite answer, end your reply with a line of the form `Answer: <the answer>`."

WARM = 0.8
"""Temperature of all explorers but the first, where the one who asks has not chosen one."""


def explorer(request: Request, model: Model, index: int) -> tuple[Request, str]:
    """The request as explorer number `index` (from 0) gets it, and what the way it goes about it is called.

    Nothing of another agent is in it. What the model cannot be told is left out.
    """
    abilities = model.abilities
    approach = APPROACHES[index % len(APPROACHES)] if abilities.conversation else ""
    changed = replace(request, mode=Mode.CONTEMPLATING if abilities.native_spawn else Mode.THINKING)
    if abilities.seed and (request.seed is not None or not abilities.conversation):
        changed = replace(changed, seed=((request.seed or 0) + index) % 2**63)
    # Providers take no temperature from a model that is to reason first.
    reasons = abilities.effort and request.effort not in (None, Effort.NONE)
    if abilities.temperature and request.temperature is None and index and not reasons:
        changed = replace(changed, temperature=WARM)
    if abilities.conversation:
        changed = told(changed, approach, "" if request.schema else SHORT_ANSWER)
    return changed, approach or "as it would alone"


def told(request: Request, *instructions: str) -> Request:
    """The request with instructions before the conversation, after those it has."""
    text = "\n".join(instruction for instruction in instructions if instruction)
    if not text:
        return request
    own = tuple(message for message in request.messages if message.role == "system")
    rest = tuple(message for message in request.messages if message.role != "system")
    return replace(request, messages=(*own, Message("system", (Text(text),)), *rest))
