"""Progress of a training: a bar redrawn in place on a terminal, an occasional line elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass

from rich.console import Console
from rich.text import Text

from musespark.cli.view.live_screen import LiveScreen

BETWEEN_FRAMES, BETWEEN_LINES = 0.25, 30.0
"""Seconds."""
MARGIN = "  "
_MOST_OF_A_BAR = 60


@dataclass(frozen=True, slots=True)
class TrainingStatus:
    """State of a training after a step."""

    step: int
    tokens: int
    share: float
    """Used share of the budget, 0 to 1."""
    loss: float
    losses: Mapping[str, float]
    """Losses by task."""
    pace: float
    """Tokens a second."""
    left: float | None
    """Seconds until the budget is used; None while unknown."""


class TrainingDisplay:
    """Shows the states of a training as they come."""

    def __init__(self, heading: str) -> None:
        self._console = Console(highlight=False, markup=False, emoji=False)
        self._screen = (
            LiveScreen(self._console)
            if sys.stdout.isatty() and not self._console.is_dumb_terminal
            else None
        )
        self._heading = heading
        self._note = ""
        self._reading: TrainingStatus | None = None
        self._next = 0.0
        if self._screen is None:
            print(heading, flush=True)

    def show(self, reading: TrainingStatus) -> None:
        """Show a state, unless the last one was shown just before."""
        self._reading = reading
        if time.monotonic() < self._next:
            return
        if self._screen is None:
            print(line(reading), flush=True)
        else:
            self._screen.draw(self._frame(reading))
        self._next = time.monotonic() + (BETWEEN_LINES if self._screen is None else BETWEEN_FRAMES)

    def note(self, text: str) -> None:
        """Say something below the next reading; safe in a signal handler."""
        self._note, self._next = text, 0.0

    def close(self) -> None:
        """Leave the last reading on screen."""
        self._note = ""
        if self._reading is None:
            return
        if self._screen is None:
            print(line(self._reading), flush=True)
        else:
            self._screen.finish([*self._frame(self._reading), Text()])
        self._reading = None

    def _frame(self, reading: TrainingStatus) -> list[Text]:
        width = self._console.width
        room = max(10, min(_MOST_OF_A_BAR, width - 30))
        done = round(reading.share * room)
        bar = Text(MARGIN).append("━" * done, "cyan").append("━" * (room - done), "dim")
        bar.append(f"  {reading.share:.0%}  {_left(reading)}")
        shown = [
            Text(),
            Text(MARGIN).append(self._heading, "bold"),
            bar,
            Text(MARGIN).append(_volume(reading), "dim"),
            *self._losses(reading, width),
        ]
        if self._note:
            shown.append(Text(MARGIN).append(self._note))
        for text in shown:
            text.truncate(width - 1, overflow="ellipsis")
        return shown

    def _losses(self, reading: TrainingStatus, width: int) -> list[Text]:
        """The losses in columns, as many as there is room for."""
        cells = [
            f"{task:<10}{loss:<8.3g}"
            for task, loss in {"loss": reading.loss, **reading.losses}.items()
        ]
        columns = max(1, (width - 1) // 20)
        rows = [cells[at : at + columns] for at in range(0, len(cells), columns)]
        return [Text(MARGIN).append(MARGIN.join(row)) for row in rows]


def line(reading: TrainingStatus) -> str:
    """A reading in one line."""
    losses = "  ".join(f"{task} {loss:.3g}" for task, loss in reading.losses.items())
    return f"{reading.share:4.0%}  {_left(reading)}  {_volume(reading)}  loss {reading.loss:.3g}  {losses}"


def _volume(reading: TrainingStatus) -> str:
    return f"step {reading.step:,} · {reading.tokens / 1e6:.2f} M tokens · {reading.pace:,.0f} tokens/s"


def _left(reading: TrainingStatus) -> str:
    if reading.left is None:
        return "--:-- left"
    minutes, seconds = divmod(round(reading.left), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02} left" if hours else f"{minutes}:{seconds:02} left"
