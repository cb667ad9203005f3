"""`muse` with two more kinds of model: `load:SCRIPT` plays the backend's replies within the server's own process,
`through-pydantic-ai:SCRIPT@URL` asks the backend without the fast path.

    python -m load.fakes serve --config FILE ...
"""

from __future__ import annotations

from collections import deque

from load.backend import SCRIPTS

from musespark.cli import main
from musespark.content import Request
from musespark.models.fake import FakeModel, Step, Wait
from musespark.models.model import Abilities, Finish, TextDelta, UsageDelta
from musespark.models.providers.compatible import Compatible
from musespark.models.registry import MODELS, PROVIDERS
from musespark.usage import Usage

ABLE = Abilities(conversation=True, context=100_000)


class Played(FakeModel):
    """A fake model that plays a script of the backend's, and does not remember what it was asked."""

    def __init__(self, name: str) -> None:
        script = SCRIPTS[name]
        steps: list[Step] = [Wait(script.first)] if script.first else []
        for piece in script.pieces:
            steps += (
                [Wait(script.between), TextDelta(piece)] if script.between else [TextDelta(piece)]
            )
        super().__init__(
            [*steps, UsageDelta(Usage(tokens=18, prompt_tokens=11, critical_path=7)), Finish()],
            name=f"load:{name}",
            abilities=ABLE,
        )
        self.requests: deque[Request] = deque(maxlen=1)  # type: ignore[assignment]


class ThroughPydanticAI(Compatible):
    """Any server of Chat Completions, without the fast path."""

    kind = "through-pydantic-ai"
    has_fast_path = False


if __name__ == "__main__":
    PROVIDERS["through-pydantic-ai"] = "load.fakes:ThroughPydanticAI"
    MODELS["load"] = "load.fakes:Played"
    main()
