"""`muse serve` as a process that can be killed, and clients that write down what they received."""

import asyncio
import json
import os
import subprocess
import sys
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import httpx

CONFIG = """
[models.slow]
model = "fake:long"
[models.hang]
model = "fake:hang"
[models.quick]
model = "fake:team"
"""


@contextmanager
def serving(folder, *options):
    """The process and its address; killed in the end if it is still there."""
    folder = Path(folder)
    (folder / "config.toml").write_text(CONFIG)
    env = {**os.environ, "XDG_DATA_HOME": str(folder)}
    muse = [sys.executable, str(Path(__file__).with_name("slow_server.py"))]
    command = [*muse, "serve", "--port", "0", "--config", str(folder / "config.toml"), *options]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env
    )
    try:
        greeting = [process.stdout.readline() for _ in range(3)]
        assert greeting[0], process.stderr.read()
        yield process, greeting[0].split()[-1]
    finally:
        process.kill()
        process.communicate()


class Client:
    """One stream: its run's id, and all that came before it ended or broke off."""

    def __init__(self):
        self.run, self.said, self.mused, self.failed, self.done, self.broke = (
            "",
            "",
            "",
            "",
            False,
            False,
        )

    async def ask(self, http, url, model="slow", key=None, **body):
        body = {
            "model": model,
            "stream": True,
            "messages": [{"role": "user", "content": "What is 6 * 7?"}],
            **body,
        }
        headers = {"authorization": f"Bearer {key}"} if key else {}
        try:
            async with http.stream(
                "POST", f"{url}/v1/chat/completions", json=body, headers=headers
            ) as response:
                self.run = response.headers.get("x-muse-run", "")
                async for line in response.aiter_lines():
                    self._received(line)
        except httpx.TransportError:
            self.broke = True

    def _received(self, line):
        if line == "data: [DONE]":
            self.done = True
        elif line.startswith("data: "):
            chunk = json.loads(line[6:])
            self.failed = chunk["error"]["message"] if "error" in chunk else self.failed
            for choice in chunk.get("choices", ()):
                self.said += choice["delta"].get("content") or ""
                self.mused += choice["delta"].get("reasoning_content") or ""


@asynccontextmanager
async def asking(number, url, **options):
    """So many clients at once, within an event loop: yields them and the tasks that they are."""
    clients = [Client() for _ in range(number)]
    async with httpx.AsyncClient(timeout=60, limits=httpx.Limits(max_connections=number)) as http:
        tasks = [asyncio.create_task(client.ask(http, url, **options)) for client in clients]
        try:
            yield clients, tasks
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


async def until(condition, seconds=30.0):
    """Wait for a condition."""
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.01)
