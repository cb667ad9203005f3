"""`muse keys`: API keys of a server, their rate and their daily budget."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from musespark.cli.help_format import HelpApp
from musespark.errors import BadOption

if TYPE_CHECKING:
    from musespark.store.keys.key_store import KeyStore

app = HelpApp(
    no_args_is_help=True,
    help="Manage API keys of your server.",
    examples=(
        ("muse keys create ada --usd-per-day 5", "a key with a daily budget"),
        ("muse keys list", "keys, limits, and what they spent today"),
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


@app.command(
    examples=(("muse keys create ada --usd-per-day 5 --per-minute 60", "with both limits"),)
)
def create(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Name of the key's owner.")],
    usd_per_day: Annotated[
        float | None, typer.Option(metavar="USD", help="Maximum spending in a day, in UTC.")
    ] = None,
    per_minute: Annotated[
        int | None, typer.Option(metavar="N", help="Maximum number of requests in a minute.")
    ] = None,
    store: _Store = None,
) -> None:
    """Create a key, and show it this once."""
    with _keys(store) as keys:
        _, secret = keys.create(name, usd_per_day=usd_per_day, per_minute=per_minute)
    print(secret, flush=True)
    typer.echo("Keep it now: it is not shown again.", err=True)


@app.command("list", examples=(("muse keys list", "of the usual store"),))
def list_all(store: _Store = None) -> None:
    """List keys, their limits and their spending of today."""
    from musespark.store.database.clock import day_of

    with _keys(store, create=False) as keys:
        found = keys.list_with_spending()
    if not found:
        print("There are no keys; make one with muse keys create NAME.", flush=True)
    for key, spent in found:
        limit = "no limit" if key.usd_per_day is None else f"of ${key.usd_per_day:g}"
        often = "" if key.per_minute is None else f", {key.per_minute:,} a minute"
        state = (
            f"revoked {day_of(key.revoked)}"
            if key.revoked is not None
            else f"${spent:.4f} today, {limit}{often}"
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
