"""Strategy of a team for one kind of question and one model: measured on labelled questions, kept in the store.

The default is plain, equal sampling and a vote. A deviation must have raised accuracy in calibration; the reason is kept beside the
strategy and shown in the trace.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from typing import Any, Self

from musespark.reasoning.team.approaches import APPROACHES, PLAIN


@dataclass(frozen=True, slots=True, kw_only=True)
class Strategy:
    """The choices that calibration makes."""

    approach: str = PLAIN
    temperature: float | None = None
    """Sampling temperature; None is that of plain sampling."""
    rounds: int = 0
    judge_ties: bool = False
    reply_tokens: tuple[int, ...] = ()
    """Deciles of the lengths of replies, in tokens: they tell a long reply from a late one."""
    because: str = ""
    """Findings of the calibration, in a few sentences."""

    @property
    def label(self) -> str:
        """A short description for people."""
        parts = [
            self.approach,
            "" if self.temperature is None else f"temperature {self.temperature:g}",
            f"{self.rounds} round of refinement" if self.rounds else "",
            "a judge for ties" if self.judge_ties else "",
        ]
        return ", ".join(part for part in parts if part)

    @property
    def options(self) -> dict[str, Any]:
        """The strategy as options of a team."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def to_json(self) -> str:
        """JSON text; `from_json` gives back an equal strategy."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Self | None:
        """The strategy that `to_json` made this of; None for one of another version that cannot be followed."""
        try:
            values: dict[str, Any] = json.loads(text)
            known = {
                field.name: values[field.name] for field in fields(cls) if field.name in values
            }
            known["reply_tokens"] = tuple(known.get("reply_tokens", ()))
            strategy = cls(**known)
        except (ValueError, TypeError):
            return None
        return strategy if strategy.approach in APPROACHES else None
