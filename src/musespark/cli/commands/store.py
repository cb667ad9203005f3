"""`muse store`: copies of a server's store, a check, and a file made small."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from musespark.cli.help_format import HelpApp
from musespark.errors import BadOption

if TYPE_CHECKING:
    from musespark.store.database.database import Database

app = HelpApp(
    no_args_is_help=True,
    help="Copy, check and vacuum a server's store.",
    examples=(
        ("muse store backup runs-monday.db", "a copy of the usual store, while servers go on"),
        ("muse store check", "exit code 1 if there is damage"),
    ),
)

_Store = Annotated[
    str | None,
    typer.Option(
        "--store",
        metavar="FILE|URL",
        envvar="MUSE_STORE",
        help="The store of the server, as muse serve has it.",
    ),
]
_File = Annotated[Path, typer.Argument(metavar="FILE", help="The copy.")]


@app.command(examples=(("muse store backup runs-monday.db", "of the usual store"),))
def backup(file: _File, store: _Store = None) -> None:
    """Copy the store to a new file; servers may go on."""
    from musespark.store.database import maintenance

    with _opened(store) as database:
        maintenance.backup(database, file)
    print(f"The store was copied to {file}.", flush=True)


@app.command(examples=(("muse store restore runs-monday.db", "as the usual store"),))
def restore(file: _File, store: _Store = None) -> None:
    """Put a copy in the place of the store; servers use it within a second, and lose what it does not have."""
    from musespark.store.database import maintenance

    _require_store(store)
    before = maintenance.restore(store, file)
    kept = "" if before is None else f" What was there before is {before}."
    print(f"The store is the one of {file} again.{kept}", flush=True)


@app.command(examples=(("muse store check --store runs.db", "of a file"),))
def check(store: _Store = None) -> None:
    """Look for damage. Exit code 1 if there is any."""
    from musespark.store.database import maintenance

    with _opened(store) as database:
        problems = maintenance.check(database)
    for problem in problems or ["The store is whole."]:
        print(problem, flush=True)
    if problems:
        raise typer.Exit(1)


@app.command(examples=(("muse store vacuum", "the usual store"),))
def vacuum(store: _Store = None) -> None:
    """Give the room of deleted runs back to the disk."""
    from musespark.store.database import maintenance

    with _opened(store) as database:
        maintenance.vacuum(database)
    print("The store is as small as what is in it.", flush=True)


def _require_store(store: str | None) -> None:
    from musespark.cli.extras import require

    if store == "memory":
        raise BadOption("--store", store, "the file or the postgresql:// URL of a server's store")
    require("muse store", "serve", "sqlalchemy", "alembic")


@contextmanager
def _opened(store: str | None) -> Iterator[Database]:
    """The store, which must be there. Raises `BadOption` and `StoreUnusable`."""
    _require_store(store)
    from musespark.store.database.database import Database

    database = Database(store, create=False)
    try:
        yield database
    finally:
        database.close()
