"""Report of the measurements on recorded answers: a table, JSON, and a plot of accuracy against calls."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from musespark.evals.recorded import RuleResult
from musespark.evals.report import replace_file


def table(results: Sequence[RuleResult]) -> str:
    """Format the results as a Markdown table. `verbatim` is the share of answers equal to the gold one letter by letter."""
    lines = ["| task | rule | calls | accuracy | 95% | verbatim |", "|---|---|---|---|---|---|"]
    for result in results:
        low, high = result.interval
        allowed = "" if result.limit is None else f", at most {result.limit:g} calls"
        lines.append(
            f"| {result.task} | {result.rule}{allowed} | {result.calls:.2f} | {result.accuracy:.4f} "
            f"| {low:.3f} - {high:.3f} | {result.verbatim:.4f} |"
        )
    return "\n".join(lines) + "\n"


def write(results: Sequence[RuleResult], directory: Path, about: dict[str, object]) -> None:
    """Write `recorded.json`, `recorded.md` and `recorded.svg` to a directory, each atomically. Needs matplotlib."""
    directory.mkdir(parents=True, exist_ok=True)
    replace_file(directory / "recorded.json", as_json(results, about).encode())
    replace_file(directory / "recorded.md", table(results).encode())
    replace_file(directory / "recorded.svg", plot(results))


def as_json(results: Sequence[RuleResult], about: dict[str, object]) -> str:
    """Format one JSON object: the settings, and the results with their intervals."""
    listed = [{**asdict(result), "interval": result.interval} for result in results]
    return json.dumps({**about, "results": listed}, indent=1) + "\n"


def plot(results: Sequence[RuleResult]) -> bytes:
    """Plot accuracy against the mean number of calls, one pair of axes a task, as SVG."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    tasks = list(dict.fromkeys(result.task for result in results))
    with pyplot.rc_context({"svg.hashsalt": "musespark"}):
        figure, all_axes = pyplot.subplots(
            1, len(tasks), figsize=(4.6 * len(tasks), 4.2), layout="constrained", squeeze=False
        )
        for axes, task in zip(all_axes[0], tasks, strict=True):
            here = [result for result in results if result.task == task]
            ours = sorted(
                (result for result in here if result.rule.startswith("panel by")),
                key=lambda result: result.calls,
            )
            errors = [
                [100 * (result.accuracy - result.interval[0]) for result in ours],
                [100 * (result.interval[1] - result.accuracy) for result in ours],
            ]
            axes.errorbar(
                [result.calls for result in ours],
                [100 * result.accuracy for result in ours],
                yerr=errors,
                marker="o",
                capsize=3,
                label=ours[0].rule if ours else "",
            )
            for rule, style in (
                ("best single (", "--"),
                ("majority of all", ":"),
                ("oracle", "-."),
            ):
                for result in here:
                    if result.rule.startswith(rule):
                        axes.axhline(
                            100 * result.accuracy, linestyle=style, color="grey", label=result.rule
                        )
            for result in here:
                if result.rule.startswith("three best"):
                    axes.plot(
                        result.calls,
                        100 * result.accuracy,
                        "s",
                        color="tab:orange",
                        label=result.rule,
                    )
            axes.set(title=task, xlabel="calls a question (mean)", ylabel="right answers (%)")
            axes.grid(alpha=0.3)
            axes.legend(fontsize=7)
        image = io.BytesIO()
        figure.savefig(image, format="svg", metadata={"Date": None})
        pyplot.close(figure)
    return image.getvalue()
