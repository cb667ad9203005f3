"""Calls a second that reserve from one key's daily budget, from several server processes on one database.

    python benchmarks/key_budgets.py [--servers 2] [--calls 16] [--seconds 5] [--store postgresql://...]

Each server keeps so many calls under way; a call reserves what it may cost, ends at once and is settled. Real calls take seconds,
so the figure is the load under which the database would become what calls wait for.
"""

import argparse
import asyncio
import multiprocessing
import statistics
import tempfile
import time
from pathlib import Path

from musespark.budget import Cost
from musespark.store.database.database import Database
from musespark.store.keys.budgets import KeyBudgets
from musespark.store.keys.key_store import KeyStore
from musespark.store.runs.run_store import SqlRunStore


async def one_server(store, secret, calls, seconds):
    """The number of calls, and how long each waited for its reservation."""
    waits = []
    database = Database(store)
    key = KeyStore(database).find(secret)
    async with SqlRunStore(database).open() as runs:
        budget = await KeyBudgets(runs).budget_of(key)
        end = time.monotonic() + seconds

        async def caller():
            while (began := time.monotonic()) < end:
                with await budget.child().acquire(Cost(usd=0.001), Cost(usd=0.0001)) as held:
                    waits.append(time.monotonic() - began)
                    held.settle(Cost(usd=0.0005))

        await asyncio.gather(*(caller() for _ in range(calls)))
    return waits


def serve(store, secret, calls, seconds, results):
    """A server process."""
    results.put(asyncio.run(one_server(store, secret, calls, seconds)))


def main():
    """Run the servers, and print what they did."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--servers", type=int, default=2)
    parser.add_argument("--calls", type=int, default=16)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--store")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        store = options.store or str(Path(folder) / "runs.db")
        database = Database(store)
        _, secret = KeyStore(database).create(f"key-{time.time_ns()}", usd_per_day=1_000_000)
        database.close()
        context = multiprocessing.get_context("spawn")
        results = context.Queue()
        servers = [
            context.Process(
                target=serve, args=(store, secret, options.calls, options.seconds, results)
            )
            for _ in range(options.servers)
        ]
        for server in servers:
            server.start()
        waits = [wait for _ in servers for wait in results.get()]
        for server in servers:
            server.join()
    print(
        f"{options.servers} servers, {options.calls} calls under way in each: {len(waits) / options.seconds:,.0f} calls a second; "
        f"a reservation takes {statistics.median(waits) * 1000:.1f} ms (median), "
        f"{statistics.quantiles(waits, n=100)[98] * 1000:.1f} ms (99 %)"
    )


if __name__ == "__main__":
    main()
