"""Replay of recorded answers of real models: real mistakes without a network.

recorded:DIR/TASK/MODEL       the answers of one model in DIR/TASK.jsonl.gz
RecordedModel.of({question: text}, "some model")
"""

from __future__ import annotations

import asyncio
import gzip
import json
import re
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from musespark.content import Request
from musespark.errors import BadOption, MissingFile, ModelFailed
from musespark.models.model import Abilities, Delta, Finish, TextDelta, UsageDelta
from musespark.usage import Usage

_TOKEN = re.compile(r"\w{1,6}|[^\w\s]|\s{2,}")
TOKENS_PER_DELTA = 64
"""Tokens that are sent as one delta."""


@dataclass(frozen=True, slots=True)
class Latency:
    """Duration of a reply: seconds to the first token, then tokens a second, all times `scale`; 0 is no time at all."""

    first: float = 0.5
    """Seconds until the first token."""
    rate: float = 60.0
    """Tokens a second after that."""
    scale: float = 0.0


class RecordedModel:
    """Replays the recorded answer to a question as a stream."""

    def __init__(self, argument: str, latency: Latency | None = None) -> None:
        """argument: `DIR/TASK/MODEL`. Raises `BadOption` and `MissingFile`."""
        folder, _, name = argument.rpartition("/")
        if not folder or not name:
            raise BadOption(
                "recorded model", argument, "DIR/TASK/MODEL, for files DIR/TASK.jsonl.gz"
            )
        path = Path(folder + ".jsonl.gz")
        answers: dict[str, str] = {}
        models: set[str] = set()
        try:
            with gzip.open(path, "rt", encoding="utf-8") as lines:
                for row in map(json.loads, lines):
                    models.update(row["outputs"])
                    if name in row["outputs"]:
                        answers[row["question"].strip()] = answers[row["prompt"].strip()] = row[
                            "outputs"
                        ][name]
        except FileNotFoundError:
            raise MissingFile(path) from None
        except (OSError, EOFError, ValueError, KeyError, TypeError) as error:
            raise MissingFile(
                path, f"it is not a gzipped file of recorded answers ({error})"
            ) from error
        if name not in models:
            raise BadOption.choice("recorded model", name, sorted(models))
        self._set(answers, name, latency)

    @classmethod
    def of(cls, answers: Mapping[str, str], name: str, latency: Latency | None = None) -> Self:
        """Make a model from answers by question."""
        model = cls.__new__(cls)
        model._set({question.strip(): text for question, text in answers.items()}, name, latency)
        return model

    def _set(self, answers: Mapping[str, str], name: str, latency: Latency | None) -> None:
        self.name = name
        self.abilities = Abilities(
            context=128_000, conversation=True, seed=True, temperature=True, top_p=True, effort=True
        )
        self.latency = latency or Latency()
        self._answers = answers

    async def stream(self, request: Request) -> AsyncGenerator[Delta, None]:
        """Replay the answer to the request's question. Raises `ModelFailed` if none was recorded."""
        text = self._answers.get(request.question.strip())
        if text is None:
            raise ModelFailed(self.name, "nothing was recorded for this question")
        limit = request.max_tokens
        await asyncio.sleep(self.latency.first * self.latency.scale)
        ends = [match.end() for match in _TOKEN.finditer(text)] or [len(text)]
        within = ends if limit is None else ends[:limit]
        sent = 0
        for begin in range(0, len(within), TOKENS_PER_DELTA):
            piece = within[begin : begin + TOKENS_PER_DELTA]
            end = len(text) if begin + len(piece) == len(ends) else piece[-1]
            await asyncio.sleep(len(piece) / self.latency.rate * self.latency.scale)
            yield TextDelta(text[sent:end])
            sent = end
            tokens = begin + len(piece)
            yield UsageDelta(Usage(tokens=tokens, critical_path=tokens, calls=1))
        yield Finish("finished" if len(within) == len(ends) else "length")


def count_tokens(text: str) -> int:
    """Count the tokens of a text by a rule of thumb: pieces of words of up to six characters, and each punctuation mark."""
    return len(_TOKEN.findall(text))
