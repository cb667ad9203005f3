"""Many calls at once get exactly what their key can pay for."""

import asyncio
from contextlib import AsyncExitStack

import pytest

from musespark.budget import Cost
from musespark.errors import BudgetExhausted
from musespark.store.database.database import Database
from musespark.store.keys.budgets import KeyBudgets
from musespark.store.runs.run_store import SqlRunStore

from .made_keys import made, spent_today


@pytest.mark.parametrize("servers_at_work", [1, 3])
async def test_of_64_calls_at_once_exactly_those_that_are_paid_for_are_made(where, servers_at_work):
    key, _ = made(where, usd_per_day=0.3)
    async with AsyncExitStack() as stack:
        stores = [
            await stack.enter_async_context(SqlRunStore(Database(where)).open())
            for _ in range(servers_at_work)
        ]
        day = [await KeyBudgets(store).budget_of(key) for store in stores]

        async def call(number):
            try:
                return await day[number % servers_at_work].child().acquire(Cost(usd=0.1))
            except BudgetExhausted:
                return None

        for held in filter(None, made_first := await asyncio.gather(*map(call, range(64)))):
            held.settle(Cost(usd=0.05))
        assert sum(held is not None for held in made_first) == 3
        await asyncio.gather(*(store.writer.flush() for store in stores))
        # Half of what they had reserved is left: enough for one more, and for a half.
        made_next = await asyncio.gather(*map(call, range(64)))
        assert sum(held is not None for held in made_next) == 1
        for held in filter(None, made_next):
            held.settle(Cost(usd=0.1))
    assert spent_today(where) == [pytest.approx(0.25)]
