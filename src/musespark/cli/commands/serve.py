"""`muse serve`: the HTTP server, from its options to its end."""

from __future__ import annotations

import gc
import json
import logging
import socket
from collections.abc import Iterator
from contextlib import suppress
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlsplit

import typer

from musespark.config import Config, load_config
from musespark.errors import BadConfig, BadOption, MuseError, NotInstalled

if TYPE_CHECKING:
    from musespark.server.runs.run_store import RunStore
    from musespark.server.state import Authenticator, ServerState

GRACE = 6.0
"""Seconds that answers under way have to end once the server stops. What is cancelled then has two more to clean up, and the store
two: all within the ten seconds after which a container is killed."""
CLEANUP = 2.0
"""Seconds that cancelled runs have to clean up."""
_MAX_FILES = 65_536
"""Files and connections that the process opens at most."""
_LOG = logging.getLogger(__name__)
_DAY = 86_400
_OWN = ("127.0.0.1", "localhost", "[::1]", "::1")
_QUESTION = "Use 25, 3, 7 and 12 to make 66."


def serve(
    host: Annotated[
        str,
        typer.Option(
            metavar="ADDRESS",
            envvar="MUSE_HOST",
            help="Address to listen on; one that other machines reach requires a key.",
            rich_help_panel="Address",
        ),
    ] = "127.0.0.1",
    port: Annotated[
        int,
        typer.Option(
            min=0,
            max=65535,
            envvar="MUSE_PORT",
            help="0 chooses a free one.",
            rich_help_panel="Address",
        ),
    ] = 8787,
    config: Annotated[
        str | None, typer.Option(metavar="FILE", help="Another configuration file.")
    ] = None,
    allow_remote_images: Annotated[
        bool,
        typer.Option(
            "--allow-remote-images",
            envvar="MUSE_ALLOW_REMOTE_IMAGES",
            help="Fetch images that a request names by a public web address.",
            rich_help_panel="Access",
        ),
    ] = False,
    allow_origin: Annotated[
        list[str] | None,
        typer.Option(
            "--allow-origin",
            metavar="ORIGIN",
            help="Let pages of this origin, such as https://chat.example.com, use the protocols from a browser; * for any. "
            "May be repeated.",
            rich_help_panel="Access",
        ),
    ] = None,
    grace: Annotated[
        float,
        typer.Option(
            metavar="SECONDS",
            envvar="MUSE_GRACE",
            min=0,
            max=_DAY,
            help="Time for runs in progress to end when the server stops.",
            rich_help_panel="Runs",
        ),
    ] = GRACE,
    store: Annotated[
        str | None,
        typer.Option(
            metavar="FILE|URL|memory",
            envvar="MUSE_STORE",
            help="Store of runs and keys: a file, by default in "
            "the user's data directory; a postgresql:// URL; or memory.",
            rich_help_panel="Runs",
        ),
    ] = None,
    keep: Annotated[
        str | None,
        typer.Option(
            metavar="30d|5000",
            envvar="MUSE_KEEP",
            help="Delete older runs, or all but this many; by default nothing is deleted.",
            rich_help_panel="Runs",
        ),
    ] = None,
    require_key: Annotated[
        bool,
        typer.Option(
            "--require-key",
            envvar="MUSE_REQUIRE_KEY",
            help="Require a key on this machine's own address too, as behind a proxy.",
            rich_help_panel="Access",
        ),
    ] = False,
    log_requests: Annotated[
        bool,
        typer.Option(
            "--log-requests",
            envvar="MUSE_LOG_REQUESTS",
            help="Write a line of JSON for each request to the error output.",
        ),
    ] = False,
) -> None:
    """Answer over HTTP, to clients of OpenAI's and Anthropic's protocols."""
    found = _configured(config)
    family, place = _place(host, port)
    loopback = ip_address(place[0].partition("%")[0]).is_loopback
    try:
        import uvicorn

        from musespark.cli.uvicorn_server import AnnouncedServer
        from musespark.server.app import make_app
        from musespark.server.http.body import MAX_BYTES
        from musespark.server.http.bounded_protocol import BoundedHttpProtocol
        from musespark.server.request_log import RequestLog
        from musespark.server.state import ServerSettings
    except ImportError as error:
        raise NotInstalled(
            "muse serve", (error.name or "fastapi").partition(".")[0], "serve"
        ) from None
    runs = _runs(store, keep)
    callers = _callers(runs, None if loopback else host, require_key)
    # DNS rebinding reaches nothing behind a key; and the names of a public server, or of a proxy, are unknown.
    hosts = tuple(dict.fromkeys((*_OWN, host.lower()))) if loopback and not require_key else None
    app = make_app(
        found,
        runs=runs,
        authenticate=callers,
        settings=ServerSettings(
            allow_remote_images=allow_remote_images,
            hosts=hosts,
            origins=_origins(allow_origin or []),
            grace=grace,
            cleanup_timeout=CLEANUP,
        ),
    )
    if log_requests:
        app.add_middleware(RequestLog)
    _raise_file_limit()
    listener = _listening(family, place, host)
    shown = f"[{host}]" if ":" in host else host
    settings = uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=max(1, round(grace)),
        server_header=False,
        date_header=False,
        timeout_keep_alive=75,
        ws="websockets-sansio",
        ws_max_size=MAX_BYTES,
        ws_per_message_deflate=False,
        http=BoundedHttpProtocol,
    )
    with listener:
        address = f"http://{shown}:{listener.getsockname()[1]}"
        lines = greeting(address, found, keyed=require_key or not loopback)
        AnnouncedServer(
            settings,
            lambda: print("\n".join(lines), flush=True),
            lambda: _reload(app.state.server, config),
        ).run(sockets=[listener])
        gc.freeze()  # the process ends: to collect what its libraries have made would take a second


def _raise_file_limit() -> None:
    """Let the process open as many connections as it is allowed to: shells often begin with 1,024."""
    try:
        import resource
    except ImportError:
        return  # Windows has no such limit
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _MAX_FILES if hard == resource.RLIM_INFINITY else min(hard, _MAX_FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _reload(server: ServerState, config: str | None) -> None:
    """Read the configuration again; one that cannot be used leaves everything as it was."""
    try:
        server.reload(_configured(config))
    except MuseError as error:
        _LOG.error("The configuration was not read again: %s", error)
    else:
        _LOG.warning("The configuration was read again.")


def _origins(given: list[str]) -> tuple[str, ...]:
    """The origins as browsers send them. Raises `BadOption`."""
    for origin in given:
        if origin != "*" and not _is_origin(origin.rstrip("/")):
            raise BadOption(
                "--allow-origin", origin[:80], "an origin such as https://chat.example.com, or *"
            )
    return tuple(origin.rstrip("/").lower() for origin in given)


def _is_origin(text: str) -> bool:
    try:
        parts = urlsplit(text)
    except ValueError:  # half a bracket
        return False
    return bool(parts.scheme and parts.netloc) and text == f"{parts.scheme}://{parts.netloc}"


def _runs(store: str | None, keep: str | None) -> RunStore:
    """The store of runs. Raises `StoreUnusable`, before the server listens."""
    from musespark.server.runs.run_store import MemoryRunStore

    if store == "memory":
        if keep is not None:
            raise BadOption("--keep", keep, "left out with --store memory")
        return MemoryRunStore()
    from musespark.cli.extras import require

    require("A store of runs", "serve", "sqlalchemy", "alembic")
    from musespark.store.database.database import Database
    from musespark.store.runs.retention import RetentionPolicy
    from musespark.store.runs.run_store import SqlRunStore

    kept = RetentionPolicy.parse(keep) if keep is not None else RetentionPolicy()
    return SqlRunStore(Database(store), kept)


def _callers(runs: RunStore, host: str | None, require_key: bool) -> Authenticator:
    """The authentication of callers. host: address open to other machines, if any. Raises `BadOption` if open to all."""
    from musespark.server.runs.run_store import MemoryRunStore
    from musespark.server.state import allow_anyone

    if isinstance(runs, MemoryRunStore):
        if host is not None or require_key:
            raise BadOption("--store", "memory", "a file or a database, because a key is required")
        return allow_anyone
    from musespark.server.auth import KeyAuthenticator
    from musespark.store.keys.key_store import KeyStore
    from musespark.store.runs.run_store import SqlRunStore

    assert isinstance(runs, SqlRunStore)
    if host is not None and not KeyStore(runs.database).has_valid_key():
        runs.database.close()
        raise BadOption(
            "--host",
            host,
            "an address of this machine alone, such as 127.0.0.1, as long as there are no keys; "
            "make one with muse keys create NAME",
        )
    return KeyAuthenticator(runs, required=require_key or host is not None)


def _configured(file: str | None) -> Config:
    if file is None:
        return load_config()
    if not Path(file).is_file():
        raise BadConfig(file, "it does not exist")
    return load_config(Path(file))


def _place(host: str, port: int) -> tuple[socket.AddressFamily, tuple[str, int]]:
    """Address of a host, resolved once: a name alone does not prove that it is a loopback address. Raises `BadOption`."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise BadOption(
            "--host", host[:80], f"an address or a name of this machine ({reason})"
        ) from None
    family, _, _, _, place = min(found, key=lambda each: each[0] != socket.AF_INET)
    return family, place  # type: ignore[return-value]


def _listening(family: socket.AddressFamily, place: tuple[str, int], host: str) -> socket.socket:
    """A socket that listens there. Raises `BadOption` if that is not possible."""
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(place)
        listener.listen(2048)
    except OSError as error:
        listener.close()
        raise BadOption(
            "--port", place[1], f"one that is free at {host} ({error.strerror or error})"
        ) from None
    return listener


def greeting(address: str, config: Config, keyed: bool = False) -> Iterator[str]:
    """First lines of the server: its address, the models, an example request, and the page. keyed: true if a key is required."""
    from musespark.server.resolve.model_catalog import ModelCatalog

    body = json.dumps(
        {"model": "contemplating", "messages": [{"role": "user", "content": _QUESTION}]}
    )
    yield f"Muse Spark listens at {address}"
    yield f"Models: {', '.join(ModelCatalog(config).listed)}"
    key = " -H 'authorization: Bearer YOUR-KEY'" if keyed else ""
    yield f"Try: curl {address}/v1/chat/completions{key} -H 'content-type: application/json' -d '{body}'"
    yield f"Or open {address} in a browser, to ask and to watch."
