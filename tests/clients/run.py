"""Real programs against a real server: `make test-clients`, or `python tests/clients/run.py NAME ...` for some of them.

Starts `muse serve` over a scripted model (`upstream.py`) on free ports of this machine, runs every program of `catalog.py` with
nothing but the address, a key and the name of a model, and prints one line for each: a text and a tool loop, of a single model and
of a team. Then come the programs that evaluate models (`evaluators.py`). Exits with 1 if one of them fails.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory

sys.path.append(str(Path(__file__).parent))

from catalog import PROGRAMS, SCRIPTS, Program
from serving import BUILD, ROOT, serving
from upstream import MODEL, upstream

HOMES = ROOT / ".venv-clients"
DOCUMENTED = "http://127.0.0.1:8787"
"""Address in the scripts, as a person would write it; that of the server takes its place."""
CONTEMPLATING = "contemplating"
"""Model in the scripts; the single one takes its place in half of the runs."""
TURNS, MODELS = ("text", "tool"), (MODEL, CONTEMPLATING)
PATIENCE = 120.0
"""Seconds that one turn may take on a busy machine."""
WORKERS = 2
CONFIG = """
[models.{model}]
model = "openai-compatible:{model}"
base_url = "{address}"
abilities = {{ schema = true, tools = true, tool_choice = true, pictures_in = true, effort = true, top_p = true, stop = true }}

[roles]
explorer = "{model}"
"""


@dataclass(frozen=True)
class Outcome:
    """One turn of a program."""

    program: Program
    turn: str
    model: str
    problem: str
    """Empty if it held; else one line."""

    @property
    def cell(self) -> str:
        """Cell of the table."""
        return "FAILS" if self.problem else "ok"


def environment(program: Program, folder: Path) -> dict[str, str]:
    """Build an environment without any configuration, key or address of the person's own."""
    home = HOMES / program.home
    own = [home / "bin", HOMES / "node" / "node_modules" / ".bin"]
    return {
        "PATH": os.pathsep.join([*map(str, own), os.environ["PATH"]]),
        "HOME": str(folder),
        "LANG": "C.UTF-8",
        "TERM": "dumb",
        "NO_PROXY": "127.0.0.1,localhost",
        "CI": "1",
    }


def command(program: Program, turn: str) -> list[str]:
    """Return the command that runs a script in its folder."""
    match Path(program.script).suffix:
        case ".py":
            return [str(HOMES / program.home / "bin" / "python"), program.script, turn]
        case ".mjs":
            return ["node", program.script, turn]
        case _:
            return ["bash", "-eu", program.script]


def question(program: Program, turn: str, folder: Path, secret: str) -> str:
    """Return the question for a program of the command line, in the words that the scripted model understands."""
    if turn == "text":
        return "Say heliotrope."
    return {
        "weather": "What is the weather in Paris?",
        "read": f"Please read {folder}/secret.txt and tell me what it says.",
        "write": f"Please write {secret} into found.txt.",
    }[program.tool]


def run_turn(program: Program, turn: str, model: str, address: str) -> Outcome:
    """Run one turn of a program in an empty folder; its output must hold what only the model, or only the tool, could know."""
    secret = f"code {secrets.token_hex(6)}"
    with TemporaryDirectory(prefix="muse-", ignore_cleanup_errors=True) as name:
        folder = Path(name)  # not below the repository, whose files some programs would read
        shutil.copytree(SCRIPTS, folder, dirs_exist_ok=True)
        script = folder / program.script
        text = script.read_text("utf-8").replace(DOCUMENTED, address)
        script.write_text(text if model == CONTEMPLATING else text.replace(CONTEMPLATING, model))
        (folder / "node_modules").symlink_to(HOMES / "node" / "node_modules")
        (folder / "secret.txt").write_text(f"{secret}\n")
        asked = question(program, turn, folder, secret)
        own = {"SECRET": secret, "QUESTION": asked, "TURN": turn, "MODEL": model}
        said = BUILD / f"{script.stem}-{turn}-{model}"
        try:
            done = run_command(
                command(program, turn), folder, environment(program, folder) | own, said
            )
        except subprocess.TimeoutExpired:
            return Outcome(program, turn, model, f"did not end within {PATIENCE:g} seconds")
    wanted = "heliotrope" if turn == "text" else secret
    if done.returncode == 0 and wanted in done.stdout:
        return Outcome(program, turn, model, "")
    return Outcome(program, turn, model, _reason(done, wanted))


def run_command(
    words: list[str], folder: Path, environment: dict[str, str], said: Path
) -> subprocess.CompletedProcess[str]:
    """Run a command, and end it with everything it has started. Raises `TimeoutExpired`.

    said: files for its output, but for their suffixes.
    """
    output, errors = said.with_suffix(".out"), said.with_suffix(".err")
    with output.open("w") as out, errors.open("w") as err:
        process = subprocess.Popen(
            words,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            start_new_session=True,
        )
        try:
            process.wait(PATIENCE)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    return subprocess.CompletedProcess(
        words, process.returncode, output.read_text("utf-8"), errors.read_text("utf-8")
    )


def _reason(done: subprocess.CompletedProcess[str], wanted: str) -> str:
    lines = [line.strip() for line in f"{done.stdout}\n{done.stderr}".splitlines() if line.strip()]
    telling = [line for line in lines if re.search(r"error|invalid|not |unsupported", line, re.I)]
    said = (telling or lines or ["it said nothing"])[-1]
    return f"exit {done.returncode}, without {wanted!r}: {said[:300]}"


def version(program: Program, package: str) -> str | None:
    """Version of an installed package; None if it is not installed."""
    if program.home == "node":
        about = HOMES / "node" / "node_modules" / package / "package.json"
        return json.loads(about.read_text("utf-8"))["version"] if about.is_file() else None
    name = f"{package.replace('-', '_')}-"
    found = (HOMES / program.home).glob(f"lib/*/site-packages/{name}*.dist-info")
    return next((path.name.removeprefix(name).removesuffix(".dist-info") for path in found), None)


def run_programs(programs: Sequence[Program], address: str) -> Iterator[list[Outcome]]:
    """Run all turns of each program, and yield them program by program."""
    with ThreadPoolExecutor(WORKERS) as pool:
        pending = [
            [
                pool.submit(run_turn, program, turn, model, address)
                for turn, model in product(TURNS, MODELS)
            ]
            for program in programs
        ]
        for turns in pending:
            yield [turn.result() for turn in turns]


def main(names: Sequence[str]) -> int:
    """Run the programs, print the table, and return the exit status."""
    programs = [each for each in PROGRAMS if not names or Path(each.script).stem in names]
    assert programs or not names, f"there is no program {names}"
    shutil.rmtree(BUILD, ignore_errors=True)
    BUILD.mkdir(parents=True)
    problems = []
    heads = [
        f"{turn} {'single' if model == MODEL else 'team'}" for turn, model in product(TURNS, MODELS)
    ]
    print("".join(f"{head:14}" for head in [f"{'program':40}", *heads]))
    config = BUILD / "config.toml"
    with upstream() as backend:
        config.write_text(CONFIG.format(model=MODEL, address=backend))
        with serving("--config", str(config)) as address:
            missing = [each for each in programs if version(each, each.packages[0]) is None]
            for program in missing:
                problems.append(
                    f"{program.title}: {program.packages[0]} is not installed in .venv-clients/{program.home}"
                )
            for outcomes in run_programs(
                [each for each in programs if each not in missing], address
            ):
                program = outcomes[0].program
                title = f"{program.title} {version(program, program.packages[0])}"
                print(
                    "".join(
                        f"{cell:14}" for cell in [f"{title:40}", *(each.cell for each in outcomes)]
                    ),
                    flush=True,
                )
                problems += [
                    f"{title}, {each.turn}, {each.model}: {each.problem}"
                    for each in outcomes
                    if each.problem
                ]
    for problem in problems:
        print(problem)
    if not names:
        import evaluators

        evaluators.main()
    return 1 if problems else 0


if __name__ == "__main__":
    signal.signal(
        signal.SIGTERM, lambda *_: sys.exit(143)
    )  # so that everything it has started ends, too
    sys.exit(main(sys.argv[1:]))
