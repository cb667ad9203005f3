"""Servers that share a database: dead ones are told from live ones, on this machine and on others."""

import os

import pytest

from musespark.store.database.clock import database_time
from musespark.store.database.database import Database
from musespark.store.runs import servers
from musespark.store.runs.run_store import SqlRunStore


def add_row(where, id, place, process, ago):
    """A row of a server that was last seen some seconds ago, by the database's clock."""
    database = Database(where)
    with database.begin_write() as connection:
        seen = database_time(connection) - ago
        connection.exec_driver_sql(
            f"INSERT INTO servers VALUES ('{id}', '{place}', '{process}', {seen})"
        )
    database.close()


def rows(runs):
    with runs.database.begin_read() as connection:
        return {row.id for row in connection.exec_driver_sql("SELECT id FROM servers").all()}


@pytest.mark.parametrize(("ago", "dead"), [(1, False), (servers.DEAD_AFTER + 60, True)])
async def test_a_server_of_another_machine_is_dead_once_it_was_silent_for_long(where, ago, dead):
    add_row(where, "other", "another machine boot pid:[1]", "1@1", ago)
    async with SqlRunStore(Database(where)).open() as runs:
        assert rows(runs) == {runs.server} | (set() if dead else {"other"})
        await runs.heartbeat()
        assert rows(runs) == {runs.server} | (set() if dead else {"other"})


async def test_a_server_of_this_machine_is_dead_once_its_process_is_gone(where):
    add_row(where, "gone", servers._machine(), "999999999@1", 1)
    add_row(where, "alive", servers._machine(), servers._process_identity(os.getpid()), 3600)
    async with SqlRunStore(Database(where)).open() as runs:
        assert rows(runs) == {runs.server, "alive"}


async def test_a_server_that_was_taken_for_dead_comes_back(where):
    async with SqlRunStore(Database(where)).open() as runs:
        await runs.writer.run(lambda connection: connection.exec_driver_sql("DELETE FROM servers"))
        await runs.heartbeat()
        assert rows(runs) == {runs.server}
