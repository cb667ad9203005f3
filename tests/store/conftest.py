"""Stores on both kinds of database."""

import uuid

import pytest

from .postgres import postgres


@pytest.fixture(scope="session")
def server():
    """The URL of a Postgres, or None."""
    with postgres() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgres"])
def where(request, tmp_path):
    """An empty database: a file, or one of a Postgres."""
    if request.param == "sqlite":
        yield str(tmp_path / "runs.db")
        return
    url = request.getfixturevalue("server")
    if url is None:
        pytest.skip("there is no Postgres on this machine")
    import psycopg

    name = f"t{uuid.uuid4().hex}"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    yield url.replace("/postgres?", f"/{name}?")
