"""The servers under test as processes: started on loopback, looked at through /proc, and stopped whatever happens."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

HERE = Path(__file__).parents[1]
PATIENCE = 600.0
"""Seconds that a server may take until it answers."""


class Process:
    """A server that runs."""

    def __init__(self, process: subprocess.Popen[bytes], port: int) -> None:
        self._process, self.port = process, port

    @property
    def cpu(self) -> float:
        """Seconds of processor time that its threads have used, to the nanosecond."""
        tasks = Path(f"/proc/{self._process.pid}/task").glob("*/schedstat")
        return sum(int(task.read_text().split()[0]) for task in tasks) / 1e9

    @property
    def memory(self) -> float:
        """Resident memory now, in megabytes."""
        pages = int(Path(f"/proc/{self._process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


@contextmanager
def running(
    name: str,
    command: list[str],
    port: int,
    folder: Path,
    variables: Mapping[str, str] | None = None,
) -> Iterator[Process]:
    """A process that listens at the port, until the block ends. What it writes is in NAME.log of the folder."""
    places = [str(HERE), *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    ours = {
        "PYTHONPATH": os.pathsep.join(map(os.path.abspath, places))
    }  # the process begins in another folder
    with (folder / f"{name}.log").open("wb") as log:
        process = subprocess.Popen(
            command,
            stdout=log,
            stderr=log,
            cwd=folder,
            env={**os.environ, **ours, **(variables or {})},
        )
    try:
        deadline = time.monotonic() + PATIENCE
        while not _listening(port):
            if process.poll() is not None or time.monotonic() > deadline:
                raise SystemExit(
                    f"{name} did not start:\n{(folder / f'{name}.log').read_text()[-2000:]}"
                )
            time.sleep(0.1)
        yield Process(process, port)
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def backend(folder: Path) -> tuple[str, list[str], int, Path]:
    """Arguments of `running` for the fake model's server."""
    port = free_port()
    return "backend", [sys.executable, "-m", "load.backend", "--port", str(port)], port, folder


def muse(name: str, folder: Path, upstream: int, *options: str) -> tuple[str, list[str], int, Path]:
    """The models that `running` needs for `muse serve`: each of the backend's models by its name, as `fake-NAME` within the process, and as
    `pydantic-NAME` without the fast path."""
    from load.backend import SCRIPTS

    url = f"http://127.0.0.1:{upstream}/v1"
    lines = [
        f'[models.{script}]\nmodel = "openai-compatible:{script}@{url}"\n'
        f'[models.fake-{script}]\nmodel = "load:{script}"\n'
        f'[models.pydantic-{script}]\nmodel = "through-pydantic-ai:{script}@{url}"\n'
        for script in SCRIPTS
    ]
    config = folder / "muse.toml"
    config.write_text("".join(lines))
    port = free_port()
    command = [
        sys.executable,
        "-m",
        "load.fakes",
        "serve",
        "--port",
        str(port),
        "--config",
        str(config),
        *options,
    ]
    return name, command, port, folder


def litellm(
    python: Path, folder: Path, upstream: int
) -> tuple[str, list[str], int, Path, dict[str, str]]:
    """Arguments of `running` for LiteLLM's proxy. python: of an environment that has it."""
    from load.backend import SCRIPTS

    entries = [
        f"  - model_name: {script}\n    litellm_params: {{model: openai/{script}, api_key: none, "
        f'api_base: "http://127.0.0.1:{upstream}/v1"}}\n'
        for script in SCRIPTS
    ]
    config = folder / "litellm.yaml"
    config.write_text("model_list:\n" + "".join(entries))
    port = free_port()
    command = [
        str(python.parent / "litellm"),
        "--config",
        str(config),
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
    ]
    return (
        "litellm",
        command,
        port,
        folder,
        {
            "PYTHONPATH": "",
            "LITELLM_LOCAL_MODEL_COST_MAP": "True",
            "LITELLM_DANGEROUSLY_PERMIT_WEAK_OR_UNSET_MASTER_KEY": "true",
        },
    )


def litellm_installed(folder: Path) -> Path:
    """The Python of a new environment with LiteLLM's proxy."""
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    python = folder / "bin" / "python"
    subprocess.run(
        [str(python), "-m", "pip", "install", "--quiet", "litellm[proxy]"],
        check=True,
        stderr=subprocess.DEVNULL,
    )
    return python


def version(python: Path, package: str) -> str:
    """The version of a package in that environment."""
    code = f"import importlib.metadata as m; print(m.version({package!r}))"
    return subprocess.run(
        [str(python), "-c", code], check=True, capture_output=True, text=True
    ).stdout.strip()


def free_port() -> int:
    """A port on loopback that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _listening(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0
