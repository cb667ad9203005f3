"""Precision and recall of rules that call two answers the same, on labelled pairs, by rule and by kind."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from musespark.evals.answer_pairs import Pair
from musespark.evals.answer_rules import Rule


@dataclass(frozen=True)
class Score:
    """Counts of one rule's verdicts on pairs."""

    right: int
    """True positives: pairs rightly called the same."""
    wrong: int
    """False positives: pairs wrongly called the same."""
    missed: int
    """False negatives: pairs that are the same but were not called so."""
    apart: int
    """True negatives."""

    @property
    def precision(self) -> float:
        """Share of the pairs called the same that are; 1 if there are none."""
        return self.right / (self.right + self.wrong) if self.right + self.wrong else 1.0

    @property
    def recall(self) -> float:
        """Share of the same pairs that were called so; 1 if there are none."""
        return self.right / (self.right + self.missed) if self.right + self.missed else 1.0


async def verdicts(
    pairs: Sequence[Pair],
    rules: Mapping[str, Rule],
    progress: Callable[[str, int], None] = lambda rule, done: None,
) -> dict[str, list[bool]]:
    """Return the verdict of each rule on each pair. `progress` is called with a rule and its number of compared pairs."""
    found: dict[str, list[bool]] = {}
    for name, rule in rules.items():
        found[name] = []
        for done, pair in enumerate(pairs, 1):
            found[name].append(await rule(pair))
            progress(name, done)
    return found


def score(
    pairs: Sequence[Pair], same: Sequence[bool], where: Callable[[Pair], bool] = lambda pair: True
) -> Score:
    """Score verdicts on the pairs that meet a condition."""
    chosen = [(pair.same, called) for pair, called in zip(pairs, same, strict=True) if where(pair)]
    return Score(
        chosen.count((True, True)),
        chosen.count((False, True)),
        chosen.count((True, False)),
        chosen.count((False, False)),
    )


def table(pairs: Sequence[Pair], found: Mapping[str, Sequence[bool]]) -> str:
    """Format precision and recall of the rules, and of the first rule by kind, as Markdown."""
    held = sum(pair.held for pair in pairs)
    lines = [
        f"{len(pairs):,} pairs, {sum(pair.same for pair in pairs):,} of them the same; {held:,} are held out.",
        "",
        "| rule | precision | recall | wrongly the same | held out: precision | recall |",
        "|---|---|---|---|---|---|",
    ]
    for name, same in found.items():
        every, hidden = score(pairs, same), score(pairs, same, lambda pair: pair.held)
        lines.append(
            f"| {name} | {every.precision:.3f} | {every.recall:.3f} | {every.wrong} | {hidden.precision:.3f} | "
            f"{hidden.recall:.3f} |"
        )
    first = next(iter(found))
    lines += ["", f"| kind | pairs | {first}: precision | recall |", "|---|---|---|---|"]
    for kind in sorted({pair.kind for pair in pairs}):
        each = score(pairs, found[first], lambda pair, kind=kind: pair.kind == kind)  # type: ignore[misc]
        lines.append(
            f"| {kind} | {sum(pair.kind == kind for pair in pairs)} | {each.precision:.3f} | {each.recall:.3f} |"
        )
    return "\n".join(lines) + "\n"


def mistakes(pairs: Sequence[Pair], same: Iterable[bool]) -> str:
    """List the pairs with wrong verdicts, one a line; held-out pairs are only counted."""
    wrong = [
        (pair, called) for pair, called in zip(pairs, same, strict=True) if pair.same != called
    ]
    lines = [
        f"called {'the same' if called else 'different'}: {pair.left!r} | {pair.right!r} ({pair.kind})"
        for pair, called in wrong
        if not pair.held
    ]
    return "\n".join(
        [*lines, f"{sum(pair.held for pair, _ in wrong)} of the pairs that are held out."]
    )


def as_json(
    pairs: Sequence[Pair], found: Mapping[str, Sequence[bool]], about: Mapping[str, object]
) -> str:
    """Format the figures as one JSON object."""
    rows = [
        {
            "rule": name,
            "pairs": len(pairs),
            "precision": each.precision,
            "recall": each.recall,
            "wrongly_same": each.wrong,
            "missed": each.missed,
        }
        for name, same in found.items()
        for each in (score(pairs, same),)
    ]
    return json.dumps({**about, "rules": rows}) + "\n"
