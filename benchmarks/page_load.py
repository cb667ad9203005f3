"""Load of the page under 16 agents: `python benchmarks/page_load.py`, which needs Playwright and a Chromium.

A model that plays a script thinks in 16 threads at once, through the real server into a real browser. Chromium says how long its
main thread worked (Performance.getMetrics, TaskDuration; in processor time, and by the clock, which on a machine with other work
counts the waiting as well), how many elements the document has and how much its scripts hold. In the end the page is loaded anew:
how long it takes until the whole run is there, and how long the main thread is busy in one go meanwhile.
"""

from __future__ import annotations

import argparse
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn
from playwright.sync_api import sync_playwright

from musespark.evals.grounding_rendering import browser_path
from musespark.models.fake import FakeModel, Step, Wait
from musespark.models.model import (
    Abilities,
    Finish,
    TextDelta,
    ThinkingDelta,
    ThreadReturned,
    ThreadStarted,
)
from musespark.server.app import make_app

LANES = 16
BEAT = 0.02
"""Seconds between two bursts of events: a busy backend's tokens come in bursts as well."""
WATCH_TASKS = """window.longest = 0; new PerformanceObserver(list => {
    for (const task of list.getEntries()) window.longest = Math.max(window.longest, task.duration);
}).observe({entryTypes: ["longtask"]})"""
WORDS = "so the next step follows from the one before it, and that leaves two cases to look at: the even and the odd one".split()


def script(rate: int, seconds: float) -> Iterator[Step]:
    """So many events a second from 16 threads in turn."""
    yield from (
        ThreadStarted(f"t{lane}", "main", f"the way number {lane}") for lane in range(LANES)
    )
    each = max(1, round(rate * BEAT))
    began = time.perf_counter()
    for count in range(int(rate * seconds)):
        if count % each == 0:
            yield Wait(max(0.0, began + count / rate - time.perf_counter()))
        yield ThinkingDelta(WORDS[count // LANES % len(WORDS)] + " ", f"t{count % LANES}")
    yield from (ThreadReturned(f"t{lane}", "42") for lane in range(LANES))
    yield from (TextDelta("42"), Finish())


@contextmanager
def serving(rates: list[int], seconds: float) -> Iterator[str]:
    """The server with a model for each rate."""
    able = Abilities(native_spawn=True, context=1_000_000)
    models = {
        f"rate-{rate}": FakeModel(
            lambda request, number, rate=rate: script(rate, seconds), abilities=able
        )
        for rate in rates
    }
    server = uvicorn.Server(
        uvicorn.Config(make_app(models=models), port=0, log_level="warning", ws="none")
    )
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.05)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join()


def measured(page: Any, url: str, rate: int, seconds: float) -> str:
    """One row: how busy the main thread was while the run was watched, and what the page held at its end."""
    page.goto(url)
    clocks = {name: page.context.new_cdp_session(page) for name in ("timeTicks", "threadTicks")}
    for name, clock in clocks.items():
        clock.send("Performance.enable", {"timeDomain": name})

    def metric(wanted: str, clock: str = "timeTicks") -> float:
        found = clocks[clock].send("Performance.getMetrics")["metrics"]
        return float(next(metric["value"] for metric in found if metric["name"] == wanted))

    asked = {
        "question": "Which way?",
        "mode": "contemplating",
        "models": [f"rate-{rate}"],
        "threads": LANES,
    }
    run = page.request.post(f"{url}/v1/runs", data=asked).json()
    page.goto(f"{url}/runs/{run['id']}")
    page.wait_for_selector(f".lane >> nth={LANES}")
    page.wait_for_timeout(1500)
    before = {clock: metric("TaskDuration", clock) for clock in clocks}
    seq, began = _seq(page), time.perf_counter()
    page.wait_for_timeout(1000 * (seconds - 5))
    wall = time.perf_counter() - began
    busy = {clock: (metric("TaskDuration", clock) - before[clock]) / wall for clock in clocks}
    events = (_seq(page) - seq) / wall
    page.wait_for_selector(".run[data-how=finished]", timeout=120_000)
    nodes = page.evaluate("document.querySelectorAll('*').length")
    clocks["timeTicks"].send("HeapProfiler.collectGarbage")
    memory = metric("JSHeapUsedSize") / 1e6
    page.add_init_script(WATCH_TASKS)
    began = time.perf_counter()
    page.reload()
    page.wait_for_selector(".run[data-how=finished]", timeout=120_000)
    loaded, all_of_it = time.perf_counter() - began, _seq(page)
    page.wait_for_timeout(300)
    longest = page.evaluate("window.longest")
    return (
        f"| {rate:,} | {events:,.0f} | {busy['threadTicks']:.0%} | {busy['timeTicks']:.0%} | {nodes:,} | {memory:.1f} "
        f"| {all_of_it:,} | {loaded:.1f} | {longest:.0f} |"
    )


def _seq(page: Any) -> int:
    return int(page.evaluate("document.querySelector('.run').dataset.seq"))


def main() -> None:
    """Print a row for each rate."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--rates",
        type=int,
        nargs="+",
        default=[200, 1600, 3200],
        help="events a second, of all 16 together",
    )
    parser.add_argument("--seconds", type=float, default=20.0)
    options = parser.parse_args()
    print(
        "| events/s, sent | shown | main thread, processor time | main thread, wall | elements | scripts' memory, MB "
        "| events in all | loaded anew, s | longest task, ms |"
    )
    print("|---|---|---|---|---|---|---|---|---|")
    with serving(options.rates, options.seconds) as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path(), args=["--no-sandbox"])
        for rate in options.rates:
            page = browser.new_page(viewport={"width": 1280, "height": 900})
            print(measured(page, url, rate, options.seconds), flush=True)
            page.close()
        browser.close()


if __name__ == "__main__":
    main()
