from contextlib import aclosing
from pathlib import Path

import pytest
from recordings import write_recording

from musespark.content import Request
from musespark.errors import BadOption, MissingFile, ModelFailed
from musespark.models.model import Delta, Finish, TextDelta, UsageDelta
from musespark.models.recorded import Latency, RecordedModel, count_tokens
from musespark.models.registry import create_model


async def deltas_of(model: RecordedModel, question: str, **options: int) -> list[Delta]:
    async with aclosing(model.stream(Request.of(question, **options))) as stream:
        return [delta async for delta in stream]


async def test_what_was_recorded_is_said_again_in_pieces_with_its_tokens() -> None:
    text = "One word after another, und so weiter. " * 40
    deltas = await deltas_of(RecordedModel.of({"Why?": text}, "m"), " Why? ")
    assert "".join(delta.text for delta in deltas if isinstance(delta, TextDelta)) == text
    assert sum(isinstance(delta, TextDelta) for delta in deltas) > 1
    usages = [delta.usage.tokens for delta in deltas if isinstance(delta, UsageDelta)]
    assert usages == sorted(usages) and usages[-1] == count_tokens(text)
    assert deltas[-1] == Finish()


async def test_a_limit_cuts_it() -> None:
    deltas = await deltas_of(RecordedModel.of({"Why?": "a b c d e f"}, "m"), "Why?", max_tokens=3)
    assert "".join(delta.text for delta in deltas if isinstance(delta, TextDelta)) == "a b c"
    assert deltas[-1] == Finish("length")


async def test_a_question_that_was_not_recorded_fails() -> None:
    with pytest.raises(ModelFailed, match="recorded"):
        await deltas_of(RecordedModel.of({}, "m"), "Why?")


async def test_latency_waits_for_as_long_as_it_says(monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)

    monkeypatch.setattr("musespark.models.recorded.asyncio.sleep", sleep)
    await deltas_of(
        RecordedModel.of({"Why?": "a b c d"}, "m", Latency(first=2, rate=8, scale=10)), "Why?"
    )
    assert waited == [20, 5]


async def test_a_file_is_read_by_name(tmp_path: Path) -> None:
    directory = write_recording(tmp_path)
    model = create_model(f"recorded:{directory}/gsm/best")
    assert model.name == "best"
    for question in ("What is 3 + 0?", "Q: 3 + 0"):
        assert isinstance(model, RecordedModel)
        assert any(
            isinstance(delta, TextDelta) and '"answer"' in delta.text
            for delta in await deltas_of(model, question)
        )


@pytest.mark.parametrize(
    ("name", "error", "match"),
    [
        ("gsm", BadOption, "DIR/TASK/MODEL"),
        ("{}/gsm/nobody", BadOption, "weak-1"),
        ("{}/crux/best", MissingFile, "crux"),
        ("{}/broken/best", MissingFile, "recorded answers"),
    ],
)
def test_what_is_not_there_is_named(
    tmp_path: Path, name: str, error: type[Exception], match: str
) -> None:
    directory = write_recording(tmp_path)
    (directory / "broken.jsonl.gz").write_bytes(b"no gzip")
    with pytest.raises(error, match=match):
        create_model("recorded:" + name.format(directory))
