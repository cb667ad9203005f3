"""Whether two answers in prose say the same, as a model judges it."""

from __future__ import annotations

import re
from itertools import count

from musespark.content import Message, Mode, Request
from musespark.errors import MuseError
from musespark.events import AgentFailed, AgentReturned, AgentStarted
from musespark.models.model import Model
from musespark.reasoning.agent import Brief, think
from musespark.reasoning.equivalence import Judge
from musespark.reasoning.run import Run

_YES = re.compile(r"\b(yes|no)\b", re.I)


def same_meaning(run: Run, model: Model) -> Judge:
    """Asks the model, on the run's budget; where it fails or mumbles, the answers count as different."""
    numbers = count(1)

    async def same(first: str, second: str) -> bool:
        agent = f"same-{next(numbers)}"
        asked = Message.user(
            f"A question:\n<question>\n{run.request.question}\n</question>\n\nTwo answers to it:\n<answer>\n{first}\n</answer>\n"
            f"<answer>\n{second}\n</answer>\n\nDo they answer the question the same way, so that either may stand for the other? "
            "Wording, order and detail count for nothing. Reply with yes or no.")
        brief = Brief(agent=agent, model=model, task=f"{model.name}: do two answers say the same?",
                      request=Request(messages=(asked,), mode=Mode.INSTANT))
        run.emit(AgentStarted(agent, brief.parent, brief.task))
        try:
            attempt = await think(run, brief, run.main.open(agent))
        except MuseError as error:
            run.emit(AgentFailed(agent, type(error).__name__, str(error)))
            return False
        run.emit(AgentReturned(agent, attempt.text))
        said = _YES.findall(attempt.text)
        return bool(said) and said[-1].lower() == "yes"

    return same
