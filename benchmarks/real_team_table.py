"""Ways to answer on a real model, and what was measured of each, as Markdown."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass, field

from musespark.usage import Usage

LABELS, QUESTIONS = 50, 200


@dataclass
class Row:
    """One way to answer, on one kind of question."""

    kind: str
    way: str
    right: list[float] = field(default_factory=list)
    """For each question 1, 0, or the share of samples that were right."""
    tokens: int = 0
    """Read and written."""
    written: int = 0
    calls: int = 0

    def count(self, right: float, usage: Usage) -> None:
        self.right.append(right)
        self.tokens += usage.tokens
        self.written += usage.tokens - usage.prompt_tokens
        self.calls += usage.calls

    @property
    def accuracy(self) -> float:
        return sum(self.right) / len(self.right)


WAYS = (
    "one sample",
    "majority of 8, last number or line",
    "majority of 8, answers found as ours",
    "team by default",
    f"team with {LABELS} labels",
)


def difference(
    one: list[float], other: list[float], draws: int = 10_000
) -> tuple[float, float, float]:
    """The mean of `other` - `one` over the same questions, and its 95% interval by bootstrap over questions."""
    gaps = [after - before for before, after in zip(one, other, strict=True)]
    chance = random.Random(0)
    means = sorted(
        sum(chance.choices(gaps, k=len(gaps))) / len(gaps)
        for _ in range(draws if len(gaps) < 2000 else 2000)
    )
    return sum(gaps) / len(gaps), means[int(0.025 * len(means))], means[int(0.975 * len(means))]


def table(rows: list[Row]) -> str:
    """Accuracy, tokens and calls by kind and on the whole, and the differences that matter, as Markdown."""
    kinds = list(dict.fromkeys(row.kind for row in rows))
    lines = [
        f"| {' | '.join(['right answers', *kinds, 'all', 'tokens', 'of them written', 'calls'])} |",
        "|" + "---|" * (len(kinds) + 5),
    ]
    whole: dict[str, list[float]] = {}
    for way in WAYS:
        of_way = [row for row in rows if row.way == way and row.right]
        if not of_way:
            continue
        whole[way] = [right for row in of_way for right in row.right]
        count = len(whole[way])
        cells = [f"{row.accuracy:.3f} ± {_half(row.right):.3f}" for row in of_way]
        cells += [
            f"{sum(whole[way]) / count:.3f} ± {_half(whole[way]):.3f}",
            f"{sum(row.tokens for row in of_way) / count:.0f}",
            f"{sum(row.written for row in of_way) / count:.0f}",
            f"{sum(row.calls for row in of_way) / count:.1f}",
        ]
        lines.append(f"| {' | '.join([way, *cells])} |")
    lines += ["", "| difference, the same questions | mean | 95% interval |", "|---|---|---|"]
    for one, other in (
        (WAYS[1], WAYS[3]),
        (WAYS[2], WAYS[3]),
        (WAYS[1], WAYS[4]),
        (WAYS[2], WAYS[4]),
        (WAYS[3], WAYS[4]),
    ):
        if one in whole and other in whole:
            mean, low, high = difference(whole[one], whole[other])
            lines.append(f"| {other}, against {one} | {mean:+.3f} | {low:+.3f} to {high:+.3f} |")
    return "\n".join(lines) + "\n"


def _half(right: list[float]) -> float:
    """Half the 95% interval of a mean."""
    mean = sum(right) / len(right)
    return 1.96 * math.sqrt(
        sum((each - mean) ** 2 for each in right) / max(1, len(right) - 1) / len(right)
    )
