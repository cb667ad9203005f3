"""The exported directory: complete, whole or not there, and read by transformers as it is meant."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from networks import SMALL, plain_logits, random_weights, tokens

from musespark.errors import BadOption, WeightsMissing
from musespark.nano import vocabulary as v, weights
from musespark.nano.export import export, tokenizer

QUESTION = tokens("<bos>") + [v.PATCH] * v.PLACES + tokens("Where to?<think>")


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("export")
    weights.save(folder / "nano.safetensors", SMALL, random_weights(SMALL), {})
    return export(folder / "nano.safetensors", folder / "deep" / "nano")


def test_what_is_there(exported: Path) -> None:
    names = {path.name for path in exported.iterdir()}
    assert names == {
        "config.json", "generation_config.json", "model.safetensors", "README.md", "tokenizer.json", "tokenizer_config.json",
    }  # fmt: skip
    assert [path.name for path in exported.parent.iterdir()] == ["nano"], (
        "nothing unfinished is left"
    )
    made = os.umask(0)
    os.umask(made)
    assert exported.stat().st_mode & 0o777 == 0o777 & ~made
    assert {path.stat().st_mode & 0o777 for path in exported.iterdir()} == {0o666 & ~made}


def test_what_is_refused(exported: Path, tmp_path: Path) -> None:
    source = exported.parent.parent / "nano.safetensors"
    with pytest.raises(BadOption, match="empty"):
        export(source, exported)
    with pytest.raises(BadOption, match="empty"):
        export(source, source)
    with pytest.raises(BadOption, match="written"):
        export(source, source / "below-a-file")
    with pytest.raises(WeightsMissing):
        export(tmp_path / "none", tmp_path / "new")
    assert not (tmp_path / "new").exists()
    (tmp_path / "empty").mkdir()
    assert export(source, tmp_path / "empty") == tmp_path / "empty"
    assert sorted(path.name for path in (tmp_path / "empty").iterdir()) == sorted(
        path.name for path in exported.iterdir()
    )


def test_the_directory_one_is_in(
    exported: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = tmp_path / "mine"
    here.mkdir()
    monkeypatch.chdir(here)
    export(exported.parent.parent / "nano.safetensors", ".")
    assert (here / "README.md").read_text().startswith("# mine\n") and os.listdir() == os.listdir(
        here
    )
    assert len(os.listdir()) == len(list(exported.iterdir()))


def test_a_failure_leaves_nothing(
    exported: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(json, "dumps", lambda *_, **__: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        export(exported.parent.parent / "nano.safetensors", tmp_path / "new")
    assert list(tmp_path.iterdir()) == []


@pytest.fixture(scope="module")
def fast() -> Any:
    return pytest.importorskip("tokenizers").Tokenizer.from_str(json.dumps(tokenizer()))


@settings(max_examples=300)
@given(
    text=st.text(st.characters(exclude_categories=["Cs"]))
    | st.text("<>bost/@pimgé\t\r\n²ﬁ a\u0301")
)
def test_the_tokenizer_is_the_vocabulary(fast: Any, text: str) -> None:
    fast.encode_special_tokens = True
    assert fast.encode(text).ids == v.encode(text)


def test_line_breaks_of_every_system(fast: Any) -> None:
    assert v.decode(v.encode("a\r\nb\rc\nd\r\n\r\n")) == "a\nb\nc\nd\n\n"


def test_the_tokenizer_knows_the_tokens_names(fast: Any) -> None:
    fast.encode_special_tokens = False
    every = list(range(v.SIZE))
    assert fast.encode(v.decode(every)).ids == every
    assert fast.decode(every, skip_special_tokens=False) == v.decode(every)
    assert fast.decode(every) == v.CHARACTERS


def test_transformers_agrees(exported: Path) -> None:
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    model = transformers.FuyuForCausalLM.from_pretrained(exported)
    assert model.dtype == torch.float32
    config, tensors = weights.load(exported.parent.parent / "nano.safetensors")
    patches = np.random.default_rng(1).standard_normal((v.PLACES, config.patch), dtype=np.float32)
    with torch.no_grad():
        logits = (
            model(input_ids=torch.tensor([QUESTION]), pixel_values=torch.tensor(patches)[None])
            .logits[0]
            .numpy()
        )
    np.testing.assert_allclose(logits, plain_logits(config, tensors, QUESTION, patches), atol=1e-3)


def test_asking_it_as_its_readme_says(exported: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("transformers")
    from PIL import Image

    monkeypatch.chdir(exported.parent)
    Image.new("RGB", (40, 30), "red").save("lake.png")
    said: list[str] = []
    scope: dict[str, object] = {"print": said.append}
    for block in (exported / "README.md").read_text().split("```python")[1:]:
        exec(block.split("```")[0].replace("generate(", "generate(max_new_tokens=5, "), scope)  # noqa: S102 (our own words)
    (exported.parent / "lake.png").unlink()
    assert len(said) == 2 and said[0].startswith("<bos>Use 25, 3 and 7 to make 81.<think>")
