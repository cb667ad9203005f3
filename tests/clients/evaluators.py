"""Programs that evaluate models against a real server, a part of `make test-clients`.

Starts `muse serve` with the native model on a free port of this machine, runs the commands of docs/server.md against it, and
requires that each program reports an accuracy of at least `LEAST`, and the very answers that the model gives when it is asked
directly. Nothing leaves this machine.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import musespark

sys.path.append(str(Path(__file__).parent))

from problems import problems, right
from serving import BUILD, ROOT, environment, serving

LEAST = 0.5
PATIENCE = 1200.0
"""Seconds that a program may take on a busy machine."""


@dataclass(frozen=True)
class Report:
    """Words of a program about the model."""

    program: str
    accuracy: float
    """As the program itself reports it."""
    answers: dict[str, str]
    """By question."""


def commands() -> list[str]:
    """Commands that docs/server.md tells a person to type, but for the installation and the server, which are running already."""
    section = (
        (ROOT / "docs" / "server.md")
        .read_text()
        .split("## Programs that evaluate models", 1)[1]
        .split("\n## ", 1)[0]
    )
    blocks = re.findall(r"^```sh\n(.*?)^```$", section, re.M | re.S)
    lines = "".join(blocks).replace("\\\n", " ").splitlines()
    return [line for line in lines if not line.startswith(("pip install", "muse serve"))]


def lm_eval() -> Report:
    """Results that lm-eval wrote down."""
    results = json.loads(next((BUILD / "lm-eval").rglob("results_*.json")).read_text())
    samples = next((BUILD / "lm-eval").rglob("samples_countdown_*.jsonl")).read_text().splitlines()
    found = [json.loads(line) for line in samples]
    return Report(
        "lm-eval",
        results["results"]["countdown"]["acc,none"],
        {sample["doc"]["question"]: sample["resps"][0][0] for sample in found},
    )


def inspect() -> Report:
    """Results that inspect-ai wrote down."""
    log = json.loads(next((BUILD / "inspect").glob("*.json")).read_text())
    assert log["status"] == "success", log.get("error")
    accuracy = log["results"]["scores"][0]["metrics"]["accuracy"]["value"]
    return Report(
        "inspect-ai",
        accuracy,
        {sample["input"]: sample["scores"]["verified"]["answer"] for sample in log["samples"]},
    )


def directly() -> Report:
    """Answers of the model without a server between."""
    asked = [problem["question"] for problem in problems()]
    answers = {question: str(musespark.ask_sync(question, temperature=0)) for question in asked}
    return Report(
        "asked directly", sum(right(*each) for each in answers.items()) / len(answers), answers
    )


def main() -> None:
    """Run everything; an assertion that fails says what is wrong."""
    with serving() as address:
        for command in commands():
            print(f"$ {command}", flush=True)
            asked = command.replace("http://127.0.0.1:8787", address)
            subprocess.run(
                asked, shell=True, check=True, cwd=ROOT, env=environment(), timeout=PATIENCE
            )
    reports = [lm_eval(), inspect()]
    direct = directly()
    for report in (*reports, direct):
        print(
            f"{report.program}: accuracy {report.accuracy:.3f} of {len(report.answers)} held-out problems"
        )
    for report in reports:
        assert report.answers == direct.answers, (
            f"{report.program} was answered otherwise than who asks directly"
        )
        assert abs(report.accuracy - direct.accuracy) < 1e-9, (
            f"{report.program} reports another accuracy than the verifier's"
        )
        assert report.accuracy >= LEAST, f"{report.program} reports an accuracy below {LEAST}"


if __name__ == "__main__":
    main()
