"""its_hub 1.2: the library as its README shows it, and its server (`its-iaas`), which offers self-consistency only."""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from processes import free_port, running
from scenarios import (
    QUESTION,
    Asked,
    Cannot,
    Upstream,
    ask_server,
    first_of_server,
    leave_server,
    measured,
    post,
)


class Library:
    """BestOfN with LLMJudge; AdaptiveSelfConsistency for a vote. A budget is the number of answers.

    One model and one event loop serve all questions, as in a process that lives long.
    """

    name = "its_hub, library"

    def __init__(self, upstream: Upstream) -> None:
        from its_hub import (
            AdaptiveSelfConsistency,
            BestOfN,
            LLMJudge,
            OpenAICompatibleLanguageModel,
        )

        self._loop = asyncio.Runner()
        self._model = OpenAICompatibleLanguageModel(
            endpoint=upstream.url, api_key="none", model_name="fake"
        )
        self._best = BestOfN(orm=LLMJudge(lm=self._model, fallback_score=5.0))
        self._adaptive = AdaptiveSelfConsistency()

    def close(self) -> None:
        self._loop.run(self._model.close())
        self._loop.close()

    def best(self, n: int) -> Asked:
        return self._loop.run(self._asked(self._best, n))

    def merged(self) -> Asked:
        raise Cannot("no merging")

    def vote(self, n: int) -> Asked:
        return self._loop.run(self._asked(self._adaptive, n))

    def many(self, n: int) -> Asked:
        return self.best(n)

    def first(self, n: int) -> tuple[float, float]:
        raise Cannot("no streaming")

    def leave(self, n: int, under_way: Callable[[], None]) -> float:
        async def leaving() -> float:
            task = asyncio.create_task(self._asked(self._best, n))
            await asyncio.to_thread(under_way)
            gone = time.monotonic()
            task.cancel()
            await asyncio.wait({task})
            return gone

        return self._loop.run(leaving())

    async def _asked(self, algorithm, n: int) -> Asked:  # type: ignore[no-untyped-def]
        try:
            result = await algorithm.ainfer(
                self._model, QUESTION, budget=n, return_response_only=False
            )
        except Exception as error:  # whatever it raises is what its caller gets
            return Asked(None, type(error).__name__)
        return Asked(
            result.the_one["content"],
            "",
            result.usage.prompt_tokens,
            result.usage.completion_tokens,
        )


class Server:
    """Its OpenAI-compatible server. The budget is a field of the request."""

    name = "its_hub, server (self-consistency)"

    def __init__(self, url: str) -> None:
        self._url = url

    def best(self, n: int) -> Asked:
        raise Cannot("self-consistency only")

    def merged(self) -> Asked:
        raise Cannot("no merging")

    def vote(self, n: int) -> Asked:
        return ask_server(self._url, self._request(n))

    def many(self, n: int) -> Asked:
        return self.vote(n)

    def first(self, n: int) -> tuple[float, float]:
        return first_of_server(self._url, self._request(n))

    def leave(self, n: int, under_way: Callable[[], None]) -> float:
        return leave_server(self._url, self._request(n), under_way)

    def _request(self, n: int) -> dict[str, object]:
        return {"model": "fake", "messages": [{"role": "user", "content": QUESTION}], "budget": n}


def columns(upstream: Upstream, folder: Path) -> dict[str, object]:
    """Both columns of its_hub."""
    port = free_port()
    command = Path(sys.executable).with_name("its-iaas")
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder)}
    with contextlib.closing(Library(upstream)) as library:
        found: dict[str, object] = {library.name: measured(library, upstream)}
    with open(folder / "its-iaas.log", "w") as log:
        process = subprocess.Popen(
            [command, "--port", str(port), "--log-level", "WARNING"],
            cwd=folder,
            env=environment,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        with running(process, port):
            url = f"http://127.0.0.1:{port}"
            post(
                url + "/configure",
                {
                    "endpoint": upstream.url,
                    "api_key": "none",
                    "model": "fake",
                    "alg": "self-consistency",
                    "regex_patterns": [r"Answer: (\d+)"],
                },
            )
            found[Server.name] = measured(Server(url), upstream)
    return found
