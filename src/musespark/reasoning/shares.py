"""Shares of a limited budget: how many can think, and how much each may write, so that those who do come to an end.

A share is cut when it is needed, from what is left then: what nobody used is there for whoever comes later. Where there is little,
fewer think, each with enough for a whole reply. What a reply takes is guessed before the first one, and known after. Nothing here
spends or reserves anything: that the budget holds is `budget.py`'s affair, whatever is guessed here.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from musespark.budget import Budget, Cost, Limits
from musespark.content import Effort
from musespark.models.estimate import estimate_prompt_tokens
from musespark.models.model import Model
from musespark.reasoning.agent import Brief
from musespark.reasoning.attempt import Attempt
from musespark.reasoning.calling import readable
from musespark.reasoning.run import Run
from musespark.usage import Usage

REPLY = 400
"""Tokens that a reply is taken to need before there has been one."""
REASONED = 2_400
"""The same of a model that is told to reason first; some refuse to within 2,048."""
MARGIN = 1.25
"""The next reply may be so much longer than the longest so far."""
AMPLE = 8_192
"""Tokens that are enough for a reply as a rule: providers refuse a limit beyond what their model can write."""
DECIDING = 6
"""Calls that are planned for whoever decides in the end."""
COMPARING = 4
"""One token in so many may go into comparing answers, and of the money as much: the answers themselves matter more."""
NOTHING = Cost()


def limited(run: Run) -> bool:
    """Whether tokens or money are."""
    return run.budget.tokens_left() is not None or run.budget.usd_left() is not None


def _read(brief: Brief) -> int:
    """Tokens of its prompt."""
    return estimate_prompt_tokens(readable(brief.request, brief.model)) if brief.model.abilities.conversation else 0


@dataclass(frozen=True, slots=True)
class _Left:
    """What is left of a budget."""

    tokens: float
    usd: float

    @classmethod
    def of(cls, run: Run, kept: Cost = NOTHING) -> _Left:
        tokens, usd = run.budget.tokens_left(), run.budget.usd_left()
        return cls(math.inf if tokens is None else tokens - kept.tokens, math.inf if usd is None else usd - kept.usd)

    def writable(self, model: Model, read: int, parts: int) -> float:
        """Tokens that each of so many calls could write after its prompt; negative where not even that can be paid."""
        abilities = model.abilities
        most, usd = self.tokens / parts - read, self.usd / parts - read * abilities.usd_per_prompt_token
        if usd < 0:
            return -1
        return min(most, usd / abilities.usd_per_token) if abilities.usd_per_token else most


@dataclass
class Shares:
    """What replies have taken so far, and who can have one for what is left."""

    run: Run
    comparing: Budget = field(init=False)
    """What asking whether answers say the same may cost in all; the calls themselves draw from the run's budget."""
    _whole: dict[str, int] = field(default_factory=dict)
    """Tokens of the longest reply that came to its end, by model."""
    _cut: dict[str, int] = field(default_factory=dict)
    """Tokens that were too few for a reply, by model."""
    _prompts: dict[str, int] = field(default_factory=dict)
    """Tokens that an agent's prompts had together, at most, by model: with tools it is asked more than once."""

    def __post_init__(self) -> None:
        tokens, usd = self.run.budget.tokens_left(), self.run.budget.usd_left()
        self.comparing = Budget(Limits(tokens=None if tokens is None else tokens // COMPARING,
                                       usd=None if usd is None else usd / COMPARING))

    def saw(self, brief: Brief, outcome: object, usage: Usage) -> None:
        """Learn from what an agent used until it came back."""
        name, written = brief.model.name, usage.tokens - usage.prompt_tokens
        self._prompts[name] = max(usage.prompt_tokens, self._prompts.get(name, 0))
        held = brief.request.max_tokens is not None and written >= brief.request.max_tokens
        if isinstance(outcome, Attempt) and outcome.why == "finished":
            known = self._whole
        elif held or (isinstance(outcome, Attempt) and outcome.why == "budget"):
            known = self._cut
        else:
            return
        known[name] = max(written, known.get(name, 0))

    def reads(self, brief: Brief) -> int:
        """Tokens of the prompts that it is likely to cost."""
        again = MARGIN * self._prompts.get(brief.model.name, 0) if brief.tools else 0
        return max(_read(brief), math.ceil(again))

    def takes(self, brief: Brief, most: int | None = None) -> int:
        """Tokens that a reply is likely to need, at most so many. What was cut would have needed more: twice as many are tried."""
        name, request = brief.model.name, brief.request
        cut = self._cut.get(name, 0)
        if name in self._whole:
            guess = max(math.ceil(MARGIN * self._whole[name]), cut + 1)
        elif cut:
            guess = 2 * cut
        elif self._whole:
            guess = math.ceil(MARGIN * max(self._whole.values()))
        else:
            reasons = brief.model.abilities.effort and request.effort not in (None, Effort.NONE)
            guess = REASONED if reasons else REPLY
        return min(each for each in (guess, most, request.max_tokens, brief.model.abilities.context) if each is not None)

    def cost(self, briefs: Iterable[Brief], most: int | None = None) -> Cost:
        """What these are likely to cost together; nothing where there is not so much left."""
        tokens, usd = 0, 0.0
        for brief in briefs:
            read, written, abilities = self.reads(brief), self.takes(brief, most), brief.model.abilities
            tokens += read + written
            usd += read * abilities.usd_per_prompt_token + written * abilities.usd_per_token
        left = self.run.budget.tokens_left(), self.run.budget.usd_left()
        paid = all(limit is None or limit >= cost for limit, cost in zip(left, (tokens, usd), strict=True))
        return Cost(tokens=tokens, usd=usd) if paid else NOTHING

    def and_comparing(self, cost: Cost) -> Cost:
        """That, and what may still go into comparing answers."""
        return Cost(tokens=cost.tokens + (self.comparing.tokens_left() or 0), usd=cost.usd + (self.comparing.usd_left() or 0.0))

    def dealt(self, briefs: Sequence[Brief], count: int, kept: Cost = NOTHING, *, most: int | None = None, planned: int = 0,
              half: bool = False, anyone: bool = False) -> list[Brief]:
        """The first of these, at most `count`, that can be paid to the end of a likely reply, each with its share; where nothing is
        limited the first `count`, as they are.

        kept: what is to be left over. most: tokens of a reply. planned: calls until the end; where an equal share for all of them
        is ample, nobody gets more. half: others come after these, who share half of what is left, if that is enough. anyone: better
        a cut answer than none; somebody is sent while there is more than has been too little.
        """
        if not limited(self.run):
            return list(briefs[:count])
        left = _Left.of(self.run, kept)
        reads = {brief.agent: self.reads(brief) for brief in briefs}

        def writable(brief: Brief, parts: int) -> float:
            return left.writable(brief.model, reads[brief.agent], parts)

        def paid(those: Sequence[Brief], parts: int) -> bool:
            return all(writable(brief, parts) >= self.takes(brief, most) for brief in those)

        sent: list[Brief] = []
        for brief in briefs:
            if len(sent) < count and paid([*sent, brief], len(sent) + 1):
                sent.append(brief)
        if not sent and anyone:
            left = _Left.of(self.run)
            sent = [brief for brief in briefs if writable(brief, 1) > self._cut.get(brief.model.name, 0)][:1]
        parts = 2 * len(sent) if half and paid(sent, 2 * len(sent)) else len(sent)
        ample = {brief.agent: max(AMPLE, 2 * self.takes(brief, most), writable(brief, planned) if planned else 0) for brief in sent}
        return [brief if math.isinf(each := writable(brief, parts)) else _held_to(brief, min(each, ample[brief.agent]))
                for brief in sent]


def _held_to(brief: Brief, writable: float) -> Brief:
    """The brief with a reply of at most so many tokens."""
    most = writable if brief.request.max_tokens is None else min(writable, brief.request.max_tokens)
    return replace(brief, request=replace(brief.request, max_tokens=max(1, int(most))))
