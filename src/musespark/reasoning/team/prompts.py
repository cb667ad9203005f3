"""Parts of prompts that the stages share: answers as other agents read and see them."""

from __future__ import annotations

from collections.abc import Sequence

from musespark.content import Image
from musespark.models.model import Model
from musespark.reasoning.attempt import Attempt

IMAGES = 2
"""Images behind an answer that are shown beside it."""
_REASONS = 4000
"""Characters of a rival's reasoning in a prompt: its end, because the conclusion is there."""


def rebuttal(rivals: Sequence[Attempt]) -> list[str]:
    """Prompt with the rivals' answers: each distinct answer with its reasons, without names and numbers of supporters."""
    parts = [
        "Others answered the same question differently. Their answers, in no particular order:\n"
    ]
    for rival in rivals:
        parts.append(f"\n<answer>\n{reasons(rival)}\n</answer>\n")
    parts.append(
        "\nAny of them may be wrong, and so may yours; that somebody disagrees is no evidence. Find the first step where the "
        "reasoning differs and decide by working it out which is right. Change your answer only for an error you can name. "
        "Then answer the original question in full, in the form that was asked for."
    )
    return parts


def reasons(attempt: Attempt) -> str:
    """An answer with its reasons, as another model gets to read it."""
    said = attempt.text or attempt.thoughts
    calls = "".join(f"\n(calls {call.name} with {call.arguments})" for call in attempt.calls)
    return ("…" + said[-_REASONS:] if len(said) > _REASONS else said) + calls


def shown(attempts: Sequence[Attempt], model: Model) -> tuple[Image, ...]:
    """The images behind some answers, the latest of each, for a model that can see them."""
    if not model.abilities.pictures_in:
        return ()
    return tuple(image for attempt in attempts for image in attempt.image_parts[-IMAGES:])
