"""optillm 0.4, as its documentation means it to be used: a proxy in front of the backend, asked over HTTP.

The approach is a prefix of the model's name; `bon` is best of n with a rating of each answer, n is an option of the server;
`moa` is three answers, a critique of them, and one answer written from both; `majority_voting` takes `k` in the request. All of
them ask for their n answers in one call with `n`, and one after the other where the upstream refuses that.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from processes import free_port, running
from scenarios import QUESTION, Asked, Upstream, ask_server, first_of_server, leave_server, measured

MESSAGES = [{"role": "user", "content": QUESTION}]


class Optillm:
    """One proxy for each n of `bon`."""

    def __init__(self, name: str, servers: dict[int, str]) -> None:
        self.name, self._servers = name, servers

    def _request(self, approach: str, **more: object) -> dict[str, object]:
        return {"model": f"{approach}-fake", "messages": MESSAGES, **more}

    def best(self, n: int) -> Asked:
        return ask_server(self._servers[n], self._request("bon"))

    def merged(self) -> Asked:
        return ask_server(self._servers[8], self._request("moa"))

    def vote(self, n: int) -> Asked:
        return ask_server(self._servers[8], self._request("majority_voting", k=n))

    def many(self, n: int) -> Asked:
        return self.best(n)

    def first(self, n: int) -> tuple[float, float]:
        return first_of_server(self._servers[n], self._request("bon"))

    def leave(self, n: int, under_way: Callable[[], None]) -> float:
        return leave_server(self._servers[n], self._request("bon"), under_way)


@contextlib.contextmanager
def proxies(upstream: Upstream, folder: Path) -> Iterator[dict[int, str]]:
    """A proxy for best of 3 and one for best of 8."""
    command = Path(sys.executable).with_name("optillm")
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "OPENAI_API_KEY": "none",
        "PYTHONUNBUFFERED": "1",
    }
    with contextlib.ExitStack() as stack:
        servers = {}
        for n in (3, 8):
            port = free_port()
            options = [
                "--base-url",
                upstream.url,
                "--best-of-n",
                str(n),
                "--port",
                str(port),
                "--log",
                "warning",
            ]
            log = stack.enter_context(open(folder / f"optillm-{n}.log", "w"))
            process = subprocess.Popen(
                [command, *options],
                cwd=folder,
                env=environment,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
            stack.enter_context(running(process, port))
            servers[n] = f"http://127.0.0.1:{port}"
        yield servers


class Refusing(Upstream):
    """The same backend, but `n` above 1 is refused, as many do."""

    def reset(self, **script: object) -> None:
        super().reset(many="refuse", **script)


def columns(upstream: Upstream, folder: Path) -> dict[str, object]:
    """Both columns of optillm."""
    with proxies(upstream, folder) as servers:
        plain, refusing = (
            Optillm("optillm", servers),
            Optillm("optillm, `n` refused upstream", servers),
        )
        return {
            plain.name: measured(plain, upstream),
            refusing.name: measured(
                refusing, Refusing(upstream.url, upstream.latency, upstream.hang)
            ),
        }
