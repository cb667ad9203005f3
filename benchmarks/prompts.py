"""What a prompt asks for, as far as the stand-in for a model's server can tell, and the text that answers it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Prompt:
    """What a request asks for, as far as a stand-in can tell."""

    kind: str
    text: str
    """What the system and the last user message say."""
    tokens: int
    candidates: tuple[tuple[str, str], ...]
    """Label and text of each answer that it shows."""
    schema: Mapping[str, Any] | None

    @classmethod
    def read(cls, asked: Mapping[str, Any]) -> Prompt:
        """Raises KeyError, TypeError or AttributeError where it is no request."""
        said = [(message["role"], written(message.get("content"))) for message in asked["messages"]]
        last = next((text for role, text in reversed(said) if role == "user"), "")
        text = "\n".join([*(text for role, text in said if role == "system"), last])
        candidates = candidates_in(last)
        kind = next(
            (kind for kind, pattern in KINDS.items() if re.search(pattern, text, re.I | re.S)),
            "answer",
        )
        if kind in ("merge", "judge") and not candidates:
            kind = "answer"
        elif kind == "answer" and candidates:
            kind = "review"
        form = (asked.get("response_format") or {}).get("json_schema") or {}
        return cls(
            kind, text, sum(len(text.split()) for _, text in said), candidates, form.get("schema")
        )

    def reply(self, answers: str, number: int) -> str:
        """What answers it. answers: as in the script; number: of answers given before."""
        if marked := re.search(KINDS["marked"], self.text, re.I | re.S):
            return marked[1]
        agreed = (
            answers == "agree"
            or self.kind == "merge"
            or (answers, self.kind) == ("settle", "review")
        )
        value = str(42 if agreed else 43 + number)
        # By its text and not by its place, so that the same answer wins in whatever order they are shown.
        label = (
            min(self.candidates, key=lambda candidate: candidate[1])[0]
            if self.candidates
            else value
        )
        if self.schema is not None:
            return json.dumps(instance(self.schema, label))
        if self.kind == "rate":
            score = 0.7 if re.search(r"0 to 1\b", self.text) else 7
            return json.dumps({"score": score}) if "json" in self.text.lower() else str(score)
        if self.kind == "judge":
            key = re.search(r'"(better|best|choice|winner|selected\w*|answer|index)"', self.text)
            if key:
                return json.dumps({"reason": "Its steps are right.", key[1]: label})
            return f"[[{label}]]" if "[[" in self.text else label
        return f"What is asked is worked out step by step, and every step is checked before the next.\n\nAnswer: {value}"


KINDS = {
    "marked": r"\[\[reply: (.*?)\]\]",
    "rate": r"\b(rate|score|evaluate)\b.*\bscale\b",
    "merge": r"write the one best|optimized response|\b(combine|merge|synthesi[sz]e)\b",
    "judge": r"which (answer|candidate|response|one|is better)|\b(pick|choose|select)\b|\bbest (answer|candidate|response)",
}
"""How each kind of prompt is known; the first that fits counts."""
TAGGED = r'(?is)<(answer|candidate|response)(?: id="?(\w+)"?)?>(.*?)</\1>'
HEADED = r"(?im)^[ *#\[]*(?:(?:candidate|answer|response|solution|option) *#?)?(\d+|[A-Z])(?=[\]:.)\n])[\]:.)*]*"


def candidates_in(text: str) -> tuple[tuple[str, str], ...]:
    """Label and text of each answer that a prompt shows: in tags, or after headings like `Candidate 1:`, `[2]` or `B)`."""
    if tagged := re.findall(TAGGED, text):
        return tuple((label, body.strip()) for _, label, body in tagged)
    _, *parts = re.split(HEADED, text)
    return tuple((label, body.strip()) for label, body in zip(parts[::2], parts[1::2], strict=True))


def written(content: Any) -> str:
    """The text of a message's content."""
    return (
        "\n".join(part.get("text", "") for part in content)
        if isinstance(content, list)
        else content or ""
    )


def instance(schema: Mapping[str, Any], text: str) -> Any:
    """A value of a JSON schema, with the text wherever it may stand."""
    if values := schema.get("enum"):
        return text if text in values else values[0]
    match schema.get("type"):
        case "object":
            return {
                name: instance(inner, text) for name, inner in schema.get("properties", {}).items()
            }
        case "array":
            return [instance(schema.get("items", {}), text)] * max(1, schema.get("minItems", 1))
        case "integer" | "number":
            return 7
        case "boolean":
            return True
    return text
