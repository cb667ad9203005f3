"""Recorded answers of real models, grouped once by equivalence with each other and with the gold answer.

A task is a gzipped file of JSON lines: `{"id", "question", "prompt", "gold", "outputs": {model: full text}}`.
"""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from musespark.errors import BadOption, MissingFile
from musespark.reasoning.attempt import Attempt
from musespark.reasoning.consensus.equivalence import equivalence_named, marked_answer
from musespark.reasoning.consensus.equivalence.protocols import Equivalence, Forms
from musespark.reasoning.consensus.groups import AnswerGroups
from musespark.store import Vote

TASKS: Mapping[str, str] = {"gsm": "numeric", "math-l5": "mathematics", "crux": "literal"}
"""The tasks and their equivalences."""


@dataclass(frozen=True)
class KnownGroups:
    """An equivalence that looks up groups found earlier, so that thousands of replays are quick."""

    groups: Mapping[str, str]
    """Group of each answer."""
    forms: Forms | None = None
    name: str = "known"
    keyed: bool = True

    def key(self, attempt: Attempt) -> Hashable:
        return self.groups[attempt.answer]

    async def same(self, left: Attempt, right: Attempt) -> bool:
        return self.key(left) == self.key(right)

    def formed(self, attempt: Attempt) -> bool:
        """Return True if the original equivalence calls the attempt well formed, or has no opinion."""
        return self.forms is None or self.forms.formed(attempt)


def _attempt(model: str, answer: str) -> Attempt:
    return Attempt(agent=model, model=model, text=answer, answer=answer)


@dataclass(frozen=True)
class RecordedQuestion:
    """A question, the answers of the models, and their groups."""

    id: str
    gold: str
    answers: Mapping[str, str]
    """Answers by model, without models that gave none or broke the format."""
    same: KnownGroups = field(repr=False)

    def is_right(self, answer: str | None) -> bool:
        """Return True if an answer is equivalent to the gold one."""
        return answer is not None and self.same.groups[answer] == self.same.groups[self.gold]

    def is_well_formed(self, answer: str | None) -> bool:
        """Return True if an answer is right and has the form that was asked for."""
        return (
            answer is not None and self.is_right(answer) and self.same.formed(_attempt("", answer))
        )

    def is_verbatim(self, answer: str | None) -> bool:
        """Return True if an answer equals the gold one letter by letter."""
        return answer is not None and answer.strip() == self.gold.strip()

    def attempt(self, model: str) -> Attempt:
        """Return the answer of a model as an agent's attempt."""
        return _attempt(model, self.answers.get(model, ""))

    def votes(self, kind: str, models: Sequence[str], labelled: bool) -> Iterator[Vote]:
        """Yield the answers as votes, as the store has them. With labels, a vote is right if answer and form are."""
        for model in models:
            answer = self.answers.get(model)
            group = None if answer is None else self.same.groups[answer]
            yield Vote(
                kind, self.id, model, group, self.is_well_formed(answer) if labelled else None
            )


@dataclass(frozen=True)
class Recording:
    """All questions of a task, with the models that answered."""

    task: str
    models: tuple[str, ...]
    questions: tuple[RecordedQuestion, ...]

    @cached_property
    def accuracy(self) -> Mapping[str, float]:
        """Accuracy by model, the best first."""
        shares = {
            model: sum(
                question.is_right(question.answers.get(model)) for question in self.questions
            )
            / len(self.questions)
            for model in self.models
        }
        return dict(sorted(shares.items(), key=lambda item: (-item[1], item[0])))

    @property
    def ranked(self) -> tuple[str, ...]:
        """Models, the most accurate first."""
        return tuple(self.accuracy)


def task_file(directory: str | Path, task: str) -> Path:
    """Return the file of a task. Raises `BadOption` for an unknown task, and `MissingFile`."""
    if task not in TASKS:
        raise BadOption.choice("task", task, TASKS)
    path = Path(directory) / f"{task}.jsonl.gz"
    if not path.exists():
        raise MissingFile(
            path,
            "it does not exist; --data or MUSE_RECORDED names the directory of recorded answers",
        )
    return path


def read_rows(directory: str | Path, task: str) -> list[dict[str, Any]]:
    """Read the lines of a task's file. Raises `BadOption` for an unknown task, and `MissingFile`."""
    path = task_file(directory, task)
    try:
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            found = [json.loads(line) for line in lines]
    except (OSError, EOFError, ValueError) as error:
        raise MissingFile(path, f"it is not a gzipped file of JSON lines ({error})") from error
    if not found or not all({"id", "question", "gold", "outputs"} <= row.keys() for row in found):
        raise MissingFile(path, "its lines do not have id, question, gold and outputs")
    return found


async def load(
    directory: str | Path,
    task: str,
    cache: Path | None = None,
    progress: Callable[[int, int], None] = lambda done, of: None,
) -> Recording:
    """Read a task and group its answers.

    cache: a directory for the groups, since comparing mathematics takes minutes. `progress` is called with (done, total).
    """
    found = read_rows(directory, task)
    kept = _GroupCache(cache, task, found)
    questions = []
    for done, row in enumerate(found, 1):
        answers = {
            model: answer
            for model, text in row["outputs"].items()
            if (answer := marked_answer(text) or "").strip()
        }
        equivalence = _equivalence(task, row["question"])
        groups = kept.groups(row["id"], (row["gold"], *answers.values()))
        if groups is None:
            groups = kept.add(row["id"], await _group_answers(equivalence, row["gold"], answers))
        known = KnownGroups(groups, equivalence if isinstance(equivalence, Forms) else None)
        questions.append(RecordedQuestion(row["id"], row["gold"], answers, known))
        progress(done, len(found))
    kept.save()
    return Recording(
        task, tuple(sorted({model for row in found for model in row["outputs"]})), tuple(questions)
    )


def _equivalence(task: str, question: str) -> Equivalence:
    """Return the equivalence for the answers of one question."""
    kind = TASKS[task]
    return equivalence_named(
        kind, *{"numeric": (question,), "mathematics": (None, question)}.get(kind, ())
    )


async def _group_answers(
    equivalence: Equivalence, gold: str, answers: Mapping[str, str]
) -> dict[str, str]:
    """Return the group of each answer."""
    groups = AnswerGroups(equivalence)
    for number, answer in enumerate(
        (gold, *answers.values())
    ):  # as often as given: votes resolve contradictions
        await groups.add(replace(_attempt("", answer), agent=str(number)))
    found = {attempt.answer: attempt.agent for attempt in groups.declined}
    return found | {
        attempt.answer: group.representative.agent
        for group in groups.ranked
        for attempt in group.attempts
    }


class _GroupCache:
    """AnswerGroups on disk, valid for the same answers and the same code."""

    def __init__(
        self, directory: Path | None, task: str, found: Sequence[Mapping[str, Any]]
    ) -> None:
        self._path: Path | None = None
        self._groups: dict[str, dict[str, str]] = {}
        self._new = False
        if directory is not None:
            code = hashlib.sha256(repr(found).encode())
            for file in sorted(
                (Path(__file__).parents[1] / "reasoning" / "equivalence").rglob("*.py")
            ):
                code.update(file.read_bytes())
            self._path = directory / f"{task}-{code.hexdigest()[:16]}.groups.json"
            if self._path.is_file():
                self._groups = json.loads(self._path.read_text(encoding="utf-8"))

    def groups(self, question: str, answers: Sequence[str]) -> dict[str, str] | None:
        groups = self._groups.get(question)
        return (
            groups if groups is not None and all(answer in groups for answer in answers) else None
        )

    def add(self, question: str, groups: dict[str, str]) -> dict[str, str]:
        self._groups[question] = groups
        self._new = True
        return groups

    def save(self) -> None:
        if self._path is not None and self._new:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._path.write_text(json.dumps(self._groups), encoding="utf-8")
