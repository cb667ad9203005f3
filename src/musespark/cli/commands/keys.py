"""`muse keys`: API keys of a server, their rate and their daily budget."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from musespark.cli.help_format import HelpApp
from musespark.errors import BadOption

if TYPE_CHECKING:
    from musespark.store.keys.key_store import ApiKey, KeyStore

app = HelpApp(
    no_args_is_help=True,
    help="Manage API keys of your server.",
    examples=(
        ("muse keys create ada --usd-per-day 5", "a key with a daily budget"),
        ("muse keys list", "keys, limits, and what they spent today"),
        ("muse keys change ada --usd-per-day 20", "another budget, within a second"),
        ("muse keys rotate ada", "another secret; the old one counts for a day"),
        ("muse keys revoke ada", "from now on it is refused"),
    ),
)

_Store = Annotated[
    str | None,
    typer.Option(
        "--store",
        metavar="FILE|URL",
        envvar="MUSE_STORE",
        help="Store of the server, as in muse serve --store.",
    ),
]


_Usd = Annotated[str | None, typer.Option(metavar="USD", help="Maximum spending in a day, in UTC.")]
_PerMinute = Annotated[
    str | None, typer.Option(metavar="N", help="Maximum number of requests in a minute.")
]
_Expires = Annotated[
    str | None,
    typer.Option(metavar="TIME", help="Time after which it is refused, such as 30d or 12h."),
]
_Models = Annotated[
    str | None,
    typer.Option(metavar="A,B", help="Models that it may ask; it is shown no others."),
]
_Modes = Annotated[
    str | None,
    typer.Option(metavar="A,B", help="Modes that it may ask: instant, thinking, contemplating."),
]


@app.command(
    examples=(("muse keys create ada --usd-per-day 5 --per-minute 60", "with both limits"),)
)
def create(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Name of the key's owner.")],
    usd_per_day: _Usd = None,
    per_minute: _PerMinute = None,
    expires: _Expires = None,
    models: _Models = None,
    modes: _Modes = None,
    store: _Store = None,
) -> None:
    """Create a key, and show it this once."""
    limits = _limits(usd_per_day, per_minute, expires, models, modes)
    with _keys(store) as keys:
        _, secret = keys.create(name, **limits)
    print(secret, flush=True)
    typer.echo("Keep it now: it is not shown again.", err=True)


@app.command(
    examples=(
        ("muse keys change ada --usd-per-day 20 --per-minute none", "another budget, no rate"),
        ("muse keys change ada --expires 30d", "it ends in 30 days"),
    )
)
def change(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Its name, or its id.")],
    usd_per_day: _Usd = None,
    per_minute: _PerMinute = None,
    expires: _Expires = None,
    models: _Models = None,
    modes: _Modes = None,
    store: _Store = None,
) -> None:
    """Change limits of a key; the others stay, and `none` lifts one. Servers follow within a second."""
    limits = _limits(usd_per_day, per_minute, expires, models, modes)
    if not limits:
        raise BadOption("muse keys change", name[:80], "followed by a limit, such as --expires 30d")
    with _keys(store, create=False) as keys:
        key = keys.change(name, **limits)
        now = keys.now()
    print(f"{key.id}  {key.name}  {_shown_limits(key, now)}", flush=True)


@app.command(
    examples=(
        ("muse keys rotate ada", "the secret before counts for a day more"),
        ("muse keys rotate ada --grace 0s", "it ends at once, as if it was lost"),
    )
)
def rotate(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Its name, or its id.")],
    grace: Annotated[
        str,
        typer.Option(metavar="TIME", help="Time for which the secret before still counts."),
    ] = "1d",
    store: _Store = None,
) -> None:
    """Give a key another secret, and show it this once."""
    from musespark.store.keys.key_limits import parse_duration

    seconds = parse_duration("--grace", grace)
    with _keys(store, create=False) as keys:
        _, secret, until = keys.rotate(name, seconds)
    print(secret, flush=True)
    counts = f"counts until {_minute(until)}" if seconds else "is refused from now on"
    typer.echo(f"Keep it now: it is not shown again. The one before {counts}.", err=True)


@app.command("list", examples=(("muse keys list", "of the usual store"),))
def list_all(store: _Store = None) -> None:
    """List keys, their limits and their spending of today."""
    from musespark.store.database.clock import day_of

    with _keys(store, create=False) as keys:
        found = keys.list_with_spending()
        now = keys.now()
    if not found:
        print("There are no keys; make one with muse keys create NAME.", flush=True)
    for key, spent in found:
        state = (
            f"revoked {day_of(key.revoked)}"
            if key.revoked is not None
            else f"${spent:.4f} today, {_shown_limits(key, now)}"
        )
        print(f"{key.id}  {key.name}  made {day_of(key.created)}  {state}", flush=True)


@app.command(examples=(("muse keys revoke ada", "by its name or its id"),))
def revoke(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Its name, or its id.")],
    store: _Store = None,
) -> None:
    """Revoke a key; servers refuse it within a second."""
    with _keys(store, create=False) as keys:
        key = keys.revoke(name)
    print(f"The key {key.id} of {key.name} is revoked.", flush=True)


@contextmanager
def _keys(store: str | None, *, create: bool = True) -> Iterator[KeyStore]:
    """The keys of a store. create: false for a store that must be there; its name may be a typing error. Raises `BadOption`."""
    from musespark.cli.extras import require

    if store == "memory":
        raise BadOption(
            "--store",
            store,
            "the file or the postgresql:// URL of a server's store; a store in memory has no keys",
        )
    require("muse keys", "serve", "sqlalchemy", "alembic")
    from musespark.store.database.database import Database, default_runs_path, is_url
    from musespark.store.keys.key_store import KeyStore

    where = str(store or default_runs_path())
    if not create and not is_url(where) and not Path(where).expanduser().exists():
        raise BadOption(
            "--store", where, "the file of a server's store, and there is none of that name"
        )
    database = Database(where, create=create)
    try:
        yield KeyStore(database)
    finally:
        database.close()


def _limits(
    usd_per_day: str | None,
    per_minute: str | None,
    expires: str | None,
    models: str | None,
    modes: str | None,
) -> dict[str, Any]:
    """The limits that were given; None for one that `none` lifts. Raises `BadOption`."""
    from musespark.store.keys.key_limits import parse_duration

    given: dict[str, tuple[str | None, Callable[[str], Any]]] = {
        "usd_per_day": (usd_per_day, partial(_number, "--usd-per-day", float)),
        "per_minute": (per_minute, partial(_number, "--per-minute", int)),
        "expires_in": (expires, partial(parse_duration, "--expires")),
        "models": (models, _split),
        "modes": (modes, _split),
    }
    return {
        name: None if text.strip() == "none" else read(text)
        for name, (text, read) in given.items()
        if text is not None
    }


def _number(option: str, kind: Callable[[str], float], text: str) -> float:
    try:
        return kind(text)
    except ValueError:
        raise BadOption(option, text[:80], "a number, or none") from None


def _split(text: str) -> tuple[str, ...]:
    return tuple(each.strip() for each in text.split(","))


def _shown_limits(key: ApiKey, now: float) -> str:
    """The limits of a key in words. now: the time by the database's clock."""
    shown = ["no limit" if key.usd_per_day is None else f"of ${key.usd_per_day:g}"]
    if key.per_minute is not None:
        shown.append(f"{key.per_minute:,} a minute")
    if key.expires is not None:
        verb = "expired" if now >= key.expires else "expires"
        shown.append(f"{verb} {_minute(key.expires)}")
    for what, names in (("models", key.models), ("modes", key.modes)):
        if names is not None:
            shown.append(f"{what} {' '.join(names)}")
    return ", ".join(shown)


def _minute(seconds: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(seconds))
