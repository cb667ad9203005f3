"""The model card, generated from measurements: the description in the weights file, the training log, the evaluation.

`muse nano card DIR` reads `results.json`, `log.jsonl`, `outside.json` and `verifiers.json` in DIR (from `muse nano eval`,
`muse nano train`, `muse nano outside` and `muse nano outside --verifiers`) and writes `card.md` beside them. No figure in it is
typed by hand.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from musespark.evals.report import EvalRow, replace_file, table
from musespark.nano.tasks.scope import SCOPES
from musespark.nano.training.curve import read_log

TARGETS: Mapping[str, tuple[float, float, str]] = {
    "countdown-3": (0.95, 0.995, ""),
    "countdown-4": (0.60, 0.84, "APR, 228M parameters: 83.4% at 8.2 threads"),
    "lake": (0.90, 0.97, "MVoT 7B 85.6%, VPRL 7B 91.6%"),
    "maze": (0.80, 0.95, "VPRL 74.5%, MVoT 92.95%"),
    "shapes": (0.95, 0.995, "CNN+LSTM 87.6%"),
    "code": (0.85, 0.97, ""),
    "decline": (0.99, 1.0, ""),
}
"""Task: the floor, the aim, and results of others on the nearest published task."""

CARD = """\
# Model card: nano

{parameters:.1f} million parameters, {layers} layers of {width}, {heads} heads, {vocabulary} tokens; {megabytes:.1f} MB in float16.
Reads one picture, draws pictures, spawns its own threads. Apache-2.0, weights included. Why it is built this way:
[native-model.md](../native-model.md).

## What it is for
It shows, at a size that anyone can train and read, how a model thinks in pictures and coordinates threads of its own. It solves
five small tasks and abstains from everything else; it is not a general assistant.

## Questions it takes
| task | limits | example |
|---|---|---|
{tasks}

`muse nano tasks` prints them.

## Limits
{limits}

## Training
```
{command}
```
{tokens:.1f} million tokens in {minutes:.0f} minutes, {steps} steps, on {machine}. Data: problems from the tasks' own
generators and the train split of easy-VQA (MIT); one problem in sixteen, by a hash, is never trained on.
{notes}
![Loss by task](loss.png)

## Evaluation on its own templates
`{evaluation}`

Fresh problems from the held-out side of the split, in the wordings and drawings that the model was trained on; shapes are
easy-VQA's test questions; greedy decoding; at most {threads}
threads a question. A question from which the model abstained counts as wrong. Confirmed: share of answers that the task's
verifier confirmed. Threads: spawned threads. Critical path: network steps from the prompt to the answer, one after the other.
Tokens: written by all threads. Seconds: wall time of the engine for a problem, with {batch} problems decoded together. Ceiling:
share of problems that perfect threads would have solved from the network's first moves; solver's: from as many first moves chosen
by a heuristic (distance to the target's factors, and size).

{table}
![Accuracy against critical path](accuracy.png)

### Contemplating, compared with floor and aim
| task | measured | floor | aim | others |
|---|---|---|---|---|
{beside}

{comparison}

## Outside: wordings and pictures of others
{outside}

## What the verifiers confirm
Right answers to questions of its own templates should be confirmed. Variations of these questions ask for something else, and their
usual answers are wrong: none of them may be confirmed.

{verifiers}
"""

LIMITS = """\
- It knows the wordings and drawings that it was trained on, and few others: the figures below are of its own templates, except in
  the last two sections.
- It keeps no conversation and reads no instructions: only the last question and its one picture. If the request says more than
  that, an answer is never called verified.
- An answer is called verified only if its question was read completely: every word by a closed grammar of phrasings, every pixel as
  a part of the recognised picture. A phrasing outside the grammar leaves the answer unchecked. The model abstains, with the reason,
  before it guesses: from words that may be a condition, from numbers, sizes and programs outside the training data, from pictures
  that cannot be read, and from problems without a solution.
- The readers and verifiers are plain code and no part of the network; they check, and do not choose the task. Small discs and
  triangles with hard edges stay unchecked, since they look like polygons.
- Differences that are too faint to see (of 4 or fewer of 255 steps) are taken for noise."""


def write_card(directory: Path, about: Mapping[str, Any], parameters: int, size: int) -> Path:
    """Write `card.md` from the files in the directory; `about` is the description in the weights file.

    Raises FileNotFoundError if `results.json` or `log.jsonl` is missing.
    """
    results = json.loads((directory / "results.json").read_text())
    last = read_log(directory / "log.jsonl")[-1]
    rows = [EvalRow.from_json(row) for row in results["rows"]]
    card = CARD.format(
        parameters=parameters / 1e6, megabytes=size / 1e6, tokens=last["tokens"] / 1e6, minutes=last["seconds"] / 60,
        steps=last["step"], machine=about.get("machine", "an unnamed machine"), command=about["command"],
        notes=f"\n{about['notes']}\n" if about.get("notes") else "", evaluation=results["command"],
        threads=results["threads"], batch=results["batch"], table=table(rows), beside="\n".join(target_rows(rows)),
        comparison="\n\n".join(comparison_sentences(rows)), tasks=task_rows(), limits=LIMITS,
        outside=outside_table(directory / "outside.json", "muse nano outside --out DIR"),
        verifiers=outside_table(directory / "verifiers.json", "muse nano outside --verifiers --out DIR"),
        **{key: about[key] for key in ("layers", "width", "heads", "vocabulary")},
    )  # fmt: skip
    replace_file(directory / "card.md", card.rstrip().encode() + b"\n")
    return directory / "card.md"


def task_rows() -> str:
    """Format table rows: the questions of each task."""
    examples = {scope.task: scope.example.replace("\n", "\\n") for scope in SCOPES}
    return "\n".join(
        f"| {scope.title} | {scope.limits} | `{examples[scope.task]}` |" for scope in SCOPES
    )


def outside_table(path: Path, command: str) -> str:
    """Format the results of `muse nano outside` as a table with the command that measured them.

    command: the one to name if there are no results.
    """
    if not path.is_file():
        return f"Not measured; `{command}` measures it."
    measured = json.loads(path.read_text())
    lines = [f"`{measured['command']}`", "", "| task | questions | asked | right | confirmed | confirmed, but wrong | abstained |",
             "|---|---|---|---|---|---|---|"]  # fmt: skip
    for row in measured["rows"]:
        figures = (row[name] for name in ("asked", "right", "confirmed", "wrongly", "abstained"))
        lines.append(f"| {row['task']} | {row['name']} | {' | '.join(map(str, figures))} |")
    return "\n".join(lines)


def target_rows(rows: Sequence[EvalRow]) -> list[str]:
    """Format table rows: each task's contemplating accuracy, floor, aim and results of others."""
    found = {row.task: row for row in rows if row.mode == "contemplating"}
    lines = []
    for task, (floor, aim, others) in TARGETS.items():
        if task in found:
            row = found[task]
            met = (
                "meets the aim"
                if row.accuracy >= aim
                else "meets the floor"
                if row.accuracy >= floor
                else "**below the floor**"
            )
            lines.append(
                f"| {task} | {row.accuracy:.1%}, {met} | {floor:.1%} | {aim:.1%} | {others} |"
            )
    return lines


def comparison_sentences(rows: Sequence[EvalRow]) -> list[str]:
    """Format sentences: contemplating against thinking on countdown-4, and the ablation of the imagined images."""
    found = {(row.task, row.mode): row for row in rows}
    lines = []
    team, alone = (
        found.get(("countdown-4", "contemplating")),
        found.get(("countdown-4", "thinking")),
    )
    if team and alone:
        lines.append(
            f"On countdown-4 contemplating reaches {team.accuracy:.1%} with a critical path of {team.critical_path:.0f} steps, "
            f"thinking {alone.accuracy:.1%} with {alone.critical_path:.0f}: {team.critical_path / alone.critical_path:.2f} of the "
            f"wait for {team.tokens / alone.tokens:.2f} times the tokens."
        )
    voted = next((row for row in rows if row.task == "countdown-4" and "vote" in row.mode), None)
    if voted:
        lines.append(
            f"A plain majority vote over serial thoughts at about equal tokens, {voted.mode}, reaches {voted.accuracy:.1%} "
            f"for {voted.tokens:.0f} tokens."
        )
    asked = [row for row in rows if row.task != "decline"]
    if asked:
        declined, total = sum(row.declined for row in asked), sum(row.problems for row in asked)
        wrong = sum(row.verified_wrong for row in rows)
        abstained, right = sum(row.abstained for row in asked), sum(row.right for row in asked)
        confirmed = sum(row.confirmed or 0 for row in asked)
        lines.append(
            f"Questions of a task that the network took for none of its tasks: {declined} of {total} "
            f"({declined / total:.2%})."
        )
        if all(row.confirmed is not None for row in asked):
            lines.append(
                f"Questions from which the model abstained: {abstained} of {total} ({abstained / total:.2%})."
            )
            lines.append(
                f"Right answers that were confirmed: {confirmed - wrong} of {right} "
                f"({(confirmed - wrong) / max(right, 1):.2%})."
            )
        lines.append(f"Wrong answers that a verifier confirmed: {wrong}.")
    for task in ("lake", "maze"):
        seen, ablated = (
            found.get((task, "contemplating")),
            found.get((task, "contemplating (images ablated)")),
        )
        if seen and ablated:
            lines.append(
                f"With the imagined images ablated, {task} falls from {seen.accuracy:.1%} to {ablated.accuracy:.1%}."
            )
    return lines
