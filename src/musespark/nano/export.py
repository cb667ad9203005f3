"""Export of the weights to a directory for `transformers`: `FuyuForCausalLM.from_pretrained(directory)`. Needs no torch."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import sys
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from musespark.errors import BadOption
from musespark.nano import vocabulary as v
from musespark.nano.weights import DEFAULT, NanoConfig, load_half

PATCH_SIDE, CHANNELS = 8, 4
"""Fuyu's names for the 256 floats of a patch: 8 x 8 pixels of 4 channels, of which the fourth encodes the place."""


def export(weights: str | os.PathLike[str] | None, directory: str | os.PathLike[str]) -> Path:
    """Write a weights file (None: the packaged one) as a model directory, whole or not at all; return the directory.

    Everything is written to a temporary directory first. An existing directory is filled, not replaced, since it may be a working
    directory. Raises WeightsMissing or WeightsDamaged for the weights, BadOption if the directory is not empty or not writable.
    """
    from safetensors.numpy import save

    config, tensors, about = load_half(weights or DEFAULT)
    target = Path(directory)
    with _whole(target) as unfinished:
        content = save(tensors, {"format": "pt", "config": json.dumps(about)})
        (unfinished / "model.safetensors").write_bytes(content)
        for name, described in (
            ("config.json", model_config(config)),
            ("generation_config.json", generation_config(config)),
            ("tokenizer.json", tokenizer()),
            ("tokenizer_config.json", tokenizer_config(config)),
        ):
            (unfinished / name).write_text(json.dumps(described, indent=2) + "\n", encoding="utf-8")
        (unfinished / "README.md").write_text(
            README.format(name=target.resolve().name), encoding="utf-8"
        )
    return target


def model_config(config: NanoConfig) -> dict[str, Any]:
    """Build `config.json`: Fuyu around a Persimmon decoder."""
    ends = {"bos_token_id": v.BOS, "eos_token_id": v.EOS, "pad_token_id": v.PAD}
    text = {
        "model_type": "persimmon",
        "vocab_size": config.vocabulary,
        "hidden_size": config.width,
        "intermediate_size": config.hidden,
        "num_hidden_layers": config.layers,
        "num_attention_heads": config.heads,
        "hidden_act": "relu2",
        "layer_norm_eps": config.eps,
        "qk_layernorm": True,
        "max_position_embeddings": config.context,
        "rope_parameters": {
            "rope_type": "default", "rope_theta": config.theta, "partial_rotary_factor": config.rotary,
        },
        "hidden_dropout": 0.0,
        "attention_dropout": 0.0,
        "tie_word_embeddings": False,
        **ends,
    }  # fmt: skip
    return {
        "architectures": ["FuyuForCausalLM"],
        "model_type": "fuyu",
        "text_config": text,
        "image_token_id": v.PATCH,
        "image_size": v.GRID * PATCH_SIDE,
        "patch_size": PATCH_SIDE,
        "num_channels": CHANNELS,
        "tie_word_embeddings": False,
        "dtype": "float32",  # squared activations can leave the range of float16
        **ends,
    }


def generation_config(config: NanoConfig) -> dict[str, Any]:
    """Build `generation_config.json`: greedy, to the end of the context."""
    return {
        "bos_token_id": v.BOS,
        "eos_token_id": v.EOS,
        "pad_token_id": v.PAD,
        "do_sample": False,
        "max_length": config.context,
    }


def tokenizer() -> dict[str, Any]:
    """Build `tokenizer.json`: `vocabulary.encode` in the terms of the `tokenizers` library, plus the other tokens by name."""
    named = [token for token in range(v.SIZE) if not v.is_text(token)]
    flags = {
        "single_word": False,
        "lstrip": False,
        "rstrip": False,
        "normalized": False,
        "special": True,
    }
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [{"id": token, "content": v.TOKENS[token], **flags} for token in named],
        "normalizer": {
            "type": "Sequence",
            "normalizers": [
                {"type": "Replace", "pattern": {"String": "\r\n"}, "content": "\n"},
                {"type": "Replace", "pattern": {"String": "\r"}, "content": "\n"},
                {"type": "Replace", "pattern": {"String": "\t"}, "content": "    "},
                {"type": "NFKD"},
                {"type": "Replace", "pattern": {"Regex": f"[{_accents()}]"}, "content": ""},
            ],
        },
        "pre_tokenizer": {
            "type": "Split",
            "pattern": {"Regex": r"[\s\S]"},
            "behavior": "Isolated",
            "invert": False,
        },
        "post_processor": None,
        "decoder": {"type": "Fuse"},
        "model": {"type": "WordLevel", "vocab": v.IDS, "unk_token": "<unknown>"},
    }


def tokenizer_config(config: NanoConfig) -> dict[str, Any]:
    """Build `tokenizer_config.json`."""
    return {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "bos_token": "<bos>",
        "eos_token": "<eos>",
        "pad_token": "<pad>",
        "unk_token": "<unknown>",
        "model_max_length": config.context,
        "clean_up_tokenization_spaces": False,
    }


def _accents() -> str:
    """The characters that `vocabulary.encode` drops, as ranges of a regular expression's class."""
    return "".join(
        f"\\x{{{first:x}}}-\\x{{{last:x}}}"
        for first, last in _runs(lambda code: unicodedata.combining(chr(code)) > 0)
    )


def _runs(holds: Callable[[int], bool]) -> Iterator[tuple[int, int]]:
    first = None
    for code in range(sys.maxunicode + 2):
        inside = code <= sys.maxunicode and holds(code)
        if inside and first is None:
            first = code
        elif not inside and first is not None:
            yield first, code - 1
            first = None


@contextmanager
def _whole(target: Path) -> Iterator[Path]:
    """Yield a temporary directory whose files appear in the target when all of them are written."""
    try:
        if target.exists() and (not target.is_dir() or any(target.iterdir())):
            raise BadOption("directory", str(target), "a new or empty directory")
        there = target.exists()
        unfinished = (target if there else target.parent) / f".unfinished-{secrets.token_hex(8)}"
        unfinished.mkdir(parents=True)
    except OSError as error:
        raise BadOption(
            "directory", str(target), f"one that can be written ({error.strerror})"
        ) from error
    try:
        yield unfinished
        if there:
            for file in unfinished.iterdir():
                file.rename(target / file.name)
            unfinished.rmdir()
        else:
            unfinished.rename(target)
    except BaseException:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise


README = """# {name}

The native model of Muse Spark, open, as `transformers` loads it: a Fuyu (Persimmon decoder, patches through one linear layer)
with one token a character and tokens for drawing and for threads. Apache-2.0.

```python
import torch
from transformers import AutoTokenizer, FuyuForCausalLM

model = FuyuForCausalLM.from_pretrained("{name}")
tokenizer = AutoTokenizer.from_pretrained("{name}")

question = tokenizer("<bos>Use 25, 3 and 7 to make 81.<think>", return_tensors="pt")
print(tokenizer.decode(model.generate(**question)[0]))
```

A picture is 64 `<patch>` tokens and `pixel_values` (questions, 64, 256): for each 8x8 patch its pixels and a one-hot of its place.
`pip install musespark` has the functions that make them of any picture:

```python
from musespark.content import Image
from musespark.nano.patches import patches, shrink
from musespark.images import to_array

seen = torch.tensor(patches(shrink(to_array(Image.from_path("lake.png")))))[None]
question = tokenizer("<bos>" + "<patch>" * 64 + "Cross the lake safely.<think>", return_tensors="pt")
embedded = model.get_input_embeddings()(question.input_ids)
embedded[question.input_ids == model.config.image_token_id] = model.model.vision_embed_tokens(seen)[0]
print(tokenizer.decode(model.generate(inputs_embeds=embedded, attention_mask=question.attention_mask)[0]))
```

The mode's token comes last: `<instant>`, `<think>` or `<contemplate>`. With `<contemplate>` the model writes `<spawn>` and a list
of branches; threads that run side by side, share what came before and return to their parent need the engine of `musespark`.
A question that holds the name of a token, such as `<bos>`, would be read as that token: encode what people type with
`split_special_tokens=True` and put the control tokens around it.
"""
