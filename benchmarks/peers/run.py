"""The same questions, the same backend, the same faults: peers measured beside each other, and ours.

    python benchmarks/peers/run.py                     installs the peers in a temporary directory, measures, removes them
    python benchmarks/peers/run.py --keep DIRECTORY    installs them there, or uses what is there already
    python benchmarks/peers/run.py --only ours         one column; the others keep what results.json has

Takes about eight minutes, most of them waiting. Prints the table and writes results.json and results.md beside this file.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from table import table

HERE = Path(__file__).parent
INSTALL: dict[str, list[list[str]]] = {
    "its_hub": [["its-hub[iaas]==1.2.0"]],
    # Its requirements name torch, transformers, spacy and forty more, which what is measured never imports: these are what it does.
    "optillm": [
        ["--no-deps", "optillm==0.4.0"],
        [
            "flask",
            "openai",
            "httpx",
            "cerebras_cloud_sdk",
            "numpy",
            "networkx",
            "aiohttp",
            "requests",
            "pyyaml",
            "math-verify",
            "z3-solver<=4.15.4.0",
        ],
    ],
}
VERSIONS = {
    "its_hub": ("its_hub", "aiohttp", "fastapi", "uvicorn"),
    "optillm": ("optillm", "openai", "httpx", "flask"),
}
PEERS = {"optillm": "peer_optillm", "its_hub": "peer_its_hub", "ours": "ours"}


def main() -> None:
    """Install, measure, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--keep", type=Path, help="a directory for the peers' environments, kept")
    parser.add_argument(
        "--only", action="append", choices=list(PEERS), help="measure only this; may be repeated"
    )
    parser.add_argument("--latency", type=float, default=0.3, help="seconds a call takes")
    parser.add_argument("--hang", type=float, default=25.0, help="seconds a hung call is late")
    options = parser.parse_args()
    results = HERE / "results.json"
    found = (
        json.loads(results.read_text())
        if options.only and results.exists()
        else {"columns": {}, "versions": {}}
    )
    found |= {
        "latency": options.latency,
        "hang": options.hang,
        "machine": machine(),
        "installed with": {
            peer: [shlex.join(["pip", "install", *line]) for line in INSTALL[peer]]
            for peer in INSTALL
        },
    }
    with tempfile.TemporaryDirectory() as temporary, backend() as url:
        folder = (options.keep or Path(temporary)).absolute()
        for peer in options.only or PEERS:
            python = installed(peer, folder) if peer in INSTALL else Path(sys.executable)
            found["columns"] |= measured(
                python, PEERS[peer], url, options.latency, options.hang, Path(temporary)
            )
            found["versions"] |= versions(python, VERSIONS.get(peer, ()))
            found["columns"] = dict(sorted(found["columns"].items(), key=place))
            results.write_text(json.dumps(found, indent=1) + "\n")
            (HERE / "results.md").write_text(written(found))
    print(written(found))


def place(column: tuple[str, Any]) -> int:
    """Address of a column in the table: its peer's in PEERS."""
    return next(index for index, peer in enumerate(PEERS) if column[0].startswith(peer))


@contextmanager
def backend() -> Iterator[str]:
    """The stand-in for a model's server, in a process of its own."""
    command = [sys.executable, "-B", HERE.parent / "backend.py", "--idle", "600"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
    finally:
        process.terminate()
        process.wait()


def installed(peer: str, folder: Path) -> Path:
    """The Python of a peer's environment, which is made if it is not there. Raises CalledProcessError where it cannot be."""
    python = folder / peer / "bin" / "python"
    if not (folder / peer / "complete").exists():
        print(f"Installing {peer} into {folder / peer}", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", folder / peer], check=True)
        for line in INSTALL[peer]:
            subprocess.run(
                [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *line],
                check=True,
            )
        (folder / peer / "complete").touch()
    return python


def measured(
    python: Path, module: str, url: str, latency: float, hang: float, folder: Path
) -> dict[str, Any]:
    """The columns of a peer. What it logs goes to a file, whose end is shown where it fails."""
    log = folder / f"{module}.log"
    source = os.pathsep.join([str(HERE.parents[1] / "src"), os.environ.get("PYTHONPATH", "")])
    with open(log, "w") as errors:
        process = subprocess.run(
            [python, HERE / "column.py", module, url, str(latency), str(hang), folder],
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            env={**os.environ, "PYTHONPATH": source, "PYTHONDONTWRITEBYTECODE": "1"},
        )
    if process.returncode != 0:
        sys.exit(f"{module} could not be measured:\n{log.read_text()[-2000:]}")
    columns: dict[str, Any] = json.loads(process.stdout)
    return columns


def versions(python: Path, packages: Sequence[str]) -> dict[str, str]:
    """Of what an environment holds."""
    code = "import importlib.metadata as m, json, sys; print(json.dumps({p: m.version(p) for p in sys.argv[1:]}))"
    asked = subprocess.run([python, "-c", code, *packages], capture_output=True, text=True)
    return json.loads(asked.stdout) if asked.returncode == 0 else {}


def machine() -> str:
    """What the figures were measured on."""
    return f"{os.cpu_count()} cores, {platform.machine()}, {platform.system()}, Python {platform.python_version()}"


def written(found: dict[str, Any]) -> str:
    """The table, and what one must know to read it."""
    packages = ", ".join(f"{name} {version}" for name, version in found["versions"].items())
    return (
        f"{table(found['columns'], found['hang'])}\n"
        f"A call takes {1000 * found['latency']:g} ms. {found['machine']}. {packages}.\n"
    )


if __name__ == "__main__":
    main()
