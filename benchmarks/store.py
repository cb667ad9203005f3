"""What it costs that events are committed before they are seen: events a second, and the time that each waits.

python benchmarks/store.py [FILE|URL]     by default a file in a new directory
python benchmarks/store.py --quick        a hundredth of the events, to see that it works
"""

import argparse
import asyncio
import statistics
import tempfile
import time
import uuid

from musespark.content import Message
from musespark.events import AnswerDelta
from musespark.store.database.database import Database
from musespark.store.runs.record import RunCost, RunHeader
from musespark.store.runs.run_store import SqlRunStore

CASES = ((1, 2000, 1), (1, 8000, 16), (64, 100, 1), (64, 400, 10), (500, 40, 1))
"""Runs at once, events of each, events that come together."""


async def one(runs: SqlRunStore, count: int, burst: int, waits: list[float]) -> None:
    """A run, and how long each of its bursts waited."""
    id = uuid.uuid4().hex
    await runs.start(
        RunHeader(id=id, protocol="chat", model="m", conversation=(Message.user("q" * 200),))
    )
    for number in range(count // burst):
        began = time.perf_counter()
        await runs.append_events(
            id, [AnswerDelta("hello world ", seq=number * burst + each) for each in range(burst)]
        )
        await runs.flush(id)
        waits.append(time.perf_counter() - began)
    runs.end(id, "finished", RunCost())


async def main(where: str, share: float) -> None:
    """Print a line a case. share: of the events of each."""
    async with SqlRunStore(Database(where)).open() as runs:
        for at_once, whole, burst in CASES:
            count = max(burst, int(whole * share))
            waits: list[float] = []
            wall, cpu = time.perf_counter(), time.process_time()
            await asyncio.gather(*(one(runs, count, burst, waits) for _ in range(at_once)))
            wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
            events = at_once * count
            waits.sort()
            print(
                f"{at_once:4} runs, {burst:3} events at a time: {events / wall:8,.0f} events/s, "
                f"wait {statistics.median(waits) * 1000:6.2f} ms (p99 {waits[len(waits) * 99 // 100] * 1000:6.2f}), "
                f"{cpu / events * 1e6:4.0f} µs CPU an event",
                flush=True,
            )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("where", nargs="?", metavar="FILE|URL")
    parser.add_argument("--quick", action="store_true", help="a hundredth of the events")
    options = parser.parse_args()
    asyncio.run(
        main(options.where or tempfile.mkdtemp() + "/runs.db", 0.01 if options.quick else 1.0)
    )
