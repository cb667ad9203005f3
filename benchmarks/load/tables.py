"""Measurements as Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from statistics import median

from load.streams import Cost


@dataclass
class Results:
    """Figures by server. `muse` keeps runs in SQLite, as it does by default; `forgetful` in its memory."""

    seconds: dict[str, list[float]] = field(default_factory=dict)
    rates: dict[str, float] = field(default_factory=dict)
    memory: dict[str, float] = field(default_factory=dict)
    """Megabytes."""
    together: dict[str, Cost] = field(default_factory=dict)
    """A stream whose chunks the backend sends at once."""
    paced: dict[str, Cost] = field(default_factory=dict)
    """One whose chunks come one after the other."""
    signs: dict[str, list[float]] = field(default_factory=dict)
    growth: dict[str, list[float]] = field(default_factory=dict)
    held: dict[str, float] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    when: str = ""
    busy: float = 0.0
    """Processes that wanted the cores before it began."""

    def added(self, server: str, direct: str) -> float:
        """Milliseconds at the median."""
        return (median(self.seconds[server]) - median(self.seconds[direct])) * 1e3


@dataclass(frozen=True)
class Brief:
    """Figures of the short form for one way to the backend."""

    name: str
    median: float
    """Milliseconds of one request, one after the other."""
    rate: float
    """Requests a second, 64 at once."""
    cpu: float
    """Milliseconds of the server's processor time for a request, 64 at once."""


def short_form(found: list[Brief], versions: dict[str, str], busy: float) -> str:
    """The table of the short form; the last row is the peer."""
    direct, *others = found
    peer = others[-1]
    rows = [
        _row(
            each.name,
            f"{each.median:.2f} ms",
            f"{each.median - direct.median:.2f} ms",
            f"{each.rate:,.0f}",
            f"{each.rate / peer.rate:.1f}",
            f"{each.cpu:.2f} ms",
            f"{peer.cpu / each.cpu:.1f}",
        )
        for each in others
    ]
    told = ", ".join(f"{name} {version}" for name, version in versions.items())
    return "\n".join(
        [
            *_table(
                "way to the backend",
                "median",
                "added",
                "requests a second, 64 at once",
                "times the peer's",
                "processor time of each",
                "peer's, divided by that",
            ),
            *rows,
            "",
            f"{told}; a load average of {busy:.1f} when it began; directly {direct.median:.2f} ms.",
        ]
    )


def written(found: Results) -> str:
    """The whole page."""
    versions = ", ".join(f"{name} {version}" for name, version in found.versions.items())
    return "\n".join(
        [
            "# The endpoint under load",
            "",
            "By `python benchmarks/server_load.py`, whose head says how each figure is taken; everything in one run on the same two",
            f"cores, backend and client included ({found.when}; {versions}). Other work on the machine when it began: a load average",
            f"of {found.busy:.1f}.",
            "",
            "## Beside its peer",
            "",
            *_peers(found),
            "",
            "## What was asked for",
            "",
            *_asked(found),
            "",
            "## A stream of 100 chunks",
            "",
            *_streams(found),
            "",
            "## Memory over 20,000 requests",
            "",
            *_growth(found),
            "",
        ]
    )


def _peers(found: Results) -> Iterator[str]:
    yield from _table("measured", "direct", "muse serve", "LiteLLM's proxy")
    direct = median(found.seconds["direct"]) * 1e3
    yield _row(
        "one request, median",
        f"{direct:.2f} ms",
        *(f"{median(found.seconds[name]) * 1e3:.2f} ms" for name in ("muse", "litellm")),
    )
    yield _row(
        "added to it",
        "",
        *(f"{found.added(name, 'direct'):.2f} ms" for name in ("muse", "litellm")),
    )
    yield _row(
        "requests a second, 64 at once",
        f"{found.rates['direct']:,.0f}",
        *(f"{found.rates[name]:,.0f}" for name in ("muse", "litellm")),
    )
    yield _row(
        "memory after that", "", *(f"{found.memory[name]:.0f} MB" for name in ("muse", "litellm"))
    )
    yield _row(
        "processor time, a stream of 100 chunks",
        "",
        *(f"{found.together[name].server:.1f} ms" for name in ("muse", "litellm")),
    )


def _asked(found: Results) -> Iterator[str]:
    yield from _table("measured", "asked", "found", "")
    over, inside = found.added("muse", "direct"), found.added("muse, in process", "in process")
    yield _row(
        "added at the median, one at a time, over HTTP",
        "at most 3 ms",
        f"{over:.2f} ms",
        _kept(over <= 3),
    )
    yield _row(
        "the same, over a fake model in process",
        "at most 3 ms",
        f"{inside:.2f} ms",
        _kept(inside <= 3),
    )
    peer = found.rates["litellm"]
    for name, what in (
        ("muse", "requests a second at 64, times LiteLLM's"),
        ("forgetful", "the same, runs in memory only"),
        ("muse, in process", "the same, over a fake model in process"),
    ):
        rate = found.rates[name]
        yield _row(what, "at least 4", f"{rate / peer:.1f} ({rate:,.0f})", _kept(rate >= 4 * peer))
    yield from _asked_of_streams(found)
    yield from _asked_of_waits(found)


def _asked_of_streams(found: Results) -> Iterator[str]:
    for streams, name, what in (
        (found.together, "muse", "processor time of a stream of 100 chunks, of the client's"),
        (found.together, "not kept", "the same, not kept"),
        (found.together, "in process", "the same, over a fake model in process"),
        (
            found.together,
            "in process, not kept",
            "the same, over a fake model in process, not kept",
        ),
        (found.paced, "muse", "the same, a chunk every 10 ms"),
        (found.paced, "not kept", "the same, a chunk every 10 ms, not kept"),
    ):
        spent, own = streams[name].server, streams["direct"].client
        yield _row(
            what,
            "at most 15%",
            f"{spent / own:.0%} ({spent:.2f} of {own:.2f} ms)",
            _kept(spent <= 0.15 * own),
        )


def _asked_of_waits(found: Results) -> Iterator[str]:
    for name, waits in found.signs.items():
        worst = max(waits)
        yield _row(
            f"first sign of life of a silent model, {name}",
            "at most 50 ms",
            f"{median(waits):.0f} ms, at worst {worst:.0f}",
            _kept(worst <= 50),
        )
    held = found.held
    yield _row(
        "streams open at once",
        "500",
        f"{held['alive']:.0f} open, {held['going on']:.0f} going on",
        _kept(held["going on"] >= 500),
    )
    yield _row("memory of each", "", f"{held['each'] * 1e3:.0f} kB", "")
    yield _row(
        "first byte of a new request meanwhile",
        "",
        f"{held['first']:.0f} ms, at worst {held['worst']:.0f}",
        "",
    )


def _streams(found: Results) -> Iterator[str]:
    yield from _table(
        "milliseconds of processor time",
        "its server's",
        "its client's",
        "chunks that reach the client",
    )
    for streams, how in ((found.together, "together"), (found.paced, "every 10 ms")):
        for name, what in (
            ("direct", "directly from the backend"),
            ("muse", "muse serve"),
            ("not kept", "muse serve, not kept"),
            ("litellm", "LiteLLM's proxy"),
        ):
            cost = streams[name]
            yield _row(
                f"{what}, {how}", f"{cost.server:.2f}", f"{cost.client:.2f}", f"{cost.chunks:.0f}"
            )
    alone = found.paced["direct"]
    yield ""
    yield "Of chunks that come one by one, waking a process for each is most of the work: the backend, which has them ready and"
    yield f"does nothing but send them, takes {alone.server / alone.client:.0%} of the client's time itself."


def _growth(found: Results) -> Iterator[str]:
    yield from _table("requests", *(f"{number * 2000:,}" for number in range(11)))
    for name, what in (("muse", "runs in SQLite"), ("forgetful", "runs in memory")):
        yield _row(what, *(f"{megabytes:.0f} MB" for megabytes in found.growth[name]))


def _kept(kept: bool) -> str:
    return "holds" if kept else "**missed**"


def _table(*heads: str) -> Iterable[str]:
    return _row(*heads), "|" + "---|" * len(heads)


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"
