from pathlib import Path

import pytest
from recordings import STRENGTHS, write_recording

from musespark.errors import BadOption, MissingFile
from musespark.evals.recorded import measure, middle_models
from musespark.evals.recorded_report import as_json, plot, table, write
from musespark.evals.recording import load


async def test_answers_are_read_and_graded_once(tmp_path: Path) -> None:
    recording = await load(write_recording(tmp_path), "gsm", tmp_path / "cache")
    assert len(recording.questions) == 80 and set(recording.models) == set(STRENGTHS)
    first = recording.questions[3]
    assert first.is_right("3") and first.is_right(None) is False
    assert "weak-8" not in first.answers  # it broke the format: it answered nothing
    assert recording.accuracy["weak-8"] == 0
    assert recording.ranked[0] in ("best", "good")
    assert recording.accuracy["good"] > 0.8  # 3.0 is 3
    votes = list(first.votes("gsm", recording.models, labelled=True))
    assert {vote.model for vote in votes} == set(STRENGTHS)
    assert all(vote.right == (vote.group == first.same.groups["3"]) for vote in votes)
    assert all(vote.right is None for vote in first.votes("gsm", recording.models, labelled=False))


async def test_what_was_compared_is_kept_for_the_same_answers_only(tmp_path: Path) -> None:
    directory, cache = write_recording(tmp_path / "data"), tmp_path / "cache"
    first = await load(directory, "gsm", cache)
    assert len(list(cache.iterdir())) == 1
    again = await load(directory, "gsm", cache)
    assert [each.same.groups for each in again.questions] == [
        each.same.groups for each in first.questions
    ]
    await load(write_recording(directory, seed=1), "gsm", cache)
    assert len(list(cache.iterdir())) == 2


async def test_every_rule_is_measured_and_the_panel_keeps_to_its_calls(tmp_path: Path) -> None:
    recording = await load(write_recording(tmp_path), "gsm")
    results = {
        (result.rule, result.limit): result
        for result in await measure(recording, labels=20, draws=3)
    }
    best = next(result for (rule, _), result in results.items() if rule.startswith("best single ("))
    oracle = next(result for (rule, _), result in results.items() if rule.startswith("oracle"))
    panel = results["panel by 20 labels", 3.0]
    assert oracle.accuracy >= best.accuracy == max(recording.accuracy.values())
    assert results["best single by 20 labels", None].accuracy <= panel.accuracy <= oracle.accuracy
    assert (
        panel.calls <= 4
    )  # the limit holds on the questions it learned from; on others it may be off by a little
    assert results["panel by 20 labels", 1.0].calls == pytest.approx(1, abs=0.2)
    low, high = panel.interval
    assert low < panel.accuracy < high
    every = results["eight best in any order, majority", None]
    stopped = results["eight best in any order, stopped at 85%", None]
    assert every.calls == 8 and stopped.calls < 5


async def test_middling_models_are_neither_the_best_nor_sorted_by_what_nobody_knows(
    tmp_path: Path,
) -> None:
    recording = await load(write_recording(tmp_path), "gsm")
    for name in ("ranks 3-10", "around the median"):
        eight = middle_models(recording, name)
        assert len(eight) == 8 and list(eight) == sorted(eight)
    assert not set(recording.ranked[:2]) & set(middle_models(recording, "ranks 3-10"))


async def test_figures_are_written_as_table_json_and_plot(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    results = await measure(await load(write_recording(tmp_path), "gsm"), labels=20, draws=1)
    write(results, tmp_path / "out", {"seed": 0})
    assert (tmp_path / "out" / "recorded.svg").read_bytes() == plot(results)
    assert (tmp_path / "out" / "recorded.md").read_text() == table(results)
    assert (tmp_path / "out" / "recorded.json").read_text() == as_json(results, {"seed": 0})
    assert table(results).count("\n") == len(results) + 2


@pytest.mark.parametrize("content", [None, b"no gzip", b""])
async def test_a_file_that_is_not_there_or_broken_is_named(
    tmp_path: Path, content: bytes | None
) -> None:
    if content is not None:
        (tmp_path / "gsm.jsonl.gz").write_bytes(content)
    with pytest.raises(MissingFile, match=r"gsm\.jsonl\.gz"):
        await load(tmp_path, "gsm")
    with pytest.raises(BadOption, match="crux"):
        await load(tmp_path, "knitting")
