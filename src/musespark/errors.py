"""Errors, as types. `str(error)` is one sentence for the person who must act.

`exit_code` is the command line's: 2 if the input must change, 1 for everything else.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from typing import ClassVar, Self


def did_you_mean(value: object, known: Iterable[str]) -> str:
    """` (did you mean 'x'?)` for a known name that is much like the value; else nothing."""
    from difflib import get_close_matches

    names = {str(name).lower(): str(name) for name in known}
    close = get_close_matches(str(value).strip().lower()[:200], names, 1, 0.65)
    return f" (did you mean {names[close[0]]!r}?)" if close else ""


class MuseError(Exception):
    """Base of all errors that this package raises on purpose."""

    exit_code: ClassVar[int] = 1


# Input.


class BadInput(MuseError):
    """The request cannot be answered as it is; a different request can."""

    exit_code: ClassVar[int] = 2


class EmptyQuestion(BadInput):
    """The question has no text."""

    def __init__(self) -> None:
        super().__init__("The question is empty; write what you want to know.")


class QuestionTooLong(BadInput):
    """The text is longer than the model can read."""

    def __init__(self, characters: int, limit: int) -> None:
        super().__init__(
            f"The question has {characters:,} characters; at most {limit:,} are read, so shorten it."
        )


class UnknownMode(BadInput):
    """The mode is not one of the three."""

    def __init__(self, mode: object) -> None:
        hint = did_you_mean(mode, ("instant", "thinking", "contemplating"))
        super().__init__(
            f"There is no mode {mode!r}{hint}; choose instant, thinking or contemplating."
        )


class UnknownModel(BadInput):
    """No model of this name is registered."""

    def __init__(self, name: str, known: Iterable[str]) -> None:
        names = sorted(known)
        super().__init__(
            f"There is no model {name!r}{did_you_mean(name, _in_full(name, names))}; "
            f"choose one of: {', '.join(names)}."
        )


def _in_full(name: str, known: Iterable[str]) -> Iterator[str]:
    """Names of models that may be meant: for `provider:NAME`, with the name that was given after the colon."""
    _kind, colon, rest = name.partition(":")
    for each in known:
        provider, _, place = each.partition(":")
        yield f"{provider}:{rest}" if place == "NAME" and colon and rest else each


class BadOption(BadInput):
    """An option is out of its range."""

    def __init__(
        self, option: str, value: object, allowed: str, choices: Iterable[str] = ()
    ) -> None:
        """choices: the valid values, if they can be listed; one that is much like the value is suggested."""
        self.option = option
        self.value = value
        self.allowed = allowed
        self.choices = tuple(choices)
        shown = repr(os.fspath(value) if isinstance(value, os.PathLike) else value)
        shown = shown if len(shown) <= 120 else f"{shown[:119]}…"
        hint = did_you_mean(value, self.choices) if isinstance(value, str) else ""
        super().__init__(f"{option} cannot be {shown}{hint}; it must be {allowed}.")

    @classmethod
    def choice(cls, option: str, value: object, choices: Iterable[str]) -> Self:
        """The error for a value that is none of the choices."""
        listed = tuple(choices)
        return cls(option, value, f"one of {', '.join(listed)}", listed)

    def renamed(self, option: str) -> BadOption:
        """The same error about an option of another name, such as the flag that a person typed."""
        return BadOption(option, self.value, self.allowed, self.choices)


class MissingFile(BadInput):
    """A named file does not exist or cannot be read."""

    def __init__(self, path: object, reason: str = "it does not exist") -> None:
        super().__init__(f"The file {str(path)!r} cannot be read: {reason}.")


class BadImage(BadInput):
    """An image cannot be used: broken, too large, animated, transparent, or not an image."""

    def __init__(self, reason: str, name: str = "") -> None:
        super().__init__(
            f"The image {name!r} cannot be used: {reason}."
            if name
            else f"The image cannot be used: {reason}."
        )


class BadVideo(BadInput):
    """A video cannot be used: broken, too large, too long, or not a video."""

    def __init__(self, reason: str, name: str = "") -> None:
        super().__init__(
            f"The video {name!r} cannot be used: {reason}."
            if name
            else f"The video cannot be used: {reason}."
        )


class BeyondModel(BadInput):
    """The model lacks an ability that the request needs."""

    def __init__(self, model: str, lacking: str, instead: str) -> None:
        super().__init__(f"The model {model!r} cannot {lacking}; {instead}.")


# Budgets.


class BudgetExhausted(MuseError):
    """A reservation exceeds the rest of a limit."""

    def __init__(self, resource: str, limit: float, wanted: float = 0) -> None:
        self.resource = resource
        """`tokens`, `usd`, `calls` or `seconds`."""
        asked = f" and {wanted:g} more were needed" if wanted else ""
        super().__init__(
            f"The budget of {limit:g} {resource} is used up{asked}; raise the limit to go on."
        )


class BudgetReserved(BudgetExhausted):
    """The rest of a limit is reserved for running calls, which release the part that they do not use."""

    retry_after: ClassVar[float] = 1.0
    """Seconds after which a new request may succeed."""

    def __init__(self, resource: str, limit: float, reserved: float) -> None:
        self.resource = resource
        MuseError.__init__(
            self,
            f"Of the budget of {limit:g} {resource}, running calls have reserved {reserved:g}, the most "
            "they may cost, and release what they do not use; ask again in a moment or limit the answer's tokens.",
        )


class Stopped(BudgetExhausted):
    """The run was stopped on request."""

    def __init__(self) -> None:
        self.resource = "seconds"
        MuseError.__init__(
            self,
            "The run was stopped before there was an answer; ask again to let it go on longer.",
        )


class ReservationClosed(MuseError):
    """A reservation was settled that had been settled or released before."""

    def __init__(self) -> None:
        super().__init__(
            "This reservation was already settled or released; make a new one for more work."
        )


# Models.


class ModelFailed(MuseError):
    """A call of a model ended without an answer."""

    def __init__(self, model: str, reason: str, status: int | None = None) -> None:
        self.model = model
        self.reason = reason
        self.status = status
        """HTTP status of a remote model; None if there was none."""
        with_status = f" with status {status}" if status is not None else ""
        super().__init__(f"The model {model!r} failed{with_status}: {reason}.")

    def with_reason(self, reason: str) -> ModelFailed:
        """Return the same error with another reason."""
        changed = type(self).__new__(type(self))
        changed.__dict__.update(self.__dict__)
        ModelFailed.__init__(changed, self.model, reason, self.status)
        return changed


class EmptyReply(ModelFailed):
    """The reply is empty, although nothing has ended it early."""

    def __init__(self, model: str, reason: str = "") -> None:
        said = reason or "it ended its reply without any answer"
        super().__init__(model, f"{said}; ask again, or choose another model")


class ContextExceeded(ModelFailed):
    """The request is longer than its model can read."""


class ContentFiltered(ModelFailed):
    """The provider's filter left nothing of the reply."""

    def __init__(self, model: str) -> None:
        super().__init__(model, "its provider's filter left nothing of the reply; ask differently")


class ConnectionLost(ModelFailed):
    """The backend closed the connection before its reply had anything; the same request may succeed."""


class StreamCut(ModelFailed):
    """A reply broke off before it had anything that could be shown as an answer."""

    def __init__(self, model: str) -> None:
        super().__init__(model, "its reply broke off before any answer; ask again")


class WrongShape(ModelFailed):
    """A backend sent a value that the `Model` protocol does not allow."""


class RateLimited(ModelFailed):
    """The backend accepts no more requests for a while."""

    def __init__(
        self, model: str, reason: str, retry_after: float | None = None, status: int | None = 429
    ) -> None:
        self.retry_after = retry_after
        """Seconds to wait, as the backend reports them; None if it does not."""
        wait = f"; it asks to wait {retry_after:g} seconds" if retry_after is not None else ""
        super().__init__(model, reason + wait, status)


class AllFailed(MuseError):
    """No agent of a team returned an answer."""

    def __init__(self, causes: Mapping[str, str], errors: Iterable[MuseError] = ()) -> None:
        self.causes = dict(causes)
        """Cause of each failure, by agent."""
        self.errors = tuple(errors)
        """Errors of the agents."""
        agents: dict[str, list[str]] = {}
        for agent, cause in self.causes.items():
            agents.setdefault(cause.rstrip("."), []).append(agent)
        listed = "; ".join(f"{', '.join(who)}: {cause}" for cause, who in agents.items())
        super().__init__(f"None of the {len(self.causes)} agents answered. {listed}.")


class PartFailed(MuseError):
    """A user's function of a team raised an error."""

    def __init__(self, part: str, error: BaseException) -> None:
        self.part = part
        """Name of the function: `explore`, `same`, `enough` or `aggregate`."""
        super().__init__(f"The team's own {part} failed with {type(error).__name__}: {error}.")


class WeightsMissing(MuseError):
    """The weights file does not exist."""

    def __init__(self, path: object) -> None:
        super().__init__(
            f"There are no weights at {str(path)!r}; install the package again or name another file."
        )


class WeightsDamaged(MuseError):
    """The weights file is truncated, altered or belongs to another model."""

    def __init__(self, path: object, reason: str) -> None:
        super().__init__(
            f"The weights at {str(path)!r} are damaged ({reason}); install the package again."
        )


class NotInstalled(MuseError):
    """An optional library is needed and not installed."""

    def __init__(
        self, purpose: str, library: str, extra: str = "", command: str | None = None
    ) -> None:
        """command: installs it, if no extra of this package does."""
        run = command or f'pip install "musespark[{extra}]"'
        super().__init__(f"{purpose} needs {library}, which is not installed; run: {run}.")


class MissingKey(BadInput):
    """A hosted model needs a key, and its variable is unset or holds no valid one."""

    def __init__(self, model: str, variable: str, unusable: bool = False) -> None:
        """unusable: the variable is set, but no HTTP header could carry its value."""
        self.variable, self.unusable = variable, unusable
        said = (
            f"cannot be used with the value of {variable}: a key is one line of ASCII characters; set it again"
            if unusable
            else f"needs a key; set the environment variable {variable}"
        )
        super().__init__(f"The model {model!r} {said}.")


class BadEnvironment(BadInput):
    """An environment variable has a value that cannot be used."""

    def __init__(self, variable: str, reason: str, instead: str) -> None:
        self.variable = variable
        super().__init__(
            f"The environment variable {variable} cannot be used: {reason}; {instead}."
        )


class BadConfig(BadInput):
    """The configuration file cannot be used."""

    def __init__(self, path: object, reason: str) -> None:
        super().__init__(f"The configuration {str(path)!r} cannot be used: {reason}.")


# Files and stores.


class TraceUnwritable(MuseError):
    """A trace cannot be written to its directory."""

    def __init__(self, path: object, reason: str) -> None:
        super().__init__(
            f"The trace cannot be written to {str(path)!r}: {reason}; name another directory."
        )


class FileUnwritable(MuseError):
    """A file that a person asked for cannot be written."""

    def __init__(self, content: str, path: object, reason: str) -> None:
        """content: a plural or singular noun for what was to be written, such as `images`."""
        super().__init__(
            f"The {content} cannot be written to {str(path)!r}: {reason}; name another place."
        )


class TraceDamaged(MuseError):
    """A stored trace cannot be read."""

    def __init__(self, path: object, reason: str) -> None:
        super().__init__(f"The trace at {str(path)!r} cannot be read: {reason}.")


class StoreUnusable(MuseError):
    """The store cannot be read or written."""

    def __init__(
        self,
        path: object,
        reason: str,
        instead: str = "name another file or set XDG_DATA_HOME",
        *,
        fault: str = "other",
    ) -> None:
        self.reason = reason
        self.fault = fault
        """Kind of the fault, a word that programs can compare (`store/database/faults.py`)."""
        super().__init__(f"The store {str(path)!r} cannot be used: {reason}; {instead}.")


class BadEvent(MuseError):
    """A JSON value is not an event of this version."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"This is not an event that this version knows: {reason}.")
