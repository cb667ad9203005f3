"""`muse` with one more kind of model, `load:SCRIPT`: the backend's replies, played within the server's own process.

    python -m load.fakes serve --config FILE ...
"""

from __future__ import annotations

from collections import deque

from load.backend import SCRIPTS

from musespark.cli import main
from musespark.content import Request
from musespark.models.fake import FakeModel, Step, Wait
from musespark.models.model import Abilities, Finish, TextDelta, UsageDelta
from musespark.models.registry import MODELS
from musespark.usage import Usage

ABLE = Abilities(conversation=True, context=100_000)


class Played(FakeModel):
    """A fake model that plays a script of the backend's, and does not remember what it was asked."""

    def __init__(self, name: str) -> None:
        script = SCRIPTS[name]
        steps: list[Step] = [Wait(script.first)] if script.first else []
        for piece in script.pieces:
            steps += [Wait(script.between), TextDelta(piece)] if script.between else [TextDelta(piece)]
        super().__init__([*steps, UsageDelta(Usage(tokens=18, prompt_tokens=11, critical_path=7)), Finish()],
                         name=f"load:{name}", abilities=ABLE)
        self.requests: deque[Request] = deque(maxlen=1)  # type: ignore[assignment]


if __name__ == "__main__":
    MODELS["load"] = "load.fakes:Played"
    main()
