"""A run without its events, as lists and the page show it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from musespark.answer import fold
from musespark.events import RunStarted
from musespark.server.protocols.breakdown import usage_json
from musespark.store.runs.record import StoredRun

MAX_ANSWER = 280
"""Characters of an answer in a list."""


def summary(kept: StoredRun) -> dict[str, Any]:
    """Return the JSON of a run without its events: the question, its options, the answer and the cost."""
    answer, began = fold(kept.events), kept.header
    started = next((event for event in kept.events if isinstance(event, RunStarted)), None)
    spent = answer.usage if kept.status == "running" else kept.cost
    used = answer.usage
    if kept.status not in ("running", "finished"):  # the last calls were charged without an event
        used = replace(used, tokens=spent.tokens, usd=spent.usd, calls=spent.calls)
    options = {"pictures": 0, **began.options}
    limits = options.pop("limits", None)
    return {
        "id": began.id,
        "object": "run",
        "protocol": began.protocol,
        "model": began.model,
        "created": int(began.created),
        "began": began.created,
        "status": kept.status,
        "how": kept.status,
        "question": kept.question,
        "mode": str(answer.mode),
        "models": started.model.split(" + ") if started else [],
        "answer": answer.answer,
        "verified": answer.verified,
        "answer_status": answer.status,
        "abstained": answer.abstained or None,
        "why": answer.finish_reason if kept.status == "finished" else None,
        "usage": usage_json(used),
        "seconds": answer.usage.seconds,
        "tokens": spent.tokens,
        "usd": round(spent.usd, 9),
        "spent": {"tokens": kept.cost.tokens, "usd": kept.cost.usd, "calls": kept.cost.calls},
        "budget": limits,
        "follows": options.get("follows"),
        "asked": {"question": kept.question, **options},
        "thumbnails": kept.image_count,
        "pictures": [
            f"/v1/runs/{began.id}/pictures/{number}" for number in range(1, kept.image_count + 1)
        ],
    }


def shorten(answer: str) -> str:
    """Cut an answer to the length that a list shows."""
    return answer if len(answer) <= MAX_ANSWER else answer[: MAX_ANSWER - 1] + "…"
